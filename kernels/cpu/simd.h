#ifndef LUCIE_KERNELS_CPU_SIMD_H
#define LUCIE_KERNELS_CPU_SIMD_H
/*
 * Vectors of the width of the instruction set that the including file is compiled for, and the few
 * functions on them that C lacks. The operations include this once per instruction set; everything
 * is static, so the copies do not collide.
 *
 * lk_vec holds LK_W elements of lk_real. Pointers need the alignment of their element only. Partial
 * loads fill the other lanes with a given value, so that tails take the same arithmetic as the rest.
 *
 * lk_actv is an element of an activation (lk_act): lk_real or, where LK_ACT_BF16 is defined, bf16.
 * a_load(), a_store() and so on stand next to v_load(), v_store(): arithmetic is in lk_vec always. An
 * operation written with them is compiled for either type of activation.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "kernels/lk.h"

#if defined(__AVX512F__)
#define LK_VEC_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define LK_VEC_BYTES 32
#else
#define LK_VEC_BYTES 16
#endif

#define LK_INLINE static inline __attribute__((always_inline, unused))
/* An operation of the table: unused only where an editor parses its file alone. */
#define LK_OP static __attribute__((unused))

#ifdef LK_DOUBLE
typedef int64_t lk_int;
typedef uint64_t lk_word;
#else
typedef int32_t lk_int;
typedef uint32_t lk_word;
#endif
typedef lk_real lk_vec __attribute__((vector_size(LK_VEC_BYTES)));
typedef lk_int lk_ivec __attribute__((vector_size(LK_VEC_BYTES)));
typedef lk_word lk_wvec __attribute__((vector_size(LK_VEC_BYTES)));

#define LK_W (LK_VEC_BYTES / sizeof(lk_real))
#define LK_INF ((lk_real)INFINITY)

LK_INLINE size_t lk_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

LK_INLINE size_t lk_blocks(size_t n, size_t size)
{
	return n / size + (n % size != 0);
}

LK_INLINE lk_vec v_set(lk_real x)
{
	return x - (lk_vec){ 0 };
}

LK_INLINE lk_vec v_load(const lk_real *p)
{
	lk_vec v;

	memcpy(&v, p, sizeof(v));
	return v;
}

LK_INLINE void v_store(lk_real *p, lk_vec v)
{
	memcpy(p, &v, sizeof(v));
}

/* Load the first n < LK_W lanes from p; the others are `fill`. */
LK_INLINE lk_vec v_load_part(const lk_real *p, size_t n, lk_real fill)
{
	lk_vec v = v_set(fill);

	for (size_t i = 0; i < n; i++)
		v[i] = p[i];
	return v;
}

LK_INLINE void v_store_part(lk_real *p, lk_vec v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = v[i];
}

/*
 * bf16 is the upper half of a float. Rounding to it is to the nearest, ties to even; denormals are
 * numbers like others, and NaN stays NaN: the bits are the same on every instruction set (the
 * conversion of AVX512_BF16 would flush denormals).
 */
#ifdef LK_ACT_BF16
#define LK_MIXED 1 /* lk_actv is not lk_real */
typedef uint16_t lk_actv;
typedef uint16_t lk_avec __attribute__((vector_size(LK_VEC_BYTES / sizeof(lk_real) * 2)));
typedef uint32_t lk_avec32 __attribute__((vector_size(LK_VEC_BYTES / sizeof(lk_real) * 4)));
typedef float lk_fvec32 __attribute__((vector_size(LK_VEC_BYTES / sizeof(lk_real) * 4)));

LK_INLINE lk_vec a_widen(lk_avec a)
{
#if defined(__AVX512F__) && !defined(LK_DOUBLE)
	return (lk_vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)a), 16);
#elif LK_VEC_BYTES == 32 && !defined(LK_DOUBLE)
	return (lk_vec)_mm256_slli_epi32(_mm256_cvtepu16_epi32((__m128i)a), 16);
#else
	lk_avec32 w = __builtin_convertvector(a, lk_avec32) << 16;

	return __builtin_convertvector((lk_fvec32)w, lk_vec);
#endif
}

LK_INLINE lk_avec a_narrow(lk_vec v)
{
	lk_fvec32 f = __builtin_convertvector(v, lk_fvec32);
	lk_avec32 w = (lk_avec32)f, up, nan;

#ifdef LK_DOUBLE
	/* Not rounded twice: what a float cannot hold is cut off and leaves its last bit set. */
	for (size_t i = 0; i < LK_W; i++) {
		double d = (double)f[i];

		if (d != v[i] && d == d)
			w[i] = (w[i] - ((d > v[i]) == (d > 0))) | 1;
	}
#endif
	up = w + 0x7fff + (w >> 16 & 1);
	nan = (lk_avec32)(f != f);
	w = (up & ~nan) | ((w | 0x400000) & nan);
#if defined(__AVX512F__) && !defined(LK_DOUBLE)
	return (lk_avec)_mm512_cvtepi32_epi16((__m512i)(w >> 16));
#else
	return __builtin_convertvector(w >> 16, lk_avec);
#endif
}

