#include "libcommon/base/num.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int lu_hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Parse decimal digits at *p and advance past them; false on overflow. */
static bool parse_digits(const char **p, uint64_t *v)
{
	for (*v = 0; is_digit(**p); ++*p) {
		if (__builtin_mul_overflow(*v, (uint64_t)10, v) ||
				__builtin_add_overflow(*v, (uint64_t)(**p - '0'), v))
			return false;
	}
	return true;
}

int lu_num_u64(const char *s, uint64_t *out, struct lu_err *err)
{
	const char *p = s;
	uint64_t v;

	if (!is_digit(*p))
		return lu_err_set(err, "'%s' is not a whole number", s);
	if (!parse_digits(&p, &v))
		return lu_err_set(err, "'%s' is too large", s);
	if (*p)
		return lu_err_set(err, "'%s' is not a whole number", s);
	*out = v;
	return 0;
}

int lu_num_i64(const char *s, int64_t *out, struct lu_err *err)
{
	bool neg = *s == '-';
	uint64_t v;

	if (lu_num_u64(s + neg, &v, err) < 0)
		return lu_err_set(err, "'%s' is not a whole number in range", s);
	if (v > (uint64_t)INT64_MAX + neg)
		return lu_err_set(err, "'%s' is too %s", s, neg ? "small" : "large");
	*out = neg ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int lu_num_size(const char *s, uint64_t *out, struct lu_err *err)
{
	static const char units[] = "KkMmGgTt";
	const char *p = s, *unit;
	unsigned shift = 0;
	uint64_t v;

	if (!is_digit(*p))
		return lu_err_set(err, "'%s' is not a size (try 512M)", s);
	if (!parse_digits(&p, &v))
		return lu_err_set(err, "'%s' is too large", s);
	if (*p && (unit = strchr(units, *p))) {
		shift = 10 * ((unsigned)(unit - units) / 2 + 1);
		p++;
	}
	if (*p == 'B')
		p++;
	if (*p)
		return lu_err_set(err, "'%s' is not a size (try 512M)", s);
	if (shift && v >> (64 - shift))
		return lu_err_set(err, "'%s' is too large", s);
	*out = v << shift;
	return 0;
}

int lu_num_duration(const char *s, double *seconds, struct lu_err *err)
{
	static const struct {
		char name[2];
		double seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	size_t n = strspn(s, "0123456789.");
	char *end;
	double v;

	/* strtod() goes on where a number has an exponent, and stops at a second point. */
	v = is_digit(*s) ? strtod(s, &end) : 0;
	if (is_digit(*s) && end == s + n) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strcmp(end, units[i].name) != 0)
				continue;
			if (v * units[i].seconds > 1e12)
				return lu_err_set(err, "'%s' is too large", s);
			*seconds = v * units[i].seconds;
			return 0;
		}
	}
	return lu_err_set(err, "'%s' is not a duration (try 20h, 90m or 30s)", s);
}

int lu_num_double(const char *s, double *out, struct lu_err *err)
{
	char *end;
	double v;

	/* strtod() also accepts blanks, hexadecimal, inf and nan. */
	for (const char *p = s; *p; p++) {
		if (!is_digit(*p) && !strchr("+-.eE", *p))
			return lu_err_set(err, "'%s' is not a number", s);
	}
	errno = 0;
	v = strtod(s, &end);
	if (end == s || *end)
		return lu_err_set(err, "'%s' is not a number", s);
	if (!isfinite(v))
		return lu_err_set(err, "'%s' is too large", s);
	*out = v;
	return 0;
}

void lu_num_format(double v, char out[32])
{
	/* Whole numbers print without an exponent while doubles represent them all. */
	if (v == floor(v) && fabs(v) < 1e15) {
		snprintf(out, 32, "%.0f", v);
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(out, 32, "%.*g", digits, v);
		if (strtod(out, NULL) == v)
			return;
	}
}
