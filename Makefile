# Two commands set everything up: `make demo` and `make test`. `make help` lists the others.
#
# Everything runs in an environment of its own, made on first use and kept until pyproject.toml or the
# pinned versions change:
#   make PYTHON=python3.12 VENV=.venv312 test    another interpreter, beside the first
#   make CONSTRAINTS= VENV=.venv-newest test     the newest versions that pyproject.toml allows

PYTHON ?=
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
# More arguments for the command a target runs: make test ARGS="-k ring"
ARGS ?=

# Relative, so that the checkout's own path may hold spaces.
BIN := $(VENV)/bin

# JupyterLab refuses to run as root, which is what containers are, unless told.
LAB_AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help demo test notebooks lab bench soak check format views browser env system lock clean

help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: env ## stream a simulated market for 20 seconds and show what was stored
	@"$(BIN)/ltpkit" demo $(ARGS)

test: env browser ## run every test, the documentation's examples and the notebooks
	@"$(BIN)/python" -m pytest $(ARGS)

notebooks: env ## run the notebooks alone, top to bottom
	@"$(BIN)/python" -m pytest notebooks $(ARGS)

lab: env ## open the notebooks in JupyterLab
	@"$(BIN)/python" -m jupyterlab --ServerApp.root_dir=notebooks \
		--MultiKernelManager.default_kernel_name=ltpkit $(LAB_AS_ROOT) $(ARGS)

bench: env ## measure speed and memory
	@"$(BIN)/python" -m benchmarks $(ARGS)

soak: env ## the long ones: thirty kills, a hundred reconnects, ten minutes at 20,000 ticks/s
	@LTPKIT_CRASHES=30 LTPKIT_SOAK_S=600 "$(BIN)/python" -m pytest tests -m slow --timeout 900 $(ARGS)
	@"$(BIN)/python" -m benchmarks memory --minutes 10

check: env ## ruff, mypy and import-linter
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/mypy"
	@"$(BIN)/lint-imports"

format: env ## let ruff put the code in shape
	@"$(BIN)/ruff" check --fix .
	@"$(BIN)/ruff" format .

views: ## check and bundle the views' scripts (needs node; the bundles are committed)
	@cd ltpkit/views/src && npm install --no-audit --no-fund --loglevel=error && npm run --silent check && npm run --silent build

screenshots: env ## take the pictures in docs/ anew, of JupyterLab and the dashboard (about eight minutes)
	@"$(BIN)/python" docs/screenshots.py

env: ## make or refresh the environment the others run in
	@sh .ci/environment "$(VENV)" "$(PYTHON)" "$(CONSTRAINTS)"

browser:
	@sh .ci/browser

system: browser ## make sure of what the operating system has to provide
	@sh .ci/system "$(PYTHON)"

# One resolution for every supported Python and system, its differences as markers.
lock: env ## pin the newest versions that work together in constraints.txt
	@"$(BIN)/python" -m uv pip compile -q --upgrade --universal --python-version 3.11 --all-extras \
		--no-annotate --custom-compile-command "make lock" -o constraints.txt pyproject.toml

clean: ## remove the environment and the tools' caches; data and recordings stay
	[ ! -f "$(VENV)/pyvenv.cfg" ] || rm -rf "$(VENV)"
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find ltpkit tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
