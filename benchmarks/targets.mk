# Targets of the solution; the Makefile includes them.

.PHONY: robust bench

SEEDS ?= 5
robust: $(VENV)/installed ## how often each claim holds under SEEDS=5 seeds (a minute or two each)
	@$(BIN)/python benchmarks/robust.py --seeds $(SEEDS)

bench: $(VENV)/installed-tests ## time training against the ways one would do it otherwise
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/build.py
