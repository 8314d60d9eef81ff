#include "libcommon/mix/power.h"

#include <math.h>

__extension__ typedef unsigned __int128 u128;

#define BITS 56 /* of the logarithm's fraction */

/* log2(n) in units of 2^-BITS: the whole part from the highest bit, then a bit of the fraction for each
 * squaring of the rest (Knuth, The Art of Computer Programming 1, 1.2.2, exercise 25). */
static u128 log_2(uint64_t n)
{
	unsigned high = 63 - (unsigned)__builtin_clzll(n);
	uint64_t m = n << (63 - high); /* in [1, 2), in units of 2^-63 */
	u128 log = high;

	for (int i = 0; i < BITS; i++) {
		u128 square = (u128)m * m >> 63;
		unsigned bit = square >> 64 != 0;

		log = log << 1 | bit;
		m = (uint64_t)(bit ? square >> 1 : square);
	}
	return log;
}

/* The square root of x, rounded down. */
static uint64_t root(u128 x)
{
	uint64_t r = 0;

	for (int i = 63; i >= 0; i--) {
		uint64_t try = r | UINT64_C(1) << i;

		if ((u128)try * try <= x)
			r = try;
	}
	return r;
}

double lu_power(uint64_t n, uint64_t temperature)
{
	u128 log = log_2(n) * 1000000 / temperature;
	int whole = (int)(log >> BITS);
	uint64_t fraction = (uint64_t)(log & ((UINT64_C(1) << BITS) - 1));
	u128 step = (u128)1 << 64;	    /* 2^(2^-i), in units of 2^-63, from i = 0 */
	uint64_t power = UINT64_C(1) << 63; /* 2^fraction, in units of 2^-63 */

	for (int i = 1; i <= BITS; i++) {
		step = root(step << 63);
		if (fraction >> (BITS - i) & 1)
			power = (uint64_t)((u128)power * step >> 63);
	}
	/* Scaling by a power of two is exact. */
	return ldexp((double)power, whole - 63);
}
