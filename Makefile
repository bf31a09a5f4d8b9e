# Pinned here and built into .tools/, one folder per version, so that go.mod holds only what crm itself needs.
SQLC_VERSION        := v1.31.1
STATICCHECK_VERSION := v0.8.2
GOVULNCHECK_VERSION := v1.9.0
GORELEASER_VERSION  := v2.16.0
CYCLONEDX_VERSION   := v1.10.0
NFPM_VERSION        := v2.45.0

# A staticcheck that was built by an older Go cannot read the packages of a newer one.
TOOLS       := .tools/$(shell go env GOVERSION)
SQLC        := $(TOOLS)/sqlc@$(SQLC_VERSION)/sqlc
STATICCHECK := $(TOOLS)/staticcheck@$(STATICCHECK_VERSION)/staticcheck
GOVULNCHECK := $(TOOLS)/govulncheck@$(GOVULNCHECK_VERSION)/govulncheck
GORELEASER  := $(TOOLS)/goreleaser@$(GORELEASER_VERSION)/goreleaser
CYCLONEDX   := $(TOOLS)/cyclonedx-gomod@$(CYCLONEDX_VERSION)/cyclonedx-gomod
NFPM        := $(TOOLS)/nfpm@$(NFPM_VERSION)/nfpm

# A module of its own: what only starts a container for the tests is no requirement of crm.
CONTAINER := internal/dbtest/container

# Where this is no checkout, crm version says so.
CLI     := github.com/epicevents/crm/cli
LDFLAGS  = -X $(CLI).Version=$(shell git describe --tags --always --dirty 2>/dev/null || echo dev) \
	-X $(CLI).Commit=$(shell git rev-parse HEAD 2>/dev/null) -X $(CLI).Date=$(shell git show -s --format=%cI 2>/dev/null)

# The race detector is linked through cgo, which Go switches off on a machine without a C compiler.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

.PHONY: help build demo test check hooks fuzz mutate torture bench cover vuln snapshot packages image release gen man postgres

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

build: ## Build bin/crm
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o bin/crm .

demo: build postgres ## Show the unpaid contracts of the sample data, from a database of its own
	@tools/demo.sh

test: ## Run all tests; on the PostgreSQL that $CRM_TEST_POSTGRES chooses, else on a private one
	@tools/ensure-test-programs.sh
	@tools/ensure-test-postgres.sh
	$(if $(RACE),,@echo "No C compiler (gcc or clang) was found: the tests run without the race detector." >&2)
	go test $(RACE) -shuffle=on -timeout 30m ./service $$(go list ./... | grep -vE '/(cli|service)$$')  # the longest begins first
	go test -shuffle=on -timeout 30m ./cli  # drives the real program, with its real times: without the race detector

torture: postgres ## Try to break the promises about money and data, for an hour; TORTURE="--scale 0.1": for 10
	@tools/ensure-pgbouncer.sh
	go run ./tools/torture $(TORTURE)

check: $(SQLC) $(STATICCHECK) ## Run all that CI runs beside the tests: format, lint, generated code, imports, other systems
	@echo gofmt -l; ! find . -name '*.go' -not -path './gen/*' -exec gofmt -l {} + | grep .
	go vet -tags container,spreadsheet,browser,calendar ./...
	go -C $(CONTAINER) vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go vet ./...
	$(STATICCHECK) ./...
	cd $(CONTAINER) && "$(CURDIR)/$(STATICCHECK)" ./...
	$(SQLC) diff
	$(SQLC) vet
	go run ./tools/remote -check
	go test -run '^TestPlansAreCurrent$$' ./internal/value/phone
	go mod tidy -diff
	go -C $(CONTAINER) mod tidy -diff
	go test .  # imports, links between pages, the code that they quote, the picture of the house

hooks: ## Have git run make check before each push
	@tools/hooks.sh

fuzz: ## Fuzz each target for $FUZZTIME, 1m unless told
	@tools/fuzz.sh "$${FUZZTIME:-1m}"

mutate: ## Break each permission and each rule of the schema, and see that a test notices
	go run ./tools/mutate

bench: postgres ## Measure crm beside psql on a large database; BENCH='--scale 0.1' for less, BENCH_OUT=FILE for JSON
	go run ./tools/bench $(BENCH)

cover: ## Say how much of service and cli the tests and stories run
	@tools/cover.sh

vuln: $(GOVULNCHECK) ## Ask vuln.go.dev about the libraries that crm uses
	$(GOVULNCHECK) ./...
	$(GOVULNCHECK) -C $(CONTAINER) ./...

snapshot: $(GORELEASER) $(CYCLONEDX) ## Build all that a release has into dist/, without publishing
	@PATH="$(CURDIR)/$(dir $(GORELEASER)):$(CURDIR)/$(dir $(CYCLONEDX)):$$PATH" tools/snapshot.sh

packages: $(NFPM) ## Build the packages .deb and .rpm into packages/; ARCHS=amd64 for less
	@PATH="$(CURDIR)/$(dir $(NFPM)):$$PATH" ARCHS="$(ARCHS)" tools/packages.sh

image: build ## Build the image ghcr.io/epicevents/crm:dev, for compose.yaml
	@tools/image.sh

release: $(GORELEASER) $(CYCLONEDX) ## Publish the release of this tag; for CI
	tools/release-notes.sh "$$(git describe --tags --exact-match)" >.tools/release-notes.md
	PATH="$(CURDIR)/$(dir $(CYCLONEDX)):$$PATH" $(GORELEASER) release --clean --release-notes .tools/release-notes.md

gen: $(SQLC) ## Regenerate gen/, schema/catalogue.txt, the ends of the wire in service/ and remote/, and the telephone plans
	$(SQLC) generate
	go run ./tools/remote
	go test ./schema -run '^TestCatalogueIsCurrent$$' -update
	go test ./internal/value/phone -run '^TestPlansAreCurrent$$' -update

man: ## Write the manual pages into man/
	go run -ldflags "$(LDFLAGS)" . help --man man

postgres: ## Install PostgreSQL's programs if this machine has none
	@tools/ensure-postgres.sh

$(SQLC):
	@echo "Building sqlc $(SQLC_VERSION), once; this takes about two minutes."
	GOBIN="$(CURDIR)/$(@D)" go install github.com/sqlc-dev/sqlc/cmd/sqlc@$(SQLC_VERSION)

$(STATICCHECK):
	GOBIN="$(CURDIR)/$(@D)" go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)

$(GOVULNCHECK):
	GOBIN="$(CURDIR)/$(@D)" go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)

$(GORELEASER):
	@echo "Building goreleaser $(GORELEASER_VERSION), once; this takes some minutes."
	GOBIN="$(CURDIR)/$(@D)" go install github.com/goreleaser/goreleaser/v2@$(GORELEASER_VERSION)

$(CYCLONEDX):
	GOBIN="$(CURDIR)/$(@D)" go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)

$(NFPM):
	GOBIN="$(CURDIR)/$(@D)" go install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
