#!/usr/bin/env bash
# Retort beside other tools, on the same prompts, teacher and machine. Some 20 minutes; arguments go to compare.py (--short, --only, --cases).
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v python3 >/dev/null || { echo "needs python3, with venv: your system's package" >&2; exit 1; }

make --no-print-directory build
(cd local && go build -o ../bin/retort-bench ./cmd/retort-bench)

envs=$PWD/.retort/peers
for tool in curator datadesigner distilabel asyncio; do # each in an environment of its own: their dependencies don't agree
  wanted=bench/peers/requirements-$tool.txt
  if ! cmp -s "$wanted" "$envs/$tool/installed.txt"; then
    echo "installing $tool"
    rm -rf "${envs:?}/$tool"
    python3 -m venv "$envs/$tool"
    if "$envs/$tool/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"; then
      cp "$wanted" "$envs/$tool/installed.txt"
    else
      echo "$tool can't be installed here; it is left out" >&2
      rm -rf "${envs:?}/$tool"
    fi
  fi
done
exec "$envs/asyncio/bin/python" bench/peers/compare.py "$envs" bin "$@"
