#ifndef LUCIE_DEDUP_NEAR_RUN_H
#define LUCIE_DEDUP_NEAR_RUN_H
/*
 * Near deduplication within one run: the part of dedup_run.c that --near adds.
 *
 *	lu_near_run_open(&n, run, &stream, err);		sets the threads' state of the stream
 *	lu_near_run_map(n, local, doc, &mine, err);	in map(): signs
 *	lu_near_run_decide(n, doc, mine, &mark, err);	in decide(): holds the document
 *	lu_near_run_finish(n, log, err);		in finish(): writes or drops what was held
 *	lu_near_run_commit(n, err);			in commit(): publishes files of its own
 *	lu_near_run_free(n);
 *
 * Exact duplicates that are found at the end only are held as well; lu_dedup_is_exact() tells.
 */
#include "libcommon/dedup/dedup_state.h"

struct lu_near_run;

int lu_near_run_open(struct lu_near_run **n, struct lu_dedup_state *run,
		struct lu_docstream *stream, struct lu_err *err) LU_CHECKED;
int lu_near_run_map(const struct lu_near_run *n, void *local, struct lu_doc *doc, void **mine,
		struct lu_err *err) LU_CHECKED;
int lu_near_run_decide(struct lu_near_run *n, struct lu_doc *doc, void *mine,
		const struct lu_dedup_mark *mark, struct lu_err *err) LU_CHECKED;
/* `log` is NULL without --removed. */
int lu_near_run_finish(struct lu_near_run *n, struct lu_out *log, struct lu_err *err) LU_CHECKED;
int lu_near_run_commit(struct lu_near_run *n, struct lu_err *err) LU_CHECKED;
void lu_near_run_free(struct lu_near_run *n); /* NULL is fine */

#endif
