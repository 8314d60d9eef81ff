# Sources of any kind from the folder RAW.
#
#   SOURCES                      set here: the names of the sources
#   $(D)/sources/X               what belongs to source X; written anew when a file of it changes
#   $(D)/import/X.jsonl.zst      <- sources/X         IMPORT_FLAGS
#   $(D)/normalize/X+jsonl.jsonl.zst <- sources/X+jsonl  RECORD_FLAGS: JSON Lines begin here
#
# A folder, an archive or a JSON Lines file in RAW is a source; the other files in it are the source
# "files". JSON Lines in a folder are a source of their own, X+jsonl. Without RECORD_FLAGS the text
# of records is the member that `lucie text-field` finds.
#
# $(call fit,WHAT): in a command, options for the amount of text; see the script `fit`.
#
# Needs settings.mk; include it before stages.mk.

RAW ?= raw
IMPORT_FLAGS ?=
RECORD_FLAGS ?=

ifeq ($(filter clean,$(MAKECMDGOALS)),)
# The tasks of a wave take the lists as they are.
SOURCES := $(if $(LUCIE_TASK),$(sort $(notdir $(wildcard $(D)/sources/*))),$(shell \
	bash $(MK)/sources $(RAW) $(D)/sources))
$(if $(SOURCES),,$(error no files in $(RAW)/: put texts there first))
endif

fit = $$(bash $(MK)/fit $(1) $(D) $(TRAIN_CONFIG))

IMPORT_FROM = $(D)/sources/%
IMPORT = bash $(MK)/operands $(RAW) $< lucie-import $(filter-out -q,$(ONE)) -s $* -x '*.jsonl*' \
	-x '*.ndjson*' $(call flags_of,IMPORT,$*)
IMPORT_INPUT =

# $(call records,X+jsonl): JSON Lines are records already.
records = bash $(MK)/operands $(if $(strip $(RECORD_FLAGS)),,--records) $(RAW) $< lucie-normalize \
	$(ONE) $(RECORD_FLAGS) $(call flags_of,NORMALIZE,$(1)) $(call account,normalize,$(1))

ifeq ($(FUSE),)
$(D)/normalize/%+jsonl.jsonl.zst: $(D)/sources/%+jsonl \
		$$(call stamp,normalize-$$*+jsonl,$$(call flags_of,NORMALIZE,$$*+jsonl) $$(RECORD_FLAGS))
	$(call say,normalize,$*+jsonl)
	$(call begin,normalize,$*+jsonl)
	$(Q)$(RUN) $(call records,$*+jsonl) -o $@
endif
