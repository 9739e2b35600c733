#!/usr/bin/env bash
# Every test that CI runs. Nothing is skipped without saying so; in CI (CI=true) a missing reader or valgrind is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
workflowcheck=go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0
tools=$PWD/bin/tools
start=$SECONDS
step() { printf '\n== %s (%ds)\n' "$*" "$((SECONDS - start))"; }

need() { command -v "$1" >/dev/null || { echo "needs $1: $2" >&2; exit 1; }; }
need go "https://go.dev/doc/install"
need python3 "your system's package python3, with venv"

tool() { # NAME MODULE
  if [ ! -x "$tools/$1-${2##*@}" ]; then
    GOBIN=$tools/new GOFLAGS= go install "$2"
    mv "$tools/new/$1" "$tools/$1-${2##*@}"
  fi
}

# The report's tests open it in a real browser where there is one, and a test counts instructions under valgrind; in CI they are installed by their names.
browser() { command -v "${CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome; }
counter() { command -v "${VALGRIND:-valgrind}"; }
missing=()
browser >/dev/null || missing+=(chromium)
counter >/dev/null || missing+=(valgrind)
if [ ${#missing[@]} -gt 0 ] && [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  step "from the system's packages: ${missing[*]}"
  apt-get update -qq >/dev/null 2>&1 || true
  for package in "${missing[@]}"; do
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 || true
  done
fi
browser >/dev/null || echo "NOT RUN: there is no Chromium, so the report isn't opened in a browser; that texts are escaped is tested without it." >&2
counter >/dev/null || echo "NOT RUN: there is no valgrind, so instructions for a record aren't counted (in CI that is a failure); allocations and requests are." >&2

step "formatting"
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
[ -z "$unformatted" ] || { echo "not formatted: $unformatted" >&2; exit 1; }

step "vet and staticcheck"
tool staticcheck "$staticcheck"
tool workflowcheck "$workflowcheck"
go vet ./...
"$tools/staticcheck-${staticcheck##*@}" ./...

step "workflowcheck: workflows are deterministic"
"$tools/workflowcheck-${workflowcheck##*@}" ./workflows

step "unit, property, fuzz seeds, golden, replay, dependency rules"
go test -vet=off -timeout 15m ./...

step "the local stack, and the whole on it"
make --no-print-directory build
(cd local && go vet ./... && go test -vet=off -timeout 25m ./...)

step "readers in Python"
readers/run.sh
RETORT_BIN=$PWD/bin scripts/readers.sh

printf '\nall passed in %ds\n' "$((SECONDS - start))"
