#!/usr/bin/env bash
# The configurations that we ship have nothing for `suqiu check` to say: the one that `suqiu init` writes, and
# the city of Suzhou with throwaway secrets. And the city's rules route labelled appeals as well as they should.
set -euo pipefail
cd "$(dirname "$0")/.."
suqiu="$PWD/.venv/bin/suqiu"
city=config/suzhou
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

silent() {
    local said
    said="$("$suqiu" check --config "$1" 2>&1)" || { echo "$said" >&2; exit 1; }
    [ -z "$said" ] || { echo "$said" >&2; exit 1; }
}

"$suqiu" init "$folder/starter" >/dev/null
silent "$folder/starter"

for name in $(grep -ohE 'env: SUQIU_[A-Z0-9_]+' "$city"/*.yaml | cut -c6- | sort -u); do
    value="$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
    case "$name" in *_PUSH_KEY) value="whsec_$value" ;; esac
    export "$name=$value"
done
silent "$city"

# Seen: what words and rules were tuned on. Unseen: what was kept from whoever tuned them.
judge() {
    local cases="tests/labelled/$1.jsonl" told
    told="$("$suqiu" route evaluate "$cases" --config "$city" --min-accuracy "$2" \
        --max-desk 0.35 --max-supervision 0.05 2>&1)" || { echo "$told" >&2; exit 1; }
}
judge seen 0.90
judge unseen 0.80
