# Needs Python 3.11 or newer (with venv) and make; everything else is installed into this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
INSTALL := $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python
PROJECT := --no-deps --build-constraints requirements/build.txt --editable .
PIN := $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links $(PINS)
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint style types tests format bench study pins clean

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /make \1|/p' Makefile | while IFS='|' read -r what why; do printf '  %-14s%s\n' "$$what" "$$why"; done

setup: $(DEV) ## install what running, testing and checking need into .venv

demo: $(RUN) ## make the demo company, audit three scores of it, open the console on it
	$(BIN)/unspun demo

test: style ## check style, types and imports, and run every test
	@$(MAKE) --no-print-directory --jobs=2 tests types

lint: style types ## check style, types and imports

style: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# Types are checked by one processor for minutes: beside the tests the other need not wait. What fails of the two fails `make test`.
types: $(DEV)
	$(BIN)/basedpyright

# tests/conftest.py gives the order: the files that take longest come first, so that no worker is left with one at the end.
tests: $(DEV)
	$(BIN)/python -m pytest -rs -n auto --dist loadfile --no-loadscope-reorder

format: $(DEV) ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) ## time the audit beside what an analyst writes by hand
	$(BIN)/python benchmarks/audit_speed.py

study: $(DEV) ## run the whole simulation study of the audit protocol (long)
	$(BIN)/python benchmarks/protocol_study.py

pins: | $(UV) ## pin anew what pyproject.toml asks for (PINS=--upgrade takes the newest)
	$(PIN) pyproject.toml --group dev --output-file requirements/dev.txt
	$(PIN) pyproject.toml --constraints requirements/dev.txt --output-file requirements/run.txt
	$(PIN) --group build --output-file requirements/build.txt
	$(PIN) --group installer --output-file requirements/installer.txt

clean: ## remove what was installed and made here
	rm -rf $(VENV) .tools demo .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# A stamp is older than one of its sources when the installation is out of date.
$(RUN): requirements/run.txt requirements/build.txt pyproject.toml src/unspun/_version.py | $(BIN)/python $(UV)
	$(INSTALL) --require-hashes -r requirements/run.txt
	$(INSTALL) $(PROJECT)
	@touch $@

$(DEV): requirements/dev.txt requirements/build.txt pyproject.toml src/unspun/_version.py | $(BIN)/python $(UV)
	$(INSTALL) --require-hashes -r requirements/dev.txt
	$(INSTALL) $(PROJECT)
	@touch $(RUN) $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Unspun needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

.tools/bin/uv: requirements/installer.txt | $(BIN)/python
	@$(PYTHON) -m venv .tools || { echo "$(PYTHON) cannot make environments. On Debian and Ubuntu: apt install python3-venv" >&2; rm -rf .tools; exit 1; }
	.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.txt
	@touch $@
