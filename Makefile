# Keyline's tasks. `make help` lists them.

PYTHON ?= python3
PIP_ARGS ?=
TESTS ?= tests
TEST_PROCESSES ?= 2
KIND ?=
VENV := .venv
BIN := $(VENV)/bin
NODE_STAMP := node_modules/.installed
MESSAGES_ARGS := --no-location --no-obsolete --ignore node_modules --ignore $(VENV) --ignore var --ignore tests
PIP := $(BIN)/python -m pip --disable-pip-version-check install --progress-bar on $(PIP_ARGS)
# The lock files contain neither an index nor a build of torch, so that they can install the CPU and the CUDA build.
LOCK := $(BIN)/pip-compile --quiet --no-header --no-annotate --strip-extras \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

# The site and its tests start many processes, which load compiled files faster than they compile them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run dev worker test test-fast test-times test-js torture walk containers sbom lint lint-js lock messages bench bench-compare bench-page bench-rembg sizing clean chromium postgresql nginx ldap node

help: ## List the tasks
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## Install the packages and start the whole site on 127.0.0.1 (PORT, MATTING_DATA_DIR)
	@exec $(BIN)/python manage.py run --end-with-parent

dev: export DEBUG ?= 1
dev: export WEB_PROCESSES ?= 1
dev: export MATTING_WORKERS ?= 1
dev: export MATTING_DOWNLOADERS ?= 1
dev: $(VENV)/.installed-dev ## Start the site with one worker and restart its programs when a file changes
	@exec $(BIN)/python manage.py run --end-with-parent --reload

worker: $(VENV)/.installed ## Start workers only, for a site whose REDIS_URL and DATABASE_URL are shared
	@exec $(BIN)/python manage.py work

test: $(VENV)/.installed-dev $(NODE_STAMP) chromium postgresql nginx ldap test-js ## Install the packages for the tests and run all tests (TESTS=tests/api for some)
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadgroup $(TESTS)

test-fast: $(VENV)/.installed-dev ## Run the fast tests (no browser, no servers, no slow tests) in under a minute
	$(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist loadgroup -m "not slow and not e2e and not browser" $(TESTS)

test-times: $(VENV)/.installed-dev ## Run all tests and write tests/slow_tests.txt, the list that test-fast leaves out
	$(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist loadgroup -p tests.times $(TESTS)

test-js: node ## Run the unit tests of the pages' scripts
	@node --test tests/js/*.test.js

torture: $(VENV)/.installed-dev ## Run fault and load tests against a real site and write docs/guarantees.md, 40 minutes (KIND=broker for one kind)
	$(BIN)/python -m tests.torture --kind "$(KIND)"

walk: $(VENV)/.installed-dev postgresql nginx ## Test an operator's tasks: several hosts, upgrade under load, backup, restore
	$(BIN)/python -m tests.deploy.walk

containers: ## Build the image and run all of compose.yaml with podman, twice and after a reboot
	deploy/containers/trial

sbom: $(VENV)/.installed-dev ## List the packages of a release with versions and licences (CycloneDX) in keyline.cdx.json
	@$(BIN)/python .ci/sbom keyline.cdx.json

lint: $(VENV)/.installed-dev lint-js ## Check for mistakes, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: $(VENV)/.installed-dev ## Update the lock files from the lists of requirements
	$(LOCK) --upgrade --output-file requirements.lock requirements.txt
	$(LOCK) --upgrade --constraint requirements.lock --output-file requirements-optional.lock requirements-observe.txt requirements-saml.txt
	$(LOCK) --upgrade --constraint requirements.lock --constraint requirements-optional.lock --output-file requirements-dev.lock requirements-dev.txt
	sed -i.old 's/^\(torch==[0-9.]*\)+.*/\1/' requirements.lock requirements-dev.lock
	rm -f requirements.lock.old requirements-dev.lock.old

lint-js: $(NODE_STAMP) ## Check the pages' scripts: ESLint, Prettier, types
	@npm run --silent lint
	@npm run --silent types

messages: $(VENV)/.installed-dev ## Collect the texts to translate, and compile the translations (needs gettext)
	$(BIN)/python manage.py makemessages --all --domain django $(MESSAGES_ARGS)
	$(BIN)/python manage.py makemessages --all --domain djangojs $(MESSAGES_ARGS) --ignore '*.config.js'
	cd locale && ../$(BIN)/python ../manage.py compilemessages

bench: $(VENV)/.installed-dev ## Measure all figures on this machine: one table, JSON (ONNX=FILE REMBG=PATH for the rival)
	@$(BIN)/python -m tests.bench $(if $(ONNX),--onnx $(ONNX)) $(if $(REMBG),--rembg $(REMBG)) $(BENCH_ARGS)

bench-compare: $(VENV)/.installed-dev ## Show two runs side by side (A=FILE B=FILE)
	@$(BIN)/python -m tests.bench.compare $(A) $(B)

bench-page: $(VENV)/.installed-dev ## Write docs/benchmarks.md from a run (RUN=FILE, by default the last one)
	@$(BIN)/python -m tests.bench.page $(or $(RUN),var/bench/latest.json)

sizing: $(VENV)/.installed-dev ## Measure memory and processor time of every process, and write docs/sizing.md
	@$(BIN)/python -m tests.bench.sizing

bench-rembg: ## Install the rival of the benchmark into .venv-rembg
	$(PYTHON) -m venv .venv-rembg
	.venv-rembg/bin/python -m pip --disable-pip-version-check install $(PIP_ARGS) -r tests/bench/requirements.txt

clean: ## Remove the virtual environment and the caches of tools; the data folder stays
	rm -rf $(VENV) node_modules .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

chromium:
	@.ci/chromium

postgresql:
	@.ci/postgresql

nginx:
	@.ci/nginx

ldap: $(VENV)/.installed-dev
	@.ci/ldap

node:
	@.ci/node

# The stamp files make a second start fast: pip runs again only if a lock file has changed.
$(VENV)/.installed: requirements.lock | $(BIN)/python
	@echo "Installing the packages of requirements.lock (about 1.3 GB, a minute or two)"
	$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) -r requirements-dev.lock
	@touch $@

$(NODE_STAMP): package.json package-lock.json | node
	npm ci
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Keyline needs Python 3.11 or newer; name it with PYTHON=")'
	$(PYTHON) -m venv $(VENV)
