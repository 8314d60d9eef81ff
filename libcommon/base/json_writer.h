#ifndef LUCIE_BASE_JSON_WRITER_H
#define LUCIE_BASE_JSON_WRITER_H
/*
 * Writing JSON into a buffer. Reading is io/json.h.
 *
 *	lu_json_open_object(b, NULL);
 *	lu_json_put_u64(b, "docs", 3);
 *	lu_json_open_array(b, "files");
 *	lu_json_put_cstr(b, NULL, "a.jsonl");
 *	lu_json_close_array(b);
 *	lu_json_close_object(b);		{"docs":3,"files":["a.jsonl"]}
 *
 * `key` names a member; NULL is an element of an array, or a value at the top. Keys are our own
 * ASCII words and are written as they are; lu_json_key() escapes a key that comes from data.
 *
 * Commas come by themselves. A comma is written unless the buffer is empty or ends with one of
 * { [ : and white space, so a value starts in an empty buffer or after a newline, and members may
 * be laid out over several lines with lu_json_newline(). There is no state beside the buffer: what
 * one function opens another may fill, and raw JSON may be appended by hand.
 *
 * Errors are those of the buffer: check it once, by lu_buf_check(), when all is written.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

void lu_json_open_object(struct lu_buf *b, const char *key);
void lu_json_close_object(struct lu_buf *b);
void lu_json_open_array(struct lu_buf *b, const char *key);
void lu_json_close_array(struct lu_buf *b);

/* The key of the next value, escaped; that value is then put with key NULL. */
void lu_json_key(struct lu_buf *b, struct lu_str key);

void lu_json_put_str(struct lu_buf *b, const char *key, struct lu_str s);
void lu_json_put_cstr(struct lu_buf *b, const char *key, const char *s);
void lu_json_put_u64(struct lu_buf *b, const char *key, uint64_t v);
/* As lu_json_number() writes it. */
void lu_json_put_double(struct lu_buf *b, const char *key, double v);
/* With a fixed number of decimals; null when it is not finite. */
void lu_json_put_fixed(struct lu_buf *b, const char *key, double v, int decimals);
void lu_json_put_bool(struct lu_buf *b, const char *key, bool v);
void lu_json_put_null(struct lu_buf *b, const char *key);
/* A value that is JSON already. */
void lu_json_put_raw(struct lu_buf *b, const char *key, struct lu_str json);

/* Ends a line between two members or elements: the comma that is due, then a newline. */
void lu_json_newline(struct lu_buf *b);

/* Appends s as a JSON string with its quotes, without a comma: '"', '\\' and control characters
 * are escaped (\b \t \n \f \r by letter, the others as \u00xx), all else is copied as it is. s must
 * be UTF-8; bytes that are not are replaced by U+FFFD, so that what we write is always JSON. */
void lu_json_quote(struct lu_buf *b, struct lu_str s);

/* Appends a number, without a comma: integers exactly, others by the shortest text that reads
 * back equal; a value that is not finite becomes null. */
void lu_json_number(struct lu_buf *b, double v);

#endif
