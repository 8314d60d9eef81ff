# What every dataset's Makefile begins with: include it first.
#
#   D     the work folder; everything that is made lies below it        (set by the dataset)
#   BIN   folder of the programs, put in front of PATH; empty: they are on it already
#   RUN   what a stage's command is started with, e.g. RUN = srun -c $(THREADS) --mem 8G
#   V=1   prints whole commands
#
# bash with pipefail: a first program that fails in a pipe fails the rule. DELETE_ON_ERROR: what a
# failed rule left behind does not count as made.

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
# $(call say,STAGE,WHAT): the line that shows where the build is.
say = $(if $(V),,@printf '  %-10s %s\n' '$(1)' '$(2)')
