#ifndef LUCIE_BASE_BUF_H
#define LUCIE_BASE_BUF_H
/*
 * Byte strings: a slice that never owns, and a growing buffer that does.
 *
 * struct lu_str is a pointer and a length. It owns nothing and is not NUL-terminated; NUL is an
 * ordinary byte in it. A function that returns one says how long it stays valid.
 *
 * struct lu_buf owns its bytes:
 *
 *	struct lu_buf b = { 0 };
 *
 *	lu_buf_puts(&b, "docs: ");
 *	lu_buf_u64(&b, docs);
 *	if (lu_buf_check(&b, err) < 0)
 *		goto out;
 *	use(b.p, b.n);
 * out:
 *	lu_buf_release(&b);
 *
 * Appending returns nothing: a failed allocation is sticky. From then on appending does nothing
 * and lu_buf_check() fails, until lu_buf_release(); lu_buf_clear() keeps the failure. So a sequence
 * of appends is checked once, before its bytes are used. The consumers of buffers (output streams,
 * the pipeline) do that themselves.
 *
 * After a successful append p[n] is NUL, so p is also a C string as long as no NUL was appended.
 * Before the first append p is NULL. Any append may move p.
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

/* A slice in a printf format, cut to 1000 bytes: printf("'" LU_STR_FMT "'", LU_STR_ARG(s)). */
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

/* True if every byte of s is one of the characters of `set`; an empty s is. */
static inline bool lu_str_only(struct lu_str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	}
	return true;
}

/* First occurrence of `needle` (not empty) in [p, end), or NULL. Unlike memmem() it builds no
 * tables, which pays off where occurrences are frequent, as blanks and quotes are. */
const char *lu_str_find(const char *p, const char *end, struct lu_str needle);

/* Compare as unsigned bytes, a prefix before the longer string: negative, 0 or positive. */
int lu_str_cmp(struct lu_str a, struct lu_str b);

struct lu_buf {
	char *p;
	size_t n, cap;
	bool failed;
};

/* Make room for `more` bytes behind the n that are there, and for a NUL. The caller may then write
 * them itself and add to n. False, and sticky, when memory is out. */
bool lu_buf_reserve(struct lu_buf *b, size_t more);

void lu_buf_append(struct lu_buf *b, const void *p, size_t n);
void lu_buf_str(struct lu_buf *b, struct lu_str s);
/* Append with control characters masked, as lu_mask_controls() does: a name in a line for people. */
void lu_buf_masked(struct lu_buf *b, struct lu_str s);
void lu_buf_puts(struct lu_buf *b, const char *c);
void lu_buf_putc(struct lu_buf *b, char c);
void lu_buf_printf(struct lu_buf *b, const char *fmt, ...) LU_PRINTF(2, 3);
/* Append v in decimal. */
void lu_buf_u64(struct lu_buf *b, uint64_t v);
/* Append v as bytes of a binary file, little-endian. */
void lu_buf_le32(struct lu_buf *b, uint32_t v);
void lu_buf_le64(struct lu_buf *b, uint64_t v);
/* Append s with every occurrence of `needle` (not empty) replaced by `by`, from left to right. */
void lu_buf_replace(struct lu_buf *b, struct lu_str s, struct lu_str needle, struct lu_str by);

/* Empty the buffer and keep its memory. */
static inline void lu_buf_clear(struct lu_buf *b)
{
	b->n = 0;
}

/* Free the memory; the buffer is empty and usable again. */
void lu_buf_release(struct lu_buf *b);

/* False after an append that failed. */
static inline bool lu_buf_ok(const struct lu_buf *b)
{
	return !b->failed;
}

/* 0, or -1 with "out of memory" after an append that failed. */
int lu_buf_check(const struct lu_buf *b, struct lu_err *err) LU_CHECKED;

/* The bytes as a slice, valid until the buffer changes. */
static inline struct lu_str lu_buf_slice(const struct lu_buf *b)
{
	return (struct lu_str){ b->p ? b->p : "", b->n };
}

#endif
