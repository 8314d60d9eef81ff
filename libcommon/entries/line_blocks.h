#ifndef LUCIE_ENTRIES_LINE_BLOCKS_H
#define LUCIE_ENTRIES_LINE_BLOCKS_H
/*
 * Blocks of whole lines, for formats whose entries do not cross lines.
 *
 *	struct lu_line_blocks l = { .feed = feed, .limit = limit };	the reading thread
 *	while ((rc = lu_line_blocks_next(&l, &block, &err)) > 0) ...
 *	lu_line_blocks_release(&l);
 *
 *	struct lu_block_lines it = lu_block_lines(block, limit);	any thread
 *	while (lu_block_line(&it))
 *		use(it.text, it.number);
 *
 * A last line without newline is a line; a byte order mark at the start of the file is skipped. A line
 * longer than the limit is passed over, whatever its length, without being held: a block of its own
 * that has only its length.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/entries/entries.h"

struct lu_line_blocks {
	struct lu_feed *feed;
	uint64_t limit;
	bool guess; /* find the charset of the lines, by those of the first block that is not UTF-8 */
	/* Private. */
	const char *charset;
	struct lu_buf carry; /* beginning of a line, for the next block */
	uint64_t lines;	     /* given so far */
	bool begun, ended;
};

/* 1; 0 at the end; -1. */
int lu_line_blocks_next(
		struct lu_line_blocks *l, struct lu_buf *block, struct lu_err *err) LU_CHECKED;
void lu_line_blocks_release(struct lu_line_blocks *l);

/* The same as functions of a struct lu_entries_type. */
int lu_line_blocks_open(void **state, struct lu_feed *feed, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err) LU_CHECKED;
int lu_line_blocks_block(void *state, struct lu_buf *block, struct lu_err *err) LU_CHECKED;
void lu_line_blocks_close(void *state);

struct lu_block_lines {
	struct lu_str text;  /* the line, without its end ("\n" or "\r\n") */
	uint64_t number;     /* of the line in its file, from 1 */
	uint64_t size;	     /* of the line with its end */
	const char *charset; /* guessed, for those that are not UTF-8; NULL: not known */
	bool too_long;	     /* longer than the limit: `text` is empty */
	/* Private. */
	struct lu_str rest;
	uint64_t limit, skipped;
};

struct lu_block_lines lu_block_lines(struct lu_str block, uint64_t limit);
/* Go to the next line; false at the end. */
bool lu_block_line(struct lu_block_lines *it);

#endif
