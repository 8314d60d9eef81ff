/* AVX-512 with AMX_BF16 (Sapphire Rapids and later): products of tiles of bf16 by tdpbf16ps. */
#include "kernels/cpu/cpu.h"

#if (defined(__AMX_BF16__) || defined(__AMXBF16__)) && !defined(LK_DOUBLE)
#define LK_ACT_BF16
#define LK_ISA "amx"
#include "kernels/cpu/isa.inc"

const struct lk_ops *lk_cpu_amx(void)
{
	return &isa_ops;
}
#else
const struct lk_ops *lk_cpu_amx(void)
{
	return NULL;
}
#endif
