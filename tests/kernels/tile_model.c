/*
 * A model of AMX's tiles in C, behind the names that pairs.h has for the instructions: the packing and
 * the loops of the amx table run with it on any machine. It follows the description of tdpbf16ps
 * (Intel, Software Developer's Manual, volume 2) to the bit, but for results below the least normal
 * number, which it flushes after rounding.
 */
#include <float.h>
#include <stdlib.h>

#include "tests/kernels/lk_test.h"

#ifndef LK_DOUBLE
#define LK_ACT_BF16
#define LK_TILES

static _Thread_local float tmm[8][16][16];
static _Thread_local int configured;

/* Between tasks no tile may be in use: a second begin, or an end without one, is a mistake. */
static void tile_begin(void)
{
	if (configured++)
		abort();
	memset(tmm, 0xff, sizeof(tmm)); /* NaNs */
}

static void tile_end(void)
{
	if (!configured--)
		abort();
}

static void tile_zero(int t)
{
	if (!configured)
		abort();
	memset(tmm[t], 0, sizeof(tmm[t]));
}

static void tile_load(int t, const void *p, long stride)
{
	for (long i = 0; i < 16; i++)
		memcpy(tmm[t][i], (const char *)p + i * stride, sizeof(tmm[t][i]));
}

static void tile_store(int t, void *p, long stride)
{
	for (long i = 0; i < 16; i++)
		memcpy((char *)p + i * stride, tmm[t][i], sizeof(tmm[t][i]));
}

static float flushed(float x)
{
	return fabsf(x) < FLT_MIN ? copysignf(0, x) : x;
}

/* Element `half` of a pair. */
static float half_of(float pair, int half)
{
	uint32_t w;
	float x;

	memcpy(&w, &pair, sizeof(w));
	w = half ? w & 0xffff0000 : w << 16;
	memcpy(&x, &w, sizeof(x));
	return flushed(x);
}

static void tile_dot(int c, int a, int b)
{
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < 16; j++) {
			float sum[2] = { 0 };

			for (int k = 0; k < 16; k++)
				for (int h = 0; h < 2; h++)
					sum[h] = flushed(fmaf(half_of(tmm[a][i][k], h),
							half_of(tmm[b][k][j], h), sum[h]));
			tmm[c][i][j] = flushed(flushed(tmm[c][i][j]) + flushed(sum[0] + sum[1]));
		}
}

#define LK_ISA "amx model"
#include "kernels/cpu/isa.inc"

const struct lk_ops *t_tile_model(void)
{
	return &isa_ops;
}
#else
const struct lk_ops *t_tile_model(void)
{
	return NULL;
}
#endif
