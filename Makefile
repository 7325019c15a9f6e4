# Targets of lakeproof. A description after ## is shown by `make help`.
GO      ?= go
LINT     = $(GO) tool -modfile=tools/golangci-lint/go.mod golangci-lint
PYTHON  ?= .lab/spark/venv/bin/python
E2E      = ./internal/lab/local ./internal/lakehouse/kafka ./internal/lakehouse/schemaregistry ./exporters/... ./loadtest/...
GENERATED = TestPageIsNotStale|TestPaymentsSchemaIsTheStreams

.DEFAULT_GOAL := help
.PHONY: help build exporter demo test race e2e lint fmt bench generate check-generated check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/lakeproof
	$(GO) build -o bin/lakeproof ./cmd/lakeproof

exporter: ## build bin/lakeproof-exporter: the command export alone, stripped, for an image
	CGO_ENABLED=0 $(GO) build -tags exporter -trimpath -ldflags '-s -w' -o bin/lakeproof-exporter ./cmd/lakeproof

demo: build ## run the main job on the embedded lab; needs nothing but Go
	bin/lakeproof demo

test: ## run the tests that need nothing but Go
	$(GO) test ./...
	$(GO) vet -tags exporter ./cmd/... ./internal/cli
	cd tools/promcheck && $(GO) test ./...
	cd tools/peers && $(GO) test ./...

race: ## run the same tests with the race detector
	$(GO) test -race ./...

e2e: ## install and start the real stack in .lab and prove the whole on it
	$(GO) test -tags e2e -timeout 60m -p 1 -count=1 $(E2E)
	$(PYTHON) -m pytest -q deploy/spark/tests

lint: ## run golangci-lint in its pinned version
	$(LINT) run ./...

fmt: ## format the code
	$(LINT) fmt ./...

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

generate: ## write the generated files again
	$(GO) test -run '$(GENERATED)' ./metrics ./deploy/spark -update

check-generated: ## say whether a generated file is stale
	$(GO) test -count=1 -run '$(GENERATED)' ./metrics ./deploy/spark

check: lint test check-generated ## lint, test and check the generated files

clean: ## remove what was built; the stack in .lab stays
	rm -rf bin dist coverage.out
