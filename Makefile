# Steno on one machine. Needs Python 3.11 or later; everything else goes into .venv.
#   make run      start Redis with the four services, Ctrl-C stops them
#   make test     run the tests            make lint     check style, types, imports
#   make format   format the sources       make clean    remove what these made

VENV := .venv
BIN := $(VENV)/bin

# The first Python that really runs (a version manager's shim may not) and can make a virtual
# environment. 3.12 comes late: for it, pocketsphinx has no wheel and is compiled.
PYTHON ?= $(shell for candidate in python3.13 python3.11 python3.12 python3 python; do \
	$$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && { echo $$candidate; break; }; done)

DISTRIBUTIONS := $(wildcard libs/* services/*)
PACKAGES := $(wildcard $(foreach folder,$(DISTRIBUTIONS),$(folder)/steno_*))
EMPTY :=
SPACE := $(EMPTY) $(EMPTY)

# By name: these are installed already, so pip only fetches what they depend on.
REQUIRED := $(addprefix steno-,$(notdir $(DISTRIBUTIONS)))

INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
# pip builds each distribution of this tree in an environment of its own, unless told that what it
# takes is there: once installed here, at the pinned version, it serves all of them.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test lint format clean

run: $(INSTALLED)
	@exec $(BIN)/python -m steno_standalone

# Three at a time also on two cores, since many tests wait for processes; a file's tests stay together,
# and the long ones come first.
PYTEST_ARGS ?= -n 3 --dist loadfile --no-loadscope-reorder

test: $(INSTALLED_DEV)
	@exec $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=$(subst $(SPACE),:,$(DISTRIBUTIONS)) $(BIN)/mypy $(PACKAGES) samples bench deploy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(if $(PYTHON),,$(error No Python 3.11 or later with the venv module was found. Install one \
	(Debian, Ubuntu: python3-venv), or name one: make PYTHON=/path/to/python3))
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv --clear $(VENV)

$(INSTALLED): $(BIN)/python constraints.txt requirements.txt $(DISTRIBUTIONS:=/pyproject.toml)
	@echo "Installing what Steno needs"
	@$(PIP_INSTALL) hatchling editables
	@$(PIP_INSTALL) --no-build-isolation --no-deps -r requirements.txt
	@$(PIP_INSTALL) $(REQUIRED)
	@$(PIP_INSTALL) --only-binary awscrt 'steno-transcriber[aws]' >/dev/null 2>&1 || \
	echo "No engine aws: there is no wheel of awscrt for this machine."
	@$(BIN)/python -c 'import pocketsphinx' 2>/dev/null || $(PIP_INSTALL) pocketsphinx >/dev/null 2>&1 || \
	echo "No pocketsphinx: there is no wheel for this Python, and it could not be compiled here. \
	Use Python 3.11 or 3.13, or a Whisper model."
	@touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements-dev.txt
	@echo "Installing what the tests need"
	@grep -v '^-r' requirements-dev.txt | $(PIP_INSTALL) -r /dev/stdin
	@touch $@
