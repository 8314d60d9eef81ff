#include "trainer/comm/tree_sum.h"

#include <stdint.h>
#include <string.h>

#include "libcommon/io/safetensors.h"

#define TILE ((size_t)8 << 10) /* bytes: a tile of every member stays in the nearest cache */

static void add_f32(float *restrict y, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

static void add_f64(double *restrict y, const double *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

static void add_bytes(unsigned char *restrict y, const unsigned char *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = (unsigned char)(y[i] + x[i]);
}

static void add_bf16(uint16_t *restrict y, const uint16_t *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = lu_bf16_of(lu_bf16_to(y[i]) + lu_bf16_to(x[i]));
}

static void add(void *y, const void *x, size_t n, enum lt_sum_type type)
{
	switch (type) {
	case LT_SUM_F32: add_f32(y, x, n); break;
	case LT_SUM_F64: add_f64(y, x, n); break;
	case LT_SUM_BF16: add_bf16(y, x, n); break;
	case LT_SUM_BYTES: add_bytes(y, x, n); break;
	}
}

size_t lt_sum_size(enum lt_sum_type type)
{
	switch (type) {
	case LT_SUM_F32: return 4;
	case LT_SUM_F64: return 8;
	case LT_SUM_BF16: return 2;
	case LT_SUM_BYTES: return 1;
	}
	return 0;
}

void lt_tree_sum(void *out, char *const *member, size_t k, size_t n, enum lt_sum_type type)
{
	size_t size = lt_sum_size(type), tile = TILE / size;

	for (size_t i = 0; i < n; i += tile) {
		size_t m = n - i < tile ? n - i : tile, s;
		char *to = (char *)out + i * size;

		for (size_t left = k; left > 1; left = s) {
			s = (left + 1) / 2;
			for (size_t j = 0; j + s < left; j++)
				add(member[j] + i * size, member[j + s] + i * size, m, type);
		}
		if (to != member[0] + i * size)
			memcpy(to, member[0] + i * size, m * size);
	}
}
