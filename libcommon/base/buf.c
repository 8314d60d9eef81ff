#include "libcommon/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/vec.h"

int lu_str_cmp(struct lu_str a, struct lu_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

const char *lu_str_find(const char *p, const char *end, struct lu_str needle)
{
	while ((size_t)(end - p) >= needle.n) {
		p = memchr(p, needle.p[0], (size_t)(end - p) - needle.n + 1);
		if (!p || memcmp(p, needle.p, needle.n) == 0)
			return p;
		p++;
	}
	return NULL;
}

bool lu_buf_reserve(struct lu_buf *b, size_t more)
{
	if (b->failed)
		return false;
	/* + 1: the NUL. */
	b->failed = more == SIZE_MAX || !lu_vec_grow(&b->p, &b->cap, b->n, more + 1, 1);
	return !b->failed;
}

void lu_buf_append(struct lu_buf *b, const void *p, size_t n)
{
	if (!lu_buf_reserve(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void lu_buf_str(struct lu_buf *b, struct lu_str s)
{
	lu_buf_append(b, s.p, s.n);
}

void lu_buf_masked(struct lu_buf *b, struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		lu_buf_putc(b, c < 0x20 || c == 0x7f ? '?' : s.p[i]);
	}
}

void lu_buf_replace(struct lu_buf *b, struct lu_str s, struct lu_str needle, struct lu_str by)
{
	const char *p = s.p, *end = p + s.n;

	while (p < end) {
		const char *at = lu_str_find(p, end, needle);

		lu_buf_append(b, p, (size_t)((at ? at : end) - p));
		p = at ? at + needle.n : end;
		if (at)
			lu_buf_str(b, by);
	}
}

void lu_buf_puts(struct lu_buf *b, const char *c)
{
	lu_buf_append(b, c, strlen(c));
}

void lu_buf_putc(struct lu_buf *b, char c)
{
	lu_buf_append(b, &c, 1);
}

void lu_buf_printf(struct lu_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	if (!lu_buf_reserve(b, 64))
		return;
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	else if ((size_t)n >= b->cap - b->n && lu_buf_reserve(b, (size_t)n))
		vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
	va_end(again);
	if (!b->failed)
		b->n += (size_t)n;
}

void lu_buf_u64(struct lu_buf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + v % 10);
	while (v /= 10);
	lu_buf_append(b, digits + i, sizeof(digits) - i);
}

void lu_buf_le32(struct lu_buf *b, uint32_t v)
{
	char bytes[4];

	lu_store32(bytes, v);
	lu_buf_append(b, bytes, sizeof(bytes));
}

void lu_buf_le64(struct lu_buf *b, uint64_t v)
{
	char bytes[8];

	lu_store64(bytes, v);
	lu_buf_append(b, bytes, sizeof(bytes));
}

void lu_buf_release(struct lu_buf *b)
{
	free(b->p);
	*b = (struct lu_buf){ 0 };
}

int lu_buf_check(const struct lu_buf *b, struct lu_err *err)
{
	return b->failed ? lu_err_nomem(err) : 0;
}
