# The operations themselves (kernels/cpu/<op>.inc) are compiled inside isa_*.c and bf16_*.c, once per
# instruction set and type of activations; see kernels/cpu/isa.inc.

KERNELS_SRC := \
	kernels/cpu/bf16_amx.c \
	kernels/cpu/bf16_avx2.c \
	kernels/cpu/bf16_avx512.c \
	kernels/cpu/bf16_avx512bf16.c \
	kernels/cpu/bf16_base.c \
	kernels/cpu/device.c \
	kernels/cpu/isa_avx2.c \
	kernels/cpu/isa_avx512.c \
	kernels/cpu/isa_base.c \
	kernels/cpu/lk_cpu.c \
	kernels/cpu/scalar.c \
	kernels/cpu/sort_ids.c \
	kernels/cuda/reserve.c \
	kernels/cuda/no_cuda.c

KERNELS_ARCH := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))

# None of these flags changes a result: they enable vector square roots and selects.
KERNELS_OPT := -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off

KERNELS_BASE := $(BUILD)/kernels/cpu/isa_base.o $(BUILD)/kernels/cpu/bf16_base.o
KERNELS_AVX2 := $(BUILD)/kernels/cpu/isa_avx2.o $(BUILD)/kernels/cpu/bf16_avx2.o
KERNELS_AVX512 := $(BUILD)/kernels/cpu/isa_avx512.o $(BUILD)/kernels/cpu/bf16_avx512.o
KERNELS_DOT := $(BUILD)/kernels/cpu/bf16_avx512bf16.o
KERNELS_AMX := $(BUILD)/kernels/cpu/bf16_amx.o
# A compiler that does not know the flags makes an object without a table.
kernels_known = $(if $(shell $(CC) $(1) -E -x c /dev/null >/dev/null 2>&1 && echo y),$(1))

$(KERNELS_BASE) $(KERNELS_AVX2) $(KERNELS_AVX512): OWN_FLAGS += $(KERNELS_OPT)
$(KERNELS_DOT) $(KERNELS_AMX) $(BUILD)/tests/kernels/tile_model.o: OWN_FLAGS += $(KERNELS_OPT)
ifeq ($(KERNELS_ARCH),x86_64)
$(KERNELS_AVX2): OWN_FLAGS += -mavx2 -mfma
$(KERNELS_AVX512): OWN_FLAGS += -mavx512f -mfma
KERNELS_BF16 := -mavx512f -mavx512bw -mavx512vl -mavx512bf16 -mfma
KERNELS_DOT_ON := $(call kernels_known,$(KERNELS_BF16))
KERNELS_AMX_ON := $(call kernels_known,$(KERNELS_BF16) -mamx-tile -mamx-bf16)
$(KERNELS_DOT): OWN_FLAGS += $(KERNELS_DOT_ON)
$(KERNELS_AMX): OWN_FLAGS += $(KERNELS_AMX_ON)
endif

# The reference implementations are for tests only.
KERNELS_REF_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard kernels/ref/*.c)))
$(patsubst %.c,$(BUILD)/%,$(wildcard tests/kernels/test_*.c)): $(KERNELS_REF_OBJ)

# The operations need libc, libm and OpenMP only. The benchmark alone compares with oneDNN.
KERNELS_LIBS := -lm
KERNELS_ONEDNN := $(if $(BARE)$(DOUBLE),,$(wildcard /usr/include/oneapi/dnnl/dnnl.h \
	/usr/local/include/oneapi/dnnl/dnnl.h))
comma := ,
include kernels/cuda/module.mk
ifneq ($(KERNELS_ONEDNN),)
$(BUILD)/tests/bench/bench_kernels.o: OWN_FLAGS += -DLK_HAVE_ONEDNN
$(BUILD)/tests/bench/bench_kernels: KERNELS_LIBS += -ldnnl
endif
