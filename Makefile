# Clew: run `make` for the list of targets.
GO ?= go
# A count, not a time: a fuzzer that runs out of time before its corpus is read fails.
FUZZTIME ?= 200x
LINT_VERSION = v2.15.0

.PHONY: help run build docs test test-race lint fuzz soak bench microbench ui test-ui screenshots

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## run Clew in one process, data in ./clew-data
	@$(GO) run ./cmd/clew

build: ## build the binary into ./build/clew
	$(GO) build -o build/clew ./cmd/clew

docs: ## write the references of configuration and metrics in docs from the code
	$(GO) generate ./cmd/clew

test: ## everything that must hold before a commit
	$(GO) vet ./...
	$(GO) test ./...
	@$(MAKE) --no-print-directory fuzz FUZZFRESH=1 FUZZTIME=$(FUZZTIME)
	@for m in $$(find integration -mindepth 2 -name go.mod -exec dirname {} \;); do echo "== $$m" && (cd $$m && $(GO) test ./...) || exit 1; done

test-race: ## the tests under the race detector, on less data
	$(GO) test -race -short -timeout 40m ./...

# With FUZZFRESH the inputs that earlier runs found are left aside: there may be
# more of them than a short run has executions, and nothing new would be tried.
fuzz: ## each fuzzer for FUZZTIME (a count such as 200x, or a time)
	@cache=$$(mktemp -d) && trap 'rm -rf "$$cache" .fuzz.log' EXIT && \
	grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r f; do \
	  for fn in $$(grep -oE '^func Fuzz[A-Za-z0-9_]*' $$f | cut -c6-); do \
	    $(GO) test $$(dirname $$f) -run '^$$' -fuzz "^$$fn\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $(if $(FUZZFRESH),-args -test.fuzzcachedir="$$cache") > .fuzz.log 2>&1 || { cat .fuzz.log; exit 1; }; \
	    execs=$$(grep -oE 'execs: [0-9]+' .fuzz.log | tail -n 1); \
	    [ -n "$$execs" ] || { cat .fuzz.log; echo "$$fn tried nothing new: raise FUZZTIME"; exit 1; }; \
	    echo "fuzz $$fn: $$execs"; \
	  done || exit 1; done

soak: ## long campaigns at full count: fuzzers, oracle, power cuts, kills, round trips (about an hour; docs/soak.md)
	@$(MAKE) --no-print-directory fuzz FUZZTIME=60s
	CLEW_ORACLE_ROUNDS=5000 $(GO) test -count 1 -timeout 60m -v -run 'Oracle|Failing|Growing' ./querier
	CLEW_CRASH_ROUNDS=300 CLEW_WAL_ROUNDS=5000 $(GO) test -count 1 -timeout 60m -v -run 'PowerCut|Campaign' ./ingester/...
	CLEW_CRASH_ROUNDS=30 CLEW_ROUNDTRIPS=10000 $(GO) test -count 1 -timeout 60m -v -run 'Kill|Term|Lossless' ./integration

bench: ## the table of figures: a real process, a million spans a run (about 5 minutes; BENCH="--help")
	$(GO) run ./cmd/internal/bench $(BENCH)

microbench: ## Go benchmarks with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./...

lint: ## golangci-lint
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) run ./...

ui: ## build the web app anew into frontend/ui/dist, which is committed (needs Node 18 or newer)
	cd frontend/ui && npm ci --no-audit --no-fund --ignore-scripts && npm run -s check && npm run -s test && npm run -s build

test-ui: ## the web app in headless Chromium against a real process (as root on Debian it installs what is missing)
	integration/ui/setup.sh
	cd integration/ui && npm ci --no-audit --no-fund --ignore-scripts && npm run -s test

screenshots: ## pictures of the web app anew into docs/images
	integration/ui/setup.sh fonts
	cd integration/ui && npm ci --no-audit --no-fund --ignore-scripts && npm run -s screenshots
