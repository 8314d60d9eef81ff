#ifndef LUCIE_ENTRIES_PARQUET_READER_H
#define LUCIE_ENTRIES_PARQUET_READER_H
/*
 * Parquet as entries: a row is a record (parquet_rows.h).
 *
 * The reading thread reads the footer and the headers of pages and hands out ranges of rows with the
 * pages that hold them, compressed; what is decompressed there is only what crosses the border of a
 * range (parquet_cursor.h). Memory depends neither on the size of row groups nor on that of pages.
 *
 * Read are all physical types, encodings and codecs of the format except LZO, with both versions of
 * pages; not read are encrypted files and columns in other files. Columns of bytes that nothing marks
 * as text are left out, unless they are called by a known name, and so are those of BSON, intervals
 * and geometries: each is an entry that is dropped, so that it is counted.
 *
 * The file is read at any offset: without one the feed goes to a temporary file.
 */
#include "libcommon/entries/entries.h"

extern const struct lu_entries_type lu_parquet;

/* True for the first bytes of a file. */
bool lu_parquet_is(struct lu_str head);

#endif
