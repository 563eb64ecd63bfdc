# Needs Linux x86_64, python3 (3.10 to 3.14, with venv) and a C++ compiler; no ROS, no root.
# On a Mac use pixi.toml, on a machine with ROS 2 colcon.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := pip install --only-binary :all: --require-hashes -r requirements/lock.txt

# A sourced ROS would shadow the environment.
unexport PYTHONPATH LD_LIBRARY_PATH CMAKE_PREFIX_PATH RMW_IMPLEMENTATION _ROS_WHEELS_BOOTSTRAP_COMPLETE
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export AMENT_PREFIX_PATH := $(CURDIR)/$(VENV)

# MLX's Linux wheel brings a slow BLAS; where Debian's OpenBLAS is installed, float32 is far faster.
OPENBLAS := $(wildcard /usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so.0)
FAST := $(if $(OPENBLAS),LD_PRELOAD=$(OPENBLAS))

.DEFAULT_GOAL := help
.PHONY: help setup demo test newest bench fuzz soak pictures docs lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

setup: $(VENV)/.package  ## create .venv with everything in it (about 1.4 GB)

demo: setup  ## two cameras, the node and a questioner as separate processes
	@$(FAST) $(BIN)/vlmaxxing_demo

test: setup  ## lint, types, unit and integration tests
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(FAST) OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# For a scheduled job: what differs is to be reported, not worked around silently.
newest: setup  ## the families' tests with mlx-vlm's newest release instead of the locked one
	@$(BIN)/uv pip install --quiet --upgrade --target $(VENV)/newest 'mlx[cpu]' mlx-vlm llguidance \
	  numpy==2.2.6 opencv-python==4.12.0.88
	@$(FAST) PYTHONPATH=$(VENV)/newest $(BIN)/python -c \
	  'from importlib.metadata import version as v; print("mlx", v("mlx"), "mlx-vlm", v("mlx-vlm"))'
	@$(FAST) PYTHONPATH=$(VENV)/newest $(BIN)/python -m pytest -q test/engine/families

bench: setup  ## the measurements behind the figures in docs/
	@$(FAST) $(BIN)/python -m bench.live
	@$(FAST) $(BIN)/python -m bench

FUZZ_CASES ?= 10000
fuzz: setup  ## 10,000 cases of what comes from outside (FUZZ_CASES=...)
	@$(FAST) FUZZ_CASES=$(FUZZ_CASES) $(BIN)/python -m pytest -q test/fuzz

MINUTES ?= 30
soak: setup  ## half an hour with a slow model, killed clients and lost cameras (MINUTES=...)
	@$(FAST) $(BIN)/python -m bench.soak --minutes $(MINUTES)

pictures: setup  ## the moving picture of the README
	@$(FAST) $(BIN)/python -m vlmaxxing_ros.demo.pictures

docs: setup  ## the documentation as pages in out/docs
	@$(BIN)/python -m sphinx --quiet --fail-on-warning -j auto docs out/docs
	@echo out/docs/index.html

lock: $(VENV)/.wheels  ## resolve requirements/*.in anew
	cd requirements && $(LOCK) *.in -o lock.txt
	cd requirements && $(LOCK) -c lock.txt bootstrap.in -o bootstrap.txt
	cd requirements && $(LOCK) -c lock.txt source.in -o source.txt

LOCK := uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
  --no-emit-index-url --no-annotate --custom-compile-command 'make lock'

clean:  ## remove the environment and everything that was built
	rm -rf $(VENV) build install log out *.egg-info .mypy_cache .pytest_cache .ruff_cache

# Each step leaves a stamp: a repeat costs nothing, a change redoes what hangs on it.

$(VENV)/.wheels: $(wildcard requirements/*.txt)
	@test "$$(uname -sm)" = 'Linux x86_64' || { echo 'Linux x86_64 only: see pixi.toml'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' \
	  || { echo 'Python 3.10 to 3.14 only: make PYTHON=python3.12 ...'; exit 1; }
	@echo '[1/3] Python packages and ROS 2 wheels, as locked in requirements/'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes -r requirements/bootstrap.txt
	@$(PIP) install --quiet --require-hashes --no-build-isolation --use-pep517 \
	  -r requirements/source.txt
	@$(BIN)/uv $(INSTALL) 2>&1 | sed '/^ [+-] /d' || { echo 'uv failed: trying pip, which may be configured otherwise'; \
	  $(PIP) $(wordlist 2,99,$(INSTALL)); }
	@touch $@

$(VENV)/.msgs: $(VENV)/.wheels $(wildcard vlmaxxing_msgs/*.* vlmaxxing_msgs/*/*.*)
	@echo '[2/3] vlmaxxing_msgs, compiled in about 20 s'
	@$(PIP) install --quiet --no-index --no-deps --no-build-isolation --force-reinstall \
	  ./vlmaxxing_msgs
	@touch $@

# An editable install, then what pip leaves out of one: data files and lib/<package>/ for launch.
$(VENV)/.package: $(VENV)/.msgs setup.py setup.cfg pyproject.toml
	@echo '[3/3] vlmaxxing_ros, editable'
	@$(PIP) install --quiet --no-index --no-deps --no-build-isolation --editable .
	@mkdir -p $(VENV)/share/vlmaxxing_ros $(VENV)/lib/vlmaxxing_ros
	@ln -sfnt $(VENV)/share/vlmaxxing_ros $(addprefix $(CURDIR)/,package.xml config launch)
	@ln -sfnt $(VENV)/share/ament_index/resource_index/packages $(CURDIR)/resource/vlmaxxing_ros
	@ln -sfnt $(VENV)/lib/vlmaxxing_ros $(addprefix ../../bin/,$(shell sed -n \
	  "s/^ *'\([a-z_]*\) = vlmaxxing_ros.*:[a-z_]*',/\1/p" setup.py))
	@touch $@
