#ifndef LUCIE_PARQUET_WRITER_H
#define LUCIE_PARQUET_WRITER_H
/*
 * Records as Parquet, with the fixed schema of lucie-parquet(5).
 *
 *	lu_pq_writer_open(&w, out, "x.parquet", 3, &err);
 *	lu_pq_writer_lines(w, bytes, &err);		records as JSON Lines, cut anywhere
 *	lu_pq_writer_finish(w, &err);			the footer; the stream is the caller's to commit
 *	lu_pq_writer_free(w);
 *
 * The file depends on the records alone. A row group ends with LU_PQ_GROUP_BYTES of values or
 * LU_PQ_GROUP_ROWS rows, a page with LU_PQ_PAGE_BYTES or LU_PQ_PAGE_ROWS; one value may be longer. Pages
 * are compressed as they fill, so that a row group costs its compressed size. Columns that repeat (source,
 * license, lang, category, layout) go through a dictionary until it has LU_PQ_DICTIONARY_BYTES. Each page
 * has a checksum, each column its number of nulls, and those of short values the least and greatest.
 */
#include <stdbool.h>

#include "libcommon/io/outstream.h"

#define LU_PQ_GROUP_BYTES ((size_t)64 << 20)
#define LU_PQ_GROUP_ROWS 1000000
#define LU_PQ_PAGE_BYTES ((size_t)1 << 20)
#define LU_PQ_PAGE_ROWS 20000
#define LU_PQ_DICTIONARY_BYTES ((size_t)256 << 10)
/* The longest value; a page must stay below 2 GiB. */
#define LU_PQ_VALUE_MAX ((size_t)1 << 30)

struct lu_pq_writer;

/* True for a name that ends in .parquet. */
bool lu_pq_is_name(const char *name);
/* The level that -z asks for: NULL (3), "zstd", "zstd:9", "none" (0). */
int lu_pq_level(const char *how, int *level, struct lu_err *err) LU_CHECKED;

/* `out` is a stream without compression, at its start; `level` is that of zstd in the pages, 0: none.
 * `name` is for messages and must outlive the writer. */
int lu_pq_writer_open(struct lu_pq_writer **w, struct lu_out *out, const char *name, int level,
		struct lu_err *err) LU_CHECKED;
int lu_pq_writer_lines(struct lu_pq_writer *w, struct lu_str bytes, struct lu_err *err) LU_CHECKED;
int lu_pq_writer_finish(struct lu_pq_writer *w, struct lu_err *err) LU_CHECKED;
void lu_pq_writer_free(struct lu_pq_writer *w); /* NULL is fine */

#endif
