#include "trainer/run/spike.h"

#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double lt_spike_limit(const struct lt_spike *s, double factor)
{
	double sorted[LT_SPIKE_WINDOW];
	size_t n = (size_t)s->n;

	if (factor <= 0 || n < LT_SPIKE_LEAST)
		return 0;
	memcpy(sorted, s->norm, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_size);
	return factor * (n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2);
}

void lt_spike_add(struct lt_spike *s, double norm)
{
	if (s->n == LT_SPIKE_WINDOW) {
		memmove(s->norm, s->norm + 1, (LT_SPIKE_WINDOW - 1) * sizeof(*s->norm));
		s->n--;
	}
	s->norm[s->n++] = norm;
}
