# Everything a person needs is one of these words; each does its own set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test unit check format lint types layers sql contracts programs bench validate clean

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?= python3
READY  := $(VENV)/.ready
# A file stays with one worker: its fixtures are built once. Files keep their order, in which the
# quick ones come last: sorted by their number of tests, the longest would, and one core would idle.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

help: ## these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## .venv with the locked packages, compiled, and the tillit command

# Byte-code is compiled here because PYTHONDONTWRITEBYTECODE in the environment would
# otherwise make every import three to six times as slow.
$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "tillit needs Python 3.11 or newer as '$(PYTHON)'"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tillit needs Python 3.11 or newer; found $$($(PYTHON) --version)"; exit 1; }
	@echo "setting up $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q src dags
	@touch $@

demo: $(READY) ## two homes and four more suppliers trade for a simulated year
	@$(BIN)/tillit demo

test: $(READY) ## every test this machine can run
	@$(PYTEST)

unit: $(READY) ## the quick tests only
	@$(PYTEST) tests/unit tests/properties tests/vectors

# The tests come last: what the quick ones find is found in a minute.
check: $(READY) format-check lint types layers sql contracts test ## format, lint, types, import rules, SQL, contracts, tests

format: $(READY) ## rewrite in the house format
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

.PHONY: format-check
format-check: $(READY)
	@$(BIN)/ruff format --check -q . || { echo "run: make format"; exit 1; }

lint: $(READY)
	@$(BIN)/ruff check -q .

types: $(READY)
	@$(BIN)/mypy

layers: $(READY)
	@$(BIN)/lint-imports --no-logo

sql: $(READY)
	@$(BIN)/sqlfluff lint -q transforms

# datacontract-cli pins other versions than we do, so it has an environment of its own. Its lock is
# made as ours is, of `datacontract-cli[duckdb]` and the duckdb of requirements.lock.
.venv-datacontract/.ready: requirements-datacontract.lock $(READY)
	@echo "setting up .venv-datacontract ..."
	@$(BIN)/uv venv --quiet --clear .venv-datacontract
	@$(BIN)/uv pip install --quiet --python .venv-datacontract/bin/python --require-hashes --compile-bytecode -r requirements-datacontract.lock
	@touch $@

contracts: .venv-datacontract/.ready ## the kinds are valid ODCS contracts
	@mkdir -p build
	@for kind in contracts/kinds/*.odcs.yaml; do \
	  .venv-datacontract/bin/datacontract lint $$kind >build/datacontract.log 2>&1 \
	    || { cat build/datacontract.log; exit 1; }; \
	done

programs: $(READY) .venv-datacontract/.ready ## programs of others that tests hold ours against
	@cd tests/services && npm ci --silent --no-audit --no-fund

bench: $(READY) ## speed and memory, as ratios in one run
	@$(BIN)/python -m benchmarks

validate: $(READY) ## every mark of the measure, on simulated partners whose trust is known
	@$(BIN)/python -m tillit.validation

clean:
	@rm -rf $(VENV) .venv-datacontract build
