# Settings of every dataset. Include this file first.
#
#   D     working directory, with all output; set by the dataset
#   BIN   directory of the programs, prepended to PATH; empty if they are on it
#   RUN   prefix of each stage's command, e.g. RUN = srun -c $(THREADS) --mem 8G
#   V=1   print complete commands
#
# With pipefail, a rule fails if any program of a pipe fails. With DELETE_ON_ERROR, the target of a
# failed rule does not count as built.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += -rR --no-print-directory
export LC_ALL := C

BIN ?=
RUN ?=
V ?=
export PATH := $(if $(BIN),$(BIN):)$(PATH)

Q := $(if $(V),,@)
# $(call say,STAGE,WHAT): print a line of progress.
say = $(if $(V),,@printf '  %-10s %s\n' '$(1)' '$(2)')
