#ifndef LUCIE_IO_LINES_H
#define LUCIE_IO_LINES_H
/*
 * Lines in slabs: the unit in which documents travel.
 *
 * A slab holds whole lines of one file, about LU_SLAB bytes of them (one longer line makes a
 * longer slab). Where slabs are cut depends only on the decompressed bytes, never on how the
 * reads fell, so everything built on slabs gives the same bytes for any compression and any
 * number of threads. Lines are not copied, except the one that crosses a slab's end.
 *
 *	struct lu_lines l;
 *	lu_lines_open(&l, files, n, max_line, &err);
 *	while ((rc = lu_lines_read(&l, &slab, &err)) > 0)
 *		while (lu_slab_next(&slab, &line)) ...
 *	lu_lines_close(&l);
 *
 * A last line without newline is a line. A byte order mark at the start of a file is not part
 * of its first line. A line longer than max_line is given as an empty one and marked too_long;
 * no more than max_line + LU_SLAB bytes of it are ever held.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/instream.h"

#define LU_SLAB ((size_t)1 << 20)

struct lu_slab {
	struct lu_buf bytes;
	const char *file;    /* name for messages; lives as long as the lu_lines */
	uint64_t first_line; /* number of the slab's first line in its file, from 1 */
	size_t at;	     /* lu_slab_next's position */
	uint64_t max_line;
	uint64_t skipped; /* length of the slab's only line when it was too long to hold, else 0 */
	/* Of the line that lu_slab_next() gave last: */
	uint64_t line;	 /* its number in the file */
	uint64_t length; /* as it was in the file, without the newline */
	bool too_long;	 /* length > max_line: the line was given as empty */
};

struct lu_lines {
	char **file;
	size_t files, next_file;
	uint64_t max_line;
	struct lu_in *in;
	struct lu_buf carry;		  /* the beginning of a line, for the next slab */
	uint64_t line;			  /* lines given so far from this file */
	bool fresh;			  /* nothing was read from this file yet */
	uint64_t done_bytes, total_bytes; /* of the files: for progress */
};

int lu_lines_open(struct lu_lines *l, char **files, size_t n, uint64_t max_line,
		struct lu_err *err) LU_CHECKED;
/* 1: the slab is filled (its buffer is reused); 0: no more; -1. */
int lu_lines_read(struct lu_lines *l, struct lu_slab *slab, struct lu_err *err) LU_CHECKED;
void lu_lines_close(struct lu_lines *l);
uint64_t lu_lines_consumed(const struct lu_lines *l);

/* The next line, without its newline (a carriage return stays). False at the end. */
bool lu_slab_next(struct lu_slab *slab, struct lu_str *line);

#endif
