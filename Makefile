SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The packages that a target works on; PKGS=./lualike/... narrows it.
PKGS ?= ./...
# How long make fuzz runs each target, and make microbench each benchmark.
FUZZTIME ?= 30s
BENCHTIME ?= 1s
# The rows of make bench, by how their names begin; where it leaves its figures; 1 to see only whether it works.
ONLY ?=
OUT ?= bench.json
QUICK ?=
# What make stress and make chaos draw their chances from, any number (by default another one each time), and how long.
SEED ?=
DURATION ?= 60s
# What make interop runs against a real Skynet.
INTEROP ?= go test -tags interop -count=1 -v -run ^TestInterop ./cluster ./examples/... ./internal/bench

TOOL := go tool -modfile=tools/go.mod

export FUZZTIME

.PHONY: help
help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## run the cluster example
	go run ./examples/cluster/demo

.PHONY: game
game: ## run the game of examples/game, for people with a browser
	go build -o bin/game-run ./examples/game/run && exec bin/game-run # go run calls Ctrl-C a failure

.PHONY: robots
robots: ## let N robots play it for DURATION, with DEAF more that never read (N=100, DURATION=60s, DEAF=0)
	go run ./examples/game/run -robots $(or $(N),100) -for $(DURATION) -deaf $(or $(DEAF),0)

.PHONY: build
build: ## compile all packages
	go build $(PKGS)

.PHONY: examples
examples: ## build the example programs into bin/
	mkdir -p bin
	go build -o bin/ ./examples/...

.PHONY: test
test: ## run the tests
	go test $(PKGS)
	go -C tools test ./...

.PHONY: race
race: ## run the tests under the race detector
	go test -race $(PKGS)

.PHONY: isolate
isolate: ## run the tests with services that share no memory
	NODETEST_ISOLATE=1 go test $(PKGS)

.PHONY: stress
stress: ## let 1,000 services call, kill and end each other (SEED=, DURATION=60s)
	STRESS_SEED=$(SEED) STRESS_DURATION=$(DURATION) go test -race -count=1 -timeout 0 -v -run '^(TestStress|TestSendThenReply)$$' ./service ./actor

.PHONY: chaos
chaos: ## break the links of nodes that call each other, of a real Skynet too in SKYNET_HOME (SEED=, DURATION=60s)
	CHAOS_SEED=$(SEED) CHAOS_DURATION=$(DURATION) go test $(if $(SKYNET_HOME),-tags interop) -race -count=1 -timeout 0 -v -run '^Test(Interop)?Chaos$$' ./cluster

.PHONY: cover
cover: ## run the tests and print the coverage
	go test -coverprofile=cover.out $(PKGS)
	go tool cover -func=cover.out | tail -n 1

.PHONY: bench
bench: ## measure beside plain Go, and beside SKYNET_HOME (ONLY=, OUT=bench.json, QUICK=)
	go run ./internal/bench -only '$(ONLY)' -out '$(OUT)' $(if $(QUICK),-quick)

.PHONY: bench-plots
bench-plots: ## draw the plots of docs/ from what make bench has left in OUT
	go run ./internal/bench -out '$(OUT)' -plots docs

.PHONY: microbench
microbench: ## run the benchmarks beside the code (BENCHTIME=1s)
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PKGS)

.PHONY: fuzz
fuzz: ## run every fuzz target (FUZZTIME=30s)
	tools/fuzz.sh $(PKGS)

.PHONY: interop
interop: ## run the tests against a real Skynet in SKYNET_HOME
	@if [[ -z "$${SKYNET_HOME:-}" ]]; then \
		echo "interop: SKYNET_HOME is not set, nothing to test against"; \
	else \
		echo '$(INTEROP)'; $(INTEROP); \
	fi

.PHONY: fmt
fmt: ## list files that gofmt would change, and fail if there are any
	@files=$$(gofmt -l .); if [[ -n $$files ]]; then echo "not gofmt'ed:"; echo "$$files"; exit 1; fi

.PHONY: vet
vet: ## run go vet
	go vet $(PKGS)
	go -C tools vet ./...

.PHONY: lint
lint: ## run golangci-lint
	$(TOOL) golangci-lint run $(PKGS)

.PHONY: deps
deps: ## check the direction of imports and the number of modules
	go run tools/deps/main.go $(PKGS)

.PHONY: conformance
conformance: ## check that every recorded behaviour of Skynet has its test
	go -C tools run ./conformance ..

.PHONY: generate
generate: ## regenerate code, and fail if it was not fresh
	tools/generate.sh $(PKGS)

.PHONY: cross
cross: ## vet for the other platforms
	GOOS=darwin go vet $(PKGS)
	GOOS=windows go vet $(PKGS)

.PHONY: check
check: fmt vet lint deps generate race ## all of fmt, vet, lint, deps, generate, race
