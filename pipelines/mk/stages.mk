# Stages per file, as pattern rules from one source to one target: `make -j` runs independent ones
# in parallel, and an interrupted build continues where it stopped.
#
#   $(D)/import/X.jsonl.zst      written by the dataset's own rule
#   $(D)/normalize/X.jsonl.zst   <- import/X        NORMALIZE_FLAGS
#   $(D)/lang/X.jsonl.zst        <- normalize/X     LANG_FLAGS
#   $(D)/filter/X.jsonl.zst      <- lang/X          FILTER_FLAGS
#
# Flags may be set for one target: $(D)/lang/X.jsonl.zst: LANG_FLAGS = --min-score 0.8
# A rule of the dataset's own depends on its flags by a stamp, see settings.mk.
#
# Each stage writes its accounting line to $(D)/stats/STAGE-X.jsonl, which is replaced with the
# target, and lang and filter write dropped records to $(D)/rejects/STAGE-X.jsonl.zst. A bad record
# is still an error. Under `make -j` each program runs in one thread, since make provides the
# parallelism; without it, or for a single file, each uses all cores.

NORMALIZE_FLAGS ?=
LANG_FLAGS ?=
FILTER_FLAGS ?=

# $(call account,STAGE,X), $(call rejects,STAGE,X): options for accounting and for dropped records.
# --max-bad 0 keeps bad records an error. new: a file a target, written whole, so that two attempts at
# a target leave one line.
account = --stats new:$(D)/stats/$(1)-$(2).jsonl
rejects = --rejects $(D)/rejects/$(1)-$(2).jsonl.zst --max-bad 0
# $(call begin,STAGE,X): create the directories.
begin = @mkdir -p $(@D) $(D)/stats $(D)/rejects
one_thread = $(if $(and $(findstring jobserver,$(MAKEFLAGS)),$(word 2,$(CLEAN))),-j1)
# A source of which nothing is left does not stop the build of the others.
ONE = -q --progress never --allow-empty $(one_thread)

$(D)/normalize/%.jsonl.zst: $(D)/import/%.jsonl.zst $$(call stamp,normalize-$$*,$$(NORMALIZE_FLAGS))
	$(call say,normalize,$*)
	$(call begin,normalize,$*)
	$(Q)$(RUN) lucie-normalize $(ONE) $(NORMALIZE_FLAGS) $(call account,normalize,$*) -o $@ $<

$(D)/lang/%.jsonl.zst: $(D)/normalize/%.jsonl.zst $$(call stamp,lang-$$*,$$(LANG_FLAGS))
	$(call say,lang,$*)
	$(call begin,lang,$*)
	$(Q)$(RUN) lucie-lang $(ONE) $(LANG_FLAGS) $(call rejects,lang,$*) $(call account,lang,$*) \
		-o $@ $<

$(D)/filter/%.jsonl.zst: $(D)/lang/%.jsonl.zst $$(call stamp,filter-$$*,$$(FILTER_FLAGS))
	$(call say,filter,$*)
	$(call begin,filter,$*)
	$(Q)$(RUN) lucie-filter $(ONE) $(FILTER_FLAGS) $(call rejects,filter,$*) \
		$(call account,filter,$*) -o $@ $<

WAVES += files
wave-files = $(CLEAN)