LK_INLINE lk_vec a_load(const lk_actv *p)
{
	lk_avec a;

	memcpy(&a, p, sizeof(a));
	return a_widen(a);
}

LK_INLINE void a_store(lk_actv *p, lk_vec v)
{
	lk_avec a = a_narrow(v);

	memcpy(p, &a, sizeof(a));
}

/* One element, widened and rounded. */
LK_INLINE lk_real a_get(lk_actv x)
{
	return a_widen(x - (lk_avec){ 0 })[0];
}

LK_INLINE lk_actv a_put(lk_real x)
{
	return a_narrow(v_set(x))[0];
}

LK_INLINE lk_vec a_load_part(const lk_actv *p, size_t n, lk_real fill)
{
	lk_vec v = v_set(fill);

	for (size_t i = 0; i < n; i++)
		v[i] = a_get(p[i]);
	return v;
}

LK_INLINE void a_store_part(lk_actv *p, lk_vec v, size_t n)
{
	lk_avec a = a_narrow(v);

	for (size_t i = 0; i < n; i++)
		p[i] = a[i];
}
#else
#define LK_MIXED 0
typedef lk_real lk_actv;

LK_INLINE lk_vec a_load(const lk_actv *p)
{
	return v_load(p);
}

LK_INLINE void a_store(lk_actv *p, lk_vec v)
{
	v_store(p, v);
}

LK_INLINE lk_real a_get(lk_actv x)
{
	return x;
}

LK_INLINE lk_actv a_put(lk_real x)
{
	return x;
}

LK_INLINE lk_vec a_load_part(const lk_actv *p, size_t n, lk_real fill)
{
	return v_load_part(p, n, fill);
}

LK_INLINE void a_store_part(lk_actv *p, lk_vec v, size_t n)
{
	v_store_part(p, v, n);
}
#endif

/*
 * Elements of an array of lk_real or lk_actv, for code that both kinds of arrays go through. As pairs:
 * two elements of lk_actv as they are, in the place of one lk_real (see pairs.h).
 */
enum lk_as { LK_AS_REAL, LK_AS_ACT, LK_AS_PAIR };

/* The address of element i. */
LK_INLINE void *v_at(const void *x, size_t i, int as)
{
	return (char *)(uintptr_t)x + i * (as == LK_AS_REAL ? sizeof(lk_real) : sizeof(lk_actv));
}

/* The vector from element i on. */
LK_INLINE lk_vec v_load_at(const void *x, size_t i, int as)
{
	return as == LK_AS_ACT ? a_load((const lk_actv *)x + i) : v_load(v_at(x, i, as));
}

LK_INLINE void v_store_at(void *x, size_t i, lk_vec v, int as)
{
	if (as == LK_AS_ACT)
		a_store((lk_actv *)x + i, v);
	else
		v_store((lk_real *)x + i, v);
}

LK_INLINE lk_real v_get_at(const void *x, size_t i, int as)
{
	lk_real v;

	if (as == LK_AS_ACT)
		return a_get(((const lk_actv *)x)[i]);
	memcpy(&v, v_at(x, i, as), sizeof(v));
	return v;
}

LK_INLINE void v_put_at(void *x, size_t i, lk_real value, int as)
{
	if (as == LK_AS_ACT)
		((lk_actv *)x)[i] = a_put(value);
	else
		((lk_real *)x)[i] = value;
}

/* n < LK_W elements, the rest zeros. */
LK_INLINE lk_vec v_load_part_at(const void *x, size_t i, size_t n, int as)
{
	return as == LK_AS_ACT ? a_load_part((const lk_actv *)x + i, n, 0)
			       : v_load_part((const lk_real *)x + i, n, 0);
}

