/* x86-64 with AVX-512F (Skylake server, Zen 4 and later); compiled with -mavx512f -mfma. */
#include "kernels/cpu/cpu.h"

#if defined(__AVX512F__)
#define LK_ISA "avx512"
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_avx512(void)
{
	return &isa_ops;
}
#else
const struct lk_ops *lk_cpu_avx512(void)
{
	return NULL;
}
#endif
