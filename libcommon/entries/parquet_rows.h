#ifndef LUCIE_ENTRIES_PARQUET_ROWS_H
#define LUCIE_ENTRIES_PARQUET_ROWS_H
/*
 * Blocks of rows: what the reading thread cuts from a file, and what any thread makes records of.
 *
 * A block is a head, the schema as it is in the file, and for each wanted column, in order, the
 * number of its pages and the pages: a struct lu_pq_page and its bytes. A page that lies within the
 * rows of the block is there as it is in the file, compressed; of others the rows are cut out
 * (LU_PQ_CUT). It lives in memory only, so numbers are in the order of the machine.
 *
 * A row becomes a JSON object with a member for each column at the top that is not null, in the order
 * of the schema:
 *
 *	structure	{"a":1,"b":null}
 *	list		[1,null,2]; repeated columns without the marks of a list too
 *	map		{"key":"value"}; a key that is no string is written as one
 *	other values	parquet_value_json.h
 */
#include "libcommon/entries/entries.h"
#include "libcommon/parquet/parquet_pages.h"

struct lu_pq_block {
	uint64_t row; /* number of the first, from 0 */
	uint64_t rows;
	uint32_t schema;  /* bytes */
	uint32_t first;	  /* the first block: says which columns are left out */
	uint32_t records; /* written by parquet_writer.h: a row is a record of its own spelling */
	uint32_t large; /* rows larger than the limit, whose numbers are the end of the block, 8 bytes each */
};

/* Mark the columns that are wanted. */
int lu_pq_choose(struct lu_pq_schema *s, const struct lu_entries_options *o,
		struct lu_err *err) LU_CHECKED;

/* The `convert` of struct lu_entries_type. A damaged page costs the rows of the block from the one on
 * where it shows: each is dropped as "damaged page". */
int lu_pq_convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err) LU_CHECKED;

#endif
