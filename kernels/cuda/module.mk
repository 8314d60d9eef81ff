# kernels/cuda/module.mk: the backend of NVIDIA's GPUs, in place of no_cuda.c. It needs nvcc and the
# headers of the runtime and of cuBLASLt; cuDNN's (with its front end) and NCCL's are optional.
# cuBLASLt, cuDNN and NCCL are loaded at run time and the runtime is linked statically, so programs
# start on machines that have none of them, nor a driver.
#
#   CUDA=1      build it, CUDA=0: leave it out; otherwise it is built where there is a GPU
#   CUDA_HOME=  where CUDA is; otherwise it is looked for beside the nvcc of PATH, in
#               /usr/local/cuda, in build/cuda (`make cuda-deps`) and in Python's site-packages
#   CUDA_ARCH=  processors to compile for: "80 90"; PTX of the last is for later ones

CUDA_ARCH ?= 80 90
CUDA_FITS := $(filter release bare,$(CONFIG))
CUDA_GPU := $(if $(CUDA_FITS),$(or $(wildcard /dev/nvidia0),$(shell nvidia-smi -L 2>/dev/null | \
	grep -om1 '^GPU 0')))
CUDA_ASKED := $(if $(filter undefined,$(origin CUDA)),,$(filter-out 0 no,$(CUDA)))
CUDA_WANTED := $(if $(filter undefined,$(origin CUDA)),$(if $(CUDA_GPU),1),$(CUDA_ASKED))
CUDA_SEARCH := $(CUDA_WANTED)$(filter cuda-deps,$(MAKECMDGOALS))
CUDA_SITES := $(if $(CUDA_SEARCH),$(shell python3 -c 'import sys; print(*sys.path)' 2>/dev/null))
CUDA_NVCC := $(if $(CUDA_SEARCH),$(shell command -v nvcc 2>/dev/null))

# The root of an installation has bin/, include/ and lib64/ or lib/. Python's wheels have one for
# CUDA itself and one for each library, and the front end's headers in a folder of their own.
CUDA_ROOTS := $(if $(CUDA_HOME),$(abspath $(CUDA_HOME)),$(patsubst %/bin/nvcc,%,$(realpath $(CUDA_NVCC))) \
	/usr/local/cuda $(CURDIR)/build/cuda/nvidia/cu13 $(CUDA_SITES:%=%/nvidia/cu13))
