# The stages over all documents, file by file and part by part, so that each is as many tasks as there
# are files, or SPLIT: corpus.mk includes it where SPLIT is set. X is a file of CLEAN. The documents and
# the tokenizer are, byte for byte, those of corpus.mk, for any SPLIT; the shard has a part for each file.
#
#   $(D)/exact/X.keys        <- CLEAN X                  $(D)/exact/first/I       <- all keys
#   $(D)/exact/X.jsonl.zst   <- CLEAN X, all first                               EXACT_FLAGS
#   $(D)/near/X.sign         <- exact/X                  $(D)/near/meet/I         <- all sign
#   $(D)/near/X.fetch        <- X.sign, all meet         $(D)/near/edges/I        <- all fetch
#   $(D)/near/sets           <- all edges
#   $(D)/near/X.gather       <- X.sign, sets             $(D)/near/settle/I       <- all gather
#   $(D)/near/X.jsonl.zst    <- exact/X, all settle                              NEAR_FLAGS
#   $(D)/counts/X            <- near/X                   $(D)/tokenizer.json      <- all counts
#   $(D)/parts/X/done        <- near/X, tokenizer        $(D)/shards/all.json     <- all parts
#
#   SPLIT       parts of what is divided by key, not by file; a task each
#   LEARN_OPEN  files of counts read at once; more are added up before (500)

LEARN_OPEN ?= 500

# Sources by name, in the order of CLEAN, which is the order of documents.
split_names := $(notdir $(CLEAN:%.jsonl.zst=%))
$(foreach f,$(CLEAN),$(eval clean-$(notdir $(f:%.jsonl.zst=%)) := $(f)))
$(if $(filter-out $(words $(CLEAN)),$(words $(sort $(split_names)))),\
	$(error two files of CLEAN have the same name, which SPLIT needs to tell them apart))
split_parts := $(shell seq $(SPLIT))
$(if $(split_parts),,$(error SPLIT=$(SPLIT): not a number of parts))

# $(call each,DIR/,.keys): the files of all sources.
each = $(split_names:%=$(D)/$(1)%$(2))
# $(call each_part,DIR/first/): the parts of a step.
each_part = $(split_parts:%=$(D)/$(1)%)
# $(call pick,NAMES,FLAGS): in a command, those of the flags.
pick = $$(bash $(MK)/pick $(1) $(2))
every_step := m,memory,T,tmpdir
documents := text-field,map,max-line
drop_takes := $(documents),cluster-size,most,yes
keys_take := $(every_step),$(documents),key,fold,by,keep
sign_takes := $(every_step),$(documents),bands,rows,by,keep
sums_take := $(every_step),preset,form,digits,punctuation
count_takes := $(documents),$(sums_take)

step = $(Q)mkdir -p $(@D) && $(RUN) lucie-dedup -q --progress never $(one_thread)

# ---- exact ---------------------------------------------------------------------------------
$(D)/exact/%.keys: $$(clean-$$*) $$(call stamp,exact-keys-$$*,$$(EXACT_FLAGS) $$(clean-$$*))
	$(call say,exact,keys of $*)
	$(step) --allow-empty --exact --step keys \
		$(call pick,$(keys_take),$(EXACT_FLAGS)) \
		-o $@ $<

$(D)/exact/first/%: $$(call each,exact/,.keys) $$(call stamp,exact-first-$$*,$$(SPLIT) $$(CLEAN))
	$(call say,exact,part $* of $(SPLIT))
	$(step) --exact --step first --part $*/$(SPLIT) $(call pick,$(every_step),$(EXACT_FLAGS)) \
		-o $@ $(call many,exact-first-$*,$(call each,exact/,.keys))

$(D)/exact/%.jsonl.zst: $$(clean-$$*) $$(call each_part,exact/first/) \
		$$(call stamp,exact-drop-$$*,$$(EXACT_FLAGS))
	$(call say,exact,$*)
	$(call begin,dedup-exact,$*)
	$(step) --allow-empty --exact --step drop $(split_parts:%=--drops $(D)/exact/first/%) \
		$(call pick,$(drop_takes),$(EXACT_FLAGS)) \
		--removed $(D)/exact/$*-removed.jsonl.zst $(call account,dedup-exact,$*) -o $@ $<

