#ifndef LUCIE_IO_SORTER_H
#define LUCIE_IO_SORTER_H
/*
 * Sorter: any number of records of one size, put in order within a bound of memory.
 *
 *	struct lu_sorter_options o = { .size = 24, .key = 16, .memory = 64 << 20, .tmpdir = dir,
 *		.threads = 2 };
 *	struct lu_sorter *s = NULL;
 *
 *	if (lu_sorter_new(&s, &o, err) < 0)
 *		return -1;
 *	for each record
 *		lu_sorter_add(s, record, err);
 *	lu_sorter_sort(s, err);				once, after the last add
 *	while ((rc = lu_sorter_next(s, &record, err)) > 0)
 *		use(record);
 *	lu_sorter_free(s);
 *
 * A record begins with its key, which is compared as by memcmp(): store numbers big-endian
 * (lu_store64_be() of base/num.h). Records with equal keys keep the order in which they were added,
 * so the result is a function of the records alone, whatever the bound and the number of threads.
 *
 * While all records fit they are sorted in memory, by radix from the first byte of the key on (an
 * out-of-place pass for each byte, insertion sort for small groups), which takes twice their size.
 * Else runs of half the bound are sorted and written to a temporary file without a name, and merged
 * by a tree of losers (Knuth, The Art of Computer Programming 3, 5.4.1). So that every run is read
 * in pieces of LU_SORTER_PIECE bytes, no more runs are merged at once than such pieces fit; more of
 * them are merged in several passes.
 *
 * Disk: the size of the records, rounded up to whole words of 8 bytes; twice that during a pass.
 * Errors of writes (a full disk) name the folder.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

/* A bound of memory below this counts as this: less cannot be kept. */
#define LU_SORTER_LEAST ((uint64_t)1 << 20)
#define LU_SORTER_PIECE ((size_t)128 << 10)
#define LU_SORTER_SIZE_MAX 4608
#define LU_SORTER_KEY_MAX 256

struct lu_sorter;

struct lu_sorter_options {
	size_t size;	    /* bytes of a record: 1 .. LU_SORTER_SIZE_MAX */
	size_t key;	    /* bytes of its key: 1 .. size and LU_SORTER_KEY_MAX */
	uint64_t memory;    /* bound in bytes; 0: none, and no file */
	const char *tmpdir; /* must outlive the sorter */
	int threads;	    /* at least 1 */
};

int lu_sorter_new(struct lu_sorter **s, const struct lu_sorter_options *o,
		struct lu_err *err) LU_CHECKED;
int lu_sorter_add(struct lu_sorter *s, const void *record, struct lu_err *err) LU_CHECKED;
int lu_sorter_sort(struct lu_sorter *s, struct lu_err *err) LU_CHECKED;
/* 1 and the next record, which is valid until the next call; 0 at the end; -1. */
int lu_sorter_next(struct lu_sorter *s, const void **record, struct lu_err *err) LU_CHECKED;
/* Records added. */
uint64_t lu_sorter_count(const struct lu_sorter *s);
/* Records that went to the temporary file, once for each pass. */
uint64_t lu_sorter_spilled(const struct lu_sorter *s);
void lu_sorter_free(struct lu_sorter *s); /* NULL is fine */

#endif
