#!/usr/bin/env bash
# Brings the programs of the named servers from the Debian packages when they are missing, and starts none of them:
#   scripts/bring-servers.sh rabbitmq postgresql mariadb dovecot promtool strace
# The tests and the demonstration run private instances of them, in temporary folders and on free ports.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/debian.sh

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK="suqiu: start no service while its package is being installed"

package_of() {
    case "$1" in
        rabbitmq) echo rabbitmq-server ;;
        postgresql) echo postgresql ;;
        mariadb) echo mariadb-server ;;
        dovecot) echo dovecot-imapd ;;
        promtool) echo prometheus ;;
        strace) echo strace ;;
        *) fail "unknown server: $1 (rabbitmq, postgresql, mariadb, dovecot, promtool or strace)" ;;
    esac
}

is_here() {
    case "$1" in
        rabbitmq) [ -n "${SUQIU_TEST_AMQP_URL:-}" ] || { [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && command -v erl >/dev/null; } ;;
        postgresql) [ -n "${SUQIU_TEST_DATABASE_URL:-}" ] || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
        mariadb) [ -x /usr/sbin/mariadbd ] && [ -x /usr/bin/mariadb-install-db ] ;;
        dovecot) [ -x /usr/sbin/dovecot ] && [ -x /usr/lib/dovecot/imap ] ;;
        promtool) command -v promtool >/dev/null ;;
        strace) command -v strace >/dev/null ;;
    esac
}

enabled_services() { systemctl list-unit-files --state=enabled --no-legend 2>/dev/null | awk '{print $1}' | sort || true; }

# Packages enable their services for the next start of the machine; these were brought for private instances only.
switch_off_new_services() {
    local new
    new="$(comm -13 <(echo "$1") <(enabled_services))"
    if [ -n "$new" ]; then as_root systemctl disable --now $new >/dev/null 2>&1 || true; fi
}

forbid_starting() {
    # A policy of the machine's owner stays as it is; one that a killed run of ours left behind does not.
    if [ -e "$POLICY" ] && ! grep -qs "$POLICY_MARK" "$POLICY"; then return; fi
    trap allow_starting EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\n# %s\nexit 101\n' "$POLICY_MARK" | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
}

allow_starting() {
    if grep -qs "$POLICY_MARK" "$POLICY"; then as_root rm -f "$POLICY"; fi
}

wanted=()
for server in "$@"; do
    package="$(package_of "$server")"
    is_here "$server" || wanted+=("$package")
done
[ ${#wanted[@]} -eq 0 ] && exit 0

can_install || fail "missing: ${wanted[*]}. Installing them needs root or sudo on Debian. Type, as root: apt-get install ${wanted[*]}
Or use servers of your own: SUQIU_TEST_AMQP_URL with SUQIU_TEST_AMQP_MANAGEMENT_URL, SUQIU_TEST_DATABASE_URL (see tests/README.md)"
say "bringing from the Debian packages: ${wanted[*]}. No system service is started or left enabled."
[ "$(id -u)" -eq 0 ] || say "sudo may ask for your password"
before="$(enabled_services)"
forbid_starting
install_packages "${wanted[@]}"
switch_off_new_services "$before"
for server in "$@"; do
    is_here "$server" || fail "$(package_of "$server") is installed, but its programs are not where they were expected"
done
say "installed: ${wanted[*]}"
