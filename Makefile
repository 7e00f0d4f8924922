# Suqiu's verbs. `make` alone lists them; words for the program go into ARGS, as in
#   make demo ARGS="--once --json --seed 7"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

ARGS ?=
# A Python of your choice for .venv: make setup PYTHON=/path/to/python3
export PYTHON

BIN := .venv/bin
READY := .venv/.suqiu-setup
BENCH := .venv-bench
# Tests wait more than they work. Each worker has servers of its own; the files that take longest come first.
AT_ONCE := -n 3 --dist loadfile --no-loadscope-reorder
# The resolver that writes the lock; not a dependency of the project.
UV_VERSION := 0.13.9

.PHONY: help setup demo demo-rabbitmq check test bench run docs lock clean

help: ## print this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with exactly what requirements.lock lists (nothing to do: does nothing)

$(READY): requirements.lock pyproject.toml scripts/setup.sh
	@scripts/setup.sh

demo: setup ## a city's day on this machine, no server needed; ARGS="--once --json --seed 7 --items 2000 --keep out"
	@$(BIN)/suqiu demo $(ARGS)

demo-rabbitmq: setup ## the same day through a private RabbitMQ and PostgreSQL (brings the Debian packages if missing)
	@scripts/bring-servers.sh rabbitmq postgresql
	@$(BIN)/python -m demo.servers $(BIN)/suqiu demo --once --json --amqp {amqp} --management {management} --database {database} $(ARGS)

check: setup ## format, lint, types, import contract, shipped configuration, exported contracts; needs no server
	@$(BIN)/ruff format --check --quiet . || { echo 'some files are not formatted; type: $(BIN)/ruff format .' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@scripts/check-shipped.sh
	@$(BIN)/python -m pytest -q tests/test_house.py tests/config/test_contracts.py

test: setup ## every test, on private servers (brings RabbitMQ, PostgreSQL, MariaDB, Dovecot, promtool, strace from Debian if missing); ARGS="-k words"
	@scripts/bring-servers.sh rabbitmq postgresql mariadb dovecot promtool strace
	@SUQIU_TEST_REQUIRE_SERVERS=1 $(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

bench: $(BENCH)/.suqiu-setup ## the hub against what people would write instead, and its other figures; ARGS="--quick --json"
	@scripts/bring-servers.sh rabbitmq postgresql
	@$(BENCH)/bin/python -m bench $(ARGS)

# An environment of its own: what the hub is compared with must not decide what it runs with.
$(BENCH)/.suqiu-setup: requirements-bench.lock pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(BENCH) requirements-bench.lock

run: setup ## run the hub; ARGS="--config DIR" (.venv/bin/suqiu init DIR writes a configuration to begin with)
	@$(BIN)/suqiu run $(ARGS)

docs: setup ## write anew what is generated: docs/contracts
	@$(BIN)/suqiu schema --contracts docs/contracts

lock: setup ## write requirements.lock and requirements-bench.lock anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --no-annotate --no-header --universal --quiet \
		--no-emit-index-url --no-emit-find-links --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra bench --generate-hashes --no-annotate --no-header --universal --quiet \
		--no-emit-index-url --no-emit-find-links --output-file requirements-bench.lock
	@echo 'the locks are written; look at the difference, then: make setup test'

clean: ## remove what can be made again (not .venv)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
