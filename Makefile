# Keyline's chores. `make help` lists them.

PYTHON ?= python3
PIP_ARGS ?=
TESTS ?= tests
TEST_PROCESSES ?= 2
VENV := .venv
BIN := $(VENV)/bin
NODE_STAMP := node_modules/.installed
MESSAGES_ARGS := --no-location --no-obsolete --ignore node_modules --ignore $(VENV) --ignore var --ignore tests
PIP := $(BIN)/python -m pip --disable-pip-version-check install --progress-bar on $(PIP_ARGS)

.DEFAULT_GOAL := help
.PHONY: help run worker test test-js lint lint-js messages bench clean chromium postgresql node

help: ## List the chores
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## Install what is needed and start the whole site on 127.0.0.1 (PORT, MATTING_DATA_DIR)
	@exec $(BIN)/python manage.py run --end-with-parent

worker: $(VENV)/.installed ## Start workers only, for a site whose REDIS_URL and DATABASE_URL are shared
	@exec $(BIN)/python manage.py work

test: $(VENV)/.installed-dev chromium postgresql test-js ## Install what the tests need and run them all (TESTS=tests/api for some)
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadgroup $(TESTS)

test-js: node ## Run the unit tests of the pages' scripts
	@node --test tests/js/*.test.js

lint: $(VENV)/.installed-dev lint-js ## Look for mistakes and odd formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-js: $(NODE_STAMP) ## Check the pages' scripts: ESLint, Prettier, types
	@npm run --silent lint
	@npm run --silent types

messages: $(VENV)/.installed-dev ## Collect the texts to translate, and compile the translations (needs gettext)
	$(BIN)/python manage.py makemessages --all --domain django $(MESSAGES_ARGS)
	$(BIN)/python manage.py makemessages --all --domain djangojs $(MESSAGES_ARGS) --ignore '*.config.js'
	cd locale && ../$(BIN)/python ../manage.py compilemessages

bench: $(VENV)/.installed-dev ## Measure a real server, worker and model on this machine
	@for file in tests/bench/bench_*.py; do $(BIN)/python -m tests.bench.$$(basename $$file .py) || exit 1; done

clean: ## Remove the virtual environment and what tools left behind; the data folder stays
	rm -rf $(VENV) node_modules .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

chromium:
	@.ci/chromium

postgresql:
	@.ci/postgresql

node:
	@.ci/node

# The stamps make a second start fast: pip runs again only when a list of packages has changed.
$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing the packages of requirements.txt (about 1.3 GB, a minute or two)"
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(PIP) -r requirements-dev.txt
	@touch $@

$(NODE_STAMP): package.json package-lock.json | node
	npm ci
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Keyline needs Python 3.11 or newer; name it with PYTHON=")'
	$(PYTHON) -m venv $(VENV)
