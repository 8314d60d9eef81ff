#include "libcommon/base/rng.h"

#include <math.h>
#include <string.h>

#include "libcommon/base/fnv.h"

/* Multipliers and key increments of Philox4x32 (table 2 of the paper). */
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

void lu_rand_block(uint64_t seed, uint64_t stream, uint64_t n, uint32_t out[4])
{
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
	uint32_t c0 = (uint32_t)n, c1 = (uint32_t)(n >> 32);
	uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);

	for (int round = 0; round < 10; round++) {
		uint64_t p0 = (uint64_t)PHILOX_M0 * c0;
		uint64_t p1 = (uint64_t)PHILOX_M1 * c2;
		uint32_t h0 = (uint32_t)(p0 >> 32), h1 = (uint32_t)(p1 >> 32);

		c0 = h1 ^ c1 ^ k0;
		c2 = h0 ^ c3 ^ k1;
		c1 = (uint32_t)p1;
		c3 = (uint32_t)p0;
		k0 += PHILOX_W0;
		k1 += PHILOX_W1;
	}
	out[0] = c0;
	out[1] = c1;
	out[2] = c2;
	out[3] = c3;
}

uint64_t lu_rand_u64(uint64_t seed, uint64_t stream, uint64_t n)
{
	uint32_t b[4];

	lu_rand_block(seed, stream, n >> 1, b);
	return n & 1 ? b[2] | (uint64_t)b[3] << 32 : b[0] | (uint64_t)b[1] << 32;
}

static double unit(uint64_t bits)
{
	return (double)(bits >> 11) * 0x1p-53;
}

double lu_rand_double(uint64_t seed, uint64_t stream, uint64_t n)
{
	return unit(lu_rand_u64(seed, stream, n));
}

uint64_t lu_rand_below(uint64_t seed, uint64_t stream, uint64_t n, uint64_t bound)
{
	__extension__ typedef unsigned __int128 u128;

	return (uint64_t)(((u128)lu_rand_u64(seed, stream, n) * bound) >> 64);
}

void lu_rand_normal2(uint64_t seed, uint64_t stream, uint64_t n, double out[2])
{
	const double two_pi = 6.283185307179586477;
	uint32_t b[4];
	double radius, angle;

	lu_rand_block(seed, stream, n, b);
	/* 1 - u is in (0, 1], so the logarithm is finite. */
	radius = sqrt(-2.0 * log(1.0 - unit(b[0] | (uint64_t)b[1] << 32)));
	angle = two_pi * unit(b[2] | (uint64_t)b[3] << 32);
	out[0] = radius * cos(angle);
	out[1] = radius * sin(angle);
}

/* Half the bits of the next power of four. */
static unsigned half_bits(uint64_t count)
{
	unsigned half = 1;

	while (half < 32 && (UINT64_C(1) << (2 * half)) < count)
		half++;
	return half;
}

uint64_t lu_rand_permute(uint64_t seed, uint64_t stream, uint64_t i, uint64_t count)
{
	unsigned half = half_bits(count);
	uint64_t mask = (UINT64_C(1) << half) - 1;

	do {
		uint64_t left = i >> half, right = i & mask;

		for (uint64_t round = 0; round < 6; round++) {
			uint32_t b[4];
			uint64_t next;

			lu_rand_block(seed, stream ^ round << 56, right, b);
			next = (left ^ b[0]) & mask;
			left = right;
			right = next;
		}
		i = left << half | right;
	} while (i >= count);
	return i;
}

/* The rounds backwards, and the cycle the other way round. */
uint64_t lu_rand_unpermute(uint64_t seed, uint64_t stream, uint64_t i, uint64_t count)
{
	unsigned half = half_bits(count);
	uint64_t mask = (UINT64_C(1) << half) - 1;

	do {
		uint64_t left = i >> half, right = i & mask;

		for (uint64_t round = 6; round-- > 0;) {
			uint32_t b[4];
			uint64_t before;

			lu_rand_block(seed, stream ^ round << 56, left, b);
			before = (right ^ b[0]) & mask;
			right = left;
			left = before;
		}
		i = left << half | right;
	} while (i >= count);
	return i;
}

/* The first numbers of blocks x and y, *a and *b: a round of Philox waits for the multiplication of
 * the round before, so two blocks take little longer than one. */
static void two_blocks(
		uint64_t seed, uint64_t stream, uint64_t x, uint64_t y, uint32_t *a, uint32_t *b)
{
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
	uint32_t x0 = (uint32_t)x, x1 = (uint32_t)(x >> 32);
	uint32_t y0 = (uint32_t)y, y1 = (uint32_t)(y >> 32);
	uint32_t x2 = (uint32_t)stream, x3 = (uint32_t)(stream >> 32), y2 = x2, y3 = x3;

	for (int round = 0; round < 10; round++) {
		uint64_t p0 = (uint64_t)PHILOX_M0 * x0, p1 = (uint64_t)PHILOX_M1 * x2;
		uint64_t q0 = (uint64_t)PHILOX_M0 * y0, q1 = (uint64_t)PHILOX_M1 * y2;

		x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
		y0 = (uint32_t)(q1 >> 32) ^ y1 ^ k0;
		x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
		y2 = (uint32_t)(q0 >> 32) ^ y3 ^ k1;
		x1 = (uint32_t)p1;
		y1 = (uint32_t)q1;
		x3 = (uint32_t)p0;
		y3 = (uint32_t)q0;
		k0 += PHILOX_W0;
		k1 += PHILOX_W1;
	}
	*a = x0;
	*b = y0;
}

/* Permute i[0] and i[1] once each, as one turn of lu_rand_permute() does. */
static void permute_two(uint64_t seed, uint64_t stream, unsigned half, uint64_t i[2])
{
	uint64_t mask = (UINT64_C(1) << half) - 1;
	uint64_t left0 = i[0] >> half, right0 = i[0] & mask;
	uint64_t left1 = i[1] >> half, right1 = i[1] & mask;

	for (uint64_t round = 0; round < 6; round++) {
		uint32_t a, b;
		uint64_t next;

		two_blocks(seed, stream ^ round << 56, right0, right1, &a, &b);
		next = (left0 ^ a) & mask;
		left0 = right0;
		right0 = next;
		next = (left1 ^ b) & mask;
		left1 = right1;
		right1 = next;
	}
	i[0] = left0 << half | right0;
	i[1] = left1 << half | right1;
}

void lu_rand_permute_run(uint64_t seed, uint64_t stream, uint64_t first, size_t n, uint64_t count,
		uint64_t *out)
{
	unsigned half = half_bits(count);
	/* Two numbers are under way; the one whose cycle ends first makes room for the next. */
	size_t slot[2] = { 0, 1 }, next = 2;
	uint64_t i[2] = { first, first + 1 };

	while (slot[0] < n || slot[1] < n) {
		permute_two(seed, stream, half, i);
		for (size_t k = 0; k < 2; k++) {
			if (i[k] >= count)
				continue;
			if (slot[k] < n)
				out[slot[k]] = i[k];
			slot[k] = next;
			i[k] = first + next++;
		}
	}
}

uint64_t lu_rand_stream(const char *name, uint64_t index)
{
	uint64_t h = lu_fnv1a(LU_FNV_BASIS, name, strlen(name));

	return (h & UINT64_C(0x00ffffffffffffff)) ^ index * UINT64_C(0x9E3779B97F4A7C15) >> 8;
}
