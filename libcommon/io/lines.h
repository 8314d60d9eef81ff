#ifndef LUCIE_IO_LINES_H
#define LUCIE_IO_LINES_H
/*
 * Line reader: whole lines in slabs, the unit in which documents travel.
 *
 * A slab holds lines of one file, about LU_SLAB bytes of them, or more if a single line is longer.
 * Slab boundaries depend only on the decompressed bytes, not on the sizes of reads, so what is
 * built on slabs is the same for any compression and any number of threads. Lines are not copied,
 * except the one at the end of a slab.
 *
 *	struct lu_slab slab = { 0 };
 *	struct lu_lines l;
 *
 *	if (lu_lines_open(&l, files, n, max_line, err) < 0)
 *		return -1;
 *	while ((rc = lu_lines_read(&l, &slab, err)) > 0)
 *		while (lu_slab_next(&slab, &line))
 *			use(line);
 *	lu_lines_close(&l);
 *	lu_buf_release(&slab.bytes);
 *
 * A last line without newline is a line. A byte order mark at the start of a file is skipped. A
 * line longer than max_line is delivered as an empty one marked too_long; at most max_line +
 * LU_SLAB bytes of it are held in memory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/instream.h"

#define LU_SLAB ((size_t)1 << 20)

struct lu_slab {
	struct lu_buf bytes;
	const char *file;    /* name for messages; owned by the caller of lu_lines_open() */
	uint64_t first_line; /* number of the first line in its file, from 1 */
	size_t at;	     /* position of lu_slab_next() */
	uint64_t max_line;
	uint64_t skipped; /* length of a line too long to hold, then the only one; else 0 */
	/* Of the line last returned by lu_slab_next(): */
	uint64_t line;	 /* number in the file */
	uint64_t length; /* in the file, without the newline */
	bool too_long;	 /* length > max_line: delivered as empty */
};

struct lu_lines {
	char **file;
	size_t files, next_file;
	uint64_t max_line;
	struct lu_in *in;
	struct lu_buf carry;		  /* beginning of a line, for the next slab */
	uint64_t line;			  /* lines delivered from this file */
	bool fresh;			  /* nothing read from this file yet */
	uint64_t done_bytes, total_bytes; /* of the files, for progress */
};

/* Fail if one of the files does not exist or is given twice, before any is read. `files` must
 * outlive `l`. */
int lu_lines_open(struct lu_lines *l, char **files, size_t n, uint64_t max_line,
		struct lu_err *err) LU_CHECKED;
/* Read the next slab into `slab`, whose buffer is reused. 1, 0 at the end, or -1. */
int lu_lines_read(struct lu_lines *l, struct lu_slab *slab, struct lu_err *err) LU_CHECKED;
void lu_lines_close(struct lu_lines *l);
/* Bytes of the files read so far, for progress. */
uint64_t lu_lines_consumed(const struct lu_lines *l);

/* Get the next line, without its newline but with a carriage return. False at the end. */
bool lu_slab_next(struct lu_slab *slab, struct lu_str *line);

#endif
