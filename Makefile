# Shuniu: `make demo` plays a working day, `make test` runs everything. Both set up what they need.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# Errors are shown, and nothing else: byte code is made when a module is first used.
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
ARGS ?=
# pytest's own arguments: make test TESTS="tests/unit -k money"
TESTS ?=
JOBS ?= 2

# What the environment was made from. It is compared as a whole, so that a moved checkout, another lock file or
# a changed pyproject.toml makes it again, and nothing else does.
MADE_FROM := $(VENV)/made-from
SOURCES := locks/test.txt pyproject.toml

.PHONY: help setup demo test check bench crash lock format static clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 10

setup: ## .venv with the locked dependencies; does nothing when all is current
	@{ echo "$(CURDIR)"; cat $(SOURCES); } | cmp -s - $(MADE_FROM) || $(MAKE) --no-print-directory $(VENV)/made

# The first interpreter that is new enough and able to make an environment; a name on the PATH may be neither.
# An environment that was made elsewhere, or whose making was interrupted, is made anew.
.PHONY: $(VENV)/made
$(VENV)/made:
	@set -e; \
	if [ "$$(head -n 1 $(MADE_FROM) 2>/dev/null)" != "$(CURDIR)" ] || ! $(BIN)/python -c 'import pip' >/dev/null 2>&1; then \
	  for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3.14 python3 python); do \
	    if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo 'setup: no Python 3.11 or newer with its venv module was found; install one (on Debian: python3 python3-venv) or name it: make setup PYTHON=python3.13' >&2; exit 1; \
	  fi; \
	  "$$found" -m venv --clear $(VENV); \
	fi; \
	rm -f $(MADE_FROM); \
	echo "setup: $$($(BIN)/python --version) and the locked dependencies, in $(VENV)"; \
	$(PIP) install --no-compile --require-hashes -r locks/test.txt; \
	$(PIP) install --no-deps --no-build-isolation --editable .; \
	{ echo "$(CURDIR)"; cat $(SOURCES); } > $(MADE_FROM)

demo: setup ## the hub with simulated vendors, a working day played through it; ARGS=--once plays it and exits
	@$(BIN)/shuniu demo $(ARGS)

test: static ## everything: format, lint, types, imports, then every test
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(TESTS)

check: static ## before a commit: format, lint, types, imports, the fast tests
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow" --size embedded $(TESTS)

static: setup
	@$(BIN)/ruff format --check --quiet --output-format concise . || { echo 'Some files are not formatted as the project does it; make format does that.' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >$(VENV)/imports.txt 2>&1 || { cat $(VENV)/imports.txt; exit 1; }

format: setup ## format the code and put imports in order
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --quiet .

# Compared with, and never in the environment that is tested: it lies beside it, and where it cannot be had the bench says so.
$(VENV)/bench: locks/bench.txt
	@rm -rf $@ && $(PIP) install --no-compile --require-hashes --target $@ -r $< || echo 'bench: Splink could not be installed; its row is left out' >&2

bench: setup $(VENV)/bench ## each performance figure beside its limit and the plain way of doing it; ARGS=maps runs one of them
	@failed=; for bench in $(if $(ARGS),$(ARGS:%=tests/bench/bench_%.py),tests/bench/bench_*.py); do \
	  echo "== $$bench"; PYTHONPATH=$(VENV)/bench $(BIN)/python $$bench || failed="$$failed $$bench"; \
	done; [ -z "$$failed" ] || { echo "bench: missed$$failed" >&2; exit 1; }

crash: setup ## kill the hub at every named step and count what was lost or doubled
	@$(BIN)/python tests/crash $(ARGS)

lock: setup ## write the lock files anew from pyproject.toml; ARGS=--upgrade takes newer versions
	@$(PIP) install uv
	@export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	lock="$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links"; \
	$$lock pyproject.toml --extra postgres --group test $(ARGS) -o locks/test.txt && \
	$$lock pyproject.toml --extra postgres --constraint locks/test.txt -o locks/distributed.txt && \
	$$lock pyproject.toml --constraint locks/test.txt -o locks/runtime.txt && \
	$$lock --group bench $(ARGS) -o locks/bench.txt

clean: ## remove what was made here: environment, caches, the demo's data
	rm -rf $(VENV) dist .ci-work .shuniu .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
