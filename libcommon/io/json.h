#ifndef LUCIE_IO_JSON_H
#define LUCIE_IO_JSON_H
/*
 * JSON reader: a strict scanner that builds no tree. The writer is base/json_writer.h.
 *
 * The scanner checks that a text is one JSON value (RFC 8259) and finds the members of an object as
 * raw slices of it, undecoded. Strings are decoded on request. So a record passes through byte for
 * byte with one member changed.
 *
 *	struct lu_json_obj obj;				members live in the arena
 *	struct lu_json_fault fault;
 *
 *	if (lu_json_object(line, &arena, &obj, &fault) < 0)
 *		return lu_json_fail(&fault, err);
 *	const struct lu_json_member *m = lu_json_get(&obj, "text");
 *	if (m && m->type == LU_JSON_STRING)
 *		lu_json_decode(m->value, &arena, &text) ...
 *
 * Strict means: UTF-8 without overlong forms or surrogates, no lone \uD800-\uDFFF escape, no raw
 * control character in a string, no trailing comma, numbers by the grammar, only blanks behind the
 * value. Two members of one name at the top level are a fault, since either choice would be a
 * guess; deeper down they pass.
 *
 * There is no recursion; nesting is limited to LU_JSON_DEPTH. Time is linear in the text.
 *
 * json.c scans, json_value.c decodes values, json_edit.c rewrites and repairs records.
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
	LU_JSON_TRUNCATED,	/* the text ends inside the value */
	LU_JSON_NOT_OBJECT,	/* JSON, but the value is no object */
	LU_JSON_BAD_UTF8,	/* repairable */
	LU_JSON_LONE_SURROGATE, /* repairable */
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
	struct lu_str value; /* raw; a string with its quotes */
	enum lu_json_type type;
	bool escaped; /* a string value with a backslash in it */
};

struct lu_json_obj {
	struct lu_str line; /* the text, as given */
	struct lu_json_member *member;
	size_t members;
	size_t end; /* offset of the closing '}' in line */
};

/* Scan an object. The slices point into `line`; members and decoded keys are in the arena. 0, or -1
 * and the fault. */
int lu_json_object(struct lu_str line, struct lu_arena *arena, struct lu_json_obj *obj,
		struct lu_json_fault *fault) LU_CHECKED;

/* Check a value of any type. */
int lu_json_check(struct lu_str text, enum lu_json_type *type,
		struct lu_json_fault *fault) LU_CHECKED;

/* "not JSON", "invalid UTF-8", ... */
const char *lu_json_fault_text(enum lu_json_fault_kind kind);
/* Turn a fault into an error: its text, with errnum ENOMEM where memory is out. Returns -1. */
int lu_json_fail(const struct lu_json_fault *fault, struct lu_err *err);

/* Member with this name, or NULL. */
const struct lu_json_member *lu_json_get(const struct lu_json_obj *obj, const char *key);
const struct lu_json_member *lu_json_find(const struct lu_json_obj *obj, struct lu_str key);

/* Decode a checked string (raw, with its quotes): a slice of it if it has no escape, else a copy in
 * the arena. -1 only when memory is out. */
int lu_json_decode(struct lu_str raw, struct lu_arena *arena, struct lu_str *out) LU_CHECKED;
/* Same, for a caller that knows whether there is an escape. */
int lu_json_decode_known(struct lu_str raw, bool escaped, struct lu_arena *arena,
		struct lu_str *out) LU_CHECKED;

/* Value of a checked number as a double, infinite on overflow; false if it is not a number. */
bool lu_json_double(const struct lu_json_member *m, double *out);
/* Value of a checked number; false unless it is a whole number (digits only) in range. */
bool lu_json_u64(const struct lu_json_member *m, uint64_t *out);

/*
 * Iterate over a checked array or object; other values have no elements.
 *
 *	struct lu_json_iter it = lu_json_iter(raw);
 *
 *	while (lu_json_next(&it))
 *		use(it.key, it.value, it.type);
 */
struct lu_json_iter {
	const char *p, *end;
	struct lu_str key; /* of an object: raw, with quotes */
	struct lu_str value;
	enum lu_json_type type; /* of the value */
	bool object;
};
struct lu_json_iter lu_json_iter(struct lu_str raw);
bool lu_json_next(struct lu_json_iter *it);

/* Edit of a record: set the member `key`, or append it if there is none. */
struct lu_json_edit {
	const char *key;
	struct lu_str value; /* raw JSON */
};
/* Append the record to `out` with the edits applied and everything else unchanged. Of several edits
 * of one key the last wins. */
void lu_json_rewrite(const struct lu_json_obj *obj, const struct lu_json_edit *edit, size_t edits,
		struct lu_buf *out);

/* Append the comma, unless `first`, and the key of a new member, spaced as the record is. */
void lu_json_begin_key(
		const struct lu_json_obj *obj, bool first, const char *key, struct lu_buf *out);

/* Begin to append a member `key`, which the record must not have: writes the record up to the
 * value. The caller writes the value and then the returned slice, the rest of the record. For
 * values too large to build beforehand. */
struct lu_str lu_json_begin_member(
		const struct lu_json_obj *obj, const char *key, struct lu_buf *out);

/* Append `line` with malformed UTF-8 and lone surrogate escapes replaced by U+FFFD (raw, or as
 * \ufffd); returns their number. Other faults remain. */
size_t lu_json_repair(struct lu_str line, struct lu_buf *out);

#endif
