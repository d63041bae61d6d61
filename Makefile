# Everything a newcomer types. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/$(BIN):$(PATH)
UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header
SYNC := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip sync --quiet --require-hashes --no-build

.PHONY: help setup lock demo test check contracts coverage slither bench soak clean
help: ## List the targets.
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMPS)/venv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ledger needs Python 3.11 or newer; set PYTHON=")'
	@$(PYTHON) -m venv --clear $(VENV) || { echo 'Python has no venv module: on Debian, apt-get install python3-venv' >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@mkdir -p $(STAMPS) && touch $@

# The extra file is there only for machines without Node.
NODE_REQUIREMENTS := $(shell command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || echo requirements/node.txt)

INSTALL := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .

# What it takes to run; a machine set up to develop has it already and keeps its other packages.
$(STAMPS)/run: $(STAMPS)/venv requirements/run.txt $(NODE_REQUIREMENTS) pyproject.toml
	@rm -f $(STAMPS)/dev
	$(SYNC) requirements/bootstrap.txt requirements/run.txt $(NODE_REQUIREMENTS)
	$(INSTALL)
	@touch $@

$(STAMPS)/dev: $(STAMPS)/venv requirements/dev.txt $(NODE_REQUIREMENTS) pyproject.toml
	$(SYNC) requirements/bootstrap.txt requirements/dev.txt $(NODE_REQUIREMENTS)
	$(INSTALL)
	@touch $(STAMPS)/run $@

# The chain and the compiler.
node_modules/.package-lock.json: $(STAMPS)/run package.json package-lock.json .npmrc
	npm ci --silent
	@touch $@

setup: $(STAMPS)/dev node_modules/.package-lock.json ## Python, Node, chain and compiler, all inside this folder.

lock: $(STAMPS)/venv ## Pin every dependency again, with hashes.
	@for f in bootstrap node analysis; do $(COMPILE) requirements/$$f.in --output-file requirements/$$f.txt; done
	@$(COMPILE) pyproject.toml --output-file requirements/run.txt
	@$(COMPILE) pyproject.toml --group dev --output-file requirements/dev.txt
	@npm install --package-lock-only --silent

demo: $(STAMPS)/run node_modules/.package-lock.json ## The three journeys on a local chain; everything is left in ./demo/.
	@$(BIN)/ledger demo --dir demo

test: setup ## Every test: contract and Python.
	@scripts/forge-test
	scripts/gas-snapshot --check
	$(BIN)/python scripts/contract_coverage.py
	$(BIN)/pytest -n auto

check: setup ## Style, types, import rules, the contract's format and artifact.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	forge fmt --check
	FOUNDRY_OUT=cache/lint-out FOUNDRY_CACHE_PATH=cache/lint forge lint --deny notes
	$(BIN)/python scripts/build_artifact.py --check

contracts: setup ## Compile the contract; write the artifact that the package carries, and its gas.
	$(BIN)/python scripts/build_artifact.py
	scripts/gas-snapshot

coverage: setup ## Every line of the contract is run by a test; branches are printed.
	$(BIN)/python scripts/contract_coverage.py

# In an environment of its own: slither needs an older web3 than we do.
$(STAMPS)/analysis: $(STAMPS)/venv requirements/analysis.txt
	@$(PYTHON) -m venv --clear $(VENV)/analysis
	VIRTUAL_ENV=$(CURDIR)/$(VENV)/analysis $(UV) pip sync --quiet --require-hashes --no-build requirements/analysis.txt
	@touch $@

slither: setup $(STAMPS)/analysis ## Static analysis of the contract; each finding is answered.
	$(BIN)/python scripts/run_slither.py

bench: setup ## Figures: ratios against peers and floors, in one run.
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.verification
	$(BIN)/python -m benchmarks.audit
	$(BIN)/python -m benchmarks.load
	$(BIN)/python -m benchmarks.gas
	$(BIN)/python -m benchmarks.worker
	$(BIN)/python -m benchmarks.capacity 200000 50000

soak: setup slither ## The long runs: deep fuzzing, static analysis, histories of batches, a hundred kills, a year, ten minutes of load.
	FOUNDRY_PROFILE=soak scripts/forge-test
	LEDGER_TEST_HISTORIES=5000 $(BIN)/pytest -q tests/properties/test_batch_life.py
	LEDGER_TEST_KILLS=50 $(BIN)/pytest -q tests/faults/test_killed_workers.py
	LEDGER_TEST_HOURS=8760 $(BIN)/pytest -q tests/properties/test_year.py
	$(BIN)/python -m benchmarks.worker 600

clean: ## Remove what make made, except the demo.
	rm -rf $(VENV) node_modules out cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