# ---- near ----------------------------------------------------------------------------------
$(D)/near/%.sign: $(D)/exact/%.jsonl.zst $$(call stamp,near-sign-$$*,$$(NEAR_FLAGS))
	$(call say,near,signatures of $*)
	$(step) --allow-empty --near --step sign \
		$(call pick,$(sign_takes),$(NEAR_FLAGS)) \
		-o $@ $<

near_step = $(step) --near --step $(1) $(call pick,$(every_step)$(2),$(NEAR_FLAGS)) -o $@

$(D)/near/meet/%: $$(call each,near/,.sign) $$(call stamp,near-meet-$$*,$$(SPLIT) $$(CLEAN))
	$(call say,near,meet: part $* of $(SPLIT))
	$(call near_step,meet) --part $*/$(SPLIT) $(call many,near-meet-$*,$(call each,near/,.sign))

$(D)/near/%.fetch: $(D)/near/%.sign $$(call each_part,near/meet/)
	$(call say,near,fetch: $*)
	$(call near_step,fetch) $< $(call each_part,near/meet/)

$(D)/near/edges/%: $$(call each,near/,.fetch) $$(call stamp,near-edges-$$*,$$(SPLIT) $$(NEAR_FLAGS))
	$(call say,near,edges: part $* of $(SPLIT))
	$(call near_step,edges,$(comma)verify) --part $*/$(SPLIT) \
		$(call many,near-edges-$*,$(call each,near/,.fetch))

$(D)/near/sets: $$(call each_part,near/edges/)
	$(call say,near,sets)
	$(call near_step,link) $(call each_part,near/edges/)

$(D)/near/%.gather: $(D)/near/%.sign $(D)/near/sets
	$(call say,near,gather: $*)
	$(call near_step,gather) $^

$(D)/near/settle/%: $$(call each,near/,.gather) $$(call stamp,near-settle-$$*,$$(SPLIT))
	$(call say,near,settle: part $* of $(SPLIT))
	$(call near_step,settle) --part $*/$(SPLIT) $(call many,near-settle-$*,$(call each,near/,.gather))

$(D)/near/%.jsonl.zst: $(D)/exact/%.jsonl.zst $$(call each_part,near/settle/) \
		$$(call stamp,near-drop-$$*,$$(NEAR_FLAGS))
	$(call say,near,$*)
	$(call begin,dedup-near,$*)
	$(step) --allow-empty --near --step drop $(split_parts:%=--drops $(D)/near/settle/%) \
		$(call pick,$(drop_takes),$(NEAR_FLAGS)) \
		--removed $(D)/near/$*-removed.jsonl.zst $(call account,dedup-near,$*) -o $@ $<

# ---- tokenizer -----------------------------------------------------------------------------
# What decides about words belongs to the counting.
count_flags = $(call pick,$(count_takes),$(TOKENIZER_FLAGS))
learn_flags = $(call pick,^$(documents),$(TOKENIZER_FLAGS))

$(D)/counts/%: $(D)/near/%.jsonl.zst $$(call stamp,counts-$$*,$$(TOKENIZER_FLAGS))
	$(call say,counts,$*)
	$(Q)mkdir -p $(@D) && $(RUN) lucie-tok-train -q --progress never --allow-empty $(one_thread) \
		--step count $(count_flags) -o $@ $<

# Sums of at most LEARN_OPEN files each.
count_sums := $(if $(word $(LEARN_OPEN),$(split_names)),$(shell \
	seq $$((($(words $(split_names)) + $(LEARN_OPEN) - 1) / $(LEARN_OPEN)))))
