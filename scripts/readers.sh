#!/usr/bin/env bash
# Publishes 20,000 records in five shards of two splits on the local stack, in two formats, and opens them with every reader, over S3.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${RETORT_BIN:-bin}
dir=$(mktemp -d)
"$bin/retort-local" up --dir "$dir" --teacher test --temporal-port 0 --ui-port 0 --s3-port 0 --teacher-port 0 \
  --allow "$dir" --ready-file "$dir/ready.json" >"$dir/up.log" 2>&1 &
stack=$!
stop() {
  kill -TERM "$stack" 2>/dev/null || true
  wait "$stack" 2>/dev/null || true
  rm -rf "$dir"
}
trap stop EXIT
while [ ! -s "$dir/ready.json" ]; do
  kill -0 "$stack" 2>/dev/null || { cat "$dir/up.log" >&2; exit 1; }
  sleep 0.2
done
# shellcheck disable=SC1091
. "$dir/env"
AWS_ENDPOINT_URL=$(sed -n 's/.*"s3_endpoint": *"\([^"]*\)".*/\1/p' "$dir/ready.json")
export AWS_ENDPOINT_URL RETORT_PUBLIC_KEY="$dir/signing.pub.pem"
for i in $(seq 1 20000); do
  printf '{"question": "What is to be said of thing number %d?"}\n' "$i"
done >"$dir/questions.jsonl"
for format in messages prompt-completion; do
  cat >"$dir/$format.yaml" <<YAML
dataset: readers-$format
license: cc-by-4.0
prompts: [{from: questions.jsonl, license: cc-by-4.0, origin: human}]
messages: [{role: user, content: "{{.question}}"}]
teachers: [{name: small}]
sampling: {max_tokens: 300}
checks: {near: off, exact: tag, empty: tag, truncated: tag, refusal: tag, identity: tag, repetition: tag, quality: tag, echo: tag, template: tag, reasoning: tag}
output: {format: $format, shard_mb: 2, splits: {test: 0.1}}
YAML
  "$bin/retort" run "$dir/$format.yaml"
  verified=$("$bin/retort" verify "readers-$format" --key "$RETORT_PUBLIC_KEY")
  echo "$verified"
  case $verified in
  *"5 shards, 20,000 records"*) ;;
  *) echo "the readers are to see 20,000 records in 5 shards" >&2; exit 1 ;;
  esac
  readers/run.sh "s3://retort/readers-$format"
done
