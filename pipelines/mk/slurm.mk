# A dataset on Slurm: `make slurm` submits what is missing as waves of goals, a job array each, which
# begins when the wave before it has succeeded. A task is make itself for a share of the goals, so
# what is there is not made again, and a goal may be several stages away from what there is. settings.mk
# includes this file; the files of rules add their waves in the order in which they are included.
#
#   WAVES, wave-NAME    the waves and the goals of each, which do not depend on one another
#   UNTIL=NAME          the last wave to submit
#   SBATCH              options of sbatch for all waves: -A project -p cpu --time 4:00:00
#   SBATCH-NAME         more for one: --mem 200G -c 48
#   SLICE, SLICE-NAME   goals of a task (1); more where an array would be larger than ARRAY
#   ARRAY               tasks of an array at most; what Slurm allows (MaxArraySize)
#   THROTTLE            tasks of an array that run at once; no limit
#   RETRIES             times that a task which failed is tried again (2)
#   FIRST               goals that are made here before anything is submitted: downloads, since the
#                       nodes of many clusters have no way out; the packages of debian.mk
#
#   make slurm-missing  what would be submitted, and nothing else
#
# Logs are $(D)/slurm/WAVE-TASK.log; the list of what a wave makes is $(D)/slurm/WAVE.missing.

WAVES ?=
UNTIL ?=
SBATCH ?=
SLICE ?= 1
ARRAY ?=
THROTTLE ?=
RETRIES ?= 2
FIRST ?= $(PACKAGES:%=$(D)/deb/%.deb)

define newline :=


endef
# $(call until,WAVES): as far as UNTIL.
until = $(if $(1),$(firstword $(1)) $(if $(filter $(UNTIL),$(firstword $(1))),,\
	$(call until,$(wordlist 2,$(words $(1)),$(1)))))
# What goes into an object store goes last (objects.mk).
all_waves = $(WAVES) $(if $(strip $(PUT_FILES)),put)
wave-put = $(put_goals)
# Lists in files, since they may be longer than a command line.
slurm_lists = $(shell mkdir -p '$(D)/slurm')$(foreach w,$(call until,$(all_waves)),$(file \
	>$(D)/slurm/$(w).goals,$(subst $(empty) $(empty),$(newline),$(strip $(wave-$(w))))))
slurm_waves = $(foreach w,$(call until,$(all_waves)),--wave $(w) $(or $(SLICE-$(w)),$(SLICE)) \
	$(SBATCH) $(SBATCH-$(w)))
slurm_submit = $(slurm_lists)D='$(D)' RETRIES='$(RETRIES)' ARRAY='$(ARRAY)' THROTTLE='$(THROTTLE)' \
	bash $(MK)/slurm-submit $(1) '$(firstword $(MAKEFILE_LIST))' $(slurm_waves)

.PHONY: slurm slurm-missing
slurm: $$(FIRST)
	@$(if $(UNTIL),$(if $(filter $(UNTIL),$(all_waves)),,$(error UNTIL=$(UNTIL): the waves are $(all_waves))))
	@$(call slurm_submit,submit)
slurm-missing:
	@$(call slurm_submit,show)
