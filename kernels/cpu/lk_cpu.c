#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "kernels/cpu/cpu.h"

#if defined(__x86_64__) && defined(__linux__)
#define REQ_XCOMP_PERM 0x1023 /* arch_prctl(2) of Linux 5.16 */
#define XTILE_DATA 18	      /* the state component that holds the tiles */

/*
 * Whether the processor has tiles of bf16 and the kernel lets this process use them: it must be asked,
 * once for all threads, before the first tile instruction, and asking again does no harm.
 */
static int may_use_tiles(void)
{
	const unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
	unsigned a, b, c, d;

	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & amx_bf16) || !(d & amx_tile))
		return 0;
	return syscall(SYS_arch_prctl, REQ_XCOMP_PERM, XTILE_DATA) == 0;
}
#elif defined(__x86_64__)
static int may_use_tiles(void)
{
	return 0;
}
#endif

#if defined(__x86_64__)
/* Leaf 7.1 of cpuid; that the system saves the registers of AVX-512 is known from avx512f. */
static int has_avx512_bf16(void)
{
	unsigned a, b, c, d;

	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
			__builtin_cpu_supports("avx512vl") &&
			__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 5);
}
#endif

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
	if (strcmp(isa, "avx512bf16") == 0 && bf16 && has_avx512_bf16())
		return lk_cpu_avx512bf16();
	if (strcmp(isa, "amx") == 0 && bf16 && has_avx512_bf16() && may_use_tiles())
		return lk_cpu_amx();
#endif
	return NULL;
}

const struct lk_ops *lk_cpu_ops(enum lk_type act)
{
	static const char *const best[] = { "amx", "avx512bf16", "avx512", "avx2", "base" };
	const struct lk_ops *ops = NULL;

	act = act == LK_BF16 ? LK_BF16 : LK_REAL;
	for (size_t i = 0; !ops && i < sizeof(best) / sizeof(*best); i++)
		ops = lk_cpu_ops_isa(best[i], act);
	return ops;
}
