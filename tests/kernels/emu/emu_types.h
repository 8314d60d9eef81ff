#ifndef LUCIE_TESTS_EMU_TYPES_H
#define LUCIE_TESTS_EMU_TYPES_H
/*
 * CUDA's types and arithmetic for g++ and clang++: vectors, __nv_bfloat16, and those of its
 * mathematical functions that the kernels call. Names, layouts, alignments and roundings are those of
 * the CUDA C++ programming guide and the CUDA Math API; the approximate functions (__expf and the
 * like) are as exact here as the C library's.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <type_traits>

#define __align__(n) alignas(n)

#define EMU_VECTOR(T, t, a1, a2, a4)                       \
	struct alignas(a1) t##1                            \
	{                                                  \
		T x;                                       \
	};                                                 \
	struct alignas(a2) t##2                            \
	{                                                  \
		T x, y;                                    \
	};                                                 \
	struct t##3                                        \
	{                                                  \
		T x, y, z;                                 \
	};                                                 \
	struct alignas(a4) t##4                            \
	{                                                  \
		T x, y, z, w;                              \
	};                                                 \
	static inline t##1 make_##t##1(T x)                \
	{                                                  \
		return { x };                              \
	}                                                  \
	static inline t##2 make_##t##2(T x, T y)           \
	{                                                  \
		return { x, y };                           \
	}                                                  \
	static inline t##3 make_##t##3(T x, T y, T z)      \
	{                                                  \
		return { x, y, z };                        \
	}                                                  \
	static inline t##4 make_##t##4(T x, T y, T z, T w) \
	{                                                  \
		return { x, y, z, w };                     \
	}

EMU_VECTOR(unsigned char, uchar, 1, 2, 4)
EMU_VECTOR(short, short, 2, 4, 8)
EMU_VECTOR(unsigned short, ushort, 2, 4, 8)
EMU_VECTOR(int, int, 4, 8, 16)
EMU_VECTOR(unsigned, uint, 4, 8, 16)
EMU_VECTOR(long long, longlong, 8, 16, 16)
EMU_VECTOR(unsigned long long, ulonglong, 8, 16, 16)
EMU_VECTOR(float, float, 4, 8, 16)
EMU_VECTOR(double, double, 8, 16, 16)

struct dim3 {
	unsigned x, y, z;

	constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c)
	{
	}
};

/* The bits of one type as another of the same size. */
template <class To, class From> static inline To emu_bits(const From &from)
{
	static_assert(sizeof(To) == sizeof(From), "two types of one size");
	To to;

	memcpy(&to, &from, sizeof(to));
	return to;
}

/* --- bfloat16 --------------------------------------------------------------------------------- */

/* To the nearest, ties to even; every NaN becomes 0x7fff, as on the device. */
static inline uint16_t emu_round_bf16(float x)
{
	uint32_t u = emu_bits<uint32_t>(x);

	if ((u & 0x7fffffffu) > 0x7f800000u)
		return 0x7fff;
	return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

static inline float emu_widen_bf16(uint16_t b)
{
	return emu_bits<float>((uint32_t)b << 16);
}

struct alignas(2) __nv_bfloat16_raw {
	unsigned short x;
};

struct alignas(2) __nv_bfloat16 {
	uint16_t b;

	__nv_bfloat16() = default;
	__nv_bfloat16(float x) : b(emu_round_bf16(x))
	{
	}
	__nv_bfloat16(__nv_bfloat16_raw r) : b(r.x)
	{
	}
	operator float() const
	{
		return emu_widen_bf16(b);
	}
};

struct alignas(4) __nv_bfloat162 {
	__nv_bfloat16 x, y;

	__nv_bfloat162() = default;
	__nv_bfloat162(__nv_bfloat16 low, __nv_bfloat16 high) : x(low), y(high)
	{
	}
};

typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

static inline __nv_bfloat16 __float2bfloat16(float x)
{
	return __nv_bfloat16(x);
}

static inline __nv_bfloat16 __float2bfloat16_rn(float x)
{
	return __nv_bfloat16(x);
}

static inline float __bfloat162float(__nv_bfloat16 x)
{
	return (float)x;
}

static inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y)
{
	return __nv_bfloat162(x, y);
}

static inline __nv_bfloat162 __float22bfloat162_rn(float2 x)
{
	return __nv_bfloat162(x.x, x.y);
}

