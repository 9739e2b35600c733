#!/bin/sh
# Compares near-duplicate search with rensa, gaoya and datasketch, one thread each, on one corpus.
#   bench/dedup/run.sh [TEXTS]     default 100000; files go to .retort/bench-dedup
set -eu
cd "$(dirname "$0")/../.."
texts="${1:-100000}"
dir=.retort/bench-dedup
python="$dir/venv/bin/python"
corpus="$dir/corpus.jsonl"
mkdir -p "$dir"

if ! "$python" -c 'import rensa, gaoya, datasketch' 2>/dev/null; then
	python3 -m venv "$dir/venv"
	"$dir/venv/bin/pip" install -q -r bench/dedup/requirements.txt
fi
go build -o "$dir/compare" ./bench/dedup/compare
rm -f "$corpus".*
"$dir/compare" corpus -n "$texts" -source "$(go env GOROOT)/src" -o "$corpus"
echo "comparing all with all ..." >&2
"$dir/compare" truth "$corpus"
"$dir/compare" ours -bands 16 -rows 8 "$corpus"
"$dir/compare" ours -bands 16 -rows 8 -jaccard .8 "$corpus"
"$dir/compare" ours -bands 25 -rows 5 -jaccard .65 "$corpus"
for peer in gaoya rensa datasketch; do
	echo "$peer ..." >&2
	"$python" bench/dedup/peers.py "$peer" 16 8 "$corpus"
done
echo "$(date -u +%Y-%m-%d), $(go version | cut -d' ' -f3), $(python3 --version), $(grep -c ^processor /proc/cpuinfo) cores$(sed -n 's/^model name.*:/,/p' /proc/cpuinfo | head -1); $(paste -sd' ' bench/dedup/requirements.txt)"
"$dir/compare" table "$corpus"
