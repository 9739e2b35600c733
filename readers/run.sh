#!/bin/sh
# Opens shards with pyarrow, datasets, DuckDB, Polars and pandas and compares what they see (test_readers.py), holds card and
# croissant.json against huggingface_hub and mlcroissant (test_papers.py), and checks signatures with securesystemslib and in-toto's own
# library (test_attestations.py; RETORT_PUBLIC_KEY names the key).
#
#   readers/run.sh                    small datasets of every format, written for the purpose
#   readers/run.sh DATASET...         folders (with _versions/ and data/), or s3://BUCKET/PREFIX/DATASET with
#                                     AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
#
# READERS_TRAINING=1 opens them with PySpark, torch, Ray Data and TRL as well (test_training.py; requirements-training.txt, some
# gigabytes, in .retort/training-venv). What of these can't be installed is said, and its tests are not run.
#
# The libraries are installed once into .retort/readers-venv (READERS_VENV names another place) and again when
# requirements.txt changes. Where they can't be installed, the tests are not run and this says so: a failure where
# CI=true, else exit 0.
set -eu
cd "$(dirname "$0")/.."
training=${READERS_TRAINING:-}
venv=${READERS_VENV:-.retort/readers-venv}
[ -z "$training" ] || venv=${TRAINING_VENV:-.retort/training-venv}
python=${PYTHON:-python3}

not_run() {
	echo "readers: NOT RUN: $1" >&2
	if [ "${CI:-}" = true ]; then exit 1; fi
	exit 0
}

install() {
	"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
		not_run "$python is not Python 3.11 or newer. Install it, or name another with PYTHON."
	want=$("$python" -c 'import hashlib, sys; print(hashlib.sha256(open("readers/requirements.txt", "rb").read()).hexdigest(), sys.version)')
	if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/installed" 2>/dev/null)" = "$want" ]; then return; fi
	echo "readers: installing the libraries into $venv (once, about 800 MB)" >&2
	rm -rf "$venv"
	mkdir -p "$(dirname "$venv")"
	"$python" -m venv "$venv" || not_run "$python can't make a virtual environment (on Debian: python3-venv)."
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r readers/requirements.txt ||
		not_run "pip could not install readers/requirements.txt (see above)."
	echo "$want" >"$venv/installed"
}

# Each by itself, so that one that can't be had leaves the others. The pins of requirements.txt hold.
install_training() {
	if cmp -s readers/requirements-training.txt "$venv/training"; then return; fi
	echo "readers: installing PySpark, torch, Ray and TRL into $venv (once, some gigabytes)" >&2
	grep -v '^#' readers/requirements-training.txt | while read -r want; do
		"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c readers/requirements.txt "$want" ||
			echo "readers: $want could not be installed (see above); its tests are NOT RUN" >&2
	done
	cp readers/requirements-training.txt "$venv/training"
}

check() {
	echo "readers: $1" >&2
	RETORT_DATASET=$1 "$venv/bin/python" -m pytest -q -p no:cacheprovider -W ignore::DeprecationWarning -W ignore::FutureWarning -rs \
		readers/test_readers.py readers/test_papers.py readers/test_attestations.py ${training:+readers/test_training.py} || failed=1
}

install
[ -z "$training" ] || install_training
failed=0
if [ $# -eq 0 ]; then
	samples=$(mktemp -d)
	trap 'rm -rf "$samples"' EXIT INT TERM
	go run ./readers/sample -o "$samples"
	set -- "$samples/messages" "$samples/prompt-completion" "$samples/text"
fi
for dataset in "$@"; do check "$dataset"; done
exit $failed
