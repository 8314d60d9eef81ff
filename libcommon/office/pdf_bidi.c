#include "libcommon/office/pdf_bidi.h"

#include "libcommon/base/utf8.h"

enum class { NEUTRAL, LTR, RTL, MARK };

static enum class class_of(uint32_t c) {
	if ((c >= 0x0591 && c <= 0x05C7) || (c >= 0x064B && c <= 0x065F) || c == 0x0670 ||
			(c >= 0x0300 && c <= 0x036F)) return MARK;
	if (c >= 0x0660 && c <= 0x0669) return LTR;
	if ((c >= 0x0590 && c <= 0x08FF) || (c >= 0xFB1D && c <= 0xFDFF) ||
			(c >= 0xFE70 && c <= 0xFEFC)) return RTL;
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return LTR;
	return c < 0xC0 || (c >= 0x2000 && c <= 0x2BFF) ? NEUTRAL : LTR;
}

static enum class class_at(const char *p) { return class_of(lu_utf8_next(&p)); }

/* The beginning of the letter, with its marks, that ends at `end`. */
static size_t before(const char *p, size_t from, size_t end)
{
	do {
		end--;
		while (end > from && ((unsigned char)p[end] & 0xC0) == 0x80)
			end--;
	} while (end > from && class_at(p + end) == MARK);
	return end;
}

static size_t after(const char *p, size_t at, size_t end)
{
	do {
		const char *q = p + at;

		lu_utf8_next(&q);
		at = (size_t)(q - p);
	} while (at < end && class_at(p + at) == MARK);
	return at;
}

/* Append p[from .. end) from right to left. */
static void put_reversed(const char *p, size_t from, size_t end, struct lu_buf *out)
{
	while (end > from) {
		size_t start = before(p, from, end);

		/* Words that run from left to right, with the blanks between them. */
		if (class_at(p + start) == LTR) {
			for (size_t k = start; k > from;) {
				enum class c;

				k = before(p, from, k);
				c = class_at(p + k);
				if (c == RTL)
					break;
				if (c == LTR)
					start = k;
			}
		}
		lu_buf_append(out, p + start, end - start);
		end = start;
	}
}

/* Append the line with the stretches in right-to-left scripts reversed. */
static void put_forward(struct lu_str s, struct lu_buf *out)
{
	size_t i = 0;

	while (i < s.n) {
		size_t end = after(s.p, i, s.n);

		if (class_at(s.p + i) != RTL) {
			lu_buf_append(out, s.p + i, end - i);
			i = end;
			continue;
		}
		for (size_t k = end; k < s.n;) {
			enum class c = class_at(s.p + k);

			if (c == LTR)
				break;
			k = after(s.p, k, s.n);
			if (c == RTL)
				end = k;
		}
		put_reversed(s.p, i, end, out);
		i = end;
	}
}

void lu_pdf_reading_order(struct lu_str line, struct lu_buf *out)
{
	size_t rtl = 0, ltr = 0;

	for (const char *p = line.p, *end = p + line.n; p < end;) {
		uint32_t c;

		if ((unsigned char)*p < 0x80) {
			ltr += class_of((unsigned char)*p) == LTR && *p > '9';
			p++;
			continue;
		}
		c = lu_utf8_next(&p);
		rtl += class_of(c) == RTL;
		ltr += class_of(c) == LTR;
	}
	if (rtl > ltr)
		put_reversed(line.p, 0, line.n, out);
	else if (rtl)
		put_forward(line, out);
	else
		lu_buf_str(out, line);
}
