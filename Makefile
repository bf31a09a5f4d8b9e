# Pinned here and built into .tools/, one folder per version, so that go.mod holds only what crm itself needs.
SQLC_VERSION        := v1.31.1
STATICCHECK_VERSION := v0.8.2

# A staticcheck that was built by an older Go cannot read the packages of a newer one.
TOOLS       := .tools/$(shell go env GOVERSION)
SQLC        := $(TOOLS)/sqlc@$(SQLC_VERSION)/sqlc
STATICCHECK := $(TOOLS)/staticcheck@$(STATICCHECK_VERSION)/staticcheck

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The race detector is linked through cgo, which Go switches off on a machine without a C compiler.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

.PHONY: help build demo test check fuzz mutate bench gen man postgres

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

build: ## Build bin/crm
	go build -trimpath -ldflags "-X github.com/epicevents/crm/cli.Version=$(VERSION)" -o bin/crm .

demo: build postgres ## Show the unpaid contracts of the sample data, from a database of its own
	@tools/demo.sh

test: ## Run all tests; on the PostgreSQL that $CRM_TEST_POSTGRES chooses, else on a private one
	@tools/ensure-test-programs.sh
	@tools/ensure-test-postgres.sh
	$(if $(RACE),,@echo "No C compiler (gcc or clang) was found: the tests run without the race detector." >&2)
	go test $(RACE) -shuffle=on -timeout 30m $$(go list ./... | grep -v /cli$$)
	go test -shuffle=on -timeout 30m ./cli  # drives the real program, with its real times: without the race detector

check: $(SQLC) $(STATICCHECK) ## Run all that CI runs beside the tests: format, lint, generated code, other systems
	@echo gofmt -l; ! find . -name '*.go' -not -path './gen/*' -exec gofmt -l {} + | grep .
	go vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go vet ./...
	$(STATICCHECK) ./...
	$(SQLC) diff
	$(SQLC) vet
	go mod tidy -diff

fuzz: ## Fuzz each target for $FUZZTIME, 1m unless told
	@tools/fuzz.sh "$${FUZZTIME:-1m}"

mutate: ## Break each permission and each rule of the schema, and see that a test notices
	go run ./tools/mutate

bench: postgres ## Run the benchmarks
	go test -run '^$$' -bench . ./...

gen: $(SQLC) ## Regenerate gen/ from schema/ and queries/
	$(SQLC) generate

man: ## Write the manual pages into man/
	go run ./tools/man man

postgres: ## Install PostgreSQL's programs if this machine has none
	@tools/ensure-postgres.sh

$(SQLC):
	@echo "Building sqlc $(SQLC_VERSION), once; this takes about two minutes."
	GOBIN="$(CURDIR)/$(@D)" go install github.com/sqlc-dev/sqlc/cmd/sqlc@$(SQLC_VERSION)

$(STATICCHECK):
	GOBIN="$(CURDIR)/$(@D)" go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
