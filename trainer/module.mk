# trainer/module.mk: the programs are in trainer/ itself; its folders hold what they share.
TRAINER_PROGRAMS := $(sort $(patsubst trainer/%.c,%,$(wildcard trainer/lucie-*.c)))
TRAINER_SRC := $(sort $(wildcard trainer/*/*.c))
TRAINER_LIBS :=

# Data between ranks goes over MPI where mpicc is found; MPI's own flags are for one file.
TRAINER_MPI := $(if $(BARE),,$(and $(MPICC),$(MPI_SRC)))
ifneq ($(TRAINER_MPI),)
MPI_SHOW := $(shell $(MPICC) -show 2>/dev/null)
TRAINER_SRC := $(filter-out trainer/comm/comm_no_mpi.c,$(TRAINER_SRC))
TRAINER_LIBS += $(filter -L% -l% -Wl$(comma)%,$(MPI_SHOW))
$(BUILD)/trainer/comm/comm_mpi.o: OWN_FLAGS += $(patsubst -I%,-isystem %,$(filter -I%,$(MPI_SHOW)))
else
TRAINER_SRC := $(filter-out trainer/comm/comm_mpi.c,$(TRAINER_SRC))
endif

# Data between GPUs go over NCCL where its header is found; the library is loaded at run time.
NCCL_INCLUDE := $(or $(CUDA_NCCL_H),$(patsubst %/nccl.h,%,$(firstword $(wildcard $(addsuffix /nccl.h,\
	$(CUDA_ROOTS:%=%/include) $(CURDIR)/build/cuda/nvidia/nccl/include /usr/include)))))
NCCL_FILES := $(wildcard trainer/comm/comm_nccl.c trainer/comm/nccl_*.c)
ifneq ($(NCCL_INCLUDE),)
TRAINER_SRC := $(filter-out trainer/comm/comm_no_nccl.c,$(TRAINER_SRC))
$(NCCL_FILES:%.c=$(BUILD)/%.o): OWN_FLAGS += -isystem $(NCCL_INCLUDE)
else
TRAINER_SRC := $(filter-out $(NCCL_FILES),$(TRAINER_SRC))
endif

# Sums of what ranks send: vectors.
$(BUILD)/trainer/comm/tree_sum.o: OWN_FLAGS += -O3

# The bare build has lucie-train alone and needs libc and OpenMP only: these files of the library.
ifneq ($(BARE),)
TRAINER_PROGRAMS := lucie-train
# The other programs open models with their tokenizers.
TRAINER_SRC := $(filter-out trainer/run/loaded_model.c trainer/export/% trainer/plan/% \
	trainer/eval/% trainer/generate/% trainer/run/evaluations.c, $(TRAINER_SRC))
TOOLS :=
LIB_CXX :=
LIB_SRC := $(sort $(wildcard libcommon/base/*.c libcommon/sys/*.c libcommon/io/json*.c) \
	libcommon/io/safetensors.c libcommon/hash/hash.c libcommon/shard/reader.c \
	libcommon/shard/reader_index.c libcommon/shard/mask.c libcommon/shard/masked.c \
	libcommon/shard/teacher.c \
	libcommon/shard/logp.c libcommon/mix/walk_index.c \
	libcommon/shard/manifest.c libcommon/mix/plan.c libcommon/mix/planned.c \
	libcommon/mix/stream.c libcommon/mix/walk.c libcommon/order/documents.c \
	libcommon/order/goldfish.c libcommon/order/rows.c libcommon/order/skips.c)
else
TRAINER_SRC := $(filter-out trainer/run/evaluations_none.c,$(TRAINER_SRC))
endif

# The benchmark compares with oneDNN in the same run.
ifneq ($(KERNELS_ONEDNN),)
$(BUILD)/tests/bench/bench_train_step.o: OWN_FLAGS += -DLK_HAVE_ONEDNN
$(BUILD)/tests/bench/bench_train_step: KERNELS_LIBS += -ldnnl
endif
