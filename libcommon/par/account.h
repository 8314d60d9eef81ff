#ifndef LUCIE_PAR_ACCOUNT_H
#define LUCIE_PAR_ACCOUNT_H
/*
 * The account of a run: its output, its reject file and the counts of records read, written and
 * dropped, for which in + repeated = out + dropped.
 *
 *	struct lu_account a;
 *	if (lu_account_open(&a, std, args, false, &err) < 0)
 *		goto out;
 *	for each record, in input order:
 *		a.stats.in.docs++, a.stats.in.bytes += n;
 *		kept:	 lu_account_write(&a, bytes, 1, &err)
 *		dropped: lu_account_drop(&a, &reject, &err)
 *		bad:	 lu_account_bad(&a, "file:line: reason", &err), then lu_account_drop()
 *	if (lu_account_settle(&a, &err) < 0 || lu_account_append(&a, &err) < 0 ||
 *			lu_account_commit(&a, &err) < 0)
 *		goto out;
 *	out:
 *	lu_account_close(&a);
 *
 * --max-bad limits the bad records: the first one beyond the limit ends the run. Without it the
 * limit is 0, or none when --rejects keeps them. Until lu_account_commit() no file is visible under
 * its name; a run that fails leaves none. The accounting line is appended between the two: where it
 * cannot be written no output appears, and only a rename that fails leaves a line without its
 * output. Programs use the document stream (par/docstream.h), which
 * does this for them; lucie-import, which reads archives instead of records, uses it directly.
 *
 * Not thread-safe: call it from the pipeline's write step.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/outstream.h"
#include "libcommon/parquet/parquet_writer.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/tool.h"

struct lu_account {
	struct lu_stats stats; /* `in` and `repeated` are the caller's, `out` and `dropped` ours */
	struct lu_out *out;    /* NULL: the run writes no documents */

	/* Private. */
	const struct lu_std *std;
	const struct lu_args *args;
	struct lu_out *rejects;	      /* NULL without --rejects */
	struct lu_pq_writer *parquet; /* documents go through it to `out`; NULL: as they are */
	bool silent;
	uint64_t bad;
	struct lu_buf line;
};

/* One line of the reject file. */
struct lu_reject {
	const char *file;
	uint64_t line;
	const char *reason;   /* one of a few: the accounting line counts by reason */
	struct lu_str value;  /* raw JSON: the measured value, or null */
	struct lu_str record; /* as it was read; written in base64 if it is not JSON */
};

/* Open std->output (unless `silent`), as Parquet where its name ends in .parquet, and std->rejects. Fails when one of them is an input, or when
 * both would go to standard output. `a` may be closed after a failure. */
int lu_account_open(struct lu_account *a, const struct lu_std *std, const struct lu_args *args,
		bool silent, struct lu_err *err) LU_CHECKED;

/* std->progress, but NEVER for AUTO where the documents go to a terminal: a line that is rewritten has
 * no place among lines that scroll by. */
enum lu_progress_mode lu_account_progress(const struct lu_account *a);

/* Write the bytes of `docs` documents and count them as output; a silent run counts only. */
int lu_account_write(struct lu_account *a, struct lu_str bytes, uint64_t docs,
		struct lu_err *err) LU_CHECKED;

/* Count a record as dropped, and add it to the reject file. */
int lu_account_drop(struct lu_account *a, const struct lu_reject *r, struct lu_err *err) LU_CHECKED;

/* Add to the reject file what was left out and is no document, such as a link. */
int lu_account_reject(
		struct lu_account *a, const struct lu_reject *r, struct lu_err *err) LU_CHECKED;

/* Count a bad record. 0: within the limit, to be dropped; -1: beyond it, and `message` is the
 * error. */
int lu_account_bad(struct lu_account *a, const char *message, struct lu_err *err) LU_CHECKED;

/* Complete the files under their temporary names. */
int lu_account_settle(struct lu_account *a, struct lu_err *err) LU_CHECKED;

/* Publish the files, the reject file first: an output that exists is accounted for. */
int lu_account_commit(struct lu_account *a, struct lu_err *err) LU_CHECKED;

/* Append the accounting line to std->stats. */
int lu_account_append(struct lu_account *a, struct lu_err *err) LU_CHECKED;

/* Print the summary line of a run that went well, on a terminal (sys/summary.h); `noun` is what went
 * in, "documents". Elsewhere, for a program that selects, print a note when more than half of it was
 * dropped. */
void lu_account_summary(const struct lu_account *a, const char *noun, bool selects);

/* Free everything, and remove the files unless they were committed. { 0 } is fine. */
void lu_account_close(struct lu_account *a);

#endif
