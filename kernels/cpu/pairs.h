#ifndef LUCIE_KERNELS_CPU_PAIRS_H
#define LUCIE_KERNELS_CPU_PAIRS_H
/*
 * Micro-kernels for products of bf16 by instructions that multiply pairs along k and add in float, and
 * the layouts that they read. LK_PAIRS tells whether the target has such instructions.
 *
 * A word is the pair of elements 2c (lower half) and 2c + 1 of a line, a zero where k is odd; panels are
 * those of micro.h with words for elements, so k counts pairs from here on.
 *
 * vdpbf16ps (AVX512_BF16) adds a pair to an element of the accumulator in two fused multiply-adds, the
 * upper halves first: acc = fma(a0, b0, fma(a1, b1, acc)).
 * tdpbf16ps (AMX_BF16) adds 16 pairs: upper and lower products are summed apart by fused multiply-adds
 * in ascending c, from 0; then acc += lower sum + upper sum.
 * Both round to the nearest, take denormal inputs for zeros and flush denormal results to zero,
 * whatever the mode of the thread (Intel, Software Developer's Manual, volume 2). So each has bits of
 * its own, and neither those of the multiply-adds of micro.h.
 *
 * Tiles: a panel of A is cut along k into blocks of 16 pairs: for each of them PAIR_MR lines of 16
 * words. tile_begin() comes before the products of a task and tile_end() after them, on the thread that
 * does them. A file that has tile functions of its own (tests/kernels/tile_model.c) defines LK_TILES and
 * those before it includes this.
 */
#include "kernels/cpu/micro.h"

#if defined(LK_DOUBLE) || !defined(LK_ACT_BF16)
#define LK_PAIRS 0
#elif defined(LK_TILES)
#define LK_PAIRS 1
#elif defined(__AMX_BF16__) || defined(__AMXBF16__) /* gcc, clang 14 */
#define LK_PAIRS 1
#define LK_TILES

LK_INLINE void tile_begin(void)
{
	/* palette 1; bytes of a row of each tile; rows of each tile */
	static const struct {
		uint8_t palette, start, zero[14];
		uint16_t bytes[16];
		uint8_t rows[16];
	} eight = { .palette = 1,
		.bytes = { 64, 64, 64, 64, 64, 64, 64, 64 },
		.rows = { 16, 16, 16, 16, 16, 16, 16, 16 } };

	_tile_loadconfig(&eight);
}

/* Without it the kernel would save the tiles at every switch from this thread. */
LK_INLINE void tile_end(void)
{
	_tile_release();
}

/* Tiles are numbered by constants; strides are in bytes. */
#define tile_zero(t) _tile_zero(t)
#define tile_load(t, p, stride) _tile_loadd(t, p, stride)
#define tile_dot(c, a, b) _tile_dpbf16ps(c, a, b)
#define tile_store(t, p, stride) _tile_stored(t, p, stride)
#elif defined(__AVX512BF16__)
#define LK_PAIRS 1
#else
#define LK_PAIRS 0
#endif

#ifdef LK_TILES
#define PAIR_MR ((size_t)32)
#define PAIR_NR ((size_t)32)
#define PAIR_STEP ((size_t)16) /* k is a multiple of so many pairs */
#else
#define PAIR_MR LK_MR
#define PAIR_NR LK_NR
#define PAIR_STEP ((size_t)1)
#endif

#if LK_PAIRS
/* Pairs of a line of k elements. */
LK_INLINE size_t pair_count(size_t k)
{
	return lk_blocks(k, 2 * PAIR_STEP) * PAIR_STEP;
}

/* Lines of bf16: element e of line i is x[i * line + e * step], for i < lines and e < k. */
struct pair_lines {
	const lk_actv *x;
	size_t line, step, lines, k;
};

/* Word c of line i; zeros past the ends. */
LK_INLINE uint32_t pair_word(const struct pair_lines *p, size_t i, size_t c)
{
	const lk_actv *x = p->x + i * p->line + 2 * c * p->step;
	uint32_t w = 0;

	if (i < p->lines && 2 * c < p->k)
		w = x[0];
	if (i < p->lines && 2 * c + 1 < p->k)
		w |= (uint32_t)x[p->step] << 16;
	return w;
}

/* Word c of lines i .. i + LK_W - 1, which are adjacent. */
LK_INLINE lk_vec pair_words(const struct pair_lines *p, size_t i, size_t c)
{
	const lk_actv *x = p->x + i + 2 * c * p->step;

	return (lk_vec)((lk_wvec)a_load(x) >> 16 | (lk_wvec)a_load(x + p->step));
}

/* Words from..to-1 of all lines one by one, into panels of `width` lines, `pairs` words long. */
LK_INLINE void pair_pack_rest(
		lk_real *to, const struct pair_lines *p, size_t pairs, size_t width, size_t from)
{
	for (size_t i = 0; i < lk_blocks(p->lines, width) * width; i++)
		for (size_t c = from; c < pairs; c++) {
			uint32_t w = pair_word(p, i, c);

			memcpy(to + i / width * width * pairs + c * width + i % width, &w,
					sizeof(w));
		}
}

