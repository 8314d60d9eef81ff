# A dataset of three small files over the shared rules, for tests/cli/pipelines.bats.

D := work
all: plan
include $(LUCIE_SRC)/pipelines/mk/settings.mk
SOURCES := a b pages
$(D)/import/%.jsonl.zst: %.jsonl $$(call stamp,import-$$*,)
	$(call begin,import,$*)
	$(Q)lucie-normalize $(ONE) -o $@ $<
$(D)/import/pages.jsonl.zst: pages
	$(call begin,import,pages)
	$(Q)lucie-import $(ONE) $(call account,import,pages) -o $@ $<
FILTER_FLAGS = --preset gopher --set min_words=2 --set min_stop_words=off
include $(MK)/stages.mk
CLEAN := $(SOURCES:%=$(D)/filter/%.jsonl.zst)
TOKENIZER_FLAGS = --vocab-size 400
SHARD_FLAGS = --holdout valid=0.2
HELD_OUT := $(D)/shards/all-valid
RECIPE := recipe.ini
include $(MK)/corpus.mk
EXPORT_FLAGS = --dtype f32
include $(MK)/train.mk
include $(MK)/report.mk
