/*
 * isa_avx512.c: the backend for x86-64 with AVX-512F (Skylake server, Zen 4 and later); compiled with -mavx512f -mfma.
 */
#include "kernels/cpu/cpu.h"

#if defined(__AVX512F__)
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_avx512(void)
{
	static const struct lk_ops ops = LK_ISA_TABLE("avx512");

	return &ops;
}
#else
const struct lk_ops *lk_cpu_avx512(void)
{
	return NULL;
}
#endif
