/* x86-64 with AVX2 and FMA (Haswell, Zen and later); compiled with -mavx2 -mfma. */
#include "kernels/cpu/cpu.h"

#if defined(__AVX2__) && defined(__FMA__) && !defined(__AVX512F__)
#define LK_ISA "avx2"
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_avx2(void)
{
	return &isa_ops;
}
#else
const struct lk_ops *lk_cpu_avx2(void)
{
	return NULL;
}
#endif
