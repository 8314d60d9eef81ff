# Lucie toolkit. One non-recursive Makefile: each folder's module.mk adds its files and flags.
# `make help` lists the targets and the variables. The objects of a configuration live in
# build/CONFIG/; those that were compiled by other flags are compiled anew.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += -rR
export LC_ALL := C

PREFIX ?= /usr/local
DESTDIR ?=
CONFIG ?= $(if $(BARE),bare,$(if $(DOUBLE),double,release))
BUILD := build/$(CONFIG)
ifeq ($(V),)
Q := @
say = @printf '  %-5s %s\n' $(1) $(2)
endif

# ---- compilers and flags -----------------------------------------------------------------
ifeq ($(CONFIG),tsan)
# gcc's thread sanitizer does not see OpenMP's barriers; clang with libomp's Archer does.
CC := clang
CXX := clang++
else
# From the environment or the command line, as for any make; make's own default is cc.
ifneq ($(filter default undefined,$(origin CC)),)
CC := gcc
endif
ifneq ($(filter default undefined,$(origin CXX)),)
CXX := g++
endif
endif
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 \
	-Wundef -Wcast-qual -Wimplicit-fallthrough -Wdouble-promotion
WARN_C := $(WARN) -Wstrict-prototypes -Wmissing-prototypes
ifeq ($(WERROR),1)
WARN += -Werror
WARN_C += -Werror
endif
OPT_release := -O2
OPT_bare := -O2
OPT_double := -O2 -DLK_DOUBLE
OPT_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan := -O1 -fsanitize=thread
OPT_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OPT := $(OPT_$(CONFIG))
ifeq ($(CONFIG),fuzz)
CC := clang
CXX := clang++
endif
# No contraction: an expression gives the same bits in every function it is inlined into.
# CFLAGS, CXXFLAGS and LDFLAGS are the user's and come last.
BASE := -g $(OPT) -fno-common -ffp-contract=off -fopenmp -pthread -I. -MMD -MP
C_FLAGS = -std=c17 -D_GNU_SOURCE $(WARN_C) $(BASE) $(PKG_FLAGS) $(OWN_FLAGS) $(CFLAGS_EXTRA) $(CFLAGS)
CXX_FLAGS = -std=c++17 -D_GNU_SOURCE $(WARN) $(BASE) $(PKG_FLAGS) $(OWN_FLAGS) $(CFLAGS_EXTRA) $(CXXFLAGS)
LD_FLAGS = $(OPT) -fopenmp -pthread $(LDFLAGS)

# ---- libraries ---------------------------------------------------------------------------
PKGS := libzstd zlib liblzma liblz4 libbrotlidec libbrotlienc snappy libarchive libxml-2.0 \
	icu-uc icu-i18n libxxhash
ifeq ($(BARE),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# libbz2 has no pkg-config file. A program loads the libraries that it uses.
LIBS := -Wl,--as-needed $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lbz2
else
PKG_CFLAGS := -DLU_BARE
LIBS :=
endif
PKG_FLAGS := $(patsubst -I%,-isystem %,$(PKG_CFLAGS))

# Debian packages needed to build and to test; `make deps` installs those that are missing.
DEB_BUILD := gcc g++ make pkg-config libzstd-dev zlib1g-dev liblzma-dev libarchive-dev \
	libxml2-dev libicu-dev libxxhash-dev libbz2-dev liblz4-dev libbrotli-dev libsnappy-dev \
	libcld2-dev libfasttext-dev libdnnl-dev libopenmpi-dev openmpi-bin mandoc poppler-utils gnuplot-nox
DEB_TEST := git perl clang llvm libomp-dev clang-format shellcheck bats libcmocka-dev libjansson-dev \
	hyperfine unicode-data icu-devtools fasttext python3-venv zstd gzip bzip2 xz-utils file xxhash \
	bsdutils procps strace zsh iproute2 slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge

# An optional part is built if both its tool chain and its sources are present; `all` names those
# that are left out.
MPICC := $(shell command -v mpicc 2>/dev/null)
MPI_SRC := $(wildcard trainer/comm/comm_mpi.c)
left_out = $(if $(and $(2),$(3)),,@echo "$(1): left out ($(if $(2),no sources in this version,$(4) not found))")

# ---- folders -----------------------------------------------------------------------------
LIB_SRC := $(sort $(wildcard libcommon/*/*.c))
LIB_CXX := $(sort $(wildcard libcommon/*/*.cc))
TOOLS := $(sort $(patsubst tools/%.c,%,$(wildcard tools/lucie*.c)))
KERNELS_SRC :=
TRAINER_SRC :=
TRAINER_PROGRAMS :=
-include kernels/module.mk
-include trainer/module.mk
-include libcommon/module.mk
-include tools/module.mk

LIB := $(BUILD)/liblucie.a
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o) $(LIB_CXX:%.cc=$(BUILD)/%.o)
KERNELS_OBJ := $(addprefix $(BUILD)/,$(addsuffix .o,$(basename $(KERNELS_SRC))))
TRAINER_OBJ := $(TRAINER_SRC:%.c=$(BUILD)/%.o)
PROGRAMS := $(TOOLS) $(TRAINER_PROGRAMS)
BIN := $(PROGRAMS:%=$(BUILD)/bin/%)

