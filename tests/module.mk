# Tests are found by their folder and name; there is no list to edit:
#
#   tests/unit/test_X.c  tests/kernels/test_X.c  tests/trainer/test_X.c   cmocka programs; the other
#                              .c files of such a folder are linked into each of its tests
#   tests/kernels/emu/         the emulated GPU, its own tests, and those of tests/kernels on it
#   tests/cases/TOOL/NNN-what/ golden cases, run by tests/run-cases
#   tests/cli/*.bats           behaviour of the programs
#   tests/cuda/*.bats          what nvcc made of the kernels (make check-cuda)
#   tests/gpu/run              tests and measurements on a machine with a GPU
#   tests/trainer/*.bats       lucie-train as several ranks
#   tests/interop/*.py         real clients, in build/venv (tests/interop/requirements.txt);
#                              torch_*.py in build/torch-venv and by name alone, `make check
#                              TESTS=torch_train`, since PyTorch takes 6 GB; so is nightly_*.bats
#   tests/fuzz/fuzz_X.c        fuzz targets; `check` replays tests/fuzz/corpus/X through them
#   tests/faults/*.bats        failing allocations and system calls (release objects only)
#   tests/tsan/*.bats          programs under the thread sanitizer
#   tests/bench/*              executables, or bench_X.c: `make bench`
#   tests/lint/*.sh            `make lint`
#   tests/with-slurm, tests/with-hosts   run a command in a Slurm of its own, on several hosts
#
# All print TAP and run under one prove, whose last line counts them.

PROVE_JOBS ?= $(shell nproc)
PROVE = prove --norc -j$(PROVE_JOBS) -e tests/run-one
TEST_BUILD := $(BUILD)/tests

# A test that runs make must not inherit the flags and job slots of this one.
TEST_ENV = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CONFIG \
	PATH="$(CURDIR)/$(BUILD)/bin:$$PATH" LUCIE_SRC="$(CURDIR)" \
	LUCIE_BUILD="$(CURDIR)/$(BUILD)" LUCIE_CONFIG=$(CONFIG) CMOCKA_MESSAGE_OUTPUT=TAP
# Findings of a sanitizer exit with 99, which no test expects.
ifeq ($(CONFIG),asan)
TEST_ENV += ASAN_OPTIONS=exitcode=99:detect_leaks=1:allocator_may_return_null=1 \
	UBSAN_OPTIONS=exitcode=99:print_stacktrace=1 \
	LSAN_OPTIONS=exitcode=99:print_suppressions=0:suppressions=$(CURDIR)/tests/lsan.supp
endif
ifeq ($(CONFIG),tsan)
ARCHER := $(firstword $(wildcard /usr/lib/llvm-*/lib/libarcher.so))
TEST_ENV += OMP_TOOL_LIBRARIES=$(ARCHER) ARCHER_OPTIONS=verbose=0 \
	TSAN_OPTIONS="exitcode=99 allocator_may_return_null=1 ignore_noninstrumented_modules=1 \
		atexit_sleep_ms=100"
endif

