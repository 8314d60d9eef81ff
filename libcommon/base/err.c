#include "libcommon/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 240 /* bytes of a long sentence kept before the gap */
static const char gap[] = " ... ";

/* True for a byte inside a UTF-8 character, where text must not be cut. */
static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Set the sentence to the formatted text and `rest`. Of one that is too long the middle goes: the
 * beginning names the file, and the end gives the reason. */
static LU_PRINTF(3, 0) void compose(
		struct lu_err *err, const char *rest, const char *fmt, va_list ap)
{
	char text[16384];
	size_t n, head = HEAD, tail;

	vsnprintf(text, sizeof(text), fmt, ap);
	n = strlen(text);
	snprintf(text + n, sizeof(text) - n, "%s%s", *rest ? ": " : "", rest);
	n = strlen(text);
	if (n < sizeof(err->msg)) {
		memcpy(err->msg, text, n + 1);
		return;
	}
	tail = n - (sizeof(err->msg) - sizeof(gap) - head);
	while (head > 0 && is_continuation(text[head]))
		head--;
	while (tail < n && is_continuation(text[tail]))
		tail++;
	memcpy(err->msg, text, head);
	memcpy(err->msg + head, gap, sizeof(gap) - 1);
	memcpy(err->msg + head + sizeof(gap) - 1, text + tail, n - tail + 1);
}

int lu_err_set(struct lu_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	compose(err, "", fmt, ap);
	va_end(ap);
	err->errnum = 0;
	return -1;
}

int lu_err_sys(struct lu_err *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	compose(err, strerror(errnum), fmt, ap);
	va_end(ap);
	err->errnum = errnum;
	return -1;
}

int lu_err_wrap(struct lu_err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	va_list ap;

	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	compose(err, old, fmt, ap);
	va_end(ap);
	return -1;
}

int lu_err_nomem(struct lu_err *err)
{
	lu_err_set(err, "out of memory");
	err->errnum = ENOMEM;
	return -1;
}

void lu_mask_controls(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

void lu_assert_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, cond);
	abort();
}
