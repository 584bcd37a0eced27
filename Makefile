# Everything runs in .venv, which makes itself. Nothing else is assumed but python3, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The tests start some hundred Pythons: each would compile all that it imports anew where the developer's shell forbids to keep it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help test e2e e2e-control-plane e2e-node unit lint docs docs-check demo bench fuzz build compat dist release new-rule lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

test: lint unit ## all checks: ruff, mypy, pytest (docs in step among them)

unit: $(READY) ## pytest alone, on two cores; ARGS='-k lfs101' narrows it
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

e2e-control-plane: $(READY) ## the tests that need a real API server, on one built (once, 20 min) and started here
	tests/e2e/lab/run.sh $(BIN)/python -m pytest tests/e2e $(ARGS)

e2e-node: $(READY) ## diagnose and repairs with the real LiteFS on a real node, started here: LITEFS_BIN=FILE, as root
	LAB_NODE=1 tests/e2e/lab/run.sh $(BIN)/python -m pytest tests/e2e/node $(ARGS)

e2e: $(READY) ## as e2e-control-plane, on a cluster that may be thrown away: KUBECONFIG=FILE E2E_CONTEXT=NAME
	$(BIN)/python -m pytest tests/e2e $(ARGS)

lint: $(READY) ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(READY) ## write docs/rules, docs/gotchas.md, the man page, and the picture and tables of README.md
	$(BIN)/python -m tools.gen_docs --write

docs-check: $(READY)
	$(BIN)/python -m tools.gen_docs --check

demo: $(READY) ## the tool at work on recorded clusters: one healthy, the others broken
	@$(BIN)/kubectl-litefs demo healthy
	@for name in cluster-id-mismatch primary-volume-recreated all-candidates silent-connection; do \
	  printf '\n%s\n\n' "------------------------------------------------------------------------"; \
	  $(BIN)/kubectl-litefs demo $$name || exit; done
	@printf '\n'; $(BIN)/kubectl-litefs demo --list

bench: $(READY) dist ## start-up, a live diagnose against the commands it replaces (needs kubectl), logs against grep and ripgrep, a 1 GiB backup
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.live
	$(BIN)/python -m benchmarks.log_memory
	$(BIN)/python -m benchmarks.logs
	$(BIN)/python -m benchmarks.backup

fuzz: $(READY) ## the property tests with many more examples, and repairs stopped at each single request
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=fuzz
	FIX_EVERY=1 RESCUE_EVERY=1 $(BIN)/python -m pytest -n 2 --dist load tests/fix/test_interruptions.py tests/rescue

build: $(READY) ## wheel and sdist into dist/
	$(BIN)/python -m build --no-isolation --outdir dist .

compat: $(READY) ## Python 3.10 to 3.13, those that are here, with the lowest and the newest dependencies: some minutes; ARGS=tests for all tests
	$(BIN)/python -m tools.compat $(ARGS)

dist: $(READY) ## the archive for Krew, the same bytes each time, and its sha256
	$(BIN)/python -m tools.dist

release: $(READY) ## the archive, and plugin.yaml that names it: VERSION=0.1.0
	$(BIN)/python -m tools.release "$(VERSION)"

new-rule: $(READY) ## a rule file and its cases: ID=LFS716 NAME=what-is-wrong
	$(BIN)/python -m tools.new_rule "$(ID)" "$(NAME)"

lock: ## how to renew requirements-dev.lock
	@echo "In a fresh environment of each Python from 3.10 to 3.13: pip install -e .[dev], then pip freeze;"
	@echo "where versions differ, one line each with a python_version marker."

clean: ## remove .venv, caches and build results
	rm -rf $(VENV) .compat build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
