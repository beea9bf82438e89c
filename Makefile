# `make` alone prints this list: a target's ## is its line in it.
# Every target makes what it needs first, and that is over at once where nothing has changed.

PY := .venv/bin/python
RUNTIME := sh deploy/setup/venv.sh runtime && sh deploy/setup/libraries.sh gl
DEV := sh deploy/setup/venv.sh dev
TESTS := $(DEV) && sh deploy/setup/libraries.sh gl fonts ffmpeg postgres prometheus chromium iproute2

# Tests wait for much that starts and ends: one process computes while the other waits.
PROCESSES := 2
PYTEST := $(PY) -m pytest --numprocesses $(PROCESSES)

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types imports unit integration bench bench-quality bench-batch bench-memory bench-styles bench-black bench-queue bench-commits bench-workers bench-api bench-page gallery pictures chaos-core simulate lock format clean

help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what midifarm needs to run; the command is then .venv/bin/midifarm
	@$(RUNTIME)

demo: setup ## Render a short video from a MIDI file into build/demo
	@sh deploy/setup/soundfont.sh
	@bash deploy/demo.sh

test: ## Run the whole test suite
	@$(TESTS)
	$(PYTEST)

check: lint types imports test ## Run everything that CI runs

lint: ## Look for mistakes and for layout that ruff would change
	@$(DEV)
	$(PY) -m ruff check
	$(PY) -m ruff format --check

types: ## Check the types
	@$(DEV)
	$(PY) -m mypy

imports: ## Check that imports go one way only
	@$(DEV)
	.venv/bin/lint-imports

unit: ## Run the tests that need neither a service nor OpenGL
	@$(DEV)
	$(PYTEST) tests/unit

integration: ## Run the tests that draw, encode and start services
	@$(TESTS)
	$(PYTEST) tests/integration

bench: ## Measure how fast this machine renders
	@$(TESTS)
	$(PY) -m tests.bench

bench-quality: ## Measure what chunks cost in quality, and whether average rates are held
	@$(TESTS)
	$(PY) -m tests.bench.quality

bench-batch: ## Measure what one call for all presets saves over one for each
	@$(TESTS)
	$(PY) -m tests.bench.batch

bench-memory: ## Measure the memory of a minute in 4K, with all processes
	@$(TESTS)
	$(PY) -m tests.bench.memory

bench-styles: ## Measure how fast each style is drawn, in 1080p and in 4K
	@$(TESTS)
	$(PY) -m tests.bench.styles

bench-black: ## Measure how frames slow down with many thousands of notes in sight
	@$(TESTS)
	$(PY) -m tests.bench.black

bench-queue: ## Measure whether 10,000 queued exports slow the dispatcher
	@$(TESTS)
	$(PY) -m tests.bench.queue

bench-commits: ## Measure how many results a second the dispatcher commits on a large farm
	@$(TESTS)
	$(PY) -m tests.bench.queue --queued 0 --exports 10 --seconds 400 --slots 200 --least 500

bench-workers: ## Measure what a second worker brings
	@$(TESTS)
	$(PY) -m tests.bench.workers

bench-api: ## Measure how fast the API answers with 1,000,000 exports, and takes batches
	@$(TESTS)
	$(PY) -m tests.bench.api

bench-page: ## Measure how fast the page is there, and how smooth with 200 exports under way
	@$(TESTS)
	$(PY) -m tests.bench.page

gallery: setup ## Draw the pictures of the documentation, and docs/gallery.md
	$(PY) -m deploy.gallery

pictures: ## Take the pictures of the page for the documentation, from the page itself
	@$(TESTS)
	@sh deploy/setup/soundfont.sh
	$(PY) -m deploy.pictures

chaos-core: ## Kill parts of a busy service, and see that nobody's video suffers
	@$(TESTS)
	$(PY) -m tests.chaos

simulate: ## Drive the dispatcher by a simulated farm of 1,000 workers in virtual time
	@$(TESTS)
	$(PY) -m tests.simulation

lock: ## Pin the dependencies anew after a change in pyproject.toml (UPGRADE=1: to the newest)
	@sh deploy/setup/lock.sh

format: ## Lay out the code, and mend what ruff can mend by itself
	@$(DEV)
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

clean: ## Remove everything that make has made, .venv included
	rm -rf .venv build midifarm.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
