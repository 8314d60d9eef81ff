#include "libcommon/dedup/keep.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"

#define LAST UINT64_MAX

/* --- parsing ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum lu_keep_kind kind;
} kinds[] = { { "first", LU_KEEP_FIRST }, { "longest", LU_KEEP_LONGEST },
	{ "newest:", LU_KEEP_NEWEST }, { "max:", LU_KEEP_MAX }, { "priority:", LU_KEEP_PRIORITY } };

static int parse_values(struct lu_keep *k, const char *how, struct lu_err *err)
{
	char *is = strchr(k->field, '=');

	if (!is || is == k->field || !is[1])
		return lu_err_set(err, "'%s' is not priority:FIELD=A,B,C", how);
	*is = '\0';
	k->values = strdup(is + 1);
	if (!k->values)
		return lu_err_nomem(err);
	k->n = 1;
	for (char *s = k->values; *s; s++) {
		if (*s != ',')
			continue;
		*s = '\0';
		k->n++;
	}
	return 0;
}

int lu_keep_parse(struct lu_keep *k, const char *how, struct lu_err *err)
{
	*k = (struct lu_keep){ 0 };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].name);

		k->kind = kinds[i].kind;
		if (kinds[i].name[n - 1] != ':') {
			if (strcmp(how, kinds[i].name) == 0)
				return 0;
			continue;
		}
		if (strncmp(how, kinds[i].name, n) != 0 || !how[n])
			continue;
		k->field = strdup(how + n);
		if (!k->field)
			return lu_err_nomem(err);
		if (k->kind == LU_KEEP_PRIORITY && parse_values(k, how, err) < 0) {
			lu_keep_release(k);
			return -1;
		}
		return 0;
	}
	return lu_err_set(err,
			"'%s' is not first, longest, newest:FIELD, max:FIELD or "
			"priority:FIELD=A,B,C",
			how);
}

void lu_keep_release(struct lu_keep *k)
{
	free(k->field);
	free(k->values);
	*k = (struct lu_keep){ 0 };
}

/* --- dates --------------------------------------------------------------------------------- */

/* Read exactly n digits; false if there are others. */
static bool digits(struct lu_str *s, size_t n, int64_t *out)
{
	*out = 0;
	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*out = *out * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->n -= n;
	return true;
}

static bool skip(struct lu_str *s, char c)
{
	if (s->n == 0 || *s->p != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

static bool is_date(int64_t year, int64_t month, int64_t day)
{
	static const char last[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month >= 1 && month <= 12 && day >= 1 &&
			day <= last[month - 1] + (month == 2 && leap);
}

/* Days from 1 March of the year 0 to a date (the proleptic Gregorian calendar; years begin in March,
 * so that the day that leap years add is their last). */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	month += month <= 2 ? 9 : -3;
	return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
}

/* Microseconds of a fraction ".25"; more than six digits are cut. */
static int64_t fraction(struct lu_str *s)
{
	int64_t us = 0, unit = 100000, digit;

	if (!skip(s, '.') && !skip(s, ','))
		return 0;
	for (; digits(s, 1, &digit); unit /= 10)
		us += digit * unit;
	return us;
}

/* Minutes east of UTC: "Z", "+01:00", "-0530", nothing. */
static bool zone(struct lu_str *s, int64_t *minutes)
{
	int64_t hour, minute = 0, sign = 1;

	*minutes = 0;
	if (s->n == 0 || skip(s, 'Z') || skip(s, 'z'))
		return true;
	if (skip(s, '-'))
		sign = -1;
	else if (!skip(s, '+'))
		return false;
	if (!digits(s, 2, &hour))
		return false;
	if (skip(s, ':') || s->n) {
		if (!digits(s, 2, &minute))
			return false;
	}
	*minutes = sign * (hour * 60 + minute);
	return hour < 24 && minute < 60;
}

/* A date as microseconds since 1 March of the year 0. */
static bool parse_date(struct lu_str s, int64_t *us)
{
	int64_t year, month = 1, day = 1, hour = 0, minute = 0, second = 0, part = 0, east = 0;

	if (!digits(&s, 4, &year))
		return false;
	if (skip(&s, '-') && !digits(&s, 2, &month))
		return false;
	if (skip(&s, '-') && !digits(&s, 2, &day))
		return false;
	if (skip(&s, 'T') || skip(&s, 't') || skip(&s, ' ')) {
		if (!digits(&s, 2, &hour) || !skip(&s, ':') || !digits(&s, 2, &minute))
			return false;
		if (skip(&s, ':')) {
			if (!digits(&s, 2, &second))
				return false;
			part = fraction(&s);
		}
		if (!zone(&s, &east))
			return false;
	}
	/* 24:00 is the end of a day, second 60 a leap second. */
	if (s.n || !is_date(year, month, day) || minute > 59 || second > 60 ||
			hour * 60 + minute > 24 * 60 || (hour == 24 && second + part > 0))
		return false;
	*us = (((days(year, month, day) * 24 + hour) * 60 + minute - east) * 60 + second) *
					1000000 +
			part;
	return true;
}

/* --- ranks --------------------------------------------------------------------------------- */

/* Descending order of doubles as ascending order of integers; below LAST, since no value is a NaN. */
static uint64_t descending(double v)
{
	uint64_t bits;

	v += 0.0; /* -0 is 0 */
	memcpy(&bits, &v, sizeof(bits));
	return bits >> 63 ? bits : ~(bits | UINT64_C(1) << 63);
}

/* The value of a number, or of a string that is one. */
static bool number_of(const struct lu_json_member *m, struct lu_str s, double *v)
{
	char text[64];
	struct lu_err ignored;

	if (m->type == LU_JSON_NUMBER)
		return lu_json_double(m, v);
	if (m->type != LU_JSON_STRING || s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return lu_num_double(text, v, &ignored) == 0;
}

static uint64_t rank_of_date(const struct lu_json_member *m, struct lu_str s)
{
	int64_t us;
	double v;

	/* Dates fill less than 2^59 microseconds; numbers come behind them, in half the range. */
	if (m->type == LU_JSON_STRING && parse_date(s, &us))
		return (UINT64_C(1) << 62) - (uint64_t)us;
	if (number_of(m, s, &v))
		return UINT64_C(1) << 63 | descending(v) >> 1;
	return LAST;
}

static uint64_t rank_in_list(const struct lu_keep *k, struct lu_str s)
{
	const char *value = k->values;
	size_t i = 0;

	for (; i < k->n && !lu_str_is(s, value); i++)
		value += strlen(value) + 1;
	return i;
}

int lu_keep_rank(const struct lu_keep *k, const struct lu_json_obj *obj, uint64_t length,
		struct lu_arena *arena, uint64_t *rank, struct lu_err *err)
{
	const struct lu_json_member *m = k->field ? lu_json_get(obj, k->field) : NULL;
	struct lu_str s = { NULL, 0 };
	double v;

	*rank = k->kind == LU_KEEP_LONGEST ? UINT64_MAX - 1 - length : 0;
	if (!k->field)
		return 0;
	*rank = LAST;
	if (!m || m->type == LU_JSON_NULL)
		return 0;
	s = m->value;
	if (m->type == LU_JSON_STRING && lu_json_decode_known(m->value, m->escaped, arena, &s) < 0)
		return lu_err_nomem(err);
	if (k->kind == LU_KEEP_NEWEST)
		*rank = rank_of_date(m, s);
	else if (k->kind == LU_KEEP_PRIORITY)
		*rank = rank_in_list(k, s);
	else if (number_of(m, s, &v))
		*rank = descending(v);
	return 0;
}
