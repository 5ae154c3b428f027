# Two commands: `make run` and `make test`. Each does the set-up that it needs.
PYTHON ?= python3
PORT ?= 8000
ENV := .venv
PY := $(ENV)/bin/python
RUN_READY := $(ENV)/.installed
TEST_READY := $(ENV)/.installed-dev
SOURCES := manage.py config chatbot emails orders ml benchmarks tests

.PHONY: run test check format train-writer finetune-writer train-understanding clean

run: $(RUN_READY)
	@exec $(PY) manage.py up --port $(PORT)

test: $(TEST_READY)
	@$(PY) config/chromium.py
	$(PY) -m pytest $(ARGS)

check: $(TEST_READY)
	$(ENV)/bin/ruff format --check $(SOURCES)
	$(ENV)/bin/ruff check $(SOURCES)
	DOORSTEP_OFFLINE=1 $(ENV)/bin/mypy $(SOURCES)
	DOORSTEP_OFFLINE=1 $(ENV)/bin/lint-imports
	$(PY) manage.py check_templates
	$(PY) manage.py makemigrations --check --dry-run

format: $(TEST_READY)
	$(ENV)/bin/ruff format $(SOURCES)
	$(ENV)/bin/ruff check --fix $(SOURCES)

$(RUN_READY): requirements.txt config/install.sh
	@sh config/install.sh "$(PYTHON)" "$(ENV)" requirements.txt
	@touch $@

$(TEST_READY): requirements-dev.txt $(RUN_READY)
	@sh config/install.sh "$(PYTHON)" "$(ENV)" requirements-dev.txt
	@touch $@

# Training needs the public data: make train-writer DATA=/path/to/data
train-writer: $(TEST_READY)
	$(PY) -m ml.writer.train all --data $(DATA)

# A shop's own model: make finetune-writer MODEL=folder PAIRS=file (docs/fine-tuning.md)
finetune-writer: $(TEST_READY)
	$(PY) -m ml.writer.finetune $(MODEL) $(PAIRS) $(ARGS)

train-understanding: $(TEST_READY)
	$(PY) -m ml.understanding.train --data $(DATA)

clean:
	rm -rf $(ENV) staticfiles
