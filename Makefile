# Two commands: `make demo` shows the whole product, `make test` checks all of it. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Processes among which the tests are spread: a core each, and 1 GB of memory.
TESTERS ?= $(shell cores=`env -u OMP_NUM_THREADS nproc`; echo $$((cores < 4 ? cores : 4)))

.DEFAULT_GOAL := help
.PHONY: help setup demo run test check browser bench bench-gpu screenshots messages real main-job clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.installed ## create .venv and install everything, pinned

.venv/.installed: requirements/web.txt requirements/ml.txt requirements/dev.txt requirements/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Kinetoscope needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`. Name another one: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv .venv; \
	  else echo "This Python cannot create virtual environments. On Debian: sudo apt-get install python3-venv"; exit 1; fi; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements/constraints.txt -r requirements/ml.txt -r requirements/web.txt -r requirements/dev.txt
	@touch $@

webapp/locale/zh_Hans/LC_MESSAGES/django.mo: webapp/locale/zh_Hans/LC_MESSAGES/django.po .venv/.installed
	@$(BIN)/pybabel --quiet compile --domain django --directory webapp/locale

demo: setup webapp/locale/zh_Hans/LC_MESSAGES/django.mo ## set up, draw the demo dataset, train two streams, fuse, and serve the results
	$(BIN)/python manage.py launch --demo

run: setup webapp/locale/zh_Hans/LC_MESSAGES/django.mo ## serve the site without the demo
	$(BIN)/python manage.py launch

browser: ## see that a Chromium is there for the browser tests
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; \
	  else echo "No Chromium: the browser tests will be skipped. On Debian: sudo apt-get install chromium fonts-noto-cjk"; fi; }

check: setup ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: setup browser webapp/locale/zh_Hans/LC_MESSAGES/django.mo check ## set up and run every check and test
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(TESTERS)

bench: setup ## speed and memory, as ratios in one run
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks

bench-gpu: setup ## the same, of what needs an NVIDIA GPU; runs as plain python -m benchmarks.gpu too
	$(BIN)/python -m benchmarks.gpu

screenshots: setup browser ## photograph every page of a running demo into data/screenshots, those of the docs into docs/images
	$(BIN)/python -m tests.browser.screenshots

messages: setup ## collect translatable texts into the catalogue
	$(BIN)/python manage.py collect_messages

real: setup ## the main job on real clips (KINETOSCOPE_REAL_DATA, default ../shared/data); prints the table of docs/benchmarks.md
	$(BIN)/python -m benchmarks.real

main-job: setup browser ## the main job in the browser on all 300 real clips; `make test` does it with 24
	KINETOSCOPE_MAIN_JOB=full $(BIN)/pytest -s tests/browser/test_main_job.py

clean: ## remove what setup and runs made, except data/
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache webapp/locale/*/LC_MESSAGES/*.mo
