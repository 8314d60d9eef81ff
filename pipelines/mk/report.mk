# The report: one page with stages, mix, curves, scores, tokenizer and samples, and its summary on
# the terminal. It fails if a document is missing between two stages.
#
#   $(D)/report.html, $(D)/stages.txt, $(D)/loss.png  <- everything before
#
#   TITLE          title of the page
#   STATS          accounting files in the order of the pipeline; by default those of CLEAN and of
#                  the stages over all documents
#   REPORT_FLAGS   further options of lucie-stats
#
#   REPORT_READS   files that REPORT_FLAGS name
#
# Target: report. Needs settings.mk, stages.mk and corpus.mk; with train.mk there are curves, scores and
# samples in it.

TITLE ?= $(notdir $(CURDIR))
REPORT_FLAGS ?=

# The stages that a file of CLEAN has passed: $(D)/lang/X.jsonl.zst has passed import, normalize and
# lang. Code, for one, ends with normalize.
STAGES := import normalize lang filter
passed_import := import
passed_normalize := $(passed_import) normalize
passed_lang := $(passed_normalize) lang
passed_filter := $(passed_lang) filter
stats_of = $(foreach f,$(CLEAN),$(if $(filter $(1),$(passed_$(notdir $(patsubst %/,%,$(dir $(f)))))),\
	$(f:$(dir $(f))%.jsonl.zst=$(D)/stats/$(1)-%.jsonl)))
STATS ?= $(foreach s,$(STAGES),$(call stats_of,$(s))) $(dedup_stats) \
	$(D)/stats/mix-plan.jsonl

REPORT_READS ?=
trained = $(if $(TRAIN_CONFIG),$(D)/run/done $(D)/eval/scores.jsonl $(D)/eval/samples.txt,$(D)/mix/plan)
trained_flags = $(if $(TRAIN_CONFIG),--png $(D)/loss.png --metrics $(D)/run/metrics.jsonl \
	--text 'Samples=$(D)/eval/samples.txt')

# Both use all cores.
ifneq ($(TRAIN_CONFIG),)
$(D)/run/done: | $(D)/eval/tokenizer.txt
endif

$(D)/report.html: $(trained) $(D)/eval/tokenizer.txt $(REPORT_READS) \
		$$(call stamp,report,$$(TITLE) $$(REPORT_FLAGS) $$(STATS))
	$(call say,report,$@)
	$(Q)stats=(); for f in $(STATS); do [ ! -e $$f ] || stats+=($$f); done; \
	scores=(); [ ! -s $(D)/eval/scores.jsonl ] || \
		scores=(--table 'Held-out documents, before and after training=$(D)/eval/scores.jsonl'); \
	more=(); for f in $(CLEAN); do n=$${f##*/}; \
		[ ! -e $(D)/import/$$n ] || more+=(--after import=$(D)/import/$$n); \
		for s in lang filter; do [ ! -e $(D)/rejects/$$s-$$n ] || more+=(--dropped $(D)/rejects/$$s-$$n); done; \
	done; \
	for f in $(CLEAN); do more+=(--after clean=$$f); done; \
	for f in $(removed_logs); do [ ! -e $$f ] || more+=(--removed $$f); done; \
	for f in $(NEAR_TEXTS); do more+=(--after near=$$f); done; \
	lucie-stats --chain --allow-empty --html $@ --title '$(TITLE)' $(trained_flags) \
		"$${scores[@]}" --text 'Tokenizer=$(D)/eval/tokenizer.txt' "$${more[@]}" $(REPORT_FLAGS) -o $(D)/stages.txt "$${stats[@]}"
	$(Q)bash $(MK)/summary $(D)

.PHONY: report
report: $(D)/report.html

WAVES += report
wave-report = $(D)/report.html
