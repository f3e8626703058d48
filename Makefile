# The only commands to learn: demo | tour | run | test | ui | check | bench. Each does its own set-up.

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
SHOP ?= demo
# The house's own folder for a sample, so that it never meets the whole shop.
ifdef SMALL
export AUDIENCE_DATA_DIR := $(CURDIR)/data/small
export AUDIENCE_DEMO_HOUSEHOLDS := 200
endif

.PHONY: help demo tour run ui test check bench lock clean

help:
	@echo "make demo            land the demo shop, run the whole chain, show what came out (SMALL=1: 200 households)"
	@echo "make tour            after make demo: five scenes of what it does about trouble, in copies (SMALL=1, SCENE=name, KEEP=1)"
	@echo "make run SHOP=name   run the chain of a shop under shops/"
	@echo "make ui              Dagster on a free local port (SHOP=name, SMALL=1)"
	@echo "make test            the tests, dbt's and pytest's (SLOW=1: the long ones instead)"
	@echo "make check           ruff, mypy, sqlfluff, dbt parse without warnings"
	@echo "make bench           measure, and rewrite benchmarks/results/"

# One install for all commands. uv is used where it is there; pip suffices. The lock is complete, so --no-deps: older
# pips want a pin of their own for a package that another asks for with an extra.
$(VENV)/.installed: requirements.lock
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@echo "installing from requirements.lock into $(VENV) (about a minute with pip, seconds with uv)"
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --compile-bytecode --python $(PYTHON) --require-hashes -r requirements.lock; \
	else \
		$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock; \
	fi
	@touch $@

demo: $(VENV)/.installed
	@$(PYTHON) -m orchestration run --shop demo --if-changed

tour: $(VENV)/.installed
	@$(PYTHON) -m tour $(SCENE) $(if $(KEEP),--keep)

run: $(VENV)/.installed
	@$(PYTHON) -m orchestration run --shop $(SHOP)

ui: $(VENV)/.installed
	@$(PYTHON) -m orchestration ui --shop $(SHOP)

test: $(VENV)/.installed
	$(PYTHON) -m pytest -m "$(if $(SLOW),slow,not slow)"

# SQL is linted without data: where tables stand, dbt would compile what an increment runs, and that would be linted.
check: $(VENV)/.installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	AUDIENCE_DATA_DIR=$(CURDIR)/target/no_data $(VENV)/bin/sqlfluff lint --processes 2 models shops tests/dbt
	AUDIENCE_DATA_DIR=$(CURDIR)/target/no_data $(VENV)/bin/dbt --quiet --warn-error parse --no-partial-parse

bench: $(VENV)/.installed
	$(PYTHON) -m benchmarks

# For maintainers, with uv: pins for Python 3.11 to 3.13, hashes, no index address.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements.lock

clean:
	rm -rf data target logs
