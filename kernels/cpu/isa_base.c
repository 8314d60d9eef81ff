/*
 * isa_base.c: the backend for the compiler's own target: SSE2 on x86-64, Advanced SIMD on AArch64.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_base(void)
{
	static const struct lk_ops ops = LK_ISA_TABLE("base");

	return &ops;
}
