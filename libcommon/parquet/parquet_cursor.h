#ifndef LUCIE_PARQUET_CURSOR_H
#define LUCIE_PARQUET_CURSOR_H
/*
 * A column of a row group, cut into the rows of blocks by the reading thread.
 *
 *	lu_pq_cursor_begin(&c, file, leaf, &chunk);		a row group
 *	lu_pq_cursor_rows(&c, most, budget, &rows, &err);	how many rows go into a block
 *	lu_pq_cursor_take(&c, rows, &block, &err);		these
 *	lu_pq_cursor_park(&c);					frees memory at the cost of time
 *	lu_pq_cursor_end(&c);
 *
 * Pages go as they are where they can: of them only the headers are read. A page is opened, and its
 * entries collected in the window, if it crosses the end of the block, if it is larger than
 * LU_PQ_WHOLE, if its rows cannot be counted by its header (version 1 of a nested column, whose rows
 * may even cross pages), or if it needs a large dictionary that many blocks would have to carry.
 */
#include "libcommon/parquet/parquet_footer.h"

#define LU_PQ_WHOLE ((size_t)8 << 20)
/* Dictionaries in memory: of one column, of all together. Others go to a temporary file. */
#define LU_PQ_DICTIONARY_HELD ((size_t)8 << 20)
#define LU_PQ_DICTIONARIES ((size_t)32 << 20)
/* Dictionaries that a block carries. */
#define LU_PQ_CARRIED ((size_t)8 << 20)
/* What the values of a column in a block may come to, where one value in a page stands for many. */
#define LU_PQ_EXPANDED ((size_t)32 << 20)

struct lu_pq_seen {
	struct lu_pq_page page;
	uint64_t at; /* of its bytes */
};

struct lu_pq_row_end {
	size_t entries, bytes;
};

/* What the cursors of a file share. */
struct lu_pq_shared {
	const struct lu_pq_file *file;
	const char *tmpdir; /* for large dictionaries */
	uint64_t limit;
	size_t dictionaries; /* bytes held */
	size_t carried;	     /* bytes of dictionaries in the block; set to 0 before each */
	uint64_t expanded;   /* sizes of all pages so far */
	struct LU_VEC(uint64_t) large; /* rows larger than the limit, by their number in the file */
	uint64_t row;		       /* number of the group's first */
};

struct lu_pq_cursor {
	struct lu_pq_shared *shared;
	const struct lu_pq_node *node;
	struct lu_pq_chunk chunk;
	uint64_t at, values; /* of the next header; values in pages not seen */
	struct LU_VEC(struct lu_pq_seen) ahead;
	size_t next; /* in ahead */
	bool has_dictionary, decoded;
	struct lu_pq_seen dictionary_page;
	struct lu_pq_dictionary dictionary;
	unsigned shipped; /* blocks that carry it */
	/* The open page. */
	bool open, parked, have; /* have: the levels of an entry are read */
	struct lu_pq_seen current;
	uint32_t done; /* entries of it that are in the window or given */
	struct lu_pq_page_reader page;
	/* The window: entries, and where rows end in it. */
	struct lu_buf rep, def, val;
	size_t entries;
	struct LU_VEC(struct lu_pq_row_end) ends;
	uint64_t taken; /* rows given */
	bool over;	/* the row that is being collected is too large */
};

void lu_pq_cursor_begin(struct lu_pq_cursor *c, struct lu_pq_shared *s,
		const struct lu_pq_node *node, const struct lu_pq_chunk *chunk);
/* At most `most` rows, whose pages expand to about `budget` bytes at most; 0 at the end. */
int lu_pq_cursor_rows(struct lu_pq_cursor *c, uint64_t most, size_t budget, uint64_t *rows,
		struct lu_err *err) LU_CHECKED;
int lu_pq_cursor_take(struct lu_pq_cursor *c, uint64_t rows, struct lu_buf *block,
		struct lu_err *err) LU_CHECKED;
/* About the memory that the open page takes. */
size_t lu_pq_cursor_memory(const struct lu_pq_cursor *c);
void lu_pq_cursor_park(struct lu_pq_cursor *c);
void lu_pq_cursor_end(struct lu_pq_cursor *c);

#endif