NVCC := $(if $(CUDA_SEARCH),$(firstword $(wildcard $(CUDA_ROOTS:%=%/bin/nvcc))))
CUDA_ROOT := $(NVCC:%/bin/nvcc=%)
CUDA_PARTS := $(CUDA_ROOT) $(if $(CUDA_SEARCH),$(wildcard $(CURDIR)/build/cuda \
	$(CURDIR)/build/cuda/nvidia/* $(CUDA_SITES) $(CUDA_SITES:%=%/nvidia/*))) /usr
cuda_header = $(patsubst %/include/$(1),%/include,$(firstword $(wildcard $(CUDA_PARTS:%=%/include/$(1)))))
cuda_library = $(patsubst %/,%,$(dir $(firstword $(wildcard $(foreach p,$(CUDA_PARTS),$(p)/lib64/$(1) \
	$(p)/lib/$(1) $(p)/lib/$(KERNELS_ARCH)-linux-gnu/$(1))))))

CUDA_RUNTIME_H := $(call cuda_header,cuda_runtime.h)
CUDA_CUBLAS_H := $(call cuda_header,cublasLt.h)
CUDA_NVTX_H := $(call cuda_header,nvtx3/nvToolsExt.h)
CUDA_CUDNN_H := $(call cuda_header,cudnn.h)
CUDA_FRONTEND_H := $(call cuda_header,cudnn_frontend.h)
CUDA_NCCL_H := $(call cuda_header,nccl.h)
CUDA_DUMP := $(firstword $(wildcard $(CUDA_ROOT)/bin/cuobjdump $(CURDIR)/build/cuda/nvidia/cu13/bin/cuobjdump))
CUDA_MISSING := $(strip $(if $(NVCC),,nvcc) $(if $(CUDA_RUNTIME_H),,cuda_runtime.h) \
	$(if $(CUDA_CUBLAS_H),,cublasLt.h) $(if $(CUDA_NVTX_H),,nvtx3))

# CUDA_ON: the build has the backend; CUDA_NCCL: NCCL's headers are there too.
CUDA_ON := $(if $(CUDA_WANTED),$(if $(CUDA_MISSING),,1))
CUDA_CUDNN := $(if $(CUDA_ON),$(if $(CUDA_FRONTEND_H),$(CUDA_CUDNN_H)))
CUDA_NCCL := $(if $(CUDA_ON),$(CUDA_NCCL_H))
ifneq ($(CUDA_ASKED),)
ifeq ($(filter cuda-deps clean help,$(MAKECMDGOALS)),)
ifeq ($(CUDA_FITS),)
$(error CUDA=1 goes with CONFIG=release and CONFIG=bare, not with $(CONFIG))
endif
ifneq ($(CUDA_MISSING),)
$(error CUDA=1: not found: $(CUDA_MISSING); `make cuda-deps` fetches it, or set CUDA_HOME)
endif
endif
endif

# What `all` says in one line.
cuda_short = $(subst $(CURDIR)/,,$(1))
CUDA_SAYS := $(if $(CUDA_ON),$(call cuda_short,$(NVCC))$(comma) cuBLASLt$(comma) \
	$(if $(CUDA_CUDNN),cuDNN,without cuDNN (no $(if $(CUDA_CUDNN_H),cudnn_frontend.h,cudnn.h)))$(comma) \
	$(if $(CUDA_NCCL),NCCL,without NCCL (no nccl.h)),left out ($(if $(CUDA_WANTED),$(CUDA_MISSING) not \
	found: `make cuda-deps`,$(if $(filter undefined,$(origin CUDA)),$(if $(CUDA_FITS),no GPU here: \
	CUDA=1 builds it,not for CONFIG=$(CONFIG)),CUDA=$(CUDA)))))

ifneq ($(CUDA_ON),)
CUDA_CU := $(sort $(wildcard kernels/cuda/*.cu))
CUDA_C := $(filter-out kernels/cuda/no_cuda.c $(if $(CUDA_CUDNN),kernels/cuda/no_cudnn.c), \
	$(sort $(wildcard kernels/cuda/*.c)))
CUDA_CC := $(if $(CUDA_CUDNN),kernels/cuda/attention_cudnn.cc)
KERNELS_SRC := $(sort $(filter-out kernels/cuda/no_cuda.c,$(KERNELS_SRC)) $(CUDA_C) $(CUDA_CC) $(CUDA_CU))
CUDA_OBJ := $(addprefix $(BUILD)/,$(addsuffix .o,$(basename $(CUDA_C) $(CUDA_CC) $(CUDA_CU))))

CUDA_VERSION := $(shell $(NVCC) --version | sed -n 's/.*release \([0-9.]*\),.*/\1/p')
CUDA_FLAGS := $(patsubst %,-isystem %,$(sort $(filter-out /usr/include,$(CUDA_RUNTIME_H) \
	$(CUDA_CUBLAS_H) $(CUDA_NVTX_H) $(CUDA_CUDNN_H) $(CUDA_FRONTEND_H) $(CUDA_NCCL_H))))
$(CUDA_OBJ): OWN_FLAGS += $(CUDA_FLAGS)
$(BUILD)/kernels/cuda/cuda_version.o: OWN_FLAGS += -DLK_CUDA_VERSION='"$(CUDA_VERSION)"' \
	-DLK_CUDA_ARCH='"$(CUDA_ARCH:%=sm_%)"' $(if $(CUDA_CUDNN),-DLK_HAVE_CUDNN)
$(BUILD)/kernels/cuda/attention_cudnn.o: OWN_FLAGS += -DNV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING \
	-DCUDNN_FRONTEND_SKIP_JSON_LIB -g0

# No contraction, as on the CPU; warnings of the device's code, the host's and the assembler's are
# errors under WERROR=1. Files *_sm90a.cu use what only that processor has.
NVCC_ARCH = $(if $(filter %_sm90a,$*),-gencode arch=compute_90a$(comma)code=sm_90a,$(foreach a, \
	$(CUDA_ARCH),-gencode arch=compute_$(a)$(comma)code=$(if $(filter $(lastword $(CUDA_ARCH)),$(a)),[sm_$(a)$(comma)compute_$(a)],sm_$(a))))
NVCC_WARN = $(if $(filter 1,$(WERROR)),-Werror all-warnings -Xcompiler=-Werror) \
	-Xcompiler=-Wall$(comma)-Wextra$(comma)
NVCC_FLAGS = -std=c++17 -O3 -lineinfo -fmad=false -D_GNU_SOURCE -I. $(CUDA_FLAGS) \
	-ccbin $(lastword $(CXX)) -Xcompiler=-fno-common$(comma)-ffp-contract=off$(comma)-fopenmp \
	$(NVCC_ARCH) $(NVCCFLAGS)
$(CUDA_CU:%.cu=$(BUILD)/%.o): NVCC_TEXT = / $(NVCC) $(NVCC_FLAGS)

KERNELS_LIBS += -L$(call cuda_library,libcudart_static.a) -lcudart_static -ldl -lrt -lpthread
KERNELS_LIBS += $(patsubst %,-Wl$(comma)-rpath$(comma)%,$(sort $(filter-out /usr/lib%, \
	$(call cuda_library,libcublasLt.so.*) $(call cuda_library,libcudart.so.*) \
	$(call cuda_library,libcudnn.so.*) $(call cuda_library,libnccl.so.*))))
endif

# ---- what the build fetches --------------------------------------------------------------
# Wheels of PyPI with compiler and libraries; a wheel is a zip file, nothing in it is run.
CUDA_WHEELS_NVCC := nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 \
	nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
CUDA_WHEELS := $(if $(NVCC),$(if $(CUDA_RUNTIME_H),,nvidia-cuda-runtime==13.0.96),$(CUDA_WHEELS_NVCC)) \
	$(if $(CUDA_NVTX_H),,nvidia-nvtx==13.0.85) $(if $(CUDA_CUBLAS_H),,nvidia-cublas==13.1.0.3) \
	$(if $(CUDA_CUDNN_H),,nvidia-cudnn-cu13==9.19.0.56) $(if $(CUDA_NCCL_H),,nvidia-nccl-cu13==2.28.9) \
	$(if $(CUDA_FRONTEND_H),,nvidia-cudnn-frontend==1.32.0) \
	$(if $(CUDA_DUMP),,nvidia-cuda-cuobjdump==13.2.51 nvidia-cuda-nvdisasm==13.2.51)

##@ Install
## cuda-deps: fetch what CUDA=1 lacks here from PyPI into build/cuda
.PHONY: cuda-deps
cuda-deps:
	$(Q)[ -n "$(strip $(CUDA_WHEELS))" ] || { echo "cuda-deps: nothing is missing"; exit 0; }; \
	rm -rf build/cuda-new && mkdir -p build/cuda build/cuda-new/wheels && \
	python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: \
		-d build/cuda-new/wheels $(strip $(CUDA_WHEELS)) && \
	for w in build/cuda-new/wheels/*.whl; do \
		python3 -m zipfile -e "$$w" build/cuda-new/all || exit 1; \
		echo "build/cuda: $${w##*/}"; \
	done; \
	for d in bin nvvm/bin; do \
		[ ! -d build/cuda-new/all/nvidia/cu13/$$d ] || \
			find build/cuda-new/all/nvidia/cu13/$$d -type f -exec chmod +x {} +; \
	done; \
	cp -a build/cuda-new/all/. build/cuda/ && rm -rf build/cuda-new
