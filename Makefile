# Everything a person does here, one word each. `make` alone says what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# The first that runs; PYTHON=/path/to/python names another.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do $$name -c '' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
RUNTIME := .venv/.runtime
STAMP := .venv/.installed
ASSETS := .venv/.assets
# Where the embedded system keeps its state, where it listens, and whether it starts with invented stakeholders.
DATA ?= data
PORT ?= 8080
SEED ?= demo
# PYTEST_ARGS='-k word -x' narrows a test run.
PYTEST_ARGS ?=
# The parts' half prints branch coverage; most tests of the other half ask processes of their own. `COVERAGE=` leaves it out.
COVERAGE ?= -p tests.covered
# Tests of the product's parts, and those in a browser; the others, of the whole product, take about as long.
PARTS := tests/unit tests/shape tests/contract tests/integration tests/browser

.PHONY: help run assets test test-components test-system check bench soak init up down logs lock clean tools

help:  ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  %-8s %s\n", $$1, $$2 }'

# Running needs half of what testing needs, and is installed in half the time.
$(RUNTIME): requirements/runtime.txt pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Liaison needs Python 3.11 or newer; PYTHON=/path/to/python names one."; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

# Without npm or a network the pages use their own style sheet alone; `make assets` tries again.
$(ASSETS): $(RUNTIME) deploy/build-assets $(wildcard gateway/assets/*.json gateway/assets/*.scss)
	@deploy/build-assets
	@touch $@

assets: $(RUNTIME)  ## builds the third-party parts of the pages again
	@deploy/build-assets && touch $(ASSETS)

$(STAMP): $(RUNTIME) requirements/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

run: $(RUNTIME) $(ASSETS)  ## the whole system in one process, on http://127.0.0.1:$(PORT), its state in $(DATA)
	@exec $(BIN)/liaison run --data "$(DATA)" --port "$(PORT)" --seed "$(SEED)"

# What tests want from the system: a broker of their own, and a browser once there are browser tests.
tools:
	@deploy/install-tools

# Side by side, each with a broker and a database of its own: on two cores that halves the time.
test: $(STAMP) $(ASSETS) tools  ## every test, with what this machine has (it says what it took)
ifeq ($(PYTEST_ARGS),)
	@echo "Two halves side by side, some minutes; each prints what it saw when it ends."
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target test-components test-system
else
	$(BIN)/python -m pytest -q $(PYTEST_ARGS)
endif

test-components: $(STAMP)
	$(BIN)/python -m pytest -q $(COVERAGE) $(PARTS)

test-system: $(STAMP)
	$(BIN)/python -m pytest -q tests $(PARTS:%=--ignore=%)

check: $(STAMP)  ## lint, types, import contracts and unit tests, in some minutes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/unit tests/shape $(PYTEST_ARGS)

bench: $(STAMP)  ## how fast it is, beside what the machine allows
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

soak: $(STAMP) tools  ## the figures of the proof at full size; hours
	SOAK=1 $(BIN)/python -m pytest -q --timeout=0 $(PYTEST_ARGS)

# The plugin where there is one, else the program that came before it. UP='--scale contacts=2' and the like are passed on.
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose) --env-file deploy/.env -f deploy/compose.yaml
UP ?=

init: $(RUNTIME)  ## writes the secrets of the full deployment, once; nothing that is there is replaced
	@$(BIN)/liaison init

up:  ## the full deployment: RabbitMQ, PostgreSQL and six processes, by docker compose
	@test -f deploy/.env && test -d deploy/secrets || { echo "First write the secrets: make init"; exit 1; }
	$(COMPOSE) up --build --detach $(UP)
	@for process in access contacts interactions audit retention gateway; do \
	  for n in $$(seq 60); do $(COMPOSE) exec -T $$process python -m deploy.health 2>/dev/null && continue 2; sleep 2; done; \
	  echo "$$process is not well after two minutes; make logs says why."; exit 1; \
	done; echo "Ready: https://127.0.0.1:$$(sed -n 's/^LIAISON_PORT=//p' deploy/.env)"

down:  ## stops the full deployment; its state stays
	$(COMPOSE) --profile operator down

logs:  ## what the full deployment says
	$(COMPOSE) logs --follow

lock: $(STAMP)  ## locks requirements/*.in into *.txt, with hashes and without a registry's address
	for name in runtime dev assets; do \
	  $(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	    requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done

clean:  ## forgets caches and the virtual environment; state in $(DATA) stays
	rm -rf .venv gateway/assets/node_modules gateway/pages/static/built build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
