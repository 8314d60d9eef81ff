#ifndef LUCIE_KERNELS_CPU_MICRO_H
#define LUCIE_KERNELS_CPU_MICRO_H
/*
 * The micro-kernel of the matrix products, with its accumulators in registers, and the layouts that
 * it reads.
 *
 * acc[LK_MR][LK_NR] = sum over k of a(row, k) * b(k, column), in ascending k: element (i, j) is one
 * chain of v_fma over k and depends on nothing else.
 *
 * Packed A: for k = 0, 1, ...: LK_MR elements, one per row; rows past the end are zeros.
 * Packed B: for k = 0, 1, ...: LK_NR elements, one per column; columns past the end are zeros.
 * Plain A: row i, k at a[i * LK_NR + k]. Results are stored in this layout, so that a product of
 * products needs no packing in between.
 *
 * LK_MR x 2 accumulators, 2 vectors of B and 1 of A fill the registers: 16 for SSE2 and AVX2, 32
 * for AVX-512 and AArch64.
 */
#include "kernels/cpu/simd.h"

#define LK_NR (2 * LK_W)
#if LK_VEC_BYTES == 64
#define LK_MR 13
#elif LK_VEC_BYTES == 32
#define LK_MR 6
#elif defined(__aarch64__)
#define LK_MR 12
#else
#define LK_MR 4
#endif

struct lk_acc {
	lk_vec v[LK_MR][2];
};

/* One step of k: row i of A is at a[i * row]. */
LK_INLINE void micro_step(struct lk_acc *acc, const lk_real *a, size_t row, const lk_real *b)
{
	lk_vec b0 = v_load(b), b1 = v_load(b + LK_W);

#pragma GCC unroll 16
	for (size_t i = 0; i < LK_MR; i++) {
		lk_vec x = v_set(a[i * row]);

		acc->v[i][0] = v_fma(x, b0, acc->v[i][0]);
		acc->v[i][1] = v_fma(x, b1, acc->v[i][1]);
	}
}

LK_INLINE void micro_zero(struct lk_acc *acc)
{
	*acc = (struct lk_acc){ 0 };
}

LK_INLINE void micro_packed(struct lk_acc *acc, const lk_real *a, const lk_real *b, size_t k)
{
	for (; k > 0; k--, a += LK_MR, b += LK_NR)
		micro_step(acc, a, 1, b);
}

LK_INLINE void micro_plain(struct lk_acc *acc, const lk_real *a, const lk_real *b, size_t k)
{
	for (; k > 0; k--, a++, b += LK_NR)
		micro_step(acc, a, LK_NR, b);
}

LK_INLINE void micro_load(struct lk_acc *acc, const lk_real *d, size_t ld)
{
#pragma GCC unroll 16
	for (size_t i = 0; i < LK_MR; i++) {
		acc->v[i][0] = v_load(d + i * ld);
		acc->v[i][1] = v_load(d + i * ld + LK_W);
	}
}

LK_INLINE void micro_store(const struct lk_acc *acc, lk_real *d, size_t ld)
{
#pragma GCC unroll 16
	for (size_t i = 0; i < LK_MR; i++) {
		v_store(d + i * ld, acc->v[i][0]);
		v_store(d + i * ld + LK_W, acc->v[i][1]);
	}
}

/*
 * Pack LK_W columns of the panel's rows from `first` on; the columns of x are adjacent. Each column
 * gets LK_W elements even if fewer rows belong to the panel, and the excess overwrites the next
 * column: call with ascending columns and, within them, descending `first`.
 */
LK_INLINE void micro_pack_square(lk_real *to, const lk_real *x, size_t row, size_t rows,
		size_t width, size_t first, lk_real scale)
{
	lk_vec m[LK_W];

#pragma GCC unroll 16
	for (size_t i = 0; i < LK_W; i++)
		m[i] = first + i < rows ? v_load(x + (first + i) * row) * scale : (lk_vec){ 0 };
	v_transpose(m);
#pragma GCC unroll 16
	for (size_t i = 0; i < LK_W; i++)
		v_store(to + i * width + first, m[i]);
}

/*
 * Pack columns 0..k-1 of `rows` rows, times scale, into one panel of `width` elements per column;
 * element (i, c) is x[i * row + c * col]. Rows past the end are zeros.
 */
LK_INLINE void micro_pack(lk_real *to, const lk_real *x, size_t row, size_t col, size_t rows,
		size_t k, size_t width, lk_real scale)
{
	size_t c = 0, last = (width - 1) / LK_W * LK_W;

	if (col == 1)
		for (; c + LK_W < k; c += LK_W)
			for (size_t first = last + LK_W; first > 0; first -= LK_W)
				micro_pack_square(to + c * width, x + c, row, rows, width,
						first - LK_W, scale);
	x += c * col;
	to += c * width;
	if (rows == width && row == 1) {
		for (; c < k; c++, x += col, to += width)
#pragma GCC unroll 32
			for (size_t i = 0; i < width; i++)
				to[i] = x[i] * scale;
		return;
	}
	for (; c < k; c++, x += col, to += width) {
		for (size_t i = 0; i < rows; i++)
			to[i] = x[i * row] * scale;
		for (size_t i = rows; i < width; i++)
			to[i] = 0;
	}
}

#endif
