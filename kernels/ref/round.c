/*
 * Rounding to the nearest number of a type, ties to even: bf16 is the upper half of a float, with 8
 * significant bits and the exponents of a float.
 */
#include <math.h>

#include "kernels/ref/ref.h"

/* To `bits` significant bits, fewer below 2^least; 2^most and more is infinite. */
static double round_to(double x, int bits, int least, int most)
{
	int e;
	double y;

	if (!isfinite(x) || x == 0)
		return x;
	(void)frexp(x, &e);
	e = e < least ? least : e;
	y = ldexp(nearbyint(ldexp(x, bits - e)), e - bits);
	return fabs(y) >= ldexp(1, most) ? copysign((double)INFINITY, x) : y;
}

double lk_ref_round(double x, enum lk_type type)
{
	if (type == LK_BF16)
		return round_to(x, 8, -125, 128);
	return type == LK_F64 || (type != LK_F32 && sizeof(lk_real) == sizeof(double))
			? x
			: (double)(float)x;
}
