#!/usr/bin/env bash
# False alarms, detection and speed of the gate. Without CORPUS Go's own doc comments are read: a small corpus.
#   CORPUS=a.jsonl,b.jsonl RUNS=1000 BESIDE=60 bench/quality/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p bin
go build -o bin/bench-quality ./bench/quality
for what in speed alarms detect; do
	echo "## $what"
	bin/bench-quality -corpus "${CORPUS:-}" -do "$what" -runs "${RUNS:-50}" -beside "${BESIDE:-10}" -seed "${SEED:-1}"
done
