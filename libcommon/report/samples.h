#ifndef LUCIE_REPORT_SAMPLES_H
#define LUCIE_REPORT_SAMPLES_H
/*
 * A few documents of each group, such as a language or a reason for drops: those whose ids have the
 * lowest hashes, so that the choice depends neither on their order nor on how many there are, and the
 * same documents are shown when the build is repeated.
 *
 *	struct lu_samples s = { .each = 2 };
 *	lu_samples_add(&s, group, &sample, &err);	for each document
 *	lu_samples_sort(&s);				groups by documents in descending order
 *	lu_samples_release(&s);
 *
 * Only the beginnings of texts are held, LU_SAMPLES_EACH of LU_SAMPLE_TEXT bytes in a group at most.
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/opt.h"

#define LU_SAMPLES_EACH 20
#define LU_SAMPLES_GROUPS 1000 /* documents of further groups are not sampled */
#define LU_SAMPLE_TEXT 700     /* bytes */

/* What is shown of a document, as slices of the caller's or of `bytes`. */
struct lu_sample {
	uint64_t hash; /* lu_sample_hash() */
	struct lu_str id, source, license, lang, value, text;
	uint64_t characters; /* of the whole text */
	char *bytes;	     /* owned; NULL in the caller's */
};

struct lu_samples_group {
	char *name;
	uint64_t docs;
	struct lu_sample sample[LU_SAMPLES_EACH]; /* by hash */
	size_t n;
};

struct lu_samples {
	size_t each; /* at most LU_SAMPLES_EACH */
	struct LU_VEC(struct lu_samples_group) group;
};

/* Of the id, or of the text if there is none. */
uint64_t lu_sample_hash(struct lu_str id, struct lu_str text);
/* A slice of at most LU_SAMPLE_TEXT bytes that ends between characters. */
struct lu_str lu_sample_cut(struct lu_str text);
/* Count a document, and copy it if it is one of the chosen. */
int lu_samples_add(struct lu_samples *s, struct lu_str group, const struct lu_sample *sample,
		struct lu_err *err) LU_CHECKED;
void lu_samples_sort(struct lu_samples *s);
void lu_samples_release(struct lu_samples *s);

/* Add the documents of reject files by their reason. */
int lu_samples_read_rejects(struct lu_samples *s, const struct lu_list *file, uint64_t max_line,
		struct lu_err *err) LU_CHECKED;

#endif
