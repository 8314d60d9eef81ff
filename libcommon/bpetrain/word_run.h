#ifndef LUCIE_BPETRAIN_WORD_RUN_H
#define LUCIE_BPETRAIN_WORD_RUN_H
/*
 * Sorted runs of words on disk, for tables that do not fit in memory, and a reader over tables and
 * runs alike. Only counts.c uses this.
 *
 *	struct lu_word_run run;
 *	lu_word_run_write(&run, fd, &size, &words, NULL, &err);	appends the table to the file
 *
 *	struct lu_word_source s = lu_word_source_run(fd, &run, part);
 *	while ((rc = lu_word_source_next(&s, &err)) > 0)
 *		... s.word ...
 *	lu_word_source_release(&s);
 *
 * A run holds the words of one table in the order of words.h. Its LU_WORD_PARTS parts are equal
 * ranges of the hash, so that threads can merge all runs part by part. A record is the length
 * (varint), the group (byte), the count (varint) and the bytes of a word. The file is temporary and
 * read by the process that wrote it: it has no magic and no checksum.
 */
#include <stdint.h>

#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/words.h"

#define LU_WORD_PARTS 64

struct lu_word_run {
	uint64_t part[LU_WORD_PARTS + 1]; /* offsets in the file; the last is the end */
};

/* Append the words of a flushed table to the file, whose size is *size before and after. `chars`,
 * where it is not NULL, grows by the number of characters of all words, by group. */
int lu_word_run_write(struct lu_word_run *run, int fd, uint64_t *size, const struct lu_words *w,
		uint64_t *chars, struct lu_err *err) LU_CHECKED;

/* A reader of one part of a table or of a run. */
struct lu_word_source {
	struct lu_word word; /* its bytes are valid until the next call */

	/* Private. */
	bool on_disk;
	struct lu_words_cursor cursor;
	int fd;
	uint64_t offset, end;	 /* of what is not in `buf` yet */
	struct LU_VEC(char) buf; /* read and not consumed from `start` on */
	size_t start;
};

struct lu_word_source lu_word_source_table(const struct lu_words *w, size_t part);
struct lu_word_source lu_word_source_run(int fd, const struct lu_word_run *run, size_t part);
/* 1, 0 at the end, or -1. */
int lu_word_source_next(struct lu_word_source *s, struct lu_err *err) LU_CHECKED;
void lu_word_source_release(struct lu_word_source *s);

#endif
