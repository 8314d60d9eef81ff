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
 * Packing reads x as lk_real, lk_actv or pairs (enum lk_as, a constant wherever this is inlined) and
 * writes lk_real or pairs. row and col count elements, and so does a pair of adjacent ones: two.
 *
 * Pack LK_W columns of the panel's rows from `first` on; the columns of x are adjacent. Each column
 * gets LK_W elements even if fewer rows belong to the panel, and the excess overwrites the next
 * column: call with ascending columns and, within them, descending `first`.
 */
LK_INLINE void micro_pack_square(lk_real *to, const void *x, int as, size_t row, size_t rows,
		size_t width, size_t first, lk_real scale)
{
	lk_vec m[LK_W];

#pragma GCC unroll 16
	for (size_t i = 0; i < LK_W; i++)
		m[i] = first + i < rows ? v_load_at(x, (first + i) * row, as) : (lk_vec){ 0 };
#pragma GCC unroll 16
	for (size_t i = 0; i < LK_W && scale != 1; i++)
		m[i] *= scale;
	v_transpose(m);
#pragma GCC unroll 16
	for (size_t i = 0; i < LK_W; i++)
		v_store(to + i * width + first, m[i]);
}

/* Panels are that wide at most. */
#define MICRO_WIDTH (LK_NR > LK_MR ? LK_NR : LK_MR)

/* LK_W columns of one panel whose columns are adjacent in x. */
LK_INLINE void micro_pack_columns(lk_real *to, const void *x, int as, size_t row, size_t rows,
		size_t width, lk_real scale)
{
	for (size_t first = (width - 1) / LK_W * LK_W + LK_W; first > 0; first -= LK_W)
		micro_pack_square(to, x, as, row, rows, width, first - LK_W, scale);
}

/*
 * Pack columns 0..k-1 of `rows` rows, times scale, into one panel of `width` elements per column;
 * element (i, c) is x[i * row + c * col]. Rows past the end are zeros.
 */
LK_INLINE void micro_pack(lk_real *to, const void *x, int as, size_t row, size_t col, size_t rows,
		size_t k, size_t width, lk_real scale)
{
	size_t c = 0, last = width % LK_W != 0;

	if (col == (as == LK_AS_PAIR ? 2 : 1)) {
		for (; c + LK_W + last <= k; c += LK_W)
			micro_pack_columns(to + c * width, v_at(x, c * col, as), as, row, rows,
					width, scale);
		if (c + LK_W == k) { /* aside, since the excess would be past the end */
			lk_real tmp[LK_W * MICRO_WIDTH + LK_W];

			micro_pack_columns(tmp, v_at(x, c * col, as), as, row, rows, width, scale);
			memcpy(to + c * width, tmp, LK_W * width * sizeof(*to));
			return;
		}
	}
	for (to += c * width; c < k; c++, to += width) {
		for (size_t i = 0; i < rows; i++) {
			to[i] = v_get_at(x, c * col + i * row, as);
			if (scale != 1)
				to[i] *= scale;
		}
		for (size_t i = rows; i < width; i++)
			to[i] = 0;
	}
}

/* Columns ahead that are fetched where each is on other pages than the one before. */
#define MICRO_AHEAD 16

/*
 * Pack `rows` adjacent rows into as many panels as they fill, all panels at a time: element (i, c) is
 * x[i + c * col]. Only whole vectors are copied but at the end of a panel and of the rows, so that a
 * column's excess is overwritten by the next column.
 */
LK_INLINE void micro_pack_wide(
		lk_real *to, const void *x, int as, size_t col, size_t rows, size_t k, size_t width)
{
	size_t vectors = (width + LK_W - 1) / LK_W;

	for (size_t c = 0; c < k; c++, to += width) {
		size_t i = 0, at = c * col;
		lk_real *p = to;

		if (c + MICRO_AHEAD < k)
			for (size_t j = 0; j < rows; j += 64 / sizeof(lk_real))
				__builtin_prefetch(v_at(x, at + MICRO_AHEAD * col + j, as));
		if (c + 1 < k)
			for (; i + vectors * LK_W <= rows; i += width, p += width * k)
#pragma GCC unroll 16
				for (size_t v = 0; v < vectors; v++)
					v_store(p + v * LK_W, v_load_at(x, at + i + v * LK_W, as));
		for (; i < rows; i += width, p += width * k)
			for (size_t j = 0; j < width; j++)
				p[j] = i + j < rows ? v_get_at(x, at + i + j, as) : 0;
	}
}

/* Pack `rows` rows into panels of `width`, each of k columns, one after the other. */
LK_INLINE void micro_pack_all(lk_real *to, const void *x, int as, size_t row, size_t col,
		size_t rows, size_t k, size_t width)
{
	if (row == 1 && col != 1) {
		micro_pack_wide(to, x, as, col, rows, k, width);
		return;
	}
	for (size_t i = 0; i < rows; i += width)
		micro_pack(to + i * k, v_at(x, i * row, as), as, row, col, lk_min(rows - i, width),
				k, width, 1);
}

#endif