##@ Build
## all: build every program into build/release/bin (default)
.PHONY: all
all: $(BIN)
	@echo 'CUDA: $(CUDA_SAYS)'
	$(call left_out,MPI,$(MPICC),$(MPI_SRC),mpicc)

## trainer: build lucie-train alone; BARE=1 needs only OpenMP
.PHONY: trainer
trainer: $(BUILD)/bin/lucie-train

# The flags of the objects are in build/CONFIG/flags, those of an object with flags of its own in a
# file of its own. A file is written when make considers an object and the text is another, so that
# the objects are compiled anew. Warnings and ccache change no object.
.SECONDEXPANSION:
flags_text = $(strip $(filter-out ccache $(WARN) $(WARN_C),\
	$(CC) $(C_FLAGS) / $(CXX) $(CXX_FLAGS) / $(LD_FLAGS) $(LIBS) $(NVCC_TEXT)))
flags_differ = $(subst $(1),,$(2))$(subst $(2),,$(1))
# With -n and -q nothing is written; a target that is always newer tells what would be done.
flags_write = $(if $(findstring n,$(DRY))$(findstring q,$(DRY)),FORCE,$(if $(wildcard \
	$(BUILD)/.),,$(shell mkdir -p $(BUILD)))$(file >$(1),$(2)))
DRY = $(firstword -$(MAKEFLAGS))
# make 4.3 does not always take the newline off what it reads from a file, hence strip.
flags_file = $(1) $(if $(call flags_differ,$(strip $(file <$(1))),$(2)),$(flags_write))
FLAGS = $(call flags_file,$(BUILD)/flags$(if $(OWN_FLAGS),-$(notdir $*)),$(flags_text))
# The same for what is linked: a part that is replaced by another is older than the program.
LINKED = $(call flags_file,$(BUILD)/flags-linked,$(strip $(basename $(notdir $(KERNELS_OBJ) \
	$(TRAINER_OBJ))) $(CUDA_ROOT)))
# make may have read the folder before the file was there: say that it can be made.
$(BUILD)/flags: ;
$(BUILD)/flags-%: ;
.PRECIOUS: $(BUILD)/flags-%
FORCE:

$(BUILD)/%.o: %.c $$(FLAGS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -c -o $@ $<

$(BUILD)/%.o: %.cu $$(FLAGS)
	$(call say,NVCC,$<)
	@mkdir -p $(@D)
	$(Q)$(filter ccache,$(CXX)) $(NVCC) $(NVCC_FLAGS) $(NVCC_WARN) -MMD -MP -MF $(@:.o=.d) -MT $@ \
		-Xptxas -v -c -o $@ $< 2>$(@:.o=.ptxas) || { cat $(@:.o=.ptxas) >&2; exit 1; }
	@grep -vE '^ptxas info|^ +[0-9]+ bytes|^$$' $(@:.o=.ptxas) >&2 || true

$(BUILD)/%.o: %.cc $$(FLAGS)
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CXX_FLAGS) -c -o $@ $<

$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# CLD2, fastText, ICU's UTF-8 normaliser and CUDA are C++, so the C++ driver links.
LINK = $(if $(BARE),$(if $(CUDA_ON),$(CXX),$(CC)),$(CXX)) $(LD_FLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)