static inline __nv_bfloat162 __float2bfloat162_rn(float x)
{
	return __nv_bfloat162(x, x);
}

static inline float2 __bfloat1622float2(__nv_bfloat162 x)
{
	return { (float)x.x, (float)x.y };
}

static inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x, __nv_bfloat16 y)
{
	return __nv_bfloat162(x, y);
}

static inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 x)
{
	return __nv_bfloat162(x, x);
}

static inline __nv_bfloat16 __low2bfloat16(__nv_bfloat162 x)
{
	return x.x;
}

static inline __nv_bfloat16 __high2bfloat16(__nv_bfloat162 x)
{
	return x.y;
}

static inline float __low2float(__nv_bfloat162 x)
{
	return (float)x.x;
}

static inline float __high2float(__nv_bfloat162 x)
{
	return (float)x.y;
}

static inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x)
{
	return x.b;
}

static inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short x)
{
	return __nv_bfloat16(__nv_bfloat16_raw{ x });
}

/* --- arithmetic ------------------------------------------------------------------------------- */

template <class A, class B> static inline std::common_type_t<A, B> min(A a, B b)
{
	using T = std::common_type_t<A, B>;

	if constexpr (std::is_floating_point_v<T>)
		return fmin((T)a, (T)b);
	return (T)b < (T)a ? (T)b : (T)a;
}

template <class A, class B> static inline std::common_type_t<A, B> max(A a, B b)
{
	using T = std::common_type_t<A, B>;

	if constexpr (std::is_floating_point_v<T>)
		return fmax((T)a, (T)b);
	return (T)a < (T)b ? (T)b : (T)a;
}

/* The C library has names of its own like __expf, hence macros. */
#define __expf(x) expf(x)
#define __exp10f(x) exp10f(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __log10f(x) log10f(x)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __tanhf(x) tanhf(x)
#define __powf(x, y) powf(x, y)
#define __sincosf(x, s, c) sincosf(x, s, c)
#define __saturatef(x) fminf(fmaxf(x, 0.0f), 1.0f)
#define __fdividef(x, y) ((float)(x) / (float)(y))
#define __fdiv_rn(x, y) ((float)(x) / (float)(y))
#define __fmul_rn(x, y) ((float)(x) * (float)(y))
#define __fadd_rn(x, y) ((float)(x) + (float)(y))
#define __fsub_rn(x, y) ((float)(x) - (float)(y))
#define __fmaf_rn(x, y, z) fmaf(x, y, z)
#define __frcp_rn(x) (1.0f / (float)(x))
#define __fsqrt_rn(x) sqrtf(x)
#define __ddiv_rn(x, y) ((double)(x) / (double)(y))
#define __dmul_rn(x, y) ((double)(x) * (double)(y))
#define __dadd_rn(x, y) ((double)(x) + (double)(y))
#define __dsub_rn(x, y) ((double)(x) - (double)(y))
#define __dsqrt_rn(x) sqrt(x)
#define __fma_rn(x, y, z) fma(x, y, z)

static inline float rsqrtf(float x)
{
	return 1 / sqrtf(x);
}

static inline double rsqrt(double x)
{
	return 1 / sqrt(x);
}

#define __int_as_float(x) emu_bits<float>((int)(x))
#define __uint_as_float(x) emu_bits<float>((unsigned)(x))
#define __float_as_int(x) emu_bits<int>((float)(x))
#define __float_as_uint(x) emu_bits<unsigned>((float)(x))
#define __longlong_as_double(x) emu_bits<double>((long long)(x))
#define __double_as_longlong(x) emu_bits<long long>((double)(x))
#define __popc(x) __builtin_popcount(x)
#define __popcll(x) __builtin_popcountll(x)
#define __ffs(x) __builtin_ffs((int)(x))

static inline int __clz(int x)
{
	return x == 0 ? 32 : __builtin_clz((unsigned)x);
}

static inline int __clzll(long long x)
{
	return x == 0 ? 64 : __builtin_clzll((unsigned long long)x);
}

static inline unsigned __umulhi(unsigned a, unsigned b)
{
	return (unsigned)((uint64_t)a * b >> 32);
}

static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b)
{
	__extension__ typedef unsigned __int128 wide;

	return (unsigned long long)((wide)a * b >> 64);
}

#endif
