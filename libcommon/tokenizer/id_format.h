#ifndef LUCIE_TOKENIZER_ID_FORMAT_H
#define LUCIE_TOKENIZER_ID_FORMAT_H
/*
 * Token ids as they are read from and written to files: decimal numbers, JSON arrays, little-endian
 * integers, pieces.
 */
#include "libcommon/tokenizer/tokenizer.h"

/* Read the digits at *s and advance. UINT64_MAX when there are none or the number is above
 * UINT32_MAX. */
uint64_t lu_id_read(const char **s, const char *end);

/* Read a checked JSON array into ids->p[0 .. n - 1]. Returns 0; 1 when an element is not an id, and
 * *bad is that element; -1 when memory is out. */
int lu_ids_read_json(struct lu_str raw, struct lu_ids *ids, struct lu_str *bad,
		struct lu_err *err) LU_CHECKED;

/* The put functions append, each id followed by its separator, so that parts can be joined. */
void lu_ids_put_decimal(struct lu_buf *b, const uint32_t *id, size_t n, char separator);
/* Little-endian, 2 or 4 bytes each; ids that do not fit are the caller's fault. */
void lu_ids_put_binary(struct lu_buf *b, const uint32_t *id, size_t n, unsigned width);
/* JSON strings with commas, as spelled in the file; null for an id that the tokenizer lacks. */
void lu_ids_put_pieces(struct lu_buf *b, const struct lu_tok *tok, const uint32_t *id, size_t n);

#endif
