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
 * ranges of the hash, so that threads can merge all runs part by part. A record is the length, the
 * group and the count of a word (varints: 7 bits a byte, the lowest first, the top bit on all but
 * the last), and its bytes. The file is temporary and read by the process that wrote it: it has no
 * magic and no checksum. A count file (count_file.h) has both, and the same records.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/words.h"

#define LU_WORD_PARTS 64
#define LU_WORD_MAX_COUNT (UINT64_C(1) << 61)

struct lu_word_run {
	uint64_t part[LU_WORD_PARTS + 1]; /* offsets in the file; the last is the end */
};

/* Append the words of a flushed table to the file, whose size is *size before and after. `chars`,
 * where it is not NULL, grows by the number of characters of all words, by group. */
int lu_word_run_write(struct lu_word_run *run, int fd, uint64_t *size, const struct lu_words *w,
		uint64_t *chars, struct lu_err *err) LU_CHECKED;

/* First hash of a part; 0 for the end of the last. */
uint64_t lu_word_part_start(size_t part);
void lu_word_record_put(struct lu_buf *b, const struct lu_word *w);

/* What is checked of a part of a file that another process wrote. */
struct lu_word_check {
	const char *file;
	uint64_t records; /* number of records */
	unsigned char hash[16];
	size_t part;
	unsigned groups;
};

/* A reader of one part of a table or of a run. */
struct lu_word_source {
	struct lu_word word; /* its bytes are valid until the next call */
	/* The reader's number of each of the source's groups; NULL: the same. */
	const uint16_t *map;

	/* Private. */
	bool on_disk;
	struct lu_words_cursor cursor;
	int fd;
	uint64_t offset, end;	 /* of what is not in `buf` yet */
	struct LU_VEC(char) buf; /* read and not consumed from `start` on */
	size_t start;
	size_t room; /* bytes read at once */
	const struct lu_word_check *check;
	struct lu_hasher *hasher;
	uint64_t records; /* read so far */
};

struct lu_word_source lu_word_source_table(const struct lu_words *w, size_t part);
/* Reads `room` bytes at once; 0: 64 KiB. */
struct lu_word_source lu_word_source_run(
		int fd, const struct lu_word_run *run, size_t part, size_t room);
/* Then every record is checked, and at the end their number and hash. `check` must outlive the
 * source. */
int lu_word_source_verify(struct lu_word_source *s, const struct lu_word_check *check,
		struct lu_err *err) LU_CHECKED;
/* 1, 0 at the end, or -1. */
int lu_word_source_next(struct lu_word_source *s, struct lu_err *err) LU_CHECKED;
void lu_word_source_release(struct lu_word_source *s);

#endif
