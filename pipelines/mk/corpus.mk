# Stages over all documents, from clean documents to the plan for training. Each uses all cores and
# shows its own progress; make runs them one after another.
#
#   $(D)/dedup/exact.jsonl.zst   <- CLEAN                   EXACT_FLAGS
#   $(D)/dedup/near.jsonl.zst    <- dedup/exact             NEAR_FLAGS
#   $(D)/tokenizer.json          <- dedup/near              TOKENIZER_FLAGS
#   $(D)/eval/tokenizer.txt      <- tokenizer               measured on TOKENIZER_TEXTS
#   $(D)/shards/all.*            <- dedup/near, tokenizer   SHARD_FLAGS
#   $(D)/shards/checked          <- shards/all, HELD_OUT    verified completely
#   $(D)/mix/plan                <- RECIPE, shards/checked
#
#   CLEAN            document files from the stages before
#   HELD_OUT         prefixes of the shards that SHARD_FLAGS holds out, verified as well
#   RECIPE           recipe of the mix, lucie-recipe(5)
#   TOKENIZER_TEXTS  document files to measure the tokenizer on; default dedup/near
#
# Targets: deduped, tokenizer, tokenizer-eval, shards, plan. Needs settings.mk and stages.mk.

EXACT_FLAGS ?= --fold
NEAR_FLAGS ?= --keep longest
TOKENIZER_FLAGS ?=
SHARD_FLAGS ?=
HELD_OUT ?=
TOKENIZER_TEXTS ?= $(D)/dedup/near.jsonl.zst

$(D)/dedup/exact.jsonl.zst: $(CLEAN)
	$(call say,exact,$(words $^) files)
	$(call begin,dedup,exact)
	$(Q)$(RUN) lucie-dedup --exact $(EXACT_FLAGS) --removed $(@D)/exact-removed.jsonl.zst \
		$(call account,dedup,exact) -o $@ $^

$(D)/dedup/near.jsonl.zst: $(D)/dedup/exact.jsonl.zst
	$(call say,near,$<)
	$(call begin,dedup,near)
	$(Q)$(RUN) lucie-dedup --near $(NEAR_FLAGS) --removed $(@D)/near-removed.jsonl.zst \
		$(call account,dedup,near) -o $@ $<

$(D)/tokenizer.json: $(D)/dedup/near.jsonl.zst
	$(call say,tokenizer,$(TOKENIZER_FLAGS))
	$(Q)$(RUN) lucie-tok-train $(TOKENIZER_FLAGS) -o $@ $<

# Exit status 1 means that something is listed, which is not a failure here.
$(D)/eval/tokenizer.txt: $(D)/tokenizer.json $(TOKENIZER_TEXTS)
	$(call say,tok-eval,$(TOKENIZER_TEXTS))
	$(Q)mkdir -p $(@D)
	$(Q){ $(RUN) lucie-tok-eval -t $< $(TOKENIZER_TEXTS); echo; \
		$(RUN) lucie-tok-eval --dead -t $< || [ $$? = 1 ]; echo; \
		$(RUN) lucie-tok-eval --lossless -t $< || [ $$? = 1 ]; } >$@

# The manifest is written last, so it stands for the whole shard.
$(D)/shards/all.json: $(D)/dedup/near.jsonl.zst $(D)/tokenizer.json
	$(call say,shard,$<)
	$(call begin,shard,all)
	$(Q)rm -f $(@D)/all*
	$(Q)$(RUN) lucie-shard -t $(D)/tokenizer.json $(SHARD_FLAGS) $(call account,shard,all) \
		-o $(@D)/all $<

$(D)/shards/checked: $(D)/shards/all.json
	$(call say,check,$(@D))
	$(Q)$(RUN) lucie-check -q -t $(D)/tokenizer.json $(@D)/all $(HELD_OUT)
	$(Q)touch $@

$(D)/mix/plan: $(RECIPE) $(D)/shards/checked
	$(call say,mix,$<)
	$(call begin,mix,plan)
	$(Q)$(RUN) lucie-mix -c $< --plan --report $(@D)/report.txt $(call account,mix,plan) \
		-o $@ $(D)/shards/all

.PHONY: deduped tokenizer tokenizer-eval shards plan
deduped: $(D)/dedup/near.jsonl.zst
tokenizer: $(D)/tokenizer.json
tokenizer-eval: $(D)/eval/tokenizer.txt
shards: $(D)/shards/checked
plan: $(D)/mix/plan
