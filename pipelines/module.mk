# Datasets. Each has its own Makefile below pipelines/; see lucie-pipelines(7).

DEMO := build/demo
# Compile, and process files, on all cores, unless the user has set -j.
DEMO_JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
DEMO_MAKE = $(MAKE) --no-print-directory -f pipelines/demo/Makefile D=$(DEMO) BIN='$(CURDIR)/$(BUILD)/bin'

.PHONY: demo demo-now demo-clean
## demo: run real documents through every stage, train a small model, write a report (RANKS=2: on two processes)
demo:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory $(DEMO_JOBS) demo-now

demo-now: $(BIN)
	@if $(DEMO_MAKE) -q report 2>/dev/null; then \
		echo 'nothing to do: $(DEMO)/report.html is up to date'; \
	else \
		$(DEMO_MAKE) report; \
	fi

## demo-clean: remove the output of demo, but not the packages it fetched
demo-clean:
	@$(DEMO_MAKE) clean

TINY_MAKE = $(MAKE) --no-print-directory -f pipelines/tiny/Makefile D=build/tiny TEXT=$(DEMO) BIN='$(CURDIR)/$(BUILD)/bin'
.PHONY: tiny tiny-now
## tiny: train one small model in five phases, as the demonstration's text allows, and write a report
tiny:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory $(DEMO_JOBS) tiny-now

tiny-now: $(BIN)
	@$(TINY_MAKE) report
