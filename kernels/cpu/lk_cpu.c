#include <string.h>

#include "kernels/cpu/cpu.h"

const struct lk_ops *lk_cpu_ops_isa(const char *isa, enum lk_type act)
{
	if (act != LK_REAL)
		return NULL;
	if (strcmp(isa, "base") == 0)
		return lk_cpu_base();
#if defined(__x86_64__)
	if (strcmp(isa, "avx2") == 0 && __builtin_cpu_supports("avx2") &&
			__builtin_cpu_supports("fma"))
		return lk_cpu_avx2();
	if (strcmp(isa, "avx512") == 0 && __builtin_cpu_supports("avx512f"))
		return lk_cpu_avx512();
#endif
	return NULL;
}

const struct lk_ops *lk_cpu_ops(enum lk_type act)
{
	const struct lk_ops *ops = lk_cpu_ops_isa("avx512", act);

	if (!ops)
		ops = lk_cpu_ops_isa("avx2", act);
	return ops ? ops : lk_cpu_base();
}