counts_of = $(wordlist $(shell echo $$((($(1) - 1) * $(LEARN_OPEN) + 1)) $$(($(1) * $(LEARN_OPEN)))),$(call each,counts/,))
$(D)/counts/+sum-%: $$(call each,counts/,)
	$(call say,counts,sum $*)
	$(Q)$(RUN) lucie-tok-train -q --progress never --step merge $(call pick,$(sums_take),$(TOKENIZER_FLAGS)) -o $@ \
		$(call many,counts-$*,$(call counts_of,$*))
split_counts = $(if $(count_sums),$(count_sums:%=$(D)/counts/+sum-%),$(call each,counts/,))

$(D)/tokenizer.json: $$(split_counts) $$(call stamp,tokenizer,$$(TOKENIZER_FLAGS))
	$(call say,tokenizer,$(words $(split_names)) files)
	$(Q)$(RUN) lucie-tok-train $(learn_flags) --step learn -o $@ $(call many,counts,$(split_counts))

# ---- shards --------------------------------------------------------------------------------
$(D)/parts/%/done: $(D)/near/%.jsonl.zst $(D)/tokenizer.json $$(call stamp,shard-$$*,$$(SHARD_FLAGS))
	$(call say,shard,$*)
	$(call begin,shard,$*)
	$(Q)$(RUN) lucie-shard -q --progress never --allow-empty $(one_thread) -t $(D)/tokenizer.json \
		$(SHARD_FLAGS) $(call account,shard,$*) -o $(@D)/all $<
	$(Q)bash $(MK)/unlisted $(@D)/all $(D)/stats/shard-$*.jsonl
	$(Q)touch $@

# Of the parts that have the set: all, and those that are held out.
held_sets = $(HELD_OUT:$(D)/shards/%=%)
$(D)/shards/all.json: $$(call each,parts/,/done) $$(call stamp,shard-merge,$$(HELD_OUT) $$(CLEAN))
	$(call say,shard,merge)
	$(Q)mkdir -p $(@D)
	$(Q)for set in $(held_sets) all; do \
		parts=($$(for x in $(call many,shards,$(split_names)); do \
			[ ! -e $(D)/parts/$$x/$$set.json ] || echo $(D)/parts/$$x/$$set; done)); \
		[ $${#parts[@]} != 0 ] || rm -f $(D)/shards/$$set.json; \
		[ $${#parts[@]} = 0 ] || $(RUN) lucie-shard -q --merge -o $(D)/shards/$$set "$${parts[@]}"; done
	$(Q)[ -e $@ ] || { echo 'no document is left; what became of them: lucie-stats $(D)/stats/*.jsonl' >&2; exit 1; }

# What the stages after these, and the report, read.
NEAR_TEXTS = $(call each,near/,.jsonl.zst)
dedup_stats = $(call each,stats/dedup-exact-,.jsonl) $(call each,stats/dedup-near-,.jsonl) \
	$(call each,stats/shard-,.jsonl)
removed_logs = $(call each,exact/,-removed.jsonl.zst) $(call each,near/,-removed.jsonl.zst)

split_waves := keys first exact sign meet fetch edges sets gather settle near counts tokenizer parts
WAVES += $(split_waves)
wave-keys = $(call each,exact/,.keys)
wave-first = $(call each_part,exact/first/)
wave-exact = $(call each,exact/,.jsonl.zst)
wave-sign = $(call each,near/,.sign)
wave-meet = $(call each_part,near/meet/)
wave-fetch = $(call each,near/,.fetch)
wave-edges = $(call each_part,near/edges/)
wave-sets = $(D)/near/sets
wave-gather = $(call each,near/,.gather)
wave-settle = $(call each_part,near/settle/)
wave-near = $(NEAR_TEXTS)
wave-counts = $(call each,counts/,)
wave-parts = $(call each,parts/,/done)

# A file that is named is no intermediate one: make keeps it, and looks at it once.
.PHONY: split-files
split-files: $(foreach w,$(filter-out tokenizer,$(split_waves)),$(wave-$(w))) $(split_counts) $(FIRST) \
	$(foreach s,import normalize lang filter,$(split_names:%=$(D)/$s/%.jsonl.zst)) \
	$(foreach s,sources objects,$(split_names:%=$(D)/$s/%))
