# make run       the whole platform on this machine (PORT=9000, DATA_DIR=…, and anything in .env.example)
# make test      everything the tests need, then all checks and tests
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# Many container images set it; without bytecode every start would take three times as long.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY := $(VENV)/bin/python
CODE := manage.py platform/switchboard platform/switchboard_client tenants billing knowledge agents conversations voice_worker
# Checks import the settings but start nothing; these satisfy them.
CHECK_ENV := SWITCHBOARD_ENV_FILE=/dev/null DATABASE_URL=postgres://check@127.0.0.1/check REDIS_URL=redis://127.0.0.1/0 \
	DATA_DIR=$(VENV)/check

# The tests are shared out between processes with servers of their own; SHARED= runs them in one.
SHARED := -n 3 --dist loadgroup
# One that fails is tried once more and named in the summary: docs/adr/0037.
AGAIN := --reruns 1

# Rooms are tested on the real server. It comes as Go source: a minute or two of building, once.
LIVEKIT_VERSION := v1.13.5
LIVEKIT := $(VENV)/livekit/livekit-server

.PHONY: help run test lint format lock configuration clean venv dev browser livekit

help:
	@echo "make run            start the whole platform here (PORT=9000, DATA_DIR=…)"
	@echo "make test           all checks and tests"
	@echo "make lint, format   checks only; fix formatting"
	@echo "make lock           renew requirements*.txt from pyproject.toml (needs uv)"
	@echo "make configuration  renew .env.example and docs/configuration.md"
	@echo "make bench-NAME     run a benchmark of bench/"
	@echo "make clean          remove caches (never the data)"

run: venv
	@$(call install,requirements.txt)
	@PYTHONPATH=platform exec $(PY) -m switchboard.launcher $(if $(PORT),--port $(PORT))

test: dev browser livekit
	@$(MAKE) lint
	@# Without the carets of its tracebacks Python 3.11 parses no source while pytest does, which it can't twice at once.
	@PYTHONNODEBUGRANGES=1 exec $(PY) -m pytest $(SHARED) $(AGAIN) $(ARGS)

lint: dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(CHECK_ENV) $(VENV)/bin/mypy $(CODE)
	PYTHONPATH=platform:. $(VENV)/bin/lint-imports

format: dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/"; exit 1; }
	uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header -q -o requirements.txt
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --python-version 3.11 --no-header -q \
		-c requirements.txt -o requirements-dev.txt

configuration: venv
	@$(call install,requirements.txt)
	$(CHECK_ENV) $(PY) manage.py config_table --write

# A LiveKit server for the tests, unless there is one on PATH or LIVEKIT_SERVER names one.
livekit: venv
	@if [ -z "$${LIVEKIT_SERVER:-}" ] && ! command -v livekit-server >/dev/null && [ ! -x $(LIVEKIT) ]; then \
		command -v go >/dev/null || { echo "The tests need livekit-server, or Go to build it: https://go.dev/dl/"; exit 1; }; \
		echo "Building livekit-server $(LIVEKIT_VERSION) …"; \
		GOBIN=$(abspath $(VENV))/livekit go install github.com/livekit/livekit-server/cmd/server@$(LIVEKIT_VERSION); \
		mv $(VENV)/livekit/server $(LIVEKIT); \
	fi

bench-%: dev
	PYTHONPATH=platform:. $(PY) -m bench.$* $(ARGS)

clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-artifacts
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# A virtualenv of the first Python that is new enough.
venv:
	@if [ ! -x $(PY) ]; then \
		for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
			if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
		done; \
		if [ -z "$${found:-}" ]; then \
			echo "Switchboard needs Python 3.11 or newer; python3 here is: $$(python3 --version 2>&1 || echo missing)." \
				"Install one, or name it: make run PYTHON=/path/to/python3.12"; exit 1; \
		fi; \
		echo "Making $(VENV) with $$("$$found" --version) …"; \
		"$$found" -m venv $(VENV) || { rm -rf $(VENV); \
			echo "That failed. On Debian and Ubuntu: apt-get install python3-venv, then try again."; exit 1; }; \
	fi

dev: venv
	@$(call install,requirements-dev.txt)

# $(call install,LOCK): install a lock unless exactly that one is installed already. The development lock holds everything
# of the other, so either stamp will do for requirements.txt.
define install
lock=$(1); sum=$$(cat $$lock | cksum); \
if [ "$$(cat $(VENV)/$$lock.installed 2>/dev/null || :)" != "$$sum" ] && { [ $$lock = requirements-dev.txt ] || \
	[ "$$(cat $(VENV)/requirements-dev.txt.installed 2>/dev/null || :)" != "$$(cat requirements-dev.txt | cksum)" ]; }; then \
	total=$$(grep -c '^[A-Za-z0-9].*==' $$lock); \
	echo "Installing the packages of $$lock into $(VENV) (only when it has changed; a minute or so the first time) …"; \
	rm -f $(VENV)/*.installed; \
	if ! $(PY) -m pip install --disable-pip-version-check --no-input --progress-bar off --no-deps --require-hashes --no-compile \
		-r $$lock 2>&1 | tee $(VENV)/install.log | awk -v total=$$total -v tty="$$([ -t 1 ] && echo 1 || :)" \
		'/^(Collecting|Requirement already)/ { n++; \
		   if (tty) { printf "\r  %d packages", n; fflush() } else if (n % 40 == 0) { printf "  %d packages\n", n; fflush() } } \
		 /^Installing collected/ { printf "%s  %d packages fetched, unpacking …\n", tty ? "\r" : "", n; fflush() }'; then \
		echo; tail -n 15 $(VENV)/install.log; \
		echo "Installing failed (see above; all of it is in $(VENV)/install.log)." \
			"Is the package registry reachable? Then run the same command again."; exit 1; \
	fi; \
	echo "$$sum" > $(VENV)/$$lock.installed; \
fi
endef

browser:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		if command -v $$name >/dev/null; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests …"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else \
		echo "The browser tests need Chromium or Google Chrome on PATH. Install one (Debian: sudo apt-get install chromium;" \
			"Fedora: sudo dnf install chromium; macOS: brew install --cask chromium), then run make test again."; exit 1; \
	fi
