# Needs Python 3.11+ and make. Everything else goes into $(VENV).
#   make demo    stream the example clip through a local server, look at the talking face, and talk to it in the viewer
#   make test    run the test suite
PYTHON ?= python3
VENV ?= .venv
# PyTorch is used by the tests and by training only. Its CPU build is enough; where pip would choose a CUDA build,
# point TORCH_FLAGS at PyTorch's CPU index (see "Start Locally" on pytorch.org).
TORCH ?= torch==2.13.0
TORCH_FLAGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PROTOS := $(shell find protos -name '*.proto' 2>/dev/null)
STUBS := sdk_server/facestream/v1/.stubs

.PHONY: setup demo test test-slow check bench bench-gpu docs protos format clean

setup: $(DEV) $(STUBS)

$(BIN)/python:
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"facestream needs Python 3.11 or newer, this is {v[0]}.{v[1]}: try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install $(TORCH_FLAGS) '$(TORCH)'
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(RUNTIME)

$(STUBS): $(PROTOS) protos/build_stubs.py | $(DEV)
	$(BIN)/python protos/build_stubs.py
	@touch $@

demo: $(RUNTIME)
	$(BIN)/facestream demo

# A worker a core, each computing on its own; tests of a file share what they set up, so they stay together.
test test-slow: export OMP_NUM_THREADS := 1
test: setup
	$(BIN)/python -m pytest -n auto --dist loadfile

# The slow ones too: the wheel in a clean environment, registration of other heads. About five minutes on two cores.
test-slow: setup
	$(BIN)/python -m pytest -n auto --dist loadfile -m slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint protos
	$(BIN)/buf format protos --diff --exit-code

bench: setup
	$(BIN)/python -m facestream_bench.round_trip
	$(BIN)/python -m facestream_bench.offline
	$(BIN)/facestream-bench latency
	$(BIN)/facestream-bench engine --model live
	$(BIN)/facestream-bench capacity --model live
	$(BIN)/facestream-bench report

# On a machine with an NVIDIA GPU and one of the extras `tensorrt-rtx` and `tensorrt`: everything that waits for one.
bench-gpu: setup
	$(BIN)/python -m pytest -m gpu
	$(BIN)/facestream-bench gpu

docs: setup
	$(BIN)/python -m pytest tests/docs

protos: setup
	$(BIN)/buf format protos -w
	$(BIN)/python protos/build_stubs.py

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist demo
