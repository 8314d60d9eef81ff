#ifndef LUCIE_IO_JSON_H
#define LUCIE_IO_JSON_H
/*
 * A strict JSON scanner that builds no tree.
 *
 * It checks that text is one JSON value by RFC 8259 (UTF-8 without overlong forms or
 * surrogates, no lone \uD800-\uDFFF escape, no raw control character in a string, no comma too
 * many, numbers by the grammar, nothing but blanks after the value) and hands out raw slices of
 * it: where each member of the object is, undecoded. Decoding a string is asked for by name.
 * A record can so be passed on byte for byte with one member changed.
 *
 *	struct lu_json_obj obj;			members live in the arena
 *	if (lu_json_object(line, &arena, &obj, &fault) < 0)
 *		... lu_json_fault_text(fault.kind), at byte fault.at
 *	const struct lu_json_member *m = lu_json_get(&obj, "text");
 *	if (m && m->type == LU_JSON_STRING)
 *		lu_json_decode(m->value, &arena, &text);
 *
 * No recursion: depth is bounded by LU_JSON_DEPTH. Scanning is linear in the text. Two members
 * of the same name at the top level make the record faulty (which one counts would be a guess);
 * deeper down they pass.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"

#define LU_JSON_DEPTH 1024

enum lu_json_type {
	LU_JSON_NULL,
	LU_JSON_FALSE,
	LU_JSON_TRUE,
	LU_JSON_NUMBER,
	LU_JSON_STRING,
	LU_JSON_ARRAY,
	LU_JSON_OBJECT,
};

enum lu_json_fault_kind {
	LU_JSON_OK,
	LU_JSON_SYNTAX,		/* not JSON */
	LU_JSON_TRUNCATED,	/* ends inside the value */
	LU_JSON_NOT_OBJECT,	/* JSON, but the value is no object */
	LU_JSON_BAD_UTF8,	/* can be repaired */
	LU_JSON_LONE_SURROGATE, /* can be repaired */
	LU_JSON_CONTROL,	/* raw control character in a string */
	LU_JSON_TOO_DEEP,
	LU_JSON_DUPLICATE, /* two members of one name */
	LU_JSON_NO_MEMORY,
};

struct lu_json_fault {
	enum lu_json_fault_kind kind;
	size_t at; /* byte offset in the text */
};

struct lu_json_member {
	struct lu_str key;   /* raw, without quotes; decoded when it held an escape */
	struct lu_str value; /* raw, a string with its quotes */
	enum lu_json_type type;
	bool escaped; /* a string value that holds a backslash */
};

struct lu_json_obj {
	struct lu_str line; /* the text that was scanned */
	struct lu_json_member *member;
	size_t members;
	size_t end; /* offset of the closing '}' in line */
};

/* Scans one object. Slices point into `line`, arrays into the arena. 0, or -1 and the fault. */
int lu_json_object(struct lu_str line, struct lu_arena *arena, struct lu_json_obj *obj,
		struct lu_json_fault *fault) LU_CHECKED;

/* Any value: checks it and tells its type. */
int lu_json_check(struct lu_str text, enum lu_json_type *type,
		struct lu_json_fault *fault) LU_CHECKED;

/* "not JSON", "invalid UTF-8", ... */
const char *lu_json_fault_text(enum lu_json_fault_kind kind);

/* The member called `key`, or NULL. */
const struct lu_json_member *lu_json_get(const struct lu_json_obj *obj, const char *key);

/* Decodes a checked string value (with its quotes). When it has no escape the result is a slice
 * of it, otherwise memory of the arena. -1 only when memory is out. */
int lu_json_decode(struct lu_str raw, struct lu_arena *arena, struct lu_str *out) LU_CHECKED;
/* Same, when it is already known whether there is a backslash. */
int lu_json_decode_known(struct lu_str raw, bool escaped, struct lu_arena *arena,
		struct lu_str *out) LU_CHECKED;

/* A checked number as a double, infinite where it is too large for one; false when the value is
 * not a number. */
bool lu_json_double(const struct lu_json_member *m, double *out);
/* A checked number that is a whole number in range. */
bool lu_json_u64(const struct lu_json_member *m, uint64_t *out);

/* Walks the elements of a checked array or the members of a checked object:
 *	struct lu_json_iter it = lu_json_iter(raw);
 *	while (lu_json_next(&it)) ... it.key (objects: raw string with quotes), it.value, it.type */
struct lu_json_iter {
	const char *p, *end;
	struct lu_str key, value;
	enum lu_json_type type;
};
struct lu_json_iter lu_json_iter(struct lu_str raw);
bool lu_json_next(struct lu_json_iter *it);

/* One change to a record: the member `key` gets the raw value, or is added at the end. */
struct lu_json_edit {
	const char *key;
	struct lu_str value; /* raw JSON */
};
/* Appends the record with the edits applied; everything else byte for byte as it was. */
void lu_json_rewrite(const struct lu_json_obj *obj, const struct lu_json_edit *edit, size_t edits,
		struct lu_buf *out);

/* The beginning of the record with a member `key`, which it does not have, up to its value: append
 * that, and then the slice that is returned. For values too large to be made beforehand. */
struct lu_str lu_json_head(const struct lu_json_obj *obj, const char *key, struct lu_buf *out);

/* Appends `line` with malformed UTF-8 and lone surrogate escapes replaced by U+FFFD (raw, or as
 * \ufffd); returns how many. What else is wrong with the line stays wrong. */
size_t lu_json_repair(struct lu_str line, struct lu_buf *out);

#endif
