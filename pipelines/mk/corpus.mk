# Stages over all documents, from clean documents to the plan for training. Each uses all cores and
# shows its own progress; make runs them one after another.
#
#   $(D)/dedup/exact.jsonl.zst   <- CLEAN                   EXACT_FLAGS
#   $(D)/dedup/near.jsonl.zst    <- dedup/exact             NEAR_FLAGS
#   $(D)/tokenizer.json          <- dedup/near              TOKENIZER_FLAGS
#   $(D)/eval/tokenizer.txt      <- tokenizer               measured on TOKENIZER_TEXTS
#   $(D)/shards/all.*            <- dedup/near, tokenizer   SHARD_FLAGS
#   $(D)/shards/checked          <- shards/all, HELD_OUT    verified completely
#   $(D)/mix/plan                <- RECIPE, shards/checked  MIX_FLAGS
#
#   CLEAN            document files from the stages before
#   HELD_OUT         prefixes of the shards that SHARD_FLAGS holds out, verified as well
#   RECIPE           recipe of the mix, lucie-recipe(5)
#   TOKENIZER_TEXTS  document files to measure the tokenizer on; default dedup/near
#
# With SPLIT=N the stages from CLEAN to shards/all are those of split.mk: file by file and in N parts, as
# many tasks or as make -j.
#
# Targets: deduped, tokenizer, tokenizer-eval, shards, plan. Needs settings.mk and stages.mk.

EXACT_FLAGS ?= --fold
NEAR_FLAGS ?= --keep longest
TOKENIZER_FLAGS ?=
SHARD_FLAGS ?=
MIX_FLAGS ?=
HELD_OUT ?=
TOKENIZER_TEXTS ?= $(NEAR_TEXTS)

# $(call there,PREFIXES): in a command, those of the shards that exist, since a set for which no
# document was held out is not written.
there = $$(for p in $(1); do [ ! -e $$p.json ] || printf '%s ' $$p; done)

$(if $(call differ,$(strip $(SPLIT)),$(strip $(split_settled))),$(error set SPLIT before settings.mk is included))
ifneq ($(SPLIT),)
include $(MK)/split.mk
else

# The names of the inputs are among the flags: a source that is gone is a change, too.
$(D)/dedup/exact.jsonl.zst: $(CLEAN) $$(call stamp,dedup-exact,$$(EXACT_FLAGS) $$(CLEAN))
	$(call say,exact,$(words $(CLEAN)) files)
	$(call begin,dedup,exact)
	$(Q)$(RUN) lucie-dedup --exact --allow-empty $(EXACT_FLAGS) --removed $(@D)/exact-removed.jsonl.zst \
		$(call account,dedup,exact) -o $@ $(call many,clean,$(CLEAN))

$(D)/dedup/near.jsonl.zst: $(D)/dedup/exact.jsonl.zst $$(call stamp,dedup-near,$$(NEAR_FLAGS))
	$(call say,near,$<)
	$(call begin,dedup,near)
	$(Q)$(RUN) lucie-dedup --near --allow-empty $(NEAR_FLAGS) --removed $(@D)/near-removed.jsonl.zst \
		$(call account,dedup,near) -o $@ $<
	$(Q)! grep -q '"out":{"docs":0,' $(D)/stats/dedup-near.jsonl || { \
		echo 'no document is left; what became of them: lucie-stats $(D)/stats/*.jsonl' >&2; exit 1; }

$(D)/tokenizer.json: $(D)/dedup/near.jsonl.zst $$(call stamp,tokenizer,$$(TOKENIZER_FLAGS))
	$(call say,tokenizer,$<)
	$(Q)$(RUN) lucie-tok-train $(TOKENIZER_FLAGS) -o $@ $<

# The manifest is written last, so it stands for the whole shard.
$(D)/shards/all.json: $(D)/dedup/near.jsonl.zst $(D)/tokenizer.json \
		$$(call stamp,shard,$$(SHARD_FLAGS))
	$(call say,shard,$<)
	$(call begin,shard,all)
	$(Q)$(RUN) lucie-shard -t $(D)/tokenizer.json $(SHARD_FLAGS) $(call account,shard,all) \
		-o $(@D)/all $<
	$(Q)bash $(MK)/unlisted $(@D)/all $(D)/stats/shard-all.jsonl

NEAR_TEXTS = $(D)/dedup/near.jsonl.zst
dedup_stats = $(D)/stats/dedup-exact.jsonl $(D)/stats/dedup-near.jsonl $(D)/stats/shard-all.jsonl
removed_logs = $(D)/dedup/exact-removed.jsonl.zst $(D)/dedup/near-removed.jsonl.zst

WAVES += exact near tokenizer
wave-exact = $(D)/dedup/exact.jsonl.zst
wave-near = $(NEAR_TEXTS)

endif

# Exit status 1 means that something is listed, which is not a failure here.
$(D)/eval/tokenizer.txt: $(D)/tokenizer.json $(TOKENIZER_TEXTS) \
		$$(call stamp,tokenizer-eval,$$(TOKENIZER_TEXTS))
	$(call say,tok-eval,$(words $(TOKENIZER_TEXTS)) files)
	$(Q)mkdir -p $(@D)
	$(Q){ $(RUN) lucie-tok-eval --allow-empty -t $< $(call many,tokenizer-eval,$(TOKENIZER_TEXTS)); echo; \
		$(RUN) lucie-tok-eval --dead -t $< || [ $$? = 1 ]; echo; \
		$(RUN) lucie-tok-eval --lossless -t $< || [ $$? = 1 ]; } >$@

$(D)/shards/checked: $(D)/shards/all.json $$(call stamp,checked,$$(HELD_OUT))
	$(call say,check,$(@D))
	$(Q)$(RUN) lucie-check -q -t $(D)/tokenizer.json $(@D)/all $(call there,$(HELD_OUT))
	$(Q)touch $@

$(D)/mix/plan: $(RECIPE) $(D)/shards/checked $$(call stamp,mix,$$(MIX_FLAGS) $$(RECIPE))
	$(call say,mix,$<)
	$(call begin,mix,plan)
	$(Q)$(RUN) lucie-mix -c $< --plan $(MIX_FLAGS) --report $(@D)/report.txt $(call account,mix,plan) \
		-o $@ $(D)/shards/all

.PHONY: deduped tokenizer tokenizer-eval shards plan
deduped: $(NEAR_TEXTS)
tokenizer: $(D)/tokenizer.json
tokenizer-eval: $(D)/eval/tokenizer.txt
shards: $(D)/shards/checked
plan: $(D)/mix/plan

WAVES += shards plan
wave-tokenizer = $(D)/tokenizer.json
wave-shards = $(D)/shards/checked
wave-plan = $(D)/mix/plan
