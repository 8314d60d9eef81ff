#ifndef LUCIE_BASE_JSON_WRITER_H
#define LUCIE_BASE_JSON_WRITER_H
/*
 * JSON writer into a buffer; the reader is io/json.h.
 *
 *	lu_json_open_object(b, NULL);
 *	lu_json_put_u64(b, "docs", 3);
 *	lu_json_open_array(b, "files");
 *	lu_json_put_cstr(b, NULL, "a.jsonl");
 *	lu_json_close_array(b);
 *	lu_json_close_object(b);		{"docs":3,"files":["a.jsonl"]}
 *
 * `key` names a member; it is NULL for an element of an array and for a top-level value. Keys are
 * ASCII words of our own and are written unescaped; lu_json_key() escapes a key that comes from
 * data.
 *
 * Commas are inserted automatically: before a key or value, unless the buffer is empty or ends with
 * '{', '[', ':' or white space. A document therefore starts in an empty buffer or on a new line,
 * and lu_json_newline() lays members out over several lines. The buffer is all the state there is:
 * one function may open an object and another fill it, and raw JSON may be appended in between.
 *
 * Errors are those of the buffer: check it once, with lu_buf_check(), when all is written.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

void lu_json_open_object(struct lu_buf *b, const char *key);
void lu_json_close_object(struct lu_buf *b);
void lu_json_open_array(struct lu_buf *b, const char *key);
void lu_json_close_array(struct lu_buf *b);

/* Write the key of the next value, escaped; that value is then put with key NULL. */
void lu_json_key(struct lu_buf *b, struct lu_str key);

void lu_json_put_str(struct lu_buf *b, const char *key, struct lu_str s);
void lu_json_put_cstr(struct lu_buf *b, const char *key, const char *s);
void lu_json_put_u64(struct lu_buf *b, const char *key, uint64_t v);
/* Formatted by lu_json_number(). */
void lu_json_put_double(struct lu_buf *b, const char *key, double v);
/* A fixed number of decimals; null unless finite. */
void lu_json_put_fixed(struct lu_buf *b, const char *key, double v, int decimals);
void lu_json_put_bool(struct lu_buf *b, const char *key, bool v);
void lu_json_put_null(struct lu_buf *b, const char *key);
/* A value that is JSON already. */
void lu_json_put_raw(struct lu_buf *b, const char *key, struct lu_str json);

/* End a line between two members or elements: the comma, then a newline. */
void lu_json_newline(struct lu_buf *b);

/* Append s as a quoted JSON string, without a comma: '"', '\\' and control characters are escaped
 * (\b \t \n \f \r by letter, the others as \u00xx), all else is copied. Bytes that are not UTF-8
 * are replaced by U+FFFD, so the output is always JSON. */
void lu_json_quote(struct lu_buf *b, struct lu_str s);

/* Append a real number, without a comma: the shortest text that reads back as the same double and
 * has a decimal point or an exponent, 1.0 and not 1, since readers that infer types take a member
 * for an integer if its first values look like one; null unless finite. */
void lu_json_number(struct lu_buf *b, double v);

#endif
