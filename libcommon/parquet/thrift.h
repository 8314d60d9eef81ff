#ifndef LUCIE_PARQUET_THRIFT_H
#define LUCIE_PARQUET_THRIFT_H
/*
 * Thrift's compact protocol, in which Parquet writes its footer and page headers: fields of a
 * structure with small numbers, integers as zigzag varints.
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md)
 *
 * Read a structure field by field; what is not known is passed over:
 *
 *	struct lu_thrift t = lu_thrift_of(bytes);
 *	struct lu_thrift_field f = { 0 };
 *
 *	while (lu_thrift_next(&t, &f)) {
 *		if (f.id == 1)
 *			version = lu_thrift_i64(&t, &f);
 *		else
 *			lu_thrift_skip(&t, &f);
 *	}
 *	if (t.failed) ...
 *
 * A failure is sticky: from then on every read returns 0 and lu_thrift_next() false. A value of
 * another type than the one asked for is a failure. Nothing is allocated, the time is linear in the
 * bytes, and nesting is limited to LU_THRIFT_DEPTH.
 *
 * Write:
 *
 *	struct lu_thrift_out w = { .b = &buf };
 *	lu_thrift_put_i64(&w, 1, LU_THRIFT_I32, version);
 *	lu_thrift_open(&w, 5);			a structure in field 5
 *	...
 *	lu_thrift_close(&w);			ends it
 *	lu_thrift_end(&w);			ends the outermost
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

#define LU_THRIFT_DEPTH 32

enum lu_thrift_type {
	LU_THRIFT_TRUE = 1,
	LU_THRIFT_FALSE,
	LU_THRIFT_BYTE,
	LU_THRIFT_I16,
	LU_THRIFT_I32,
	LU_THRIFT_I64,
	LU_THRIFT_DOUBLE,
	LU_THRIFT_BINARY,
	LU_THRIFT_LIST,
	LU_THRIFT_SET,
	LU_THRIFT_MAP,
	LU_THRIFT_STRUCT,
};

struct lu_thrift {
	const unsigned char *p, *end;
	bool failed, ended; /* failed because the bytes end */
};

struct lu_thrift_field {
	int id;
	unsigned type; /* enum lu_thrift_type */
};

static inline struct lu_thrift lu_thrift_of(struct lu_str s)
{
	return (struct lu_thrift){ .p = (const unsigned char *)s.p,
		.end = (const unsigned char *)s.p + s.n };
}

/* The next field of the structure; *f starts from { 0 }. False at its end, and on failure. */
bool lu_thrift_next(struct lu_thrift *t, struct lu_thrift_field *f);
/* The value of the field. */
int64_t lu_thrift_i64(struct lu_thrift *t, const struct lu_thrift_field *f);
bool lu_thrift_bool(struct lu_thrift *t, const struct lu_thrift_field *f);
struct lu_str lu_thrift_str(struct lu_thrift *t, const struct lu_thrift_field *f);
/* Begin a list of values of `type`; returns their number, at most the bytes that are left. Elements
 * follow: structures are read by lu_thrift_next(), others by the functions above with the field
 * { 0, type }. */
size_t lu_thrift_list(struct lu_thrift *t, const struct lu_thrift_field *f, unsigned type);
/* Begin a structure, the value of the field: checks the type. */
void lu_thrift_struct(struct lu_thrift *t, const struct lu_thrift_field *f);
void lu_thrift_skip(struct lu_thrift *t, const struct lu_thrift_field *f);

struct lu_thrift_out {
	struct lu_buf *b;
	int last[8]; /* field before, of the open structures */
	size_t depth;
};

void lu_thrift_put_i64(struct lu_thrift_out *w, int id, enum lu_thrift_type type, int64_t v);
void lu_thrift_put_str(struct lu_thrift_out *w, int id, struct lu_str s);
/* A structure: as a field, or as an element of a list (id 0). */
void lu_thrift_open(struct lu_thrift_out *w, int id);
void lu_thrift_close(struct lu_thrift_out *w);
/* The head of a list; its elements are written next. */
void lu_thrift_put_list(struct lu_thrift_out *w, int id, enum lu_thrift_type type, size_t n);
/* Elements of a list. */
void lu_thrift_item_i64(struct lu_thrift_out *w, int64_t v);
void lu_thrift_item_str(struct lu_thrift_out *w, struct lu_str s);
void lu_thrift_end(struct lu_thrift_out *w);

#endif
