#include "libcommon/schema/value_forms.h"

#include <inttypes.h>
#include <stdio.h>

enum { NUMBER_DIGITS = 15, EXPONENT_DIGITS = 2 };

uint32_t lu_form_literal(struct lu_automaton *a, uint32_t from, struct lu_str bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		uint32_t to = lu_automaton_state(a);

		lu_automaton_edge(
				a, from, (unsigned char)bytes.p[i], (unsigned char)bytes.p[i], to);
		from = to;
	}
	return from;
}

/* --- strings ----------------------------------------------------------------------------------- */

/* n bytes 80..BF that lead to `to`: their first state. */
static uint32_t continuation(struct lu_automaton *a, unsigned n, uint32_t to)
{
	for (; n; n--) {
		uint32_t s = lu_automaton_state(a);

		lu_automaton_edge(a, s, 0x80, 0xBF, to);
		to = s;
	}
	return to;
}

/* A lead byte whose second byte is from low to high, then n more. */
static void lead(struct lu_automaton *a, uint32_t from, unsigned char byte, unsigned char low,
		unsigned char high, unsigned n, uint32_t to)
{
	uint32_t second = lu_automaton_state(a);

	lu_automaton_edge(a, from, byte, byte, second);
	lu_automaton_edge(a, second, low, high, continuation(a, n, to));
}

/* UTF-8 beyond ASCII (RFC 3629), without overlong forms and surrogates. */
static void multibyte(struct lu_automaton *a, uint32_t from, uint32_t to)
{
	uint32_t one = continuation(a, 1, to), two = continuation(a, 2, to);

	lu_automaton_edge(a, from, 0xC2, 0xDF, one);
	lu_automaton_edge(a, from, 0xE1, 0xEC, two);
	lu_automaton_edge(a, from, 0xEE, 0xEF, two);
	lu_automaton_edge(a, from, 0xF1, 0xF3, continuation(a, 3, to));
	lead(a, from, 0xE0, 0xA0, 0xBF, 1, to);
	lead(a, from, 0xED, 0x80, 0x9F, 1, to);
	lead(a, from, 0xF0, 0x90, 0xBF, 2, to);
	lead(a, from, 0xF4, 0x80, 0x8F, 2, to);
}

static void hex_digit(struct lu_automaton *a, uint32_t from, uint32_t to)
{
	lu_automaton_edge(a, from, '0', '9', to);
	lu_automaton_edge(a, from, 'a', 'f', to);
	lu_automaton_edge(a, from, 'A', 'F', to);
}

/* n digits that lead to `to`: their first state. */
static uint32_t hex_digits(struct lu_automaton *a, unsigned n, uint32_t to)
{
	for (; n; n--) {
		uint32_t s = lu_automaton_state(a);

		hex_digit(a, s, to);
		to = s;
	}
	return to;
}

static void escape(struct lu_automaton *a, uint32_t from, uint32_t to)
{
	static const char single[] = "\"\\/bfnrt";
	uint32_t back = lu_automaton_state(a), u = lu_automaton_state(a);
	uint32_t after_d = lu_automaton_state(a), two = hex_digits(a, 2, to);
	uint32_t three = lu_automaton_state(a);

	lu_automaton_edge(a, from, '\\', '\\', back);
	for (const char *p = single; *p; p++)
		lu_automaton_edge(a, back, (unsigned char)*p, (unsigned char)*p, to);
	lu_automaton_edge(a, back, 'u', 'u', u);
	hex_digit(a, three, two);
	lu_automaton_edge(a, u, '0', '9', three);
	lu_automaton_edge(a, u, 'a', 'c', three);
	lu_automaton_edge(a, u, 'A', 'C', three);
	lu_automaton_edge(a, u, 'e', 'f', three);
	lu_automaton_edge(a, u, 'E', 'F', three);
	/* D800 to DFFF are surrogates. */
	lu_automaton_edge(a, u, 'd', 'd', after_d);
	lu_automaton_edge(a, u, 'D', 'D', after_d);
	lu_automaton_edge(a, after_d, '0', '7', two);
}

static void character(struct lu_automaton *a, uint32_t from, uint32_t to)
{
	lu_automaton_edge(a, from, ' ', '!', to);
	lu_automaton_edge(a, from, '#', '[', to);
	lu_automaton_edge(a, from, ']', 0x7F, to);
	multibyte(a, from, to);
	escape(a, from, to);
}

uint32_t lu_form_string(struct lu_automaton *a, uint32_t from, uint64_t min, uint64_t max)
{
	uint32_t at = lu_automaton_state(a), end = lu_automaton_state(a);

	lu_automaton_edge(a, from, '"', '"', at);
	for (uint64_t i = 0; !lu_automaton_failed(a); i++) {
		uint32_t next;

		if (i >= min)
			lu_automaton_edge(a, at, '"', '"', end);
		if (i >= min && max == LU_FORM_UNBOUNDED) {
			character(a, at, at);
			break;
		}
		if (i == max)
			break;
		next = lu_automaton_state(a);
		character(a, at, next);
		at = next;
	}
	return end;
}

/* --- numbers ----------------------------------------------------------------------------------- */

/* Decimals of equal length, from low to high, character by character. */
struct range {
	const char *low, *high;
	size_t n;
	uint32_t end;
};

