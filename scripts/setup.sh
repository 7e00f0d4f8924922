#!/usr/bin/env bash
# Makes .venv and puts into it exactly what requirements.lock lists, and the project itself (editable);
# `scripts/setup.sh .venv-bench requirements-bench.lock` makes the bench's.
# `make setup` runs it when the lock, pyproject.toml or this file is newer than the last run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/debian.sh
venv="${1:-.venv}" lock="${2:-requirements.lock}"

usable() { command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local candidate
    # A version manager may put a python3.12 on the path that only says it is not installed: hence the trial.
    for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 /usr/bin/python3; do
        if usable "$candidate"; then echo "$candidate"; return; fi
    done
}

bring_python() {
    can_install || return 0
    say "no Python 3.11 or newer is on the path: bringing the Debian package python3-venv first"
    install_packages python3-venv
}

make_venv() {
    local python="$1" package
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv --clear "$venv"
        return
    fi
    # Debian splits ensurepip off the standard library.
    package="$("$python" -c 'import sys; print(f"python3.{sys.version_info.minor}-venv")')"
    if can_install; then
        say "this Python cannot make environments yet: bringing the Debian package $package first"
        install_packages "$package"
        "$python" -m venv --clear "$venv"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        say "without $package: an environment that gets its pip from the system's"
        "$python" -m venv --clear --without-pip "$venv"
        "$python" -m pip --quiet --python "$venv"/bin/python install pip
    else
        fail "$python cannot make environments. Type, as root: apt-get install $package"
    fi
}

if ! "$venv"/bin/python -m pip --version >/dev/null 2>&1; then
    python="$(find_python)"
    [ -n "$python" ] || { bring_python; python="$(find_python)"; }
    [ -n "$python" ] || fail "Suqiu needs Python 3.11 or newer. On Debian 12 type, as root: apt-get install python3-venv
Or name one: make setup PYTHON=/path/to/python3"
    say "making $venv with $("$python" --version) ($(command -v "$python"))"
    make_venv "$python"
fi
say "installing what $lock lists ($(grep -c '^[a-z0-9].*==' "$lock") packages; the first time takes a few minutes)"
"$venv"/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
"$venv"/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# A third of a hub's start would otherwise go into reading its own source, where bytecode may not be written.
"$venv"/bin/python -m compileall -q config connectors console demo mappings monitoring router
touch "$venv"/.suqiu-setup
say "done: $venv/bin/suqiu is there"
