/* AVX-512 with AVX512_BF16 (Cooper Lake, Zen 4 and later): products of pairs of bf16 by vdpbf16ps. */
#include "kernels/cpu/cpu.h"

#if defined(__AVX512BF16__) && !defined(LK_DOUBLE)
#define LK_ACT_BF16
#define LK_ISA "avx512bf16"
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_avx512bf16(void)
{
	return &isa_ops;
}
#else
const struct lk_ops *lk_cpu_avx512bf16(void)
{
	return NULL;
}
#endif
