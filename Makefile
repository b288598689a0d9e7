# make run    set up and start everything       make test   set up and run every test
# make check  format, lint, types               make train  what can be trained, and how

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test check format train install browser clean

run: install
	$(BIN)/wordbrush up $(ARGS)

test: $(VENV)/dev browser
	$(BIN)/pytest $(ARGS)

check: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: install
	@$(BIN)/python -m training --help
	@echo "Train on your own pictures: docs/training.md"

install: $(VENV)/installed

# A stamp that is newer than what it was made from: the second time costs nothing.
$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Wordbrush needs Python 3.11 or later; make PYTHON=/path/to/python3.11 names another"; exit 1; }
	@echo "Setting up $(VENV); the first time downloads PyTorch and takes some minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --editable '.[train]'
	touch $@

$(VENV)/dev: $(VENV)/installed
	$(PIP_INSTALL) --editable '.[dev]'
	touch $@

# The browser tests need Chromium: one that is installed, or Debian's where we may install it.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium >/dev/null; \
	else \
	  echo "No Chromium here, so the browser tests will be skipped. Install it: sudo apt install chromium"; \
	fi

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .screenshots *.egg-info
