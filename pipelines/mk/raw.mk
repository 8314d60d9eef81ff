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

$(D)/import/%.jsonl.zst: $(D)/sources/% $$(call stamp,import-$$*,$$(IMPORT_FLAGS))
	$(call say,import,$*)
	$(call begin,import,$*)
	$(Q)import=($(RUN) lucie-import $(filter-out -q,$(ONE)) -s $* -x '*.jsonl*' -x '*.ndjson*' $(IMPORT_FLAGS) \
		$(call rejects,import,$*) $(call account,import,$*) -o $@); \
	mapfile -t operand < <(sed -n 's/^operand\t//p' $<); \
	if [ $${#operand[@]} != 0 ]; then "$${import[@]}" "$${operand[@]}"; \
	else sed -n 's/^member\t//p' $< | tar -C $(RAW) --dereference --verbatim-files-from -T - -c | \
		"$${import[@]}" -; fi

$(D)/normalize/%+jsonl.jsonl.zst: $(D)/sources/%+jsonl \
		$$(call stamp,normalize-$$*+jsonl,$$(RECORD_FLAGS) $$(NORMALIZE_FLAGS))
	$(call say,normalize,$*+jsonl)
	$(call begin,normalize,$*+jsonl)
	$(Q)mapfile -t operand < <(sed -n 's/^operand\t//p' $<); \
	flags=($(RECORD_FLAGS)); [ $${#flags[@]} != 0 ] || { \
		field=$$(lucie text-field "$${operand[@]}"); \
		[ "$$field" = text ] || { flags=(--text-field "$$field"); \
			echo "  $*: the text of the records is \"$$field\"; RECORD_FLAGS can set another member"; }; }; \
	$(RUN) lucie-normalize $(ONE) "$${flags[@]}" $(NORMALIZE_FLAGS) $(call account,normalize,$*+jsonl) \
		-o $@ "$${operand[@]}"
