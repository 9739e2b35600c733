# `make` alone lists the targets.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help build demo photocopy photocopy-llm up test readers chaos soak bench bench-peers bench-dedup bench-parquet bench-quality clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## build retort and the local stack into bin/
	@mkdir -p bin
	go build -o bin/retort ./cmd/retort
	@[ -x bin/retort-local ] || echo "building the local stack: some minutes the first time"
	cd local && go build -o ../bin/retort-local ./cmd/retort-local

demo: ## a real dataset from a real small model, verified; data in .retort/ (TEACHER=URL MODEL=NAME: another model)
	@scripts/demo.sh

photocopy: ## six generations of a student trained on its own answers, with the gate and without; a table and a plot
	@mkdir -p bin
	go build -o bin/retort ./cmd/retort
	@[ -x bin/retort-photocopy ] || echo "building the local stack: some minutes the first time"
	cd local && go build -o ../bin/retort-photocopy ./cmd/retort-photocopy
	@bin/retort-photocopy

photocopy-llm: ## the real small model rewrites its own answers, 500 records and 3 copies (RECORDS=, COPIES=); an hour on idle cores
	@mkdir -p bin
	go build -o bin/retort ./cmd/retort
	cd local && go build -o ../bin/retort-photocopy ./cmd/retort-photocopy
	@bin/retort-photocopy --llm --dir .retort/photocopy-llm --records $(or $(RECORDS),500) --copies $(or $(COPIES),3)

up: build ## the local stack in the foreground; prints what to source
	@exec bin/retort-local up

test: ## every test that CI runs
	@scripts/test.sh

readers: build ## open published versions with every reader, and with PySpark, torch, Ray Data and TRL, over S3 (some gigabytes, once)
	@READERS_TRAINING=1 readers/run.sh && READERS_TRAINING=1 scripts/readers.sh

chaos: build ## kill every part under faults, then one limit over workers, then the cap of a budget; some 20 minutes
	cd local && go build -o ../bin/retort-chaos ./cmd/retort-chaos
	bin/retort-chaos kills
	bin/retort-chaos rate
	bin/retort-chaos budget

soak: build ## an hour of runs, nights, faults and kills (FOR=5m: less): is what the processes use flat, and is anything left behind?
	cd local && go build -o ../bin/retort-soak ./cmd/retort-soak
	bin/retort-soak --for $(or $(FOR),1h) $(if $(FOR),--kill-every 20s)

bench: build ## a whole run beside a bare loop: 200 ms and 0 ms a request
	cd local && go build -o ../bin/retort-bench ./cmd/retort-bench
	bin/retort-bench --prompts 6400 --latency 200ms
	bin/retort-bench --prompts 20000 --latency 0

bench-peers: ## Retort beside Curator, Data Designer, distilabel and a hand-written client (20 minutes)
	bench/peers/run.sh

bench-dedup: ## near-duplicates beside rensa, gaoya and datasketch
	bench/dedup/run.sh

bench-parquet: ## writing shards beside pyarrow
	bench/parquet/run.sh

bench-quality: ## the gate's false alarms and detections, and the speed of signals
	bench/quality/run.sh

clean: ## delete what was built (not .retort/)
	rm -rf bin
