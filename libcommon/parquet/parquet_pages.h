#ifndef LUCIE_PARQUET_PAGES_H
#define LUCIE_PARQUET_PAGES_H
/*
 * Pages of a column: their heads, and the entries in them, each a pair of levels and, unless
 * something on its path is null, a value.
 *
 *	lu_pq_page_head(bytes, &page, &size, &err);	from a file
 *	lu_pq_page_begin(&r, node, &page, dictionary, limit, &err);
 *	while (r.left) {
 *		lu_pq_page_levels(&r, &err);		r.rep, r.def
 *		if (r.def == node->def)
 *			lu_pq_values_next(&r.values, &value, &err);
 *	}
 *	lu_pq_page_release(&r);
 */
#include "libcommon/parquet/parquet_stream.h"
#include "libcommon/parquet/parquet_values.h"

/* The first four are the format's numbers. */
enum lu_pq_form {
	LU_PQ_DATA,  /* version 1: levels with the values, compressed */
	LU_PQ_INDEX, /* not data */
	LU_PQ_DICTIONARY,
	LU_PQ_DATA_V2, /* levels apart, not compressed */
	LU_PQ_CUT,     /* our own, in blocks: levels as bytes, then values in PLAIN */
};

/* What a page header says. No padding: it is copied into blocks. */
struct lu_pq_page {
	uint32_t form, encoding, values,
			rows;  /* rows: of version 2, and of columns that do not repeat */
	uint32_t size, packed; /* bytes, as they are and in the file */
	uint32_t def_size, rep_size, def_encoding, rep_encoding;
	uint32_t compressed, has_crc, crc, codec;
};

/* Parse a header. 1; 0: the bytes end before it does, more are needed; -1. */
int lu_pq_page_head(struct lu_str bytes, struct lu_pq_page *page, size_t *size, struct lu_err *err);

struct lu_pq_page_reader {
	const struct lu_pq_node *node;
	uint32_t left; /* entries */
	uint32_t rep, def;
	struct lu_pq_values values;
	struct lu_pq_source src;
	struct lu_pq_rle reps, defs;
	bool cut;
	struct lu_buf bytes;		    /* decompressed */
	struct lu_buf kept_reps, kept_defs; /* levels of a stream */
};

/* Begin a page whose bytes, as they are in the file, are in memory. */
int lu_pq_page_open(struct lu_pq_page_reader *r, const struct lu_pq_node *node,
		const struct lu_pq_page *page, struct lu_str packed, struct lu_pq_dictionary *d,
		uint64_t limit, struct lu_err *err) LU_CHECKED;
/* Begin a page of a file at offset `at`, decompressed in small pieces. */
int lu_pq_page_open_stream(struct lu_pq_page_reader *r, const struct lu_pq_node *node,
		const struct lu_pq_page *page, int fd, uint64_t at, struct lu_pq_dictionary *d,
		uint64_t limit, struct lu_err *err) LU_CHECKED;
/* Read the levels of the next entry; there must be one left. */
int lu_pq_page_levels(struct lu_pq_page_reader *r, struct lu_err *err) LU_CHECKED;
/* Free the page, keeping memory for the next. */
void lu_pq_page_end(struct lu_pq_page_reader *r);
void lu_pq_page_release(struct lu_pq_page_reader *r);

/* Decompress a page of a dictionary, and read it. */
int lu_pq_page_dictionary(struct lu_pq_dictionary *d, const struct lu_pq_node *node,
		const struct lu_pq_page *page, struct lu_str packed, struct lu_err *err) LU_CHECKED;

/* Bits of levels from 0 to max. */
static inline unsigned lu_pq_level_bits(unsigned max)
{
	return max ? 32 - (unsigned)__builtin_clz(max) : 0;
}

#endif
