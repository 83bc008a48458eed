# Two commands: `make` builds the documents, `make test` checks everything. `make help` lists the rest.
# A machine needs git, make and Python >= 3.11; all else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
QUARTO := 1.10.18# the newest that the project was rendered with
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Ctrl-C: the tool has said what there is to say.
HANDIN = trap : INT; $(BIN)/handin
QUIET = || { code=$$?; test $$code = 130 || exit $$code; }

# Tools of .venv come first, Quarto's too if it could be installed there.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := render
.PHONY: render html draft preview lab check pack test test-long lint constraints clean distclean help

render: $(VENV)/installed $(VENV)/quarto ## build report and notebook (the default)
	@$(HANDIN) render $(QUIET)

draft: $(VENV)/installed $(VENV)/quarto ## build them with false claims marked instead of stopping there
	@$(HANDIN) render --draft $(QUIET)

html: $(VENV)/installed $(VENV)/quarto ## build them as web pages, by Quarto
	@$(HANDIN) render --to html $(QUIET)

preview: $(VENV)/installed ## show the documents in the browser, built anew at every save
	@$(HANDIN) preview $(QUIET)

lab: $(VENV)/installed-lab _output/notebook.ipynb ## open the notebook in JupyterLab
	@PYTHONPATH=$(CURDIR)/code $(BIN)/jupyter lab _output/notebook.ipynb $(QUIET)

check: $(VENV)/installed ## check the hand-in against the rules of the course
	@$(BIN)/handin check

pack: $(VENV)/installed $(VENV)/quarto ## build what is missing, check, write the ZIP
	@$(BIN)/handin pack

test: lint ## lint, type check and test, on two cores
	@$(BIN)/python -m pytest -n 2 --dist loadfile

test-long: $(VENV)/installed-tests ## run the tests that take minutes
	@$(BIN)/python -m pytest -m long

lint: $(VENV)/installed-tests ## lint and type check
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary

constraints: $(VENV)/installed-tests ## write the installed versions to constraints.txt
	@$(BIN)/python -m pip freeze --exclude-editable --exclude quarto-cli | sed 's/+.*//' > constraints.new
	@(sed '/^[^#]/,$$d' constraints.txt; cat constraints.new) > constraints.all
	@mv constraints.all constraints.txt && rm constraints.new

clean: $(VENV)/installed ## remove what a build writes; trained models stay
	@$(BIN)/handin clean

distclean: ## remove everything that is not a source: documents, trained models, .venv
	-@test ! -x $(BIN)/handin || $(BIN)/handin clean
	@rm -rf _build _store .quarto .pytest_cache .ruff_cache .mypy_cache $(VENV)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1:\2/p' $(MAKEFILE_LIST) | while IFS=: read -r name what; do \
		printf '  make %-12s %s\n' "$$name" "$$what"; done

_output/notebook.ipynb: | $(VENV)/installed $(VENV)/quarto
	@$(HANDIN) render $(QUIET)

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@echo "creating .venv"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/created pyproject.toml constraints.txt
	@echo "installing the packages that constraints.txt pins"
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-tests: $(VENV)/installed
	@$(PIP) install --constraint constraints.txt --editable '.[test]'
	@touch $@

$(VENV)/installed-lab: $(VENV)/installed
	@$(PIP) install --constraint constraints.txt --editable '.[lab]'
	@touch $@

# Tried once. Where it fails (the package fetches Quarto from GitHub) the built-in renderer does the work.
$(VENV)/quarto: | $(VENV)/created
	@command -v quarto > $@ || { $(PIP) install quarto-cli==$(QUARTO) > $(VENV)/quarto.log 2>&1 && $(BIN)/quarto --version > $@; } || \
		echo "Quarto could not be installed (see $(VENV)/quarto.log); the built-in renderer takes its place" | tee $@

# What only this project has: targets of its solution.
-include benchmarks/targets.mk
