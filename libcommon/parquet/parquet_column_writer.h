#ifndef LUCIE_PARQUET_COLUMN_WRITER_H
#define LUCIE_PARQUET_COLUMN_WRITER_H
/*
 * A column of a row group that is being written: optional, without nesting.
 *
 *	struct lu_pq_column_writer c = { .type = ..., .repeats = ..., .bounds = ..., .level = 3 };
 *	lu_pq_column_writer_put(&c, value, &err);	.p NULL: null
 *	lu_pq_column_writer_chunk(&c, &chunk, &err);	ends the row group; the bytes of the column
 *	lu_pq_column_writer_meta(&c, &thrift, offset);	its description for the footer
 *	lu_pq_column_writer_reset(&c);			for the next row group
 *	lu_pq_column_writer_release(&c);
 */
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/parquet/parquet_schema.h"

#include <zstd.h>

struct lu_pq_column_writer {
	/* Set by the caller. */
	enum lu_pq_type type;
	bool repeats; /* try a dictionary */
	bool bounds;  /* keep the least and the greatest value */
	int level;    /* of zstd; 0: none */
	const char *name;
	ZSTD_CCtx *zstd;

	/* Private: the page that fills. */
	struct lu_buf values; /* PLAIN */
	struct LU_VEC(uint32_t) index;
	struct LU_VEC(unsigned char) there;
	size_t size; /* bytes of the values, as if PLAIN */
	/* The row group. */
	struct lu_buf pages, dictionary, page, packed;
	struct LU_VEC(struct lu_pq_word {
		size_t at;
		uint32_t n;
		uint64_t hash;
	}) entries;
	struct lu_map map;
	bool plain; /* the dictionary is full */
	bool any_index;
	uint64_t rows, nulls;
	uint64_t raw;		/* bytes of pages with headers, not compressed */
	size_t dictionary_size; /* of its page in the file */
	bool has_bounds, unbounded;
	struct lu_buf least, greatest;
};

int lu_pq_column_writer_put(
		struct lu_pq_column_writer *c, struct lu_str value, struct lu_err *err) LU_CHECKED;
int lu_pq_column_writer_chunk(
		struct lu_pq_column_writer *c, struct lu_buf *chunk, struct lu_err *err) LU_CHECKED;
void lu_pq_column_writer_meta(struct lu_pq_column_writer *c, struct lu_thrift_out *t,
		uint64_t offset, size_t size);
void lu_pq_column_writer_reset(struct lu_pq_column_writer *c);
void lu_pq_column_writer_release(struct lu_pq_column_writer *c);

#endif
