# make demo    the digits example, end to end, in an environment of its own
# make test    format, lint, types and the whole test suite, on up to four cores
# make quick   the tests that take no time
# make lint    format, lint and types
# make format  rewrites the files as `make lint` wants them
# make clean   removes the environments and everything generated
#
# An environment is brought up to date when pyproject.toml changed, else used as it is. PYTHON=... chooses the interpreter.

.PHONY: help demo test quick lint format clean
.DEFAULT_GOAL := help

# An interpreter counts only if it runs (a pyenv shim may not), is new enough, and can make environments.
usable := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	if "$$python" -c '$(usable)' >/dev/null 2>&1; then echo "$$python"; break; fi; done)

demo_env := .venv-demo
test_env := .venv-test
bin := $(test_env)/bin
pip := -m pip --disable-pip-version-check --no-input

define make_env
@if ! "$(PYTHON)" -c '$(usable)' >/dev/null 2>&1; then \
	echo "typedcat needs Python 3.11 or later with the modules venv and ensurepip (Debian and Ubuntu: the package python3-venv)." >&2; \
	echo "Tried: $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python). Another one: make PYTHON=/path/to/python ..." >&2; \
	exit 1; \
fi
@test -x $(1)/bin/python || { echo "Making $(1) with $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv $(1); }
endef

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# The demo uses typedcat as a user gets it, installed, so that it is installed anew when a source changed.
$(demo_env)/.stamp: pyproject.toml $(shell find typedcat -name '*.py')
	$(call make_env,$(demo_env))
	$(demo_env)/bin/python $(pip) install --quiet '.[examples]'
	@touch $@

$(test_env)/.stamp: pyproject.toml
	$(call make_env,$(test_env))
	$(bin)/python $(pip) install --quiet --editable '.[dev]'
	@touch $@

demo: $(demo_env)/.stamp
	$(demo_env)/bin/python examples/demo.py

test: lint
	$(bin)/python -m pytest -n auto --maxprocesses 4

quick: $(test_env)/.stamp
	$(bin)/python -m pytest -m 'not slow' -n auto

lint: $(test_env)/.stamp
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	@if $(bin)/python -c 'import torch' 2>/dev/null; then \
		echo "$(bin)/mypy examples/torch_digits"; cd examples/torch_digits && ../../$(bin)/mypy; \
	else \
		echo "torch is not installed in $(test_env): mypy leaves examples/torch_digits out"; \
	fi
	$(bin)/pyright --pythonpath $(bin)/python

format: $(test_env)/.stamp
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

clean:
	rm -rf $(demo_env) $(test_env) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf examples/*/experiment examples/*/.mypy_cache
	find examples -name cfg.pkl -delete
	find typedcat tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +
