# Everything needs Python 3.11 to 3.13 and make; one test prints a page and needs a Chromium besides. `make demo` and
# `make test` prepare what is missing.
# ARGS is handed on: make test ARGS="-k money", make demo ARGS="--temporal-port 7400". ONCE=1: the demo ends by itself.

SHELL := /bin/sh
BIN := .venv/bin
VERSION_OK := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
CANDIDATES := $(PYTHON) $(BIN)/python python3.13 python3.12 python3.11 python3 python

# All tests: two processes share the files out, the longest file goes first.
WHOLE := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo test lint bench storm lock clean ready

ready:
	@for python in $(CANDIDATES); do \
	  if "$$python" -c '$(VERSION_OK)' >/dev/null 2>&1; then exec "$$python" deploy/bootstrap.py; fi; \
	done; \
	echo "Throughline needs Python 3.11, 3.12 or 3.13, and none was found (tried: $(CANDIDATES))." >&2; \
	echo "Install one, or name it: make $(or $(MAKECMDGOALS),demo) PYTHON=/path/to/python3.12" >&2; exit 1

demo: ready
	@exec $(BIN)/throughline demo $(if $(ONCE),--once) $(ARGS)

test: ready
	@$(BIN)/python -m cli.temporal_binary >/dev/null
	@$(BIN)/python -m tests.browser
	@exec $(BIN)/python -m pytest $(or $(ARGS),$(WHOLE))

lint: ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: ready
	@$(BIN)/python -m cli.temporal_binary >/dev/null
	@exec $(BIN)/python -m bench $(ARGS)

# Kills and spoiled networks under load (docs/storm.md). make storm ARGS="--seed 7 --payments 600 --seconds 240"
# SINGLES=all: every fault at every call, the whole table of docs/proof.md (an hour) as well.
# PAIRS=all: every pair of faults at every two calls of a payment as well, PAIRS=500: as many of them.
storm: ready
	@$(BIN)/python -m cli.temporal_binary >/dev/null
	@$(BIN)/python -m bench.storm $(ARGS)
	@$(if $(SINGLES),$(BIN)/python -m tests.faults)
	@$(if $(PAIRS),exec $(BIN)/python -m tests.faults --pairs $(PAIRS))

# For maintainers: writes the lock anew from pyproject.toml, for every supported Python and platform.
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --extra dev --output-file requirements.lock

clean:
	rm -rf .venv .throughline dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
