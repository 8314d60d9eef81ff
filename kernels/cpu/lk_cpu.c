#include <string.h>

#include "kernels/cpu/cpu.h"

const struct lk_ops *lk_cpu_ops_isa(const char *isa, enum lk_type act)
{
	int bf16 = act == LK_BF16;

	if (!bf16 && act != LK_REAL)
		return NULL;
	if (strcmp(isa, "base") == 0)
		return bf16 ? lk_cpu_base_bf16() : lk_cpu_base();
#if defined(__x86_64__)
	if (strcmp(isa, "avx2") == 0 && __builtin_cpu_supports("avx2") &&
			__builtin_cpu_supports("fma"))
		return bf16 ? lk_cpu_avx2_bf16() : lk_cpu_avx2();
	if (strcmp(isa, "avx512") == 0 && __builtin_cpu_supports("avx512f"))
		return bf16 ? lk_cpu_avx512_bf16() : lk_cpu_avx512();
#endif
	return NULL;
}

const struct lk_ops *lk_cpu_ops(enum lk_type act)
{
	static const char *const best[] = { "avx512", "avx2", "base" };
	const struct lk_ops *ops = NULL;

	act = act == LK_BF16 ? LK_BF16 : LK_REAL;
	for (size_t i = 0; !ops && i < sizeof(best) / sizeof(*best); i++)
		ops = lk_cpu_ops_isa(best[i], act);
	return ops;
}
