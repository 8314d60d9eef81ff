#include "libcommon/parquet/parquet_value_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/io/json.h"

static void put_string(struct lu_str s, struct lu_buf *out, uint64_t *replaced)
{
	if (lu_utf8_valid(s.p, s.n) < s.n) {
		struct lu_buf whole = { 0 };

		*replaced += lu_utf8_repair(&whole, s);
		out->failed |= !lu_buf_ok(&whole);
		lu_json_quote(out, lu_buf_slice(&whole));
		lu_buf_release(&whole);
		return;
	}
	lu_json_quote(out, s);
}

static void put_json(struct lu_str s, struct lu_buf *out, uint64_t *replaced)
{
	struct lu_json_fault fault;
	enum lu_json_type type;
	size_t from = out->n;

	if (lu_json_check(s, &type, &fault) < 0) {
		put_string(s, out, replaced);
		return;
	}
	/* A line end can only stand between values. */
	lu_buf_str(out, s);
	for (size_t i = from; lu_buf_ok(out) && i < out->n; i++) {
		if (out->p[i] == '\n' || out->p[i] == '\r')
			out->p[i] = ' ';
	}
}

static void put_float(float v, struct lu_buf *out)
{
	char s[32];
	int digits = 6;

	if (!isfinite(v)) {
		lu_buf_puts(out, "null");
		return;
	}
	do {
		snprintf(s, sizeof(s), "%.*g", digits, (double)v);
	} while (strtof(s, NULL) != v && ++digits < 10);
	/* By way of a double, whose shortest text has no more digits than these. */
	lu_json_number(out, strtod(s, NULL));
}

/* IEEE 754 binary16. */
static double half(uint16_t h)
{
	int exponent = h >> 10 & 31, fraction = h & 1023;
	double v = exponent == 0	 ? ldexp(fraction, -24)
			: exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
					 : ldexp(1024 + fraction, exponent - 25);

	return h >> 15 ? -v : v;
}

/* A whole number of up to 32 bytes, big-endian in two's complement, with the last `scale` digits
 * behind a point: divided by ten until nothing is left. */
static void put_decimal(const unsigned char *p, size_t n, int scale, struct lu_buf *out)
{
	unsigned char m[32] = { 0 };
	char digits[80];
	bool negative = n && p[0] & 0x80;
	size_t k = sizeof(digits);
	unsigned carry = negative;
	bool left = true;

	for (size_t i = 0; i < n; i++) {
		unsigned b = negative ? (unsigned char)~p[n - 1 - i] + carry : p[n - 1 - i];

		m[31 - i] = (unsigned char)b;
		carry = negative ? b >> 8 : 0;
	}
	for (int at = 0; k > 1 && (left || at <= scale); at++) {
		unsigned rest = 0;

		if (at == scale && scale)
			digits[--k] = '.';
		left = false;
		for (size_t i = 0; i < 32; i++) {
			unsigned v = rest << 8 | m[i];

			m[i] = (unsigned char)(v / 10);
			rest = v % 10;
			left |= m[i] != 0;
		}
		digits[--k] = (char)('0' + rest);
	}
	if (negative)
		lu_buf_putc(out, '-');
	lu_buf_append(out, digits + k, sizeof(digits) - k);
}

static void put_decimal_value(
		const struct lu_pq_node *node, const struct lu_pq_value *v, struct lu_buf *out)
{
	unsigned char b[8];
	size_t extra;

	if (node->type == LU_PQ_INT32 || node->type == LU_PQ_INT64) {
		lu_store64_be(b, v->bits);
		put_decimal(b, 8, node->scale, out);
		return;
	}
	/* Longer than 32 bytes: no precision of the format needs them. */
	extra = v->s.n > 32 ? v->s.n - 32 : 0;
	put_decimal((const unsigned char *)v->s.p + extra, v->s.n - extra, node->scale, out);
}

/* The day of the proleptic Gregorian calendar, counted from 1970-01-01. Years are shifted to begin
 * in March, so that the leap day is the last; 400 years have 146,097 days. */
static void put_day(int64_t days, struct lu_buf *out)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day = z - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t m = (5 * of_year + 2) / 153;
	int64_t month = m < 10 ? m + 3 : m - 9;

	year += era * 400 + (month <= 2);
	/* ISO 8601: other than four digits want a sign. */
	lu_buf_printf(out,
			year < 0		      ? "-%04" PRId64
					: year > 9999 ? "+%04" PRId64
						      : "%04" PRId64,
			year < 0 ? -year : year);
	lu_buf_printf(out, "-%02" PRId64 "-%02" PRId64, month, of_year - (153 * m + 2) / 5 + 1);
}

