#ifndef LUCIE_TESTS_EMU_H
#define LUCIE_TESTS_EMU_H
/*
 * CUDA on the CPU, for tests: kernels/cuda/cuda.h includes this header where LK_EMU is defined, and
 * the .cu files then compile with
 *	g++ -x c++ -std=c++17 -DLK_EMU -I. -fno-strict-aliasing -Wno-unknown-pragmas
 * and run. README.md beside this file says what such a run finds, and what it cannot.
 *
 * A thread of a block is a fibre with a stack of its own; one runs at a time, until it has to wait
 * for others: at a barrier, a vote, a shuffle, a matrix instruction. Blocks run one after the other.
 * The order of threads and blocks is ascending, descending or pseudo-random (emu_control.h): a kernel
 * whose results differ depends on an order that a GPU does not promise.
 *
 * Shared memory is filled with 0xff (a NaN in every format) for each block, and its arrays lie apart.
 * cp.async copies nothing until it is waited for; until then its destination is filled with 0xff.
 *
 * An error of a kernel is one message on standard error, which names kernel, block and thread, and
 * ends the process by SIGABRT.
 *
 * emu_types.h has vectors, bf16 and arithmetic, emu_runtime.h streams, events and device memory.
 */
#include <stdio.h>
#include <stdlib.h>

#include <functional>
#include <tuple>

#include "tests/kernels/emu/emu_runtime.h"
#include "tests/kernels/emu/emu_types.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
static const int warpSize = 32;

/* A place in a kernel's source, for messages and to tell barriers apart. */
struct emu_place {
	const char *file;
	int line;
};
#define EMU_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

/* End the process with a message that names kernel, block and thread. */
[[noreturn]] void emu_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- launch and shared memory ----------------------------------------------------------------- */

struct emu_kernel {
	const char *name;
	const void *address;
	dim3 grid, block;
	size_t shared;
	std::function<void()> body; /* what each thread does */
};

void emu_enqueue_kernel(cudaStream_t stream, emu_kernel &&k);
/* Fail unless p is NULL or points to memory of the device, or pinned memory. */
void emu_check_argument(const char *kernel, int argument, const void *p);
/* Fail if a word of a structure, its padding cleared, looks like a pointer to other memory of this
 * process. */
void emu_check_words(const char *kernel, int argument, const void *p, size_t bytes);

template <class T> static inline void emu_check(const char *kernel, int argument, const T &value)
{
	if constexpr (std::is_pointer_v<T>)
		emu_check_argument(kernel, argument, (const void *)value);
	else if constexpr (std::is_class_v<T>) {
		T copy = value;

		/* Padding holds what was there before, halves of addresses too. */
#if __has_builtin(__builtin_clear_padding)
		__builtin_clear_padding(&copy);
		emu_check_words(kernel, argument, &copy, sizeof(copy));
#else
		if constexpr (std::has_unique_object_representations_v<T>)
			emu_check_words(kernel, argument, &copy, sizeof(copy));
#endif
	}
	(void)kernel, (void)argument, (void)value;
}

template <class... P, class... A>
static inline void emu_launch(const char *name, void (*k)(P...), dim3 grid, dim3 block,
		size_t shared, cudaStream_t stream, A... args)
{
	std::tuple<std::decay_t<P>...> all(args...);
	int i = 0;

	std::apply([&](const auto &...a) { (emu_check(name, ++i, a), ...); }, all);
	emu_enqueue_kernel(stream,
			emu_kernel{ name, reinterpret_cast<const void *>(k), grid, block, shared,
					[k, all]() { std::apply(k, all); } });
}

