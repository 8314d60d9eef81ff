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
# Target: report. Needs settings.mk, stages.mk, corpus.mk and train.mk.

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

# Both use all cores.
$(D)/run/done: | $(D)/eval/tokenizer.txt

$(D)/report.html: $(D)/run/done $(D)/eval/tokenizer.txt $(D)/eval/scores.jsonl $(D)/eval/samples.txt \
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
	lucie-stats --chain --html $@ --png $(D)/loss.png --title '$(TITLE)' --metrics $(D)/run/metrics.jsonl \
		"$${scores[@]}" --text 'Tokenizer=$(D)/eval/tokenizer.txt' \
		--text 'Samples=$(D)/eval/samples.txt' "$${more[@]}" $(REPORT_FLAGS) -o $(D)/stages.txt "$${stats[@]}"
	$(Q)bash $(MK)/summary $(D)

.PHONY: report
report: $(D)/report.html

WAVES += report
wave-report = $(D)/report.html