$(TOOLS:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/tools/%.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(TOOL_LIBS) $(LIBS) -lm

$(TRAINER_PROGRAMS:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/trainer/%.o $(TRAINER_OBJ) \
		$(KERNELS_OBJ) $(LIB) $$(LINKED)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(TRAINER_LIBS) $(KERNELS_LIBS) $(if $(BARE),,$(TOOL_LIBS)) $(LIBS) -lm

include tests/module.mk
include man/module.mk
-include pipelines/module.mk

# ---- editors -----------------------------------------------------------------------------
# The commands are read back from a dry run, which has the flags of single objects too. A file that
# isa.inc includes gets the flags of one instruction set and, before it, what isa.inc has before it.
# CUDA C++ is read as for the emulation, which needs no CUDA.
DB_SRC = $(sort $(wildcard libcommon/*/*.c libcommon/*/*.cc tools/*.c kernels/*/*.c \
	trainer/*.c trainer/*/*.c tests/*/*.c))
DB_OBJ = $(addprefix $(BUILD)/,$(addsuffix .o,$(basename $(DB_SRC)))) $(EMU_CU:%.cu=$(EMU)/%.o)
DB_ISA = kernels/cpu/isa_$(if $(filter x86_64,$(KERNELS_ARCH)),avx2,base).c
DB_INC = $(shell sed -n 's/^.include "\(.*\.inc\)"/\1/p' kernels/cpu/isa.inc)

## compile_commands.json: write each file's compiler flags, for clangd
.PHONY: compile_commands.json
compile_commands.json:
	$(call say,GEN,$@)
	$(Q)$(MAKE) -Bn --no-print-directory $(DB_OBJ) | \
	awk -v dir='$(CURDIR)' -v isa='$(DB_ISA)' -v inc='kernels/cpu/isa.inc $(DB_INC)' ' \
	function entry(file, command) { \
		gsub(/["\\]/, "\\\\&", command); \
		printf "%s{\"directory\":\"%s\",\"file\":\"%s\",\n\"command\":\"%s\"}", \
			n++ ? ",\n" : "[\n", dir, file, command \
	} \
	/ -c -o / { \
		entry($$NF, $$0); \
		if ($$NF != isa) next; \
		sub(/ -c -o .*/, " -Wno-unused-function -x c"); \
		files = split(inc, file, " "); \
		for (i = 1; i <= files; i++) { \
			entry(file[i], $$0 before " -c " file[i]); \
			if (i > 1) before = before " -include " file[i] \
		} \
	} \
	END { print "\n]" }' >$@

# ---- packages ----------------------------------------------------------------------------
# A target that must work on a bare machine runs this first and then starts make anew, since
# pkg-config is asked when make starts.
##@ Install
## deps: install missing Debian packages, as root or by sudo
.PHONY: deps
deps:
	$(Q)if ! command -v dpkg-query >/dev/null; then \
		echo "not a Debian system; packages needed: $(DEB_BUILD) $(DEB_TEST)"; exit 0; \
	fi; \
	there=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(DEB_BUILD) $(DEB_TEST) \
		2>/dev/null | sed -n 's/ installed$$//p' || true); \
	missing=$$(comm -13 <(sort -u <<<"$$there") \
		<(printf '%s\n' $(DEB_BUILD) $(DEB_TEST) | sort -u) | tr '\n' ' '); \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then as=; \
	elif sudo -n true 2>/dev/null; then as="sudo -n"; \
	else echo "missing packages; run: sudo apt-get install $$missing" >&2; exit 1; fi; \
	echo "installing $$missing"; \
	$$as apt-get -q update && \
	$$as env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $$missing

# ---- install -----------------------------------------------------------------------------
INSTALL := install
bindir = $(DESTDIR)$(PREFIX)/bin
sharedir = $(DESTDIR)$(PREFIX)/share
RECIPES = $(shell [ -d pipelines ] && find pipelines -type f)

## install: install programs, pages, completions and pipelines
.PHONY: install uninstall
install: $(BIN)
	$(Q)$(INSTALL) -d $(bindir) $(sharedir)/doc/lucie \
		$(sharedir)/bash-completion/completions $(sharedir)/zsh/site-functions
	$(Q)$(INSTALL) -m 755 $(BIN) $(bindir)
	$(Q)for page in $(MAN_PAGES); do \
		$(INSTALL) -D -m 644 "$$page" "$(sharedir)/$$page" || exit 1; done
	$(Q)for p in $(PROGRAMS); do \
		$(BUILD)/bin/$$p --print-completion bash \
			>$(sharedir)/bash-completion/completions/$$p && \
		$(BUILD)/bin/$$p --print-completion zsh \
			>$(sharedir)/zsh/site-functions/_$$p || exit 1; done
	$(Q)for f in $(RECIPES); do \
		[ -x "$$f" ] && mode=755 || mode=644; \
		$(INSTALL) -D -m $$mode "$$f" "$(sharedir)/lucie/$$f" || exit 1; done
	$(Q)$(INSTALL) -m 644 README.md LICENSE $(sharedir)/doc/lucie

## uninstall: remove what install has installed
uninstall:
	rm -f $(PROGRAMS:%=$(bindir)/%) $(MAN_PAGES:%=$(sharedir)/%) \
		$(PROGRAMS:%=$(sharedir)/bash-completion/completions/%) \
		$(PROGRAMS:%=$(sharedir)/zsh/site-functions/_%)
	rm -rf $(sharedir)/lucie $(sharedir)/doc/lucie

##@ Build
## clean: remove build/
.PHONY: clean
clean:
	rm -rf build

# ---- help --------------------------------------------------------------------------------
##@ Variables
## CONFIG=NAME: release (the default), asan, tsan, fuzz, double or bare
## BARE=1: the same as CONFIG=bare: lucie-train without libraries
## DOUBLE=1: the same as CONFIG=double: double precision, for tests
## CC=, CXX=: compilers, such as CC=clang CXX=clang++
## CFLAGS=, CXXFLAGS=, LDFLAGS=: flags after our own, such as CFLAGS="-O3 -march=native"
## CFLAGS_EXTRA=: flags for C and C++
## CUDA=1, CUDA=0: build for NVIDIA's GPUs, or not; otherwise where there is one
## CUDA_HOME=, CUDA_ARCH=: where CUDA is; compute capabilities to compile for, "80 90"
## WERROR=1: make warnings errors
## V=1: print whole commands
## PREFIX=, DESTDIR=: where install installs: /usr/local, below DESTDIR
## TESTS=NAMES: run only these, such as TESTS="test_json lucie-filter contract"
## FUZZ_TIME=60: seconds for each fuzz target
## PROVE_JOBS=N: test programs run at once; the number of processors

# "## target: text" is a line of the help, "##@ Group" a heading; a module.mk without headings is a
# group of its folder's name.
##@ Build
## help: print this help
.PHONY: help
help:
	@awk 'function group(name) { if (!(name in text)) order[++groups] = name; at = name } \
	function wrap(name, rest,   word, n, i, line, lines) { \
		line = sprintf("  %-22s", name); \
		n = split(rest, word, " "); \
		for (i = 1; i <= n; i++) { \
			if (length(line) + length(word[i]) > 79) { \
				lines = lines line "\n"; \
				line = sprintf("%24s", "") \
			} \
			line = line " " word[i] \
		} \
		return lines line "\n" \
	} \
	function show(name) { if (text[name] != "") printf "\n%s\n%s", name, text[name] } \
	FNR == 1 { \
		folder = FILENAME; sub(/\/.*/, "", folder); \
		group(toupper(substr(folder, 1, 1)) substr(folder, 2)) \
	} \
	/^##@ / { group(substr($$0, 5)) } \
	/^## / { \
		colon = index($$0, ": "); \
		text[at] = text[at] wrap(substr($$0, 4, colon - 4), substr($$0, colon + 2)) \
	} \
	END { \
		print "usage: make [TARGET | FILE]... [VARIABLE=VALUE]..."; \
		for (i = 1; i <= groups; i++) if (order[i] != "Variables") show(order[i]); \
		show("Variables"); \
		print "\nA FILE is one program or test: build/release/bin/lucie-filter,"; \
		print "build/release/tests/unit/test_json, build/asan/tests/unit/test_json CONFIG=asan" \
	}' Makefile */module.mk

DEPS := $(shell [ -d $(BUILD) ] && find $(BUILD) -name '*.d')
-include $(DEPS)
