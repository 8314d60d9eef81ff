# A dataset of three small files over the shared rules, for tests/cli/pipelines.bats.

D := work
all: plan
include $(LUCIE_SRC)/pipelines/mk/settings.mk
SOURCES := a b pages
$(D)/import/%.jsonl.zst: %.jsonl
	$(call begin,import,$*)
	$(Q)lucie-normalize $(ONE) -o $@ $<
$(D)/import/pages.jsonl.zst: pages
	$(call begin,import,pages)
	$(Q)lucie-import $(ONE) $(call account,import,pages) -o $@ $<
FILTER_FLAGS = --preset gopher --set min_words=2 --set min_stop_words=off
include $(LUCIE_SRC)/pipelines/mk/stages.mk
CLEAN := $(SOURCES:%=$(D)/filter/%.jsonl.zst)
TOKENIZER_FLAGS = --vocab-size 400
RECIPE := recipe.ini
include $(LUCIE_SRC)/pipelines/mk/corpus.mk
