/* The compiler's own target: SSE2 on x86-64, Advanced SIMD on AArch64. */
#include "kernels/cpu/cpu.h"

#define LK_ISA "base"
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_base(void)
{
	return &isa_ops;
}
