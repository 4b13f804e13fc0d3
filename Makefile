PYTHON ?= python3
BIN := .venv/bin
MCPB := npx --yes @anthropic-ai/mcpb@2.1.2
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint check package mcpb docs format bench tokens chaos clients oauth sdks foreign documents report-page server clean

# Takes what is installed, so that a demo replaces nobody's installation.
demo: $(BIN)/warmer
	$(BIN)/warmer demo

test: .venv/dev
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

check: lint test package

package: .venv/dev
	$(BIN)/python tests/package.py

# A bundle for desktop clients: the sources, which the client's uv installs, and mcpb/manifest.json.
mcpb: .venv/dev
	rm -rf dist/mcpb dist/*.mcpb dist/*.tar.gz
	mkdir -p dist/mcpb
	$(BIN)/python -m hatchling build -t sdist -d dist
	tar -xzf dist/*.tar.gz --strip-components=1 -C dist/mcpb
	cp mcpb/manifest.json mcpb/main.py dist/mcpb
	$(MCPB) validate dist/mcpb
	$(MCPB) pack dist/mcpb dist/warmer.mcpb

docs: .venv/dev
	PYTHONPATH=docs $(BIN)/python -m generate

format: .venv/dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/warmer $(if $(PEER),.venv/peer)
	$(BIN)/python -m warmer_evals.bench $(DATASET) $(if $(PEER),--peer .venv/peer/bin/python) $(if $(AGAINST),--against $(AGAINST) --starts 5 --calls 20)

tokens: .venv/warmer .venv/peer .venv/tokenizer
	$(BIN)/python -m warmer_evals.tokens $(DATASET) --peer .venv/peer/bin/python --tokenizer .venv/tokenizer/bin/python

chaos: .venv/dev
	PYTHONPATH=tests $(BIN)/python -m chaos evals/results/chaos.md

clients: .venv/dev
	PYTHONPATH=tests $(BIN)/python -m clients docs/clients.md

oauth: .venv/dev
	PYTHONPATH=tests $(BIN)/python -m clients.oauth

sdks: .venv/dev
	PYTHONPATH=tests $(BIN)/python -m clients.sdks docs/clients.md

foreign: .venv/dev
	PYTHONPATH=tests $(BIN)/python -m foreign evals/results/foreign.md

# OLD=PYTHON compares the build that this Python has; PARTS: projects notes speed.
documents: .venv/dev
	PYTHONPATH=tests OLD=$(OLD) PARTS="$(PARTS)" $(BIN)/python -m documents evals/results/documents.md $(WORK)

report-page: .venv/dev
	PYTHONPATH=tests $(BIN)/python -m report_page docs/pictures.png

# On a real Qdrant server, whose binary is already there; PARTS: tests lists feedback strict cluster.
server: .venv/dev
	PYTHONPATH=tests $(BIN)/python -m real evals/results/server.md "$(QDRANT_BIN)" $(PARTS)

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

.venv/python: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Warmer needs Python 3.11 or newer: make demo PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/warmer: .venv/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(BIN)/warmer:
	$(MAKE) .venv/warmer

.venv/dev: .venv/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ .venv/warmer

.venv/peer: .venv/python
	$(PYTHON) -m venv $@
	PIP_CONSTRAINT= $@/bin/python -m pip install --quiet mcp-server-qdrant==0.8.1
	@touch $@

.venv/tokenizer: .venv/python
	$(PYTHON) -m venv $@
	PIP_CONSTRAINT= $@/bin/python -m pip install --quiet bpe-openai==0.1.4
	@touch $@
