#!/bin/sh
# Writes the same 300,000 rows (about 1 GB) as a shard with Retort and with pyarrow, one after the other, and prints
# MB/s, MB per CPU second and peak memory of each. PYTHON names a Python with pyarrow; ROWS another number.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-.retort/readers-venv/bin/python}
if ! "$python" -c 'import pyarrow' 2>/dev/null; then
	echo "bench/parquet: $python has no pyarrow. Run readers/run.sh once, or set PYTHON." >&2
	exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
go build -o "$work/parquet" ./bench/parquet
"$work/parquet" -rows "${ROWS:-300000}" -out "$work/retort.parquet"
"$python" bench/parquet/beside_pyarrow.py "$work/retort.parquet" "$work/pyarrow.parquet"
