# Every target does all of its own set-up: Python 3.11, make and a package registry are enough.
PYTHON ?= python3.11
VENV ?= .venv
BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed

.PHONY: demo flink-demo test coverage lint benchmark study clean

demo: $(INSTALLED)
	$(BIN)/firstseen demo

# Java and Maven are needed, too: 0.4 GB are fetched into .flink/ the first time, in three minutes.
flink-demo: $(INSTALLED)
	PYTHON=$(abspath $(BIN))/python infra/flink/demo.sh

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2

coverage: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy evaluation firstseen foundation pipelines serving training

benchmark: $(INSTALLED)
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.encode
	$(BIN)/python -m benchmarks.search

# TensorFlow Datasets are downloaded, unless DATA holds them; colour photographs are studied only if it holds some.
DATA ?= ../shared/data
study: $(INSTALLED)
	$(BIN)/firstseen study --dataset mnist --dataset fashion_mnist $(if $(wildcard $(DATA)/tfds),--data-dir $(DATA)/tfds) \
	  $(if $(wildcard $(DATA)/tiny_imagenet_64),--colour '$(DATA)/tiny_imagenet_64/train-0000[0-5]*.tar' \
	  '$(DATA)/tiny_imagenet_64/train-00006*.tar')

$(INSTALLED): setup.py infra/constraints.txt
	@echo "installing firstseen and what it takes into $(VENV): 3 GB, minutes the first time"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint infra/constraints.txt --editable '.[cpu,demo,study,dev]'
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
