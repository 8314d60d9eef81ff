# The emulated GPU: kernels/cuda/*.cu compiled by the C++ compiler, see README.md in this folder. Its
# objects and programs are in $(BUILD)/emu; the tests of tests/kernels are linked there a second time,
# and run on the emulated tables alone.

EMU := $(BUILD)/emu
EMU_CU := $(sort $(wildcard kernels/cuda/*.cu))
# The backend's other files, but for those that need cuBLASLt or cuDNN.
EMU_C := $(wildcard kernels/cuda/attention_choice.c kernels/cuda/no_cudnn.c)
EMU_OBJ := $(patsubst %.cc,$(EMU)/%.o,$(sort $(wildcard tests/kernels/emu/emu*.cc)))
EMU_DEVICE := $(EMU_CU:%.cu=$(EMU)/%.o) $(EMU_C:%.c=$(EMU)/%.o) $(BUILD)/kernels/cuda/reserve.o \
	$(EMU)/tests/kernels/emu/gemm_emu.o $(EMU_OBJ)
# In place of $(KERNELS_OBJ).
EMU_KERNELS := $(filter-out $(BUILD)/kernels/cuda/%,$(KERNELS_OBJ)) $(EMU_DEVICE)

# CUDA C++ has designated initialisers, and lk.h is C, where a function may have a struct's name. A
# kernel reads its memory as other types.
EMU_FLAGS = $(filter-out -Wpedantic -Wshadow,$(CXX_FLAGS)) -Wno-missing-field-initializers \
	-Wno-unknown-pragmas -fno-strict-aliasing -DLK_EMU -include tests/kernels/emu/emu.h
# The thread sanitizer shall see what kernels do, not the switches between their threads.
ifeq ($(CONFIG),tsan)
$(EMU_OBJ): EMU_FLAGS += -fno-sanitize=thread -DEMU_TSAN
endif

$(EMU)/%.o: %.cu $$(FLAGS)
	$(call say,EMU,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(EMU_FLAGS) -c -o $@ -x c++ $<

$(EMU)/%.o: %.cc $$(FLAGS)
	$(call say,EMU,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(EMU_FLAGS) -c -o $@ $<

$(EMU_C:%.c=$(EMU)/%.o): $(EMU)/%.o: %.c $$(FLAGS)
	$(call say,EMU,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(EMU_FLAGS) -c -o $@ -x c++ $<

$(EMU)/%.o: %.c $$(FLAGS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(C_FLAGS) -DLK_EMU -c -o $@ $<

# ---- tests -------------------------------------------------------------------------------
# The table is for float and bf16, and needs C++ besides.
ifeq ($(BARE)$(DOUBLE),)
EMU_OWN_TESTS := $(patsubst %.cc,$(EMU)/%,$(sort $(wildcard tests/kernels/emu/test_*.cc)))
EMU_TABLE_TESTS := $(if $(wildcard kernels/cuda/attention.cu),$(filter-out %/test_ref %/test_team \
	%/test_reserve,$(KERNELS_TESTS:$(BUILD)/%=$(EMU)/%)))
endif
EMU_TESTS := $(EMU_OWN_TESTS) $(EMU_TABLE_TESTS)

$(EMU_OWN_TESTS): %: %.o $(EMU_OBJ)
	$(call say,LD,$@)
	$(Q)$(LINK) -lcmocka

$(EMU_TABLE_TESTS): $(EMU)/%: $(BUILD)/%.o $(EMU)/tests/kernels/lk_test.o $(KERNELS_REF_OBJ) \
		$(EMU_KERNELS) $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(KERNELS_LIBS) $(TEST_LIBS)

# ---- the trainer -------------------------------------------------------------------------
# It takes fake_nccl.c in place of NCCL, which looks for fake_stream_launch().
$(EMU)/bin/lucie-train: LD_FLAGS += -rdynamic
$(EMU)/bin/lucie-train: $(EMU)/bin/%: $(BUILD)/trainer/%.o $(TRAINER_OBJ) $(EMU_KERNELS) $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LINK) $(TRAINER_LIBS) $(KERNELS_LIBS) $(TOOL_LIBS) $(LIBS) -lm
