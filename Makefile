PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench migrations clean

$(VENV)/.runtime: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

$(VENV)/.dev: requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@ $(VENV)/.runtime

# Charts on cards are drawn by a library from npm where npm is at hand; without it they are drawn plainly.
demo: $(VENV)/.runtime
	@if command -v npm >/dev/null && [ ! -d sandbox/console/node_modules ]; then \
		npm ci --silent --no-audit --no-fund --ignore-scripts --prefix sandbox/console || true; fi
	$(BIN)/python app.py demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/migrations

bench: $(VENV)/.dev
	$(BIN)/python app.py bench

clean:
	rm -rf $(VENV) var
