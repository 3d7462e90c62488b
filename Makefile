# Two commands do everything on a machine with Python 3.10 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
QUESTION ?= How is a span delivered when the service is away?

.PHONY: demo test lint types wheel check clean reference bench growth stalls instructions

demo: $(VENV)/.demo-installed  ## install, ask the demo agent a question, show what it did
	$(BIN)/prefactor-trace demo "$(QUESTION)"

test: $(VENV)/.test-installed  ## install with the test tools, run every test
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.test-installed  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test-installed  ## mypy, strict
	$(BIN)/mypy

wheel: $(VENV)/.test-installed  ## build the wheel and try its installed copy
	rm -rf dist build/wheel-venv
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv build/wheel-venv
	build/wheel-venv/bin/python -m pip install --quiet dist/*.whl
	cd build && wheel-venv/bin/python -I ../tests/smoke.py

reference: $(VENV)/.test-installed  ## write docs/reference.md anew, from the docstrings
	$(BIN)/python docs/reference.py

bench: $(VENV)/.bench-installed  ## measure every tracer, write benchmarks/RESULTS.md; BENCH=quick for less
	$(BIN)/python -m benchmarks

growth stalls: $(VENV)/.bench-installed  ## measure one thing of this library alone; installs as `bench` does
	$(BIN)/python -m benchmarks.$@

instructions: $(VENV)/.test-installed  ## does the hot path do more than its baseline says?
	$(BIN)/python -m benchmarks.instructions $(INSTRUCTIONS)

check: test instructions lint types wheel  ## everything that CI runs

clean:  ## remove what these commands made
	rm -rf $(VENV) .nox dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo-installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.test-installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.demo-installed

$(VENV)/.bench-installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@ $(VENV)/.demo-installed
