#ifndef LUCIE_KERNELS_CUDA_PTX_H
#define LUCIE_KERNELS_CUDA_PTX_H
/*
 * The instructions that CUDA C++ has no name for, and the only inline assembly of the tree. Numbers
 * in brackets are sections of the PTX ISA, version 9.0; all of them need sm_80. Under LK_EMU the same
 * names call the emulation of tests/kernels/emu.
 *
 * FRAGMENTS
 * A matrix of a product is spread over the 32 lanes of a warp [9.7.14.5.8]. With g = lane / 4 and
 * t = lane % 4, two bf16 in a register, the lower column (of B: the lower row) in the lower half:
 *	A[16][16]	a[0] = A[g][2t..]	a[1] = A[g + 8][2t..]
 *			a[2] = A[g][2t + 8..]	a[3] = A[g + 8][2t + 8..]
 *	B[16][8]	b[0] = B[2t..][g]	b[1] = B[2t + 8..][g]
 *	D[16][8]	d[0], d[1] = D[g][2t], D[g][2t + 1]
 *			d[2], d[3] = D[g + 8][2t], D[g + 8][2t + 1]
 * So D, rounded to bf16, is the left or right half of an A without any exchange between lanes.
 *
 * SHARED MEMORY
 * lk_shared_at is an address in it: a 32-bit number on the device, where arithmetic on generic
 * pointers costs twice the instructions, and a pointer in the emulation.
 */
#include "kernels/cuda/cuda.h"

#ifdef LK_EMU
typedef uintptr_t lk_shared_at;
#else
typedef uint32_t lk_shared_at;
#endif

static __device__ __forceinline__ lk_shared_at lk_shared_address(const void *p)
{
#ifdef LK_EMU
	return reinterpret_cast<uintptr_t>(p);
#else
	return static_cast<uint32_t>(__cvta_generic_to_shared(p));
#endif
}

/* Keep what is computed from x here: before a loop, where compilers put it, it would cost registers. */
template <class T> static __device__ __forceinline__ void lk_keep(T &x)
{
#ifdef LK_EMU
	(void)x;
#else
	static_assert(sizeof(T) == 4, "one register");
	asm volatile("" : "+r"(x));
#endif
}

/* d += A B for fragments of A[16][16] and B[16][8], with sums in float [9.7.14.5.14]. */
static __device__ __forceinline__ void lk_mma(
		float d[4], const uint32_t a[4], uint32_t b0, uint32_t b1)
{
#ifdef LK_EMU
	const uint32_t b[2] = { b0, b1 };

	emu_mma_m16n8k16_bf16(d, a, b);
#else
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
		     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
			: "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
			: "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

/*
 * Load four matrices of 8 x 8 bf16 [9.7.14.5.15]: lane 8i + j gives the address of row j of matrix i,
 * 16 bytes, aligned. r[i] receives row g, columns 2t and 2t + 1, of matrix i; with _trans, of its
 * transpose.
 */
static __device__ __forceinline__ void lk_ldmatrix(uint32_t r[4], lk_shared_at row)
{
#ifdef LK_EMU
	emu_ldmatrix_x4(r, reinterpret_cast<const void *>(row), false);
#else
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
			: "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
			: "r"(row)
			: "memory");
#endif
}

static __device__ __forceinline__ void lk_ldmatrix_trans(uint32_t r[4], lk_shared_at row)
{
#ifdef LK_EMU
	emu_ldmatrix_x4(r, reinterpret_cast<const void *>(row), true);
#else
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
			: "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
			: "r"(row)
			: "memory");
#endif
}

/*
 * Copy 16 bytes from device to shared memory without passing through registers; if not valid, store
 * zeros and read nothing [9.7.9.25.3.1]. Copies begin at once. commit() closes a group of those made
 * since the last; wait() returns when all groups of this thread but the latest `groups` are there.
 * Other threads see them after a barrier that follows the wait.
 */
static __device__ __forceinline__ void lk_cp_async(lk_shared_at to, const void *from, bool valid)
{
#ifdef LK_EMU
	emu_cp_async16(reinterpret_cast<void *>(to), from, valid);
#else
	asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;"
			:
			: "r"(to), "l"(__cvta_generic_to_global(from)), "r"(valid ? 16 : 0)
			: "memory");
#endif
}

static __device__ __forceinline__ void lk_cp_async_commit(void)
{
#ifdef LK_EMU
	emu_cp_async_commit();
#else
	asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int groups> static __device__ __forceinline__ void lk_cp_async_wait(void)
{
#ifdef LK_EMU
	emu_cp_async_wait(groups);
#else
	asm volatile("cp.async.wait_group %0;" ::"n"(groups) : "memory");
#endif
}

/* 2^x to 2 units in the last place, results below 2^-126 become 0 [9.7.3.21]; 2^-infinity is 0. */
static __device__ __forceinline__ float lk_exp2(float x)
{
#ifdef LK_EMU
	return exp2f(x);
#else
	float y;

	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
	return y;
#endif
}

/* Two numbers rounded to bf16, `low` in the lower half [9.7.9.21]. */
static __device__ __forceinline__ uint32_t lk_pack_bf16(float low, float high)
{
#ifdef LK_EMU
	return emu_round_bf16(low) | (uint32_t)emu_round_bf16(high) << 16;
#else
	uint32_t y;

	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
	return y;
#endif
}

#endif
