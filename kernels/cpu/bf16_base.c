/* isa_base.c with activations in bf16. */
#include "kernels/cpu/cpu.h"

#define LK_ACT_BF16
#define LK_ISA "base"
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_base_bf16(void)
{
	return &isa_ops;
}
