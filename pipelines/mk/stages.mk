# Stages per file, as pattern rules from one source to one target: `make -j` runs independent ones
# in parallel, and an interrupted build continues where it stopped.
#
#   $(D)/import/X.jsonl.zst      <- IMPORT_FROM     IMPORT_FLAGS
#   $(D)/normalize/X.jsonl.zst   <- import/X        NORMALIZE_FLAGS
#   $(D)/lang/X.jsonl.zst        <- normalize/X     LANG_FLAGS
#   $(D)/filter/X.jsonl.zst      <- lang/X          FILTER_FLAGS
#
#   IMPORT_FROM   what import/X is made from, a pattern: $(D)/deb/%.deb. Without it import/X is made by
#                 the dataset's own rule.
#   IMPORT        the command, without the options for accounting and -o; IMPORT_INPUT, its operand
#   FUSE=yes      one rule for the stages of a file, joined by pipes: only the last one's file is
#                 written, with the same bytes, and each has its accounting and its dropped records
#
# Flags may be set for one file, LANG_FLAGS-X = --min-score 0.8, or, without FUSE, for one target:
# $(D)/lang/X.jsonl.zst: LANG_FLAGS = --min-score 0.8
# A rule of the dataset's own depends on its flags by a stamp, see settings.mk.
#
# Each stage writes its accounting line to $(D)/stats/STAGE-X.jsonl, which is replaced with the
# target, and lang and filter write dropped records to $(D)/rejects/STAGE-X.jsonl.zst. A bad record
# is still an error. Under `make -j` each program runs in one thread, since make provides the
# parallelism; without it, or for a single file, each uses all cores.

NORMALIZE_FLAGS ?=
LANG_FLAGS ?=
FILTER_FLAGS ?=
IMPORT_FROM ?=
IMPORT_INPUT ?= $<
FUSE ?=

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

# $(call flags_of,LANG,X): those of the file X, or of all.
flags_of = $($(1)_FLAGS$(if $(filter undefined,$(origin $(1)_FLAGS-$(2))),,-$(2)))
# $(call stage_stamp,lang,LANG,X): the stamp of a stage.
stage_stamp = $(call stamp,$(1)-$(3),$(call flags_of,$(2),$(3)))

# The command of each stage, without what it reads and writes.
import = $(IMPORT) $(call rejects,import,$*) $(call account,import,$*)
normalize = lucie-normalize $(ONE) $(call flags_of,NORMALIZE,$*) $(call account,normalize,$*)
lang = lucie-lang $(ONE) $(call flags_of,LANG,$*) $(call rejects,lang,$*) $(call account,lang,$*)
filter_docs = lucie-filter $(ONE) $(call flags_of,FILTER,$*) $(call rejects,filter,$*) \
	$(call account,filter,$*)

import_stamp = $$(call stage_stamp,import,IMPORT,$$*)
# JSON Lines begin with normalize (raw.mk).
normalize_stamp = $$(call stamp,normalize-$$*,$$(call flags_of,NORMALIZE,$$*) \
	$$(if $$(filter %+jsonl,$$*),$$(RECORD_FLAGS)))
lang_stamp = $$(call stage_stamp,lang,LANG,$$*)
filter_stamp = $$(call stage_stamp,filter,FILTER,$$*)

ifeq ($(FUSE),)

ifneq ($(IMPORT_FROM),)
$(D)/import/%.jsonl.zst: $(IMPORT_FROM) $(import_stamp)
	$(call say,import,$*)
	$(call begin,import,$*)
	$(Q)$(RUN) $(import) -o $@ $(IMPORT_INPUT)
endif

$(D)/normalize/%.jsonl.zst: $(D)/import/%.jsonl.zst $(normalize_stamp)
	$(call say,normalize,$*)
	$(call begin,normalize,$*)
	$(Q)$(RUN) $(normalize) -o $@ $<

$(D)/lang/%.jsonl.zst: $(D)/normalize/%.jsonl.zst $(lang_stamp)
	$(call say,lang,$*)
	$(call begin,lang,$*)
	$(Q)$(RUN) $(lang) -o $@ $<

$(D)/filter/%.jsonl.zst: $(D)/lang/%.jsonl.zst $(filter_stamp)
	$(call say,filter,$*)
	$(call begin,filter,$*)
	$(Q)$(RUN) $(filter_docs) -o $@ $<

else

# What was set for a target that is not made would be passed over in silence.
fuse_lost := $(shell grep -hoE '^[$$][({]D[)}]/(import|normalize|lang)/[^:]*:[[:space:]]*[A-Z]+_FLAGS' \
	$(filter-out $(MK)/%,$(MAKEFILE_LIST)))
$(if $(fuse_lost),$(error FUSE=yes makes no such target: $(fuse_lost); set the flags of a file by LANG_FLAGS-X = ...))

# Between the stages runs zstd, whose end tells a whole stream from a cut one: when a stage fails, the
# one behind it sees a damaged stream, not a short one; nor an empty one, by `framed`.
link = -z zstd:1
next = '|' bash $(MK)/framed 'a stage of $*' '|'
from = $(or $(IMPORT_FROM),$(D)/import/%.jsonl.zst)
fused_stamps = $(if $(IMPORT_FROM),$(import_stamp)) $(normalize_stamp)
# $(call fused_normalize,OUTPUT): as far as normalize; OUTPUT is -o FILE, or -z for the next stage.
fused_normalize = $(if $(and $(records),$(filter %+jsonl,$*)),$(call records,$*) $(1),$(if \
	$(IMPORT_FROM),$(import) $(link) $(IMPORT_INPUT) $(next) $(normalize) $(1) -,$(normalize) $(1) $<))
fused_lang = $(call fused_normalize,$(link)) $(next) $(lang) $(1) -
fused_filter = $(call fused_lang,$(link)) $(next) $(filter_docs) $(1) -

# Only for sources that end there, such as code.
$(D)/normalize/%.jsonl.zst: $(from) $(fused_stamps)
	$(call say,fused,$*: as far as normalize)
	$(call begin,normalize,$*)
	$(Q)$(RUN) bash $(MK)/pipe $(call fused_normalize,-o $@)

$(D)/lang/%.jsonl.zst: $(from) $(fused_stamps) $(lang_stamp)
	$(call say,fused,$*: as far as lang)
	$(call begin,lang,$*)
	$(Q)$(RUN) bash $(MK)/pipe $(call fused_lang,-o $@)

$(D)/filter/%.jsonl.zst: $(from) $(fused_stamps) $(lang_stamp) $(filter_stamp)
	$(call say,fused,$*)
	$(call begin,filter,$*)
	$(Q)$(RUN) bash $(MK)/pipe $(call fused_filter,-o $@)

endif

WAVES += files
wave-files = $(CLEAN)