/* As micro_pack_wide() does: adjacent lines, whole vectors, excess overwritten by the next word. */
LK_INLINE void pair_pack_wide(lk_real *to, const struct pair_lines *p, size_t pairs, size_t width)
{
	size_t vectors = (width + LK_W - 1) / LK_W, whole = p->k / 2;

	whole = whole == pairs && whole > 0 ? whole - 1 : whole;
	for (size_t c = 0; c < whole; c++) {
		lk_real *at = to + c * width;
		size_t i = 0;

		if (c + MICRO_AHEAD < whole)
			for (size_t j = 0; j < p->lines; j += 64 / sizeof(lk_actv)) {
				const lk_actv *x = p->x + 2 * (c + MICRO_AHEAD) * p->step + j;

				__builtin_prefetch(x);
				__builtin_prefetch(x + p->step);
			}
		for (; i + vectors * LK_W <= p->lines; i += width, at += width * pairs)
#pragma GCC unroll 16
			for (size_t v = 0; v < vectors; v++)
				v_store(at + v * LK_W, pair_words(p, i + v * LK_W, c));
		for (; i < p->lines; i += width, at += width * pairs)
			for (size_t j = 0; j < width; j++) {
				uint32_t w = pair_word(p, i + j, c);

				memcpy(at + j, &w, sizeof(w));
			}
	}
	pair_pack_rest(to, p, pairs, width, whole);
}

/* Pack all lines into panels of `width` lines, `pairs` words long. */
LK_INLINE void pair_pack(lk_real *to, const struct pair_lines *p, size_t pairs, size_t width)
{
	if (p->step != 1) {
		pair_pack_wide(to, p, pairs, width);
		return;
	}
	for (size_t i = 0; i < p->lines; i += width)
		micro_pack(to + i * pairs, p->x + i * p->line, LK_AS_PAIR, p->line, 2,
				lk_min(p->lines - i, width), p->k / 2, width, 1);
	pair_pack_rest(to, p, pairs, width, p->k / 2);
}
#endif

#ifdef LK_TILES
/* One block of 16 pairs, from c on, of PAIR_MR lines, from i on, as lines of 16 words. */
LK_INLINE void pair_pack_block(uint32_t *to, const struct pair_lines *p, size_t i, size_t c)
{
	size_t whole = p->k > 2 * c ? lk_min((p->k - 2 * c) / 2, PAIR_STEP) : 0;

	for (size_t y = 0; y < PAIR_MR; y += LK_W)
		for (size_t x = 0; x < PAIR_STEP; x += LK_W) {
			lk_vec m[LK_W];
			int full = i + y + LK_W <= p->lines && x + LK_W <= whole;

			if (full && p->step != 1)
				for (size_t j = 0; j < LK_W; j++)
					m[j] = pair_words(p, i + y, c + x + j);
			else if (full)
				for (size_t j = 0; j < LK_W; j++)
					m[j] = v_load_at(p->x, (i + y + j) * p->line + 2 * (c + x),
							LK_AS_PAIR);
			if (full && p->step != 1)
				v_transpose(m);
			for (size_t j = 0; full && j < LK_W; j++)
				memcpy(to + (y + j) * PAIR_STEP + x, &m[j], sizeof(m[j]));
			for (size_t j = 0; !full && j < LK_W * LK_W; j++)
				to[(y + j / LK_W) * PAIR_STEP + x + j % LK_W] =
						pair_word(p, i + y + j / LK_W, c + x + j % LK_W);
		}
}

/* Pack all lines into panels for the left operand. */
LK_INLINE void pair_pack_left(lk_real *to, const struct pair_lines *p, size_t pairs)
{
	for (size_t i = 0; i < p->lines; i += PAIR_MR)
		for (size_t c = 0; c < pairs; c += PAIR_STEP)
			pair_pack_block((uint32_t *)(void *)(to + i * pairs + c * PAIR_MR), p, i,
					c);
}

/* out[PAIR_MR][PAIR_NR] = the product of two panels. */
LK_INLINE void pair_tiles(lk_real *out, const lk_real *a, const lk_real *b, size_t k)
{
	const long half = (long)(PAIR_STEP * PAIR_STEP), wide = 4 * (long)PAIR_NR;

	__asm__ volatile("" ::: "memory"); /* the panels are written */
	tile_zero(0);
	tile_zero(1);
	tile_zero(2);
	tile_zero(3);
	for (; k > 0; k -= PAIR_STEP, a += PAIR_MR * PAIR_STEP, b += PAIR_NR * PAIR_STEP) {
		tile_load(4, a, 64);
		tile_load(6, b, wide);
		tile_dot(0, 4, 6);
		tile_load(7, b + PAIR_STEP, wide);
		tile_dot(1, 4, 7);
		tile_load(5, a + half, 64);
		tile_dot(2, 5, 6);
		tile_dot(3, 5, 7);
	}
	tile_store(0, out, wide);
	tile_store(1, out + PAIR_STEP, wide);
	tile_store(2, out + PAIR_STEP * PAIR_NR, wide);
	tile_store(3, out + PAIR_STEP * PAIR_NR + PAIR_STEP, wide);
	__asm__ volatile("" ::: "memory");
}
#elif LK_PAIRS
LK_INLINE void pair_packed(struct lk_acc *acc, const lk_real *a, const lk_real *b, size_t k)
{
	for (; k > 0; k--, a += LK_MR, b += LK_NR) {
		__m512bh b0 = (__m512bh)v_load(b), b1 = (__m512bh)v_load(b + LK_W);

#pragma GCC unroll 16
		for (size_t i = 0; i < LK_MR; i++) {
			int32_t w;
			__m512bh x;

			memcpy(&w, a + i, sizeof(w));
			x = (__m512bh)_mm512_set1_epi32(w);
			acc->v[i][0] = (lk_vec)_mm512_dpbf16_ps((__m512)acc->v[i][0], x, b0);
			acc->v[i][1] = (lk_vec)_mm512_dpbf16_ps((__m512)acc->v[i][1], x, b1);
		}
	}
}
#endif

#endif
