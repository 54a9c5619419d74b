PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-all check format migration bench sbom golden clean

$(VENV)/.runtime: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the packages of requirements.lock, which takes about a minute."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

$(VENV)/.dev: requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the packages of requirements-dev.lock, which takes about a minute."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@ $(VENV)/.runtime

# Charts on cards are drawn by a library from npm where npm is at hand; without it they are drawn plainly.
PORT ?= 8765
demo: $(VENV)/.runtime
	@if command -v npm >/dev/null && [ ! -d sandbox/console/node_modules ]; then \
		npm ci --silent --no-audit --no-fund --ignore-scripts --prefix sandbox/console || true; fi
	$(BIN)/python app.py demo --port $(PORT)

# A file of tests shares what it starts, so it stays in one process. POSTGRES: which tests run on PostgreSQL too
# (tests/suite.py). TIMES=--write-times: remember how long each file takes, for the order.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(TIMES)
POSTGRES ?= some

test: $(VENV)/.dev
	$(PYTEST) --postgres=$(POSTGRES)

test-all: $(VENV)/.dev
	$(PYTEST) --postgres=all

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/migrations
	$(BIN)/python -m tests.security.dependencies

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Writes what the models have and the newest schema has not: make migration ID=0005_from_0001 SAYS=tickets
migration: $(VENV)/.dev
	$(BIN)/python -m tests.migrations.new_migration $(ID) $(SAYS)

bench: $(VENV)/.dev
	$(BIN)/python app.py bench

# Plays everything against an old commit and against the present tree, and tells what came out otherwise.
OLD ?= 7158a98
golden: $(VENV)/.dev
	$(BIN)/python -m tests.golden.compare $(OLD)

# What mpops is made of, with hashes, for whoever has to tell whether a flaw concerns it (CycloneDX JSON).
sbom: $(VENV)/.dev
	@mkdir -p -m 700 var
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --short-PURLs --output-reproducible -o var/sbom.json requirements.lock

clean:
	rm -rf $(VENV) var
