#ifndef LUCIE_DEDUP_NEAR_FILES_H
#define LUCIE_DEDUP_NEAR_FILES_H
/*
 * Files between the steps of near deduplication (near_steps.h), each of dedup/stepfile.h, and what
 * the steps have in common. Numbers are little-endian, except in records of near_records.h.
 *
 *	magic	    written by	sections, and their records
 *	lucieSGN    sign	0: rank 8 and sketch of each document; 1: line 8, length of the id 4,
 *				id; then, by band and first bits of the key (lu_near_ranges()), pairs
 *				whose documents are numbered in their file
 *	lucieMET    meet	one for each input file: seats, numbered in their file
 *	lucieGST    fetch	256, by the first byte of the bucket: guests
 *	lucieEDG    edges	1: edges
 *	lucieROT    link	one for each input file: roots, the document numbered in its file
 *	lucieMBR    gather	256, by a hash of the root: length of the id 4, line 8, member, id
 *	lucieDRP    settle	a drop list (droplist.h)
 *
 * Documents are numbered over all files, in their order, unless stated. The settings begin with what
 * sign was given, and from edges on have --verify as well; later steps take all of it from there.
 */
#include "libcommon/dedup/near_stages.h"
#include "libcommon/dedup/stepfile.h"
#include "libcommon/dedup/steps.h"

#define LU_SIGN_MAGIC "lucieSGN"
#define LU_MEET_MAGIC "lucieMET"
#define LU_GUEST_MAGIC "lucieGST"
#define LU_EDGE_MAGIC "lucieEDG"
#define LU_ROOT_MAGIC "lucieROT"
#define LU_MEMBER_MAGIC "lucieMBR"
#define LU_NEAR_SECTIONS 256 /* of guests and members */

/* Step files that are read, in order. */
struct lu_near_files {
	struct lu_stepfile *file;
	size_t n;
};

/* Open files of one kind. `same` and `parts` are those of lu_stepfile_agree(). */
int lu_near_files_open(struct lu_near_files *f, char *const *path, size_t n, const char magic[8],
		bool same, bool parts, struct lu_err *err) LU_CHECKED;
void lu_near_files_close(struct lu_near_files *f); /* { 0 } is fine */

/* Find the input file of a file of sign among those that another step file was made from; fails if it
 * is not there, had other documents, or was made with other settings. */
int lu_near_same_file(const struct lu_stepfile *sign, const struct lu_stepfile *other,
		size_t *number, struct lu_err *err) LU_CHECKED;

/* What the steps share: parameters, sorters, the file that is written. */
struct lu_near_task {
	const struct lu_dedup_options *o;
	struct lu_minhash *mh;
	struct lu_near_how how;
	struct lu_corpus corpus; /* of the output */
	struct lu_stepfile_writer w;
};

/* Set the parameters, from the settings of a file or, where those are NULL, from the options, and
 * create the output. */
int lu_near_task_open(struct lu_near_task *t, const struct lu_dedup *d, const char *settings,
		const char magic[8], struct lu_err *err) LU_CHECKED;
void lu_near_task_close(struct lu_near_task *t);

/* The settings that sign writes. */
void lu_near_settings(const struct lu_near_task *t, struct lu_buf *out);

/* Sections of pairs in a file of sign, `LU_SIGN_PAIRS` on. */
#define LU_SIGN_PAIRS 2
size_t lu_near_ranges(const struct lu_minhash *mh);
/* The section, from 0, of a pair. */
size_t lu_near_range_of(const struct lu_minhash *mh, const void *pair);

/* A sorter with half of the memory. */
int lu_near_sorter(const struct lu_near_task *t, struct lu_sorter **s, size_t size, size_t key,
		struct lu_err *err) LU_CHECKED;

/* Pass the records of sections first .. end - 1 to fn(), which may change them. */
typedef int lu_near_record_fn(void *ctx, unsigned char *record, struct lu_err *err);
int lu_near_read(const struct lu_stepfile *f, size_t first, size_t end, size_t size,
		lu_near_record_fn *fn, void *ctx, struct lu_err *err) LU_CHECKED;

/* Write what a sorter holds as `sections` sections. fn() tells the section of a record, which never
 * decreases, and may change the copy that it is given. */
typedef size_t lu_near_section_fn(void *ctx, unsigned char *record);
int lu_near_write(struct lu_near_task *t, struct lu_sorter *sorter, size_t size, size_t sections,
		lu_near_section_fn *fn, void *ctx, struct lu_err *err) LU_CHECKED;

/* The section of a record that begins with the number of a document: that of its file. The number
 * becomes the one in the file. */
struct lu_near_by_file {
	const struct lu_corpus *corpus;
	size_t file; /* starts at 0 */
};
size_t lu_near_by_file(void *by_file, unsigned char *record);

/* "PATH: damaged, make it again" */
int lu_near_damaged(const struct lu_stepfile *f, struct lu_err *err);

#endif