/* a * b + c, rounded once if the instruction set has FMA. */
LK_INLINE lk_vec v_fma(lk_vec a, lk_vec b, lk_vec c)
{
#if defined(__AVX512F__) && defined(LK_DOUBLE)
	return (lk_vec)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__AVX512F__)
	return (lk_vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif LK_VEC_BYTES == 32 && defined(LK_DOUBLE)
	return (lk_vec)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif LK_VEC_BYTES == 32
	return (lk_vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__) && defined(LK_DOUBLE)
	return (lk_vec)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#elif defined(__aarch64__)
	return (lk_vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
	return a * b + c;
#endif
}

LK_INLINE lk_vec v_sqrt(lk_vec a)
{
#if defined(__AVX512F__) && defined(LK_DOUBLE)
	return (lk_vec)_mm512_sqrt_pd((__m512d)a);
#elif defined(__AVX512F__)
	return (lk_vec)_mm512_sqrt_ps((__m512)a);
#elif LK_VEC_BYTES == 32 && defined(LK_DOUBLE)
	return (lk_vec)_mm256_sqrt_pd((__m256d)a);
#elif LK_VEC_BYTES == 32
	return (lk_vec)_mm256_sqrt_ps((__m256)a);
#elif LK_VEC_BYTES == 16 && defined(__x86_64__) && defined(LK_DOUBLE)
	return (lk_vec)_mm_sqrt_pd((__m128d)a);
#elif LK_VEC_BYTES == 16 && defined(__x86_64__)
	return (lk_vec)_mm_sqrt_ps((__m128)a);
#else
	for (size_t i = 0; i < LK_W; i++)
		a[i] = (lk_real)__builtin_sqrt((double)a[i]);
	return a;
#endif
}

/* Select by lane: a where mask is all ones, b where it is zero. */
LK_INLINE lk_vec v_pick(lk_ivec mask, lk_vec a, lk_vec b)
{
	return (lk_vec)(((lk_ivec)a & mask) | ((lk_ivec)b & ~mask));
}

/* a > b ? a : b, and so b where either is NaN. */
LK_INLINE lk_vec v_max(lk_vec a, lk_vec b)
{
#if defined(__AVX512F__) && defined(LK_DOUBLE)
	return (lk_vec)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif defined(__AVX512F__)
	return (lk_vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif LK_VEC_BYTES == 32 && defined(LK_DOUBLE)
	return (lk_vec)_mm256_max_pd((__m256d)a, (__m256d)b);
#elif LK_VEC_BYTES == 32
	return (lk_vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
	return v_pick(a > b, a, b);
#endif
}

/* Sum of the lanes by a binary tree: an order fixed by the width. */
LK_INLINE lk_real v_sum(lk_vec a)
{
	lk_real x[LK_W];

	v_store(x, a);
	for (size_t s = LK_W / 2; s > 0; s /= 2)
		for (size_t i = 0; i < s; i++)
			x[i] += x[i + s];
	return x[0];
}

/* Dot product of n elements, in four vectors of partial sums. */
LK_INLINE lk_real v_dot_at(const void *a, const void *b, size_t n, int as)
{
	lk_vec s[4] = { { 0 } };
	size_t i = 0;

	for (; i + 4 * LK_W <= n; i += 4 * LK_W)
		for (size_t j = 0; j < 4; j++)
			s[j] = v_fma(v_load_at(a, i + j * LK_W, as), v_load_at(b, i + j * LK_W, as),
					s[j]);
	for (; i + LK_W <= n; i += LK_W)
		s[0] = v_fma(v_load_at(a, i, as), v_load_at(b, i, as), s[0]);
	if (i < n)
		s[1] = v_fma(v_load_part_at(a, i, n - i, as), v_load_part_at(b, i, n - i, as),
				s[1]);
	return v_sum((s[0] + s[1]) + (s[2] + s[3]));
}

LK_INLINE lk_real v_dot(const lk_real *a, const lk_real *b, size_t n)
{
	return v_dot_at(a, b, n, LK_AS_REAL);
}

LK_INLINE lk_real a_dot(const lk_actv *a, const lk_actv *b, size_t n)
{
	return v_dot_at(a, b, n, LK_AS_ACT);
}

/* y[i] = x[i], i < n, each of them an activation or not. */
LK_INLINE void v_convert_at(void *y, int y_act, const void *x, int x_act, size_t n)
{
	size_t i = 0;

	for (; i + LK_W <= n; i += LK_W)
		v_store_at(y, i, v_load_at(x, i, x_act), y_act);
	for (; i < n; i++)
		v_put_at(y, i, v_get_at(x, i, x_act), y_act);
}

/* y[i] = a[i] + b[i], i < n; y may be a or b. y and a are activations or not, so is b. */
LK_INLINE void v_add_at(void *y, const void *a, int act, const void *b, int b_act, size_t n)
{
	size_t i = 0;

	for (; i + LK_W <= n; i += LK_W)
		v_store_at(y, i, v_load_at(a, i, act) + v_load_at(b, i, b_act), act);
	for (; i < n; i++)
		v_put_at(y, i, v_get_at(a, i, act) + v_get_at(b, i, b_act), act);
}

LK_INLINE void v_add_n(lk_real *y, const lk_real *a, const lk_real *b, size_t n)
{
	v_add_at(y, a, 0, b, 0, n);
}

LK_INLINE void a_add_n(lk_actv *y, const lk_actv *a, const lk_actv *b, size_t n)
{
	v_add_at(y, a, 1, b, 1, n);
}

LK_INLINE lk_real v_max_lane(lk_vec a)
{
	lk_real m = a[0];

	for (size_t i = 1; i < LK_W; i++)
		if (a[i] > m)
			m = a[i];
	return m;
}

/*
 * Transpose LK_W vectors in place: swap the off-diagonal blocks of size 1, 2, 4, ... of each pair of
 * rows.
 */
#define V_LOW(l, s) ((l) & (s) ? (int)LK_W + (l) - (s) : (l))
#define V_HIGH(l, s) ((l) & (s) ? (int)LK_W + (l) : (l) + (s))
#define V_2(f, l, s) f(l, s), f((l) + 1, s)
#define V_4(f, l, s) V_2(f, l, s), V_2(f, (l) + 2, s)
#define V_8(f, l, s) V_4(f, l, s), V_4(f, (l) + 4, s)
#define V_16(f, l, s) V_8(f, l, s), V_8(f, (l) + 8, s)
#ifdef LK_DOUBLE
#define LK_LANES (LK_VEC_BYTES / 8)
#else
#define LK_LANES (LK_VEC_BYTES / 4)
#endif
#if LK_LANES == 2
#define V_ALL V_2
#elif LK_LANES == 4
#define V_ALL V_4
#elif LK_LANES == 8
#define V_ALL V_8
#else
#define V_ALL V_16
#endif
#define V_SWAP(m, s)                                                                             \
	for (size_t v_i = 0; v_i < LK_W; v_i++)                                                  \
		if ((v_i & (s)) == 0) {                                                          \
			lk_vec v_a = (m)[v_i], v_b = (m)[v_i + (s)];                             \
                                                                                                 \
			(m)[v_i] = __builtin_shufflevector(v_a, v_b, V_ALL(V_LOW, 0, s));        \
			(m)[v_i + (s)] = __builtin_shufflevector(v_a, v_b, V_ALL(V_HIGH, 0, s)); \
		}

LK_INLINE void v_transpose(lk_vec *m)
{
	V_SWAP(m, 1)
#if LK_LANES > 2
	V_SWAP(m, 2)
#endif
#if LK_LANES > 4
	V_SWAP(m, 4)
#endif
#if LK_LANES > 8
	V_SWAP(m, 8)
#endif
}

/*
 * e^x for x up to slightly above 0: x = n ln 2 + r with integer n and |r| <= ln(2)/2, then 2^n e^r.
 * Adding 1.5 * 2^23 (2^52) rounds to an integer and leaves n in the low bits; ln 2 is split in two,
 * the first part short enough for its product with n to be exact.
 * float: e^r = 1 + r + r^2 P(r), where P of degree 4 interpolates (e^r - 1 - r) / r^2 at the
 * Chebyshev nodes of the interval: relative error 1.1e-8. Including all roundings, at most 1.04 ulp
 * over 400,000 arguments (tests/kernels/test_cross_entropy.c measures it). double: the Taylor series
 * to r^13, whose next term is below 5e-18.
 * Below -87 (-708) the result is 0; e^0 is exactly 1; NaN stays NaN.
 */
LK_INLINE lk_vec v_exp(lk_vec x)
{
#ifdef LK_DOUBLE
	static const lk_real c[] = { 1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0,
		1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0,
		1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5 };
	const lk_real magic = 6755399441055744.0, log2e = 1.4426950408889634, lowest = -708.0;
	const lk_real hi = 0.69314718055829871, lo = 1.6465949582897081e-12;
	const int shift = 52;
#else
	static const lk_real c[] = { 0.00139262131f, 0.00836320315f, 0.0416665561f, 0.166665763f,
		0.5f };
	const lk_real magic = 12582912.0f, log2e = 1.44269504f, lowest = -87.0f;
	const lk_real hi = 0.693145751953125f, lo = 1.42860682e-6f;
	const int shift = 23;
#endif
	lk_vec t = v_fma(x, v_set(log2e), v_set(magic)), n = t - magic;
	lk_vec r = v_fma(n, v_set(-lo), v_fma(n, v_set(-hi), x));
	lk_vec p = v_set(c[0]);

	for (size_t i = 1; i < sizeof(c) / sizeof(c[0]); i++)
		p = v_fma(p, r, v_set(c[i]));
	p = v_fma(p, r * r, r) + (lk_real)1;
	p = (lk_vec)((lk_wvec)p + ((lk_wvec)t << shift));
	return v_pick(x < v_set(lowest), (lk_vec){ 0 }, p);
}

#endif
