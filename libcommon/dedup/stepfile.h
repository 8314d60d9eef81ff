#ifndef LUCIE_DEDUP_STEPFILE_H
#define LUCIE_DEDUP_STEPFILE_H
/*
 * Files between the steps of deduplication: sections of bytes, read whole or in part, and a footer
 * that says which documents they speak of. Each kind of file has a magic of its own and describes its
 * records; lucie-dedup-steps(5) has them all.
 *
 *	struct lu_stepfile_writer w = LU_STEPFILE_WRITER_NONE;
 *
 *	lu_stepfile_create(&w, o->std.output, "lucieKEY", err);
 *	for each section
 *		lu_stepfile_write(&w, p, n, err);		any number of times
 *		lu_stepfile_end_section(&w, records, err);
 *	lu_stepfile_commit(&w, &corpus, "key=text", part, parts, err);
 *	lu_stepfile_abort(&w);					no effect after the commit
 *
 *	struct lu_stepfile f = LU_STEPFILE_NONE;
 *
 *	lu_stepfile_open(&f, path, "lucieKEY", err);		reads and checks the footer
 *	struct lu_stepcursor c = { 0 };
 *	lu_stepcursor_open(&c, &f, first, end, window, err);	sections first .. end - 1
 *	while ((rc = lu_stepcursor_read(&c, n, &bytes, err)) > 0)
 *	lu_stepcursor_close(&c);
 *	lu_stepfile_close(&f);
 *
 * Layout, little-endian: magic (8), version (4), 0 (4); the sections, end to end; the footer:
 *
 *	4, n	length of the settings, and the settings: text that must agree between files of a run
 *	4, 4	part and parts of the step (1 and 1: it was not divided)
 *	8	number of input files, and for each: 4, n name; 8 documents; 8 hash of its records
 *	8	number of sections, and for each: 8 offset; 8 bytes; 8 records; 8 hash of its bytes
 *
 * and the trailer, the last 32 bytes: 8 offset of the footer; 8 records of all sections; 8 hash of
 * the footer and of the 16 bytes before this; "lucieEND". Hashes are the low half of XXH3-128. Sections
 * lie end to end, so that neighbours are read in one go. Damage of any byte is an error, that of a
 * section when it has been read to its end: lu_stepcursor_read() has returned 0, or
 * lu_stepcursor_finish().
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/atomicfile.h"

#define LU_STEPFILE_VERSION 1

/* --- the ordered list of input files -------------------------------------------------------- */

/* An input file. Documents are numbered from 0 in their file, bad records not counted. */
struct lu_corpus_file {
	char *name; /* as it was given */
	uint64_t docs;
	uint64_t hash; /* of its records in order: lu_corpus_add() */
	uint64_t base; /* documents of all files before: what makes a number global */
};

struct lu_corpus {
	struct LU_VEC(struct lu_corpus_file) file;
	uint64_t docs;
};

/* Append a copy. */
int lu_corpus_push(struct lu_corpus *c, const char *name, uint64_t docs, uint64_t hash,
		struct lu_err *err) LU_CHECKED;
/* Append the files of another; one that is there already is an error. */
int lu_corpus_append(
		struct lu_corpus *c, const struct lu_corpus *more, struct lu_err *err) LU_CHECKED;
/* Number of the file with this name, or SIZE_MAX. */
size_t lu_corpus_find(const struct lu_corpus *c, const char *name);
/* True if both have the same files with the same contents in the same order. */
bool lu_corpus_same(const struct lu_corpus *a, const struct lu_corpus *b);
void lu_corpus_release(struct lu_corpus *c);

/* The hash of a file after one more record, whose bytes (as read) have the hash `record`:
 * lu_hash64(p, n, 0), which may be computed in parallel. Begins at 0. */
uint64_t lu_corpus_add(uint64_t hash, uint64_t record);

/* --- writing -------------------------------------------------------------------------------- */

struct lu_step_section {
	uint64_t offset, bytes, records, hash;
};

struct lu_stepfile_writer {
	struct lu_atomic file;
	struct lu_hasher *hasher;
	struct lu_buf buf;
	uint64_t end; /* bytes so far */
	struct LU_VEC(struct lu_step_section) section;
	struct lu_step_section now;
};
/* clang-format off */
#define LU_STEPFILE_WRITER_NONE { .file = LU_ATOMIC_NONE }
/* clang-format on */

/* `target` NULL or "-" is standard output. */
int lu_stepfile_create(struct lu_stepfile_writer *w, const char *target, const char magic[8],
		struct lu_err *err) LU_CHECKED;
int lu_stepfile_write(struct lu_stepfile_writer *w, const void *p, size_t n,
		struct lu_err *err) LU_CHECKED;
int lu_stepfile_end_section(
		struct lu_stepfile_writer *w, uint64_t records, struct lu_err *err) LU_CHECKED;
int lu_stepfile_commit(struct lu_stepfile_writer *w, const struct lu_corpus *corpus,
		const char *settings, unsigned part, unsigned parts, struct lu_err *err) LU_CHECKED;
void lu_stepfile_abort(struct lu_stepfile_writer *w);

/* --- reading -------------------------------------------------------------------------------- */

struct lu_stepfile {
	const char *path;
	int fd;
	struct LU_VEC(struct lu_step_section) section;
	struct lu_corpus corpus;
	char *settings;
	unsigned part, parts;
	uint64_t records;
};
/* clang-format off */
#define LU_STEPFILE_NONE { .fd = -1 }
/* clang-format on */

/* `path` must name a regular file and outlive f. */
int lu_stepfile_open(struct lu_stepfile *f, const char *path, const char magic[8],
		struct lu_err *err) LU_CHECKED;
void lu_stepfile_close(struct lu_stepfile *f);

/* Fail unless the files, which are of one kind and step, belong together: equal settings and, where
 * `same` is set, equal corpora; and with `parts` that each part is there once. */
int lu_stepfile_agree(const struct lu_stepfile *f, size_t n, bool same, bool parts,
		struct lu_err *err) LU_CHECKED;

/* Reads neighbouring sections in order, `window` bytes at a time. */
struct lu_stepcursor {
	const struct lu_stepfile *f;
	size_t section, end; /* the current one; behind the last one */
	uint64_t at, stop;   /* file offsets: of the next byte to be read, behind the last one */
	uint64_t left;	     /* bytes of the section not handed out yet */
	uint64_t records;    /* of all the sections */
	struct lu_buf window;
	size_t from, size; /* bytes of the window handed out; its size */
	struct lu_hasher *hasher;
};

int lu_stepcursor_open(struct lu_stepcursor *c, const struct lu_stepfile *f, size_t first,
		size_t end, size_t window, struct lu_err *err) LU_CHECKED;
/* The next n > 0 bytes, valid until the next call; a piece never crosses a section. 1, 0 at the end of
 * the last section, -1. */
int lu_stepcursor_read(struct lu_stepcursor *c, size_t n, struct lu_str *out,
		struct lu_err *err) LU_CHECKED;
/* Read what is left and check it, for one who has stopped before the end. */
int lu_stepcursor_finish(struct lu_stepcursor *c, struct lu_err *err) LU_CHECKED;
void lu_stepcursor_close(struct lu_stepcursor *c);

#endif
