# Settings of every dataset. Include this file first.
#
#   D     working directory, with all output; set by the dataset
#   BIN   directory of the programs, prepended to PATH; empty if they are on it
#   RUN   prefix of each stage's command, e.g. RUN = srun -c $(THREADS) --mem 8G
#   V=1   print complete commands
#   SPLIT=N  stages over all documents in N parts, see corpus.mk
#
# It sets MK, the directory of the shared rules.
#
# A stage is built anew when its input, its flags or the version of the toolkit has changed; what
# follows from it, too. TOOLKIT holds the version; `make TOOLKIT=0.1.0` keeps what 0.1.0 has built.
#
# With pipefail, a rule fails if any program of a pipe fails. With DELETE_ON_ERROR, the target of a
# failed rule does not count as built.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += -rR --no-print-directory
export LC_ALL := C

MK := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
BIN ?=
RUN ?=
# Files between pattern rules stay. make follows each path to such a file again and again, and with SPLIT
# there are as many paths as files to the power of the stages: there all are named (split.mk).
split_settled := $(SPLIT)
ifeq ($(SPLIT),)
.SECONDARY:
endif
V ?=
export PATH := $(if $(BIN),$(BIN):)$(PATH)

TOOLKIT ?= $(lastword $(shell PATH='$(PATH)' lucie-normalize --version 2>/dev/null | head -n1))
# Ask once.
TOOLKIT := $(TOOLKIT)
$(if $(TOOLKIT),,$(error lucie-normalize not found: put the folder of the programs on PATH, or set BIN))

Q := $(if $(V),,@)
# $(call say,STAGE,WHAT): print a line of progress.
say = $(if $(V),,@printf '  %-10s %s\n' '$(1)' '$(2)')

# $(call stamp,NAME,TEXT): the file $(D)/flags/NAME, which holds TEXT and the version and is written
# only when they have changed. As a prerequisite, with $$, it makes a target depend on its flags:
#
#   $(D)/x/%: $(D)/y/% $$(call stamp,x-$$*,$$(X_FLAGS))
#
# It is expanded when make considers the target, with variables that are set for this target alone.
# $(call inputs,$^): prerequisites without stamps.
.SECONDEXPANSION:
differ = $(subst $(1),,$(2))$(subst $(2),,$(1))
stamp = $(call stamp_file,$(D)/flags/$(1),$(strip $(TOOLKIT) $(2)))
# make 4.3 does not always take the newline off what it reads from a file, hence strip.
stamp_file = $(1) $(if $(call differ,$(strip $(file <$(1))),$(2)),$(stamp_write))
# With -n and -q nothing is written; a target that is always newer tells what would be done.
stamp_write = $(if $(findstring n,$(DRY))$(findstring q,$(DRY)),FORCE,$(if $(wildcard \
	$(D)/flags/.),,$(shell mkdir -p '$(D)/flags'))$(file >$(1),$(2)))
DRY = $(firstword -$(MAKEFLAGS))
# make may have read the folder before the file was there: say that it can be made.
$(D)/flags/%: ;
.PRECIOUS: $(D)/flags/%
FORCE:
inputs = $(filter-out $(D)/flags/%,$(1))

# $(call list,A B C): A,B,C
empty :=
comma := ,
list = $(subst $(empty) $(empty),$(comma),$(strip $(1)))

# $(call many,NAME,WORDS): in a command, the words, which may be too many for what a shell is handed
# (128 KiB). They pass through the file $(D)/lists/NAME, which appears whole.
list_new = $(D)/lists/.$(1).$(HOST_MAKE).0.lu-tmp
many = $$(cat $(D)/lists/$(1))$(if $(findstring n,$(DRY)),,$(shell mkdir -p '$(D)/lists')$(file \
	>$(list_new),$(subst $(empty) $(empty),$(newline),$(strip $(2))))$(shell mv '$(list_new)' \
	'$(D)/lists/$(1)'))
HOST_MAKE := $(shell echo "$$(bash $(MK)/leftovers --host).$$PPID")
# What killed attempts have left goes first. A task of Slurm leaves that to what it was submitted by.
$(if $(findstring n,$(DRY))$(findstring q,$(DRY))$(LUCIE_TASK),,$(shell bash $(MK)/leftovers '$(D)' >/dev/null))

# A file that make has seen and a program on another host does not see yet is hidden by a network file
# system: the programs look for it again for so many seconds.
export LUCIE_WAIT ?= 60

include $(MK)/slurm.mk
