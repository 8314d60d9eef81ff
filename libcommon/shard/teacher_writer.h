#ifndef LUCIE_SHARD_TEACHER_WRITER_H
#define LUCIE_SHARD_TEACHER_WRITER_H
/*
 * Writes what a teacher says about a shard, a file for each part (teacher.h). All appear, or none.
 *
 *	struct lu_teacher_writer *w;
 *	lu_teacher_writer_open(&w, shard, "NAME", &header, &err);
 *	lu_teacher_writer_add(w, ids, log_p, n, &err);	rows of the next n tokens, of all in order
 *	lu_teacher_writer_commit(w, &err);		once
 *	lu_teacher_writer_free(w);			in any case
 *
 * Memory: that of a buffer of a few hundred kilobytes.
 */
#include "libcommon/shard/teacher.h"

struct lu_teacher_writer;

/* Of the header top, vocab, context, tokenizer and weights are read; an empty hash stands for one that
 * is not known. A name is letters, digits, '-' and '_'. */
int lu_teacher_writer_open(struct lu_teacher_writer **w, const struct lu_shard *s, const char *name,
		const struct lu_teacher_header *header, struct lu_err *err) LU_CHECKED;
/* ids[n][top] in any order, all different, and log_p[n][top], finite and not positive. */
int lu_teacher_writer_add(struct lu_teacher_writer *w, const uint32_t *ids, const float *log_p,
		size_t n, struct lu_err *err) LU_CHECKED;
/* Rows of all tokens must have been added. */
int lu_teacher_writer_commit(struct lu_teacher_writer *w, struct lu_err *err) LU_CHECKED;
void lu_teacher_writer_free(struct lu_teacher_writer *w); /* NULL is fine */

#endif