#define LK_LAUNCH(k, grid, block, shared, q, ...) \
	emu_launch(#k, k, grid, block, shared, (q)->stream, __VA_ARGS__)

/* Where a LK_SHARED() of a kernel lies in the block that runs. */
struct emu_shared_site {
	uint64_t block;
	void *p;
};

void *emu_shared(emu_shared_site *site, size_t bytes, size_t align);
void *emu_shared_dynamic();

#define LK_SHARED(type, name, count)                            \
	static emu_shared_site emu_site_##name;                 \
	type(&name)[count] = *reinterpret_cast<type(*)[count]>( \
			emu_shared(&emu_site_##name, sizeof(type) * (count), alignof(type)))
#define LK_SHARED_DYNAMIC(type, name) type *name = static_cast<type *>(emu_shared_dynamic())

/* --- barriers --------------------------------------------------------------------------------- */

struct emu_votes {
	int count, all;
};

/* Wait for all threads of the block; votes that are not 0, and whether all are. */
emu_votes emu_barrier(int vote, emu_place at);

static inline void __syncthreads(EMU_PLACE)
{
	emu_barrier(0, { file, line });
}

static inline int __syncthreads_or(int p, EMU_PLACE)
{
	return emu_barrier(p, { file, line }).count > 0;
}

static inline int __syncthreads_and(int p, EMU_PLACE)
{
	return emu_barrier(p, { file, line }).all;
}

static inline int __syncthreads_count(int p, EMU_PLACE)
{
	return emu_barrier(p, { file, line }).count;
}

/* --- warps ------------------------------------------------------------------------------------ */

/*
 * What all lanes of a mask do together: when the last of them has come, fn gets the argument of each
 * and computes the results of all. Arguments of other lanes are NULL.
 */
typedef void emu_together(void *const arg[32], unsigned mask);
void emu_collective(emu_together *fn, const char *what, unsigned mask, void *arg, emu_place at);

void emu_sync_warp(unsigned mask, emu_place at);
struct emu_vote {
	int mine;
	unsigned ballot;
};
emu_together emu_do_vote, emu_do_shuffle;

static inline void __syncwarp(unsigned mask = 0xffffffffu, EMU_PLACE)
{
	emu_sync_warp(mask, { file, line });
}

static inline unsigned __ballot_sync(unsigned mask, int p, EMU_PLACE)
{
	emu_vote v = { p, 0 };

	emu_collective(emu_do_vote, "vote", mask, &v, { file, line });
	return v.ballot;
}

static inline int __any_sync(unsigned mask, int p, EMU_PLACE)
{
	return __ballot_sync(mask, p, file, line) != 0;
}

static inline int __all_sync(unsigned mask, int p, EMU_PLACE)
{
	return __ballot_sync(mask, p, file, line) == mask;
}

/* Of the calling thread, in its warp. */
int emu_lane();

enum emu_shuffle_how { EMU_IDX, EMU_UP, EMU_DOWN, EMU_XOR };

struct emu_shuffle {
	emu_shuffle_how how;
	unsigned by;
	int width;
	uint64_t in, out;
};

template <class T>
static inline T emu_shuffled(
		unsigned mask, T v, emu_shuffle_how how, unsigned by, int width, emu_place at)
{
	static_assert(sizeof(T) <= 8, "shuffles move 4 or 8 bytes");
	emu_shuffle s = { how, by, width, 0, 0 };

	memcpy(&s.in, &v, sizeof(v));
	emu_collective(emu_do_shuffle, "shuffle", mask, &s, at);
	memcpy(&v, &s.out, sizeof(v));
	return v;
}

template <class T>
static inline T __shfl_sync(unsigned mask, T v, int lane, int width = 32, EMU_PLACE)
{
	return emu_shuffled(mask, v, EMU_IDX, (unsigned)lane, width, { file, line });
}

template <class T>
static inline T __shfl_up_sync(unsigned mask, T v, unsigned by, int width = 32, EMU_PLACE)
{
	return emu_shuffled(mask, v, EMU_UP, by, width, { file, line });
}

template <class T>
static inline T __shfl_down_sync(unsigned mask, T v, unsigned by, int width = 32, EMU_PLACE)
{
	return emu_shuffled(mask, v, EMU_DOWN, by, width, { file, line });
}

template <class T>
static inline T __shfl_xor_sync(unsigned mask, T v, int by, int width = 32, EMU_PLACE)
{
	return emu_shuffled(mask, v, EMU_XOR, (unsigned)by, width, { file, line });
}

/* --- memory ----------------------------------------------------------------------------------- */

#define EMU_LOAD(name)                                      \
	template <class T> static inline T name(const T *p) \
	{                                                   \
		return *p;                                  \
	}
#define EMU_STORE(name)                                       \
	template <class T> static inline void name(T *p, T v) \
	{                                                     \
		*p = v;                                       \
	}
EMU_LOAD(__ldg)
EMU_LOAD(__ldca)
EMU_LOAD(__ldcg)
EMU_LOAD(__ldcs)
EMU_LOAD(__ldlu)
EMU_LOAD(__ldcv)
EMU_STORE(__stwb)
EMU_STORE(__stcg)
EMU_STORE(__stcs)
EMU_STORE(__stwt)

/* Each returns the old value. */
template <class T, class F> static inline T emu_atomic(T *p, F change)
{
	using bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
	bits *at = reinterpret_cast<bits *>(p), old = __atomic_load_n(at, __ATOMIC_RELAXED), want;

	do
		want = emu_bits<bits>((T)change(emu_bits<T>(old)));
	while (!__atomic_compare_exchange_n(
			at, &old, want, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return emu_bits<T>(old);
}

#define EMU_ATOMIC(name, result)                                               \
	template <class T> static inline T name(T *p, std::common_type_t<T> v) \
	{                                                                      \
		return emu_atomic(p, [v](T old) { return (T)(result); });      \
	}
EMU_ATOMIC(atomicAdd, old + v)
EMU_ATOMIC(atomicSub, old - v)
EMU_ATOMIC(atomicMin, v < old ? v : old)
EMU_ATOMIC(atomicMax, old < v ? v : old)
EMU_ATOMIC(atomicAnd, old &v)
EMU_ATOMIC(atomicOr, old | v)
EMU_ATOMIC(atomicXor, old ^ v)
EMU_ATOMIC(atomicExch, ((void)old, v))
EMU_ATOMIC(atomicInc, old >= v ? 0 : old + 1)

template <class T>
static inline T atomicCAS(T *p, std::common_type_t<T> is, std::common_type_t<T> v)
{
	return emu_atomic(p, [is, v](T old) { return old == is ? v : old; });
}

static inline void __threadfence()
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void __threadfence_block()
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* --- instructions without a C++ name, for kernels/cuda/ptx.h ---------------------------------- */

/*
 * The fragments are those of the PTX manual, sections "Matrix Fragments for mma.m16n8k16 with
 * floating point type" and "mma.m16n8k8"; all 32 lanes call. d += A B.
 */
void emu_mma_m16n8k16_bf16(float d[4], const uint32_t a[4], const uint32_t b[2], EMU_PLACE);
void emu_mma_m16n8k8_tf32(float d[4], const uint32_t a[4], const uint32_t b[2], EMU_PLACE);
/*
 * ldmatrix of x4, x2 or x1 matrices of 8 x 8 elements of 16 bits: lanes 8i to 8i + 7 give the
 * addresses of the rows of matrix i, 16 bytes each, aligned to 16; register i is of matrix i. The
 * addresses of the other lanes are ignored. stmatrix is the reverse.
 */
void emu_ldmatrix_x4(uint32_t r[4], const void *row, bool trans, EMU_PLACE);
void emu_ldmatrix_x2(uint32_t r[2], const void *row, bool trans, EMU_PLACE);
void emu_ldmatrix_x1(uint32_t r[1], const void *row, bool trans, EMU_PLACE);
void emu_stmatrix_x4(void *row, const uint32_t r[4], bool trans, EMU_PLACE);
void emu_stmatrix_x2(void *row, const uint32_t r[2], bool trans, EMU_PLACE);
void emu_stmatrix_x1(void *row, const uint32_t r[1], bool trans, EMU_PLACE);
/*
 * cp.async of 16 bytes (4, 8), zeros if not valid: `global` is then not read. commit closes a group;
 * wait(n) waits until at most n of the thread's groups, the youngest, are under way.
 */
void emu_cp_async16(void *shared, const void *global, bool valid);
void emu_cp_async8(void *shared, const void *global, bool valid);
void emu_cp_async4(void *shared, const void *global, bool valid);
void emu_cp_async_commit();
void emu_cp_async_wait(int n);

static inline long long clock64()
{
	static long long ticks;

	return ++ticks;
}

#endif
