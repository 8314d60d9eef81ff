#ifndef LUCIE_BPETRAIN_COUNT_STEPS_H
#define LUCIE_BPETRAIN_COUNT_STEPS_H
/*
 * Training in steps: what each writes for the next.
 *
 *	c.by_language = true;			count: the words of documents, by language
 *	lu_count_steps_write(&c, &info, out, &err);
 *
 *	struct lu_count_set set;		merge, learn: the files of earlier steps
 *	if (lu_count_set_open(&set, path, n, settings, &err) < 0) ...
 *	c.file = set.file, c.files = set.n;
 *	lu_count_steps_write(&c, &info, out, &err);	or lu_bpe_train()
 *	lu_count_set_close(&set);		after the visit
 *
 * Addition is associative and has no order: however documents are distributed over files, and files
 * over merges, the words come out the same, and so does the file (lucie-counts(5)) with all of
 * them.
 */
#include "libcommon/bpetrain/counts.h"
#include "libcommon/io/outstream.h"

struct lu_count_info {
	const char *settings; /* how the text was split into words, as options */
	uint64_t documents, bytes;
};

/* Write all words of the counts as a count file, which is not committed. Consumes the counts, which
 * are read by one thread, part after part: memory is what the counts take. */
int lu_count_steps_write(struct lu_word_counts *c, const struct lu_count_info *info,
		struct lu_out *out, struct lu_err *err) LU_CHECKED;

struct lu_count_set {
	struct lu_count_file *file;
	size_t n;
	uint64_t documents, bytes; /* of all */
};

/* Open all files. Fails if one was counted with other settings, or is there twice. */
int lu_count_set_open(struct lu_count_set *s, char *const *path, size_t n, const char *settings,
		struct lu_err *err) LU_CHECKED;
void lu_count_set_close(struct lu_count_set *s); /* { 0 } is fine */

#endif
