# Datasets. Each is a Makefile of its own below pipelines/, see lucie-pipelines(7).

DEMO := build/demo
# Work file by file on all cores, unless the user says how many.
DEMO_JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
DEMO_MAKE = $(MAKE) --no-print-directory -f pipelines/demo/Makefile D=$(DEMO) BIN='$(CURDIR)/$(BUILD)/bin'

.PHONY: demo demo-now demo-clean
## demo: real documents through every stage, a small model trained, a report
demo:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory demo-now

demo-now: $(BIN)
	@if $(DEMO_MAKE) -q report 2>/dev/null; then \
		echo 'nothing to do: $(DEMO)/report.html is up to date'; \
	else \
		$(DEMO_MAKE) $(DEMO_JOBS) report; \
	fi

## demo-clean: removes what demo made, but not the packages it fetched
demo-clean:
	@$(DEMO_MAKE) clean
