/*
 * isa_avx2.c: the backend for x86-64 with AVX2 and FMA (Haswell, Zen and later); compiled with -mavx2 -mfma.
 */
#include "kernels/cpu/cpu.h"

#if defined(__AVX2__) && defined(__FMA__) && !defined(__AVX512F__)
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_avx2(void)
{
	static const struct lk_ops ops = LK_ISA_TABLE("avx2");

	return &ops;
}
#else
const struct lk_ops *lk_cpu_avx2(void)
{
	return NULL;
}
#endif