static void put_clock(int64_t units, unsigned digits, struct lu_buf *out)
{
	int64_t per = digits == 3 ? 1000 : digits == 6 ? 1000000 : 1000000000;
	int64_t s = units / per, rest = units % per;

	lu_buf_printf(out, "%02" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60, s % 60);
	if (rest)
		lu_buf_printf(out, ".%0*" PRId64, (int)digits, rest);
}

static void put_moment(int64_t units, unsigned digits, bool utc, struct lu_buf *out)
{
	int64_t per = digits == 3 ? 86400000 : digits == 6 ? 86400000000 : 86400000000000;
	int64_t day = units / per, rest = units % per;

	if (rest < 0) {
		rest += per;
		day--;
	}
	lu_buf_putc(out, '"');
	put_day(day, out);
	lu_buf_putc(out, 'T');
	put_clock(rest, digits, out);
	lu_buf_puts(out, utc ? "Z\"" : "\"");
}

/* Nanoseconds of the day and a Julian day number, as Impala and Spark wrote moments. */
static void put_int96(struct lu_str s, struct lu_buf *out)
{
	int64_t nanos = (int64_t)lu_load64(s.p);
	int64_t day = (int64_t)lu_load32(s.p + 8) - 2440588;
	int64_t over = nanos / 86400000000000;

	nanos -= over * 86400000000000;
	if (nanos < 0) {
		nanos += 86400000000000;
		over--;
	}
	lu_buf_putc(out, '"');
	put_day(day + over, out);
	lu_buf_putc(out, 'T');
	put_clock(nanos, 9, out);
	lu_buf_putc(out, '"');
}

static void put_integer(const struct lu_pq_node *node, uint64_t bits, struct lu_buf *out)
{
	bool is_signed = node->meaning != LU_PQ_INTEGER || node->is_signed;

	if (is_signed)
		lu_buf_printf(out, "%" PRId64, (int64_t)bits);
	else
		lu_buf_u64(out, node->type == LU_PQ_INT32 ? (uint32_t)bits : bits);
}

static void put_uuid(struct lu_str s, struct lu_buf *out)
{
	lu_buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++)
		lu_buf_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
				(unsigned char)s.p[i]);
	lu_buf_putc(out, '"');
}

static void put_meant(const struct lu_pq_node *node, const struct lu_pq_value *v,
		struct lu_buf *out, uint64_t *replaced)
{
	switch (node->meaning) {
	case LU_PQ_JSON: put_json(v->s, out, replaced); break;
	case LU_PQ_INTEGER: put_integer(node, v->bits, out); break;
	case LU_PQ_DECIMAL: put_decimal_value(node, v, out); break;
	case LU_PQ_DATE:
		lu_buf_putc(out, '"');
		put_day((int64_t)v->bits, out);
		lu_buf_putc(out, '"');
		break;
	case LU_PQ_TIME:
		lu_buf_putc(out, '"');
		put_clock((int64_t)(v->bits & INT64_MAX), node->digits, out);
		lu_buf_putc(out, '"');
		break;
	case LU_PQ_TIMESTAMP: put_moment((int64_t)v->bits, node->digits, node->utc, out); break;
	case LU_PQ_UUID: put_uuid(v->s, out); break;
	case LU_PQ_FLOAT16: lu_json_number(out, half(lu_load16(v->s.p))); break;
	case LU_PQ_STRING:
	case LU_PQ_PLAIN_VALUE:
	case LU_PQ_NULL:
	case LU_PQ_OTHER: put_string(v->s, out, replaced); break;
	}
}

void lu_pq_value_json(const struct lu_pq_node *node, const struct lu_pq_value *v,
		struct lu_buf *out, uint64_t *replaced)
{
	uint32_t bits = (uint32_t)v->bits;
	double d;
	float f;

	if (node->meaning != LU_PQ_PLAIN_VALUE) {
		put_meant(node, v, out, replaced);
		return;
	}
	switch (node->type) {
	case LU_PQ_BOOLEAN: lu_buf_puts(out, v->bits ? "true" : "false"); break;
	case LU_PQ_INT32:
	case LU_PQ_INT64: put_integer(node, v->bits, out); break;
	case LU_PQ_INT96: put_int96(v->s, out); break;
	case LU_PQ_FLOAT:
		memcpy(&f, &bits, sizeof(f));
		put_float(f, out);
		break;
	case LU_PQ_DOUBLE:
		memcpy(&d, &v->bits, sizeof(d));
		lu_json_number(out, d);
		break;
	case LU_PQ_BYTE_ARRAY:
	case LU_PQ_FIXED: put_string(v->s, out, replaced); break;
	}
}
