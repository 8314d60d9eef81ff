#ifndef LUCIE_IMPORT_UTF16_FEED_H
#define LUCIE_IMPORT_UTF16_FEED_H
/*
 * A file in UTF-16 with its mark, read as UTF-8: what Excel and PowerShell call Unicode. For formats of
 * many documents; a single text is converted by charset/charset.h.
 */
#include "libcommon/io/feed.h"

/* True for the mark of UTF-16, and not that of UTF-32. */
bool lu_is_utf16(struct lu_str head);

/* Append as UTF-8, without the mark; what is no character becomes U+FFFD. */
void lu_utf16_to_utf8(struct lu_str bytes, struct lu_buf *out);

struct lu_utf16_feed;

/* Open *text, a feed of the same bytes in UTF-8. `raw` must outlive it, and *f too, which the caller
 * frees by lu_utf16_feed_free(). */
int lu_utf16_feed_open(struct lu_utf16_feed **f, struct lu_feed *raw, struct lu_feed **text,
		struct lu_err *err) LU_CHECKED;
void lu_utf16_feed_free(struct lu_utf16_feed *f); /* NULL is fine */

#endif
