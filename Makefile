# Two commands do all the set-up: `make demo` and `make test`.
UV_VERSION := 0.13.9
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .tools/bin/uv
export ORT_DISABLE_TELEMETRY := 1
export UV_PYTHON_DOWNLOADS := never

.PHONY: demo test lint bench deb sbom sign model format system-packages clean help
.DEFAULT_GOAL := help

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## a simulated compound, a broker and the duty desk on http://localhost:8080 (ARGS='--seconds 20' passes options)
	@$(BIN)/compound-gateway demo $(ARGS)

test: system-packages $(VENV)/.dev  ## all tests, after installing what they need (ARGS='-k journal' picks some)
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

lint: $(VENV)/.dev  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: system-packages $(VENV)/.dev  ## every bench; one alone: .venv/bin/python -m tests.bench.field
	$(BIN)/python -m tests.bench.field
	$(BIN)/python -m tests.bench.journal
	$(BIN)/python -m tests.bench.process
	$(BIN)/python -m tests.bench.community
	$(BIN)/python -m tests.bench.doors
	$(BIN)/python -m tests.bench.centre
	$(BIN)/python -m tests.bench.printer
	$(BIN)/python -m tests.bench.desk
	$(BIN)/python -m tests.bench.desk_fanout
	$(BIN)/python -m tests.bench.desk_page
	$(BIN)/python -m tests.bench.vision

deb: $(UV)  ## the Debian package, in build/deb (ARGS='--architecture arm64' makes the other one)
	$(PYTHON) systemd/package/build.py --uv $(CURDIR)/$(UV) $(ARGS)

sbom: $(UV)  ## the bill of materials of that package (CycloneDX), beside it
	$(PYTHON) systemd/package/sbom.py --uv $(CURDIR)/$(UV) --output build/deb/sbom.cdx.json

sign:  ## sign what lies in build/deb (KEY=release-key, as ssh-keygen makes it)
	$(PYTHON) systemd/package/sign.py sign --key $(or $(KEY),$(error which key? make sign KEY=release-key)) build/deb

model: .train/.made  ## train the falling-object model anew: an evening on two cores (ARGS=--quick: minutes, into build/)
	OMP_NUM_THREADS=1 .train/bin/python -m models.train $(ARGS)

format: $(VENV)/.dev  ## let ruff put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

system-packages:
	@tests/system-packages

# uv comes from PyPI into a venv of its own, so that nothing but git, make and python3-venv must be there.
$(UV):
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.demo: $(UV) uv.lock pyproject.toml
	$(UV) sync --locked --quiet --compile-bytecode --python $(PYTHON) --extra demo --extra vision $$(test -e $(VENV)/.dev && echo --group dev)
	@touch $@

$(VENV)/.dev: $(UV) uv.lock pyproject.toml
	$(UV) sync --locked --quiet --compile-bytecode --python $(PYTHON) --extra demo --extra vision --extra apprise --group dev
	@touch $@

# Training has an environment of its own: torch is large, and nothing else needs it.
.train/.made: models/train/requirements.txt
	$(PYTHON) -m venv .train
	.train/bin/pip install --quiet --disable-pip-version-check -r models/train/requirements.txt
	@touch $@

clean:  ## remove the environments and caches
	rm -rf $(VENV) .tools .train build .mypy_cache .ruff_cache .pytest_cache .hypothesis
