/* isa_avx512.c with activations in bf16. */
#include "kernels/cpu/cpu.h"

#if defined(__AVX512F__)
#define LK_ACT_BF16
#define LK_ISA "avx512"
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_avx512_bf16(void)
{
	return &isa_ops;
}
#else
const struct lk_ops *lk_cpu_avx512_bf16(void)
{
	return NULL;
}
#endif
