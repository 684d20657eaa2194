# The words a newcomer needs. tools/run.py does the work, with nothing but Python's
# standard library, so that it also runs where make is missing.
PYTHON ?= python3
PORT ?= 8000
SECONDS ?= 60
ONE_IN ?= 24

.PHONY: demo test test-long check bench fuzz conformance-mutants mutation lock

demo:
	@$(PYTHON) tools/run.py demo --port $(PORT)

test:
	@$(PYTHON) tools/run.py test

test-long:
	@$(PYTHON) tools/run.py test --long

check:
	@$(PYTHON) tools/run.py check

bench:
	@$(PYTHON) tools/run.py bench

fuzz:
	@$(PYTHON) tools/run.py fuzz --seconds $(SECONDS)

conformance-mutants:
	@$(PYTHON) tools/run.py conformance-mutants

mutation:
	@$(PYTHON) tools/run.py mutation --one-in $(ONE_IN)

lock:
	@$(PYTHON) tools/run.py lock