# ---- test programs -----------------------------------------------------------------------
test_bins = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/$(1)/test_*.c)))
test_help = $(patsubst %.c,$(BUILD)/%.o,\
	$(sort $(filter-out tests/$(1)/test_% %/fake_nccl.c %/fake_nccl_run.c,$(wildcard tests/$(1)/*.c))))
UNIT_TESTS := $(call test_bins,unit)
KERNELS_TESTS := $(call test_bins,kernels)
TRAINER_TESTS := $(call test_bins,trainer)

TEST_LIBS = $(if $(BARE),,-lcmocka -ljansson $(TOOL_LIBS)) $(LIBS) -lm
# A bare machine has no cmocka: tests/gpu/cmocka.h is what the tests of the kernels need of it.
ifneq ($(BARE),)
$(KERNELS_TESTS:%=%.o) $(call test_help,kernels): OWN_FLAGS += -isystem tests/gpu
endif

$(UNIT_TESTS): %: %.o $(call test_help,unit) $(LIB)
	$(call say,LD,$@)
	$(Q)$(LINK) $(TEST_LIBS)

$(KERNELS_TESTS): %: %.o $(call test_help,kernels) $(KERNELS_OBJ) $(LIB) $$(LINKED)
	$(call say,LD,$@)
	$(Q)$(LINK) $(KERNELS_LIBS) $(TEST_LIBS)

$(TRAINER_TESTS): %: %.o $(call test_help,trainer) $(TRAINER_OBJ) $(KERNELS_OBJ) $(LIB) $$(LINKED)
	$(call say,LD,$@)
	$(Q)$(LINK) $(TRAINER_LIBS) $(KERNELS_LIBS) $(TEST_LIBS)

# A plain reading of JSON Schema, shared with the unit tests.
$(TEST_BUILD)/trainer/test_generate: $(TEST_BUILD)/unit/plain_schema.o
$(TEST_BUILD)/fuzz/replay_schema $(TEST_BUILD)/fuzz/fuzz_schema: $(TEST_BUILD)/unit/plain_schema.o

# A plain reading of robots.txt, likewise.
$(TEST_BUILD)/fuzz/replay_robots $(TEST_BUILD)/fuzz/fuzz_robots: $(TEST_BUILD)/unit/plain_robots.o

# In place of NCCL, loaded when a test runs, which has the functions of its streams.
NCCL_TESTS := $(TEST_BUILD)/trainer/test_comm_nccl $(TEST_BUILD)/trainer/test_comm_failures
ifneq ($(NCCL_INCLUDE),)
$(NCCL_TESTS): | $(TEST_BUILD)/trainer/fake_nccl.so
endif
# Private: what they are made of keeps its flags.
$(NCCL_TESTS): private LD_FLAGS += -rdynamic
$(TEST_BUILD)/trainer/fake_nccl.so: OWN_FLAGS += -isystem $(NCCL_INCLUDE)
$(TEST_BUILD)/trainer/fake_nccl.so: tests/trainer/fake_nccl.c tests/trainer/fake_nccl_run.c \
		tests/trainer/fake_nccl.h $(BUILD)/flags
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(C_FLAGS)) -fPIC -shared -o $@ $(filter %.c,$^)

include tests/kernels/emu/module.mk

# ---- fuzz targets ------------------------------------------------------------------------
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
REPLAYS := $(FUZZERS:%=$(TEST_BUILD)/fuzz/replay_%)
FUZZ_BINS := $(FUZZERS:%=$(TEST_BUILD)/fuzz/fuzz_%)
FUZZ_TIME ?= 60

$(REPLAYS): $(TEST_BUILD)/fuzz/replay_%: $(TEST_BUILD)/fuzz/fuzz_%.o $(TEST_BUILD)/fuzz/replay.o \
		$(KERNELS_OBJ) $(LIB)
	$(call say,LD,$@)
	$(Q)$(LINK) $(FUZZ_LIBS) $(KERNELS_LIBS) $(TEST_LIBS)

# Tasks are the trainer's.
$(TEST_BUILD)/fuzz/replay_tasks $(TEST_BUILD)/fuzz/fuzz_tasks: $(TRAINER_OBJ)
$(TEST_BUILD)/fuzz/replay_tasks $(TEST_BUILD)/fuzz/fuzz_tasks: TEST_LIBS += $(TRAINER_LIBS)

ifeq ($(CONFIG),fuzz)
$(FUZZ_BINS): %: %.o $(KERNELS_OBJ) $(LIB)
	$(call say,LD,$@)
	$(Q)$(LINK) -fsanitize=fuzzer $(FUZZ_LIBS) $(KERNELS_LIBS) $(TEST_LIBS)
endif

# Those of files that the trainer reads.
FUZZ_TRAINER := $(foreach f,hugging_face,$(TEST_BUILD)/fuzz/replay_$f $(TEST_BUILD)/fuzz/fuzz_$f)
$(FUZZ_TRAINER): $(TRAINER_OBJ)
$(FUZZ_TRAINER): FUZZ_LIBS := $(TRAINER_LIBS)

# ---- wrapper scripts ---------------------------------------------------------------------
CASES := $(patsubst tests/%,$(TEST_BUILD)/%.t,$(sort $(wildcard tests/cases/*)))
INTEROP := $(patsubst tests/%.py,$(TEST_BUILD)/%.t,$(sort $(wildcard tests/interop/*.py)))
INTEROP_TORCH := $(filter $(TEST_BUILD)/interop/torch_%,$(INTEROP))
BATS := $(sort $(filter-out $(if $(TESTS),,$(wildcard tests/*/nightly_*.bats)),\
	$(wildcard tests/cli/*.bats tests/trainer/*.bats)))
FAULTS := $(if $(filter release,$(CONFIG)),$(sort $(wildcard tests/faults/*.bats)))
INJECT := $(if $(FAULTS),$(TEST_BUILD)/faults/inject.so)

$(CASES): $(TEST_BUILD)/cases/%.t: tests/module.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec tests/run-cases %s\n' '$*' >$@ && chmod +x $@

$(INTEROP): $(TEST_BUILD)/interop/%.t: tests/module.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec tests/in-venv tests/interop/%s.py\n' '$*' >$@ && chmod +x $@

build/venv/.ready: tests/interop/requirements.txt
build/torch-venv/.ready: tests/interop/requirements-torch.txt
build/venv/.ready build/torch-venv/.ready:
	$(call say,PIP,$<)
	$(Q)tests/make-venv $(@D) $<

$(TEST_BUILD)/faults/inject.so: tests/faults/inject.c $$(FLAGS)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -fPIC -shared -o $@ $< -ldl

# ---- GPU ---------------------------------------------------------------------------------
# The tests of the kernels once more, on the tables of the GPU alone. Those left out are of the CPU's.
GPU_TESTS := $(if $(CUDA_ON),$(filter-out %/test_ref %/test_team %/test_arena,\
	$(KERNELS_TESTS:$(BUILD)/%=$(BUILD)/gpu/%)))

$(BUILD)/gpu/%.o: %.c $$(FLAGS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -DLK_TEST_GPU -c -o $@ $<

$(GPU_TESTS): $(BUILD)/gpu/%: $(BUILD)/%.o $(BUILD)/gpu/tests/kernels/lk_test.o $(KERNELS_REF_OBJ) \
		$(KERNELS_OBJ) $(LIB) $$(LINKED)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(KERNELS_LIBS) $(TEST_LIBS)
ifneq ($(BARE),)
$(BUILD)/gpu/tests/kernels/lk_test.o: OWN_FLAGS += -isystem tests/gpu
endif

# ---- benchmarks --------------------------------------------------------------------------
BENCH_BINS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bench/bench_*.c)))
BENCH_SCRIPTS = $(sort $(shell find tests/bench -maxdepth 1 -type f -perm -u+x 2>/dev/null))

$(BENCH_BINS): %: %.o $(TRAINER_OBJ) $(KERNELS_OBJ) $(LIB) $$(LINKED)
	$(call say,LD,$@)
	$(Q)$(LINK) $(TRAINER_LIBS) $(KERNELS_LIBS) $(TEST_LIBS)

# The benchmark of GPUs has several files; a second one runs on the emulation, for tests/gpu/run --dry.
BENCH_GPU_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/bench/gpu_*.c)))
$(BUILD)/tests/bench/bench_gpu: $(BENCH_GPU_OBJ)
$(EMU)/bin/bench_gpu: $(BUILD)/tests/bench/bench_gpu.o $(BENCH_GPU_OBJ) $(TRAINER_OBJ) $(EMU_KERNELS) $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(TRAINER_LIBS) $(KERNELS_LIBS) $(if $(BARE),,$(TOOL_LIBS)) $(LIBS) -lm

# ---- targets -----------------------------------------------------------------------------
CHECK_BUILT := $(UNIT_TESTS) $(EMU_TESTS) $(KERNELS_TESTS) $(TRAINER_TESTS) $(REPLAYS) $(CASES)
# prove starts them in this order: the longest first.
CHECK_ALL = $(BATS) $(FAULTS) $(if $(TESTS),$(INTEROP),$(filter-out $(INTEROP_TORCH),$(INTEROP))) \
	$(CHECK_BUILT)
# Whole builds and the tables of modes run in the release configuration alone: each of their programs
# has its own tests.
CHECK_SAN := $(filter-out $(addprefix %/,builds.bats gpu_run.bats install.bats layout_plan.bats make.bats \
	new.bats pipelines.bats same_bytes.bats hostile_steps.bats slurm.bats tiny.bats),$(BATS)) $(CHECK_BUILT)

# $(call chosen,LIST): those of the list that TESTS names, without folder and ending; all without it.
TESTS ?=
chosen = $(if $(TESTS),$(filter $(foreach t,$(TESTS),%/$(t) %/$(t).t %/$(t).bats),$(1)),$(1))
# On a GPU that is there by chance a run would have other bits than the CPU's.
run_tests = @$(TEST_ENV) CUDA_VISIBLE_DEVICES= $(PROVE) $(or $(call chosen,$(1)),$(error no test is called $(TESTS)))
# What must be built before they run, and what trains on the emulated GPU.
built = $(filter $(BUILD)/%,$(call chosen,$(1)))
BATS_NEED = $(if $(call chosen,$(filter %/device.bats %/nightly_device.bats,$(BATS))),\
	$(EMU)/bin/lucie-train $(if $(NCCL_INCLUDE),$(TEST_BUILD)/trainer/fake_nccl.so))

# `deps` comes first, then make starts anew, since pkg-config is asked when make starts.
.PHONY: check check-now
## check: run every test (the sanitizers and lints apart)
check:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory check-now

check-now: $(BIN) $(call built,$(CHECK_ALL)) $(if $(call chosen,$(FAULTS)),$(INJECT)) $(BATS_NEED) \
		$(if $(call chosen,$(filter-out $(INTEROP_TORCH),$(INTEROP))),build/venv/.ready) \
		$(if $(TESTS),$(if $(call chosen,$(INTEROP_TORCH)),build/torch-venv/.ready))
	$(call run_tests,$(CHECK_ALL))

.PHONY: check-san check-san-now
## check-san: run tests under the address and undefined sanitizers
check-san:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory CONFIG=asan check-san-now

check-san-now: $(BIN) $(call built,$(CHECK_SAN)) $(BATS_NEED)
	$(call run_tests,$(CHECK_SAN))

.PHONY: check-tsan check-tsan-now
## check-tsan: run threaded tests under clang's thread sanitizer
check-tsan:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory CONFIG=tsan check-tsan-now

TSAN_TESTS := $(filter %/test_pipeline %/test_docstream,$(UNIT_TESTS)) $(KERNELS_TESTS) $(EMU_OWN_TESTS) \
	$(filter %/test_checkpoint %/test_comm %/test_comm_failures %/test_corpus %/test_prefetch \
	%/test_saver,$(TRAINER_TESTS))

check-tsan-now: $(BIN) $(TSAN_TESTS)
	@[ -n "$(ARCHER)" ] || { echo "libarcher.so (package libomp-dev) not found" >&2; exit 1; }
	@$(TEST_ENV) $(PROVE) $(TSAN_TESTS) $(wildcard tests/tsan/*.bats)

.PHONY: emu
## emu: build lucie-train for the emulated GPU into build/CONFIG/emu/bin
emu: $(EMU)/bin/lucie-train

# In a folder of its own, since the other builds are for more processors than one; and bare, as on the
# machines that it is for.
.PHONY: check-cuda check-cuda-now
## check-cuda: compile the kernels by nvcc and read the assembler's report
check-cuda:
	@$(MAKE) --no-print-directory cuda-deps
	@$(MAKE) --no-print-directory BARE=1 CUDA=1 CUDA_ARCH=90 BUILD=build/sm90 check-cuda-now

check-cuda-now: $(CUDA_OBJ)
	@$(TEST_ENV) LUCIE_CUOBJDUMP="$(CUDA_DUMP)" $(PROVE) $(sort $(wildcard tests/cuda/*.bats))

.PHONY: check-gpu gpu-programs
## check-gpu: run the tests of the kernels on this machine's GPU (tests/gpu/run measures too)
check-gpu: $(GPU_TESTS)
	@[ -n "$(CUDA_ON)" ] || { echo "CUDA: $(CUDA_SAYS)" >&2; exit 1; }
	@$(TEST_ENV) $(PROVE) $(or $(call chosen,$(GPU_TESTS)),$(error no test is called $(TESTS)))

## gpu-programs: build what tests/gpu/run runs
gpu-programs: $(GPU_TESTS) $(BUILD)/tests/bench/bench_gpu

.PHONY: fuzz fuzz-now
## fuzz: run each fuzz target for FUZZ_TIME seconds
fuzz:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory CONFIG=fuzz fuzz-now

fuzz-now: $(FUZZ_BINS)
	@tests/fuzz/fuzz-all $(TEST_BUILD)/fuzz $(FUZZ_TIME) $(FUZZERS)

.PHONY: bench bench-now
## bench: measure speeds beside other tools in the same run
bench:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory bench-now

bench-now: $(BIN) $(BENCH_BINS)
	@for b in $(BENCH_BINS) $(BENCH_SCRIPTS); do \
		echo "== $${b##*/}"; $(TEST_ENV) "$$b" || echo "$${b##*/}: failed"; done

.PHONY: lint lint-now
## lint: check pages, options, includes, names, docs and format
lint:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory lint-now

lint-now: $(BIN)
	@$(TEST_ENV) CC="$(CC)" CFLAGS="$(filter-out -MMD -MP -Werror,$(C_FLAGS))" \
		$(PROVE) $(sort $(wildcard tests/lint/*.sh))
