#ifndef LUCIE_BASE_BUF_H
#define LUCIE_BASE_BUF_H
/*
 * Bytes: a slice that never owns, and a buffer that grows.
 *
 * struct lu_str is a pointer and a length. It owns nothing and need not end with NUL; NUL is
 * an ordinary byte in it. Whoever hands one out says how long it stays valid.
 *
 * struct lu_buf owns its bytes. Start from { 0 }, end with lu_buf_release(). After any
 * successful append p[n] is NUL, so a buffer can be passed to a function that wants a C string.
 * Appending cannot be checked call by call without drowning the code, so a failed allocation
 * is sticky: the buffer stops growing, lu_buf_ok() turns false and stays so until
 * lu_buf_release(). Every place that consumes a buffer (a stream, the pipeline, a file) checks
 * lu_buf_ok() once, through lu_buf_check(), before it uses a byte.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libcommon/base/err.h"

struct lu_str {
	const char *p;
	size_t n;
};

#define LU_STR(literal) ((struct lu_str){ (literal), sizeof(literal) - 1 })
#define LU_STR_FMT "%.*s"
#define LU_STR_ARG(s) ((int)((s).n > 1000 ? 1000 : (s).n)), (s).p

static inline struct lu_str lu_str_of(const char *c)
{
	return (struct lu_str){ c, strlen(c) };
}

static inline bool lu_str_eq(struct lu_str a, struct lu_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool lu_str_is(struct lu_str a, const char *c)
{
	return lu_str_eq(a, lu_str_of(c));
}

/* True if every byte of s is one of the characters of `set`; true for an empty s. */
static inline bool lu_str_only(struct lu_str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	}
	return true;
}

/* The first place of `what` (not empty) in p .. end - 1, or NULL. memmem() makes tables, which
 * costs more than it saves where the next place is near, as it is for blanks and quotes. */
const char *lu_str_find(const char *p, const char *end, struct lu_str what);

/* Byte order, shorter first when one is the other's beginning. */
int lu_str_cmp(struct lu_str a, struct lu_str b);

struct lu_buf {
	char *p;
	size_t n, cap;
	bool failed;
};

/* Makes room for `more` bytes after n, and the NUL. False (and sticky) when memory is out. */
bool lu_buf_reserve(struct lu_buf *b, size_t more);
void lu_buf_append(struct lu_buf *b, const void *p, size_t n);
void lu_buf_str(struct lu_buf *b, struct lu_str s);
void lu_buf_puts(struct lu_buf *b, const char *c);
void lu_buf_putc(struct lu_buf *b, char c);
/* Appends s with `by` in place of each `what` (not empty), from left to right. */
void lu_buf_replace(struct lu_buf *b, struct lu_str s, struct lu_str what, struct lu_str by);
void lu_buf_printf(struct lu_buf *b, const char *fmt, ...) LU_PRINTF(2, 3);
void lu_buf_u64(struct lu_buf *b, uint64_t v);
static inline void lu_buf_clear(struct lu_buf *b)
{
	b->n = 0;
}
void lu_buf_release(struct lu_buf *b);
static inline bool lu_buf_ok(const struct lu_buf *b)
{
	return !b->failed;
}
/* 0, or -1 with "out of memory" when an append failed. */
int lu_buf_check(const struct lu_buf *b, struct lu_err *err) LU_CHECKED;
/* The bytes as a slice, valid until the buffer changes. */
static inline struct lu_str lu_buf_slice(const struct lu_buf *b)
{
	return (struct lu_str){ b->p ? b->p : "", b->n };
}

#endif
