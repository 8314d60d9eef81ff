# The stages that look at one file at a time, as pattern rules: one source, one target, so that
# `make -j` runs what is independent at once and an interrupted build goes on where it was.
#
#   $(D)/import/X.jsonl.zst      written by the dataset's own rule, from what it fetched
#   $(D)/normalize/X.jsonl.zst   <- import/X
#   $(D)/lang/X.jsonl.zst        <- normalize/X     LANG_FLAGS
#   $(D)/filter/X.jsonl.zst      <- lang/X          FILTER_FLAGS
#
# Flags may be set for one target: $(D)/lang/X.jsonl.zst: LANG_FLAGS = --min-score 0.8
# Each writes its accounting line to $(D)/stats/STAGE-X.jsonl, begun anew with the target, and what
# it dropped to $(D)/rejects/STAGE-X.jsonl.zst; a bad record still ends the build. The programs get
# one thread each: the parallelism is make's.

LANG_FLAGS ?=
FILTER_FLAGS ?=

# $(call account,STAGE,X): options, after the old line is gone.
account = --stats $(D)/stats/$(1)-$(2).jsonl
rejects = --rejects $(D)/rejects/$(1)-$(2).jsonl.zst --max-bad 0
# $(call begin,STAGE,X): the folders, and no old accounting.
begin = @mkdir -p $(@D) $(D)/stats $(D)/rejects && rm -f $(D)/stats/$(1)-$(2).jsonl
ONE = -q -j1 --progress never

$(D)/normalize/%.jsonl.zst: $(D)/import/%.jsonl.zst
	$(call say,normalize,$*)
	$(call begin,normalize,$*)
	$(Q)$(RUN) lucie-normalize $(ONE) $(call account,normalize,$*) -o $@ $<

$(D)/lang/%.jsonl.zst: $(D)/normalize/%.jsonl.zst
	$(call say,lang,$*)
	$(call begin,lang,$*)
	$(Q)$(RUN) lucie-lang $(ONE) $(LANG_FLAGS) $(call rejects,lang,$*) $(call account,lang,$*) \
		-o $@ $<

$(D)/filter/%.jsonl.zst: $(D)/lang/%.jsonl.zst
	$(call say,filter,$*)
	$(call begin,filter,$*)
	$(Q)$(RUN) lucie-filter $(ONE) $(FILTER_FLAGS) $(call rejects,filter,$*) \
		$(call account,filter,$*) -o $@ $<
