# What the scripts beside this file share: how to speak, and how to get packages from Debian. Sourced, not run.

say() { echo "suqiu: $*"; }

fail() {
    echo "suqiu: $*" >&2
    exit 1
}

can_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null
}

# Leaves the environment variables of apt in place also through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"; else sudo env DEBIAN_FRONTEND=noninteractive "$@"; fi
}

install_packages() {
    local log
    log="$(mktemp)"
    # A fresh machine has no package lists, an old one stale lists: fetch new ones when the first try fails.
    if ! { as_root apt-get install -y -qq --no-install-recommends "$@" ||
        { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "$@"; }; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install: $*"
    fi
    rm -f "$log"
}