static void digit(struct lu_automaton *a, const struct range *r, uint32_t from, size_t i,
		bool at_low, bool at_high);

static void digit_edge(struct lu_automaton *a, const struct range *r, uint32_t from, size_t i,
		char low, char high, bool at_low, bool at_high)
{
	uint32_t to = i + 1 == r->n ? r->end : lu_automaton_state(a);

	lu_automaton_edge(a, from, (unsigned char)low, (unsigned char)high, to);
	if (i + 1 < r->n)
		digit(a, r, to, i + 1, at_low, at_high);
}

/* Digits i and on; at_low: those before are low's, so that this one is at least low's. Recursion goes
 * at most 18 deep. */
static void digit(struct lu_automaton *a, const struct range *r, uint32_t from, size_t i,
		bool at_low, bool at_high)
{
	char low = at_low ? r->low[i] : '0', high = at_high ? r->high[i] : '9';

	if (low == high) {
		digit_edge(a, r, from, i, low, high, at_low, at_high);
		return;
	}
	if (at_low)
		digit_edge(a, r, from, i, low, low, true, false);
	if (at_high)
		digit_edge(a, r, from, i, high, high, false, true);
	low = (char)(low + at_low);
	high = (char)(high - at_high);
	if (low <= high)
		digit_edge(a, r, from, i, low, high, false, false);
}

/* Whole numbers 0 <= min..max without sign, from `from` to `end`. */
static void whole(struct lu_automaton *a, uint32_t from, uint64_t min, uint64_t max, uint32_t end)
{
	for (uint64_t low = 0, high = 9; low <= max; low = high + 1, high = high * 10 + 9) {
		uint64_t first = low > min ? low : min, last = high < max ? high : max;
		char x[24], y[24];
		struct range r = { x, y, 0, end };

		if (first > last)
			continue;
		(void)snprintf(x, sizeof(x), "%" PRIu64, first);
		r.n = (size_t)snprintf(y, sizeof(y), "%" PRIu64, last);
		digit(a, &r, from, 0, true, true);
	}
}

uint32_t lu_form_integer(struct lu_automaton *a, uint32_t from, int64_t min, int64_t max)
{
	uint32_t end = lu_automaton_state(a);

	if (max >= 0)
		whole(a, from, min > 0 ? (uint64_t)min : 0, (uint64_t)max, end);
	if (min < 0) {
		uint32_t minus = lu_automaton_state(a);

		lu_automaton_edge(a, from, '-', '-', minus);
		whole(a, minus, max < 0 ? (uint64_t)-max : 1, (uint64_t)-min, end);
	}
	return end;
}

/* A point and 1 to NUMBER_DIGITS digits from low to high. */
static void fraction(struct lu_automaton *a, uint32_t from, unsigned char low, unsigned char high,
		uint32_t end)
{
	uint32_t at = lu_automaton_state(a);

	lu_automaton_empty(a, from, end);
	lu_automaton_edge(a, from, '.', '.', at);
	for (int i = 0; i < NUMBER_DIGITS; i++) {
		uint32_t next = lu_automaton_state(a);

		lu_automaton_edge(a, at, low, high, next);
		lu_automaton_empty(a, next, end);
		at = next;
	}
}

/* Numbers of a size from min to max without sign: min to max - 1 with any fraction, max with zeros. */
static void sized(struct lu_automaton *a, uint32_t from, uint64_t min, uint64_t max, uint32_t end)
{
	uint32_t inner = lu_automaton_state(a), last = lu_automaton_state(a);

	if (min < max) {
		whole(a, from, min, max - 1, inner);
		fraction(a, inner, '0', '9', end);
	}
	whole(a, from, max, max, last);
	fraction(a, last, '0', '0', end);
}

/* e, a sign that may be missing, and 1 or 2 digits. */
static void exponent(struct lu_automaton *a, uint32_t from, uint32_t end)
{
	uint32_t sign = lu_automaton_state(a), at = lu_automaton_state(a);

	lu_automaton_empty(a, from, end);
	lu_automaton_edge(a, from, 'e', 'e', sign);
	lu_automaton_edge(a, from, 'E', 'E', sign);
	lu_automaton_edge(a, sign, '+', '+', at);
	lu_automaton_edge(a, sign, '-', '-', at);
	lu_automaton_empty(a, sign, at);
	for (int i = 0; i < EXPONENT_DIGITS; i++) {
		uint32_t next = lu_automaton_state(a);

		lu_automaton_edge(a, at, '0', '9', next);
		lu_automaton_empty(a, next, end);
		at = next;
	}
}

uint32_t lu_form_number(struct lu_automaton *a, uint32_t from, int64_t min, int64_t max)
{
	uint32_t end = lu_automaton_state(a), written = lu_automaton_state(a);
	bool any = min == -LU_FORM_NUMBER && max == LU_FORM_NUMBER;

	if (max >= 0)
		sized(a, from, min > 0 ? (uint64_t)min : 0, (uint64_t)max, written);
	if (min < 0) {
		uint32_t minus = lu_automaton_state(a);

		lu_automaton_edge(a, from, '-', '-', minus);
		sized(a, minus, max < 0 ? (uint64_t)-max : 0, (uint64_t)-min, written);
	}
	if (any)
		exponent(a, written, end);
	else
		lu_automaton_empty(a, written, end);
	return end;
}
