# Training on the plan, and what the model is worth. Each stage uses all cores; make runs them one
# after another.
#
#   $(D)/run/done            <- TRAIN_CONFIG, mix/plan   TRAIN_FLAGS
#   $(D)/eval/before.json, after.json <- run             scores of HELD_OUT
#   $(D)/eval/scores.jsonl   <- before.json, after.json  one line a language
#   $(D)/eval/samples.txt    <- PROMPTS, run             GENERATE_FLAGS
#   $(D)/model/config.json   <- run                      EXPORT_FLAGS
#
#   TRAIN_CONFIG   lucie-config(5); data.train, data.valid and data.tokenizer are set here
#   TRAIN_FLAGS    further options of lucie-train, e.g. TRAIN_FLAGS = --set train.steps=100
#   RANKS          processes on this host that train together, 1; a run may go on with another number,
#                  and has the same bits as long as train.lanes in TRAIN_CONFIG is the number times a
#                  power of two
#   VALID          prefixes of the shards to validate on while training; default HELD_OUT
#   PROMPTS        lines of a language, a seed and a prompt, with tabs between; without it, three
#                  samples begin at nothing
#
# Targets: train, scores, samples, export. Needs settings.mk and corpus.mk.

TRAIN_CONFIG ?= train.ini
TRAIN_FLAGS ?=
RANKS ?= 1
VALID ?= $(HELD_OUT)
PROMPTS ?=
GENERATE_FLAGS ?= -n 50 --temperature 0.7
EXPORT_FLAGS ?=

# An interrupted run goes on from its checkpoint. If the plan (which has the hashes of the shards)
# or the settings are others than those it was started with, training starts over, and the run as it
# was is kept as run.old.
TRAIN = bash $(MK)/ranks $(RANKS) lucie-train -c $(TRAIN_CONFIG) --set data.train=$(D)/mix/plan \
	--set "data.valid=$(call there,$(VALID))" --set data.tokenizer=$(D)/tokenizer.json \
	$(TRAIN_FLAGS) -o $(D)/run

$(D)/run/done: $(TRAIN_CONFIG) $(D)/mix/plan $$(call stamp,train,$$(VALID) $$(TRAIN_FLAGS))
	$(call say,train,$<)
	$(Q)cat $^ | cmp -s - $(D)/run.inputs || { \
		[ ! -d $(D)/run ] || { echo 'the plan or the settings have changed: training starts over, the run as it was is kept as $(D)/run.old' >&2; \
			rm -rf $(D)/run.old; mv $(D)/run $(D)/run.old; }; \
		cat $^ >$(D)/run.inputs; }
	$(Q). $(MK)/forward; forward $(RUN) $(TRAIN) || { rc=$$?; \
		[ $$rc != 75 ] || echo 'stopped after a checkpoint; the same command goes on' >&2; exit $$rc; }
	$(Q)touch $@

# $(call score,FLAGS): write the scores of the held-out documents; where there are none, nothing.
score = shards="$(call there,$(HELD_OUT))"; [ -z "$$shards" ] || \
	$(RUN) lucie-eval --json --unigram $(1) $(D)/run $$shards

$(D)/eval/before.json: $(D)/run/done
	$(call say,eval,before training)
	$(Q)mkdir -p $(@D)
	$(Q){ $(call score,--init); } >$@

$(D)/eval/after.json: $(D)/run/done | $(D)/eval/before.json
	$(call say,eval,after training)
	$(Q){ $(call score); } >$@

$(D)/eval/scores.jsonl: $(D)/eval/before.json $(D)/eval/after.json
	$(Q)bash $(MK)/scores $^ >$@

$(D)/eval/samples.txt: $(PROMPTS) $(D)/run/done $$(call stamp,samples,$$(GENERATE_FLAGS)) | $(D)/eval/scores.jsonl
	$(call say,samples,$(D)/run)
	$(Q)$(if $(PROMPTS),cat $(PROMPTS),printf '\t%s\t\n' 1 2 3) | tr '\t' '\37' | \
	while IFS=$$'\37' read -r lang seed prompt; do \
		[ -z "$$lang" ] || printf '[%s] ' "$$lang"; \
		$(RUN) lucie-generate -q $(GENERATE_FLAGS) --seed "$$seed" $${prompt:+-p "$$prompt"} $(D)/run </dev/null; \
		echo; done >$@

# The folder appears as a whole, but must not be there before.
$(D)/model/config.json: $(D)/run/done $$(call stamp,export,$$(EXPORT_FLAGS))
	$(call say,export,$(@D))
	$(Q)rm -rf $(@D)
	$(Q)$(RUN) lucie-export $(EXPORT_FLAGS) -o $(@D) $(D)/run

.PHONY: train scores samples export
train: $(D)/run/done
scores: $(D)/eval/scores.jsonl
samples: $(D)/eval/samples.txt
export: $(D)/model/config.json

WAVES += train
wave-train = $(D)/run/done
