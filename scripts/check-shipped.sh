#!/usr/bin/env bash
# `suqiu check` on the configuration that we ship, as `suqiu init` writes it: it must have nothing to say.
set -euo pipefail
cd "$(dirname "$0")/.."
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
.venv/bin/suqiu init "$folder/starter" >/dev/null
said="$(.venv/bin/suqiu check --config "$folder/starter" 2>&1)" || { echo "$said" >&2; exit 1; }
if [ -n "$said" ]; then
    echo "$said" >&2
    exit 1
fi
