/*
 * isa.h: the whole backend for the instruction set that the including file is compiled for.  Each
 * of isa_base.c, isa_avx2.c and isa_avx512.c includes it once, with its own compiler flags; the
 * operations are static, so only the table leaves the object.
 */
#include "kernels/cpu/adamw.c"
#include "kernels/cpu/attention.c"
#include "kernels/cpu/attention_back.c"
#include "kernels/cpu/cross_entropy.c"
#include "kernels/cpu/embed.c"
#include "kernels/cpu/gemm.c"
#include "kernels/cpu/rmsnorm.c"
#include "kernels/cpu/rope.c"
#include "kernels/cpu/sums.c"
#include "kernels/cpu/swiglu.c"

#define LK_ISA_TABLE(isa) {							\
	.name = "cpu " isa,							\
	.act = sizeof(lk_real) == sizeof(float) ? LK_F32 : LK_F64,		\
	.act_size = sizeof(lk_real),						\
	.open = lk_cpu_open, .close = lk_cpu_close,				\
	.message = lk_cpu_message, .sync = lk_cpu_sync,				\
	.alloc = lk_cpu_alloc, .free = lk_cpu_free,				\
	.host_alloc = lk_cpu_alloc, .host_free = lk_cpu_free,			\
	.zero = lk_cpu_zero, .copy = lk_cpu_copy,				\
	.to_act = op_to_act, .to_real = op_to_real,				\
	.embed = op_embed, .embed_back = op_embed_back,				\
	.rmsnorm = op_rmsnorm, .rmsnorm_back = op_rmsnorm_back,			\
	.rope_table = lk_cpu_rope_table, .rope = op_rope,			\
	.attention = op_attention, .attention_back = op_attention_back,		\
	.attn_merge = op_attn_merge,						\
	.swiglu = op_swiglu, .swiglu_back = op_swiglu_back, .add = op_add,	\
	.cross_entropy = op_cross_entropy, .ce_stats = op_ce_stats,		\
	.ce_merge = lk_cpu_ce_merge, .ce_grad = op_ce_grad,			\
	.gemm = op_gemm, .prepare = op_prepare, .unprepare = lk_cpu_unprepare, \
	.sum = lk_cpu_sum, .sum_real = lk_cpu_sum_real, .sqnorm = op_sqnorm,	\
	.clip = lk_cpu_clip, .finite = op_finite, .adamw = op_adamw,		\
	.accumulate = op_accumulate, .lane_sum = op_lane_sum,			\
}
