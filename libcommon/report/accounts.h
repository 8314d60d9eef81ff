#ifndef LUCIE_REPORT_ACCOUNTS_H
#define LUCIE_REPORT_ACCOUNTS_H
/*
 * The accounting lines of a build (lucie-stats-line(5)), summed up by stage.
 *
 *	struct lu_accounts a = { 0 };
 *	lu_accounts_read(&a, files, n, by_file, max_line, &err);
 *	... a.fault.p[0 .. a.fault.n - 1] ...
 *	lu_accounts_text(&a, &out);  lu_accounts_json(&a, &out);
 *	lu_accounts_release(&a);
 *
 * A stage is a program, or with by_file a file of accounting lines. Exact and near deduplication are
 * two stages, and a program that reads what it has written itself begins another one with each pass.
 * Stages of programs are in the order of the pipeline, those of files in the order given
 * (report/flow.h). A line that is not an accounting line is an error that names it; one in which
 * in + repeated is not out + dropped is a fault. Lines of several runs of a stage that wrote the same
 * file are all counted, and named in `again`: the lines do not tell in which folder they ran.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/stats.h"

struct lu_stage_reason {
	const char *name;
	uint64_t docs;
};

struct lu_stage {
	const char *name;
	const char *kind; /* name without the pass */
	uint64_t runs;	  /* lines */
	struct lu_count in, out;
	uint64_t repeated;
	uint64_t held_out;			       /* of `out`, kept apart for evaluation */
	struct LU_VEC(struct lu_stage_reason) dropped; /* in byte order of the name */
	uint64_t wall_ms, cpu_ms;
	uint64_t rss;	   /* bytes, the maximum */
	struct lu_str mix; /* raw JSON of the last "mix", or empty */
	bool passes;	   /* hands documents on; a tokenizer's training does not */
};

/* What became of the documents between the first stage and the last:
 * in + repeated = out + dropped + held_out + unread, if no line has a fault. */
struct lu_total {
	uint64_t in;	   /* read, but put out by no other stage */
	uint64_t repeated; /* copies added */
	uint64_t out;	   /* put out by a stage of which no other reads anything */
	uint64_t dropped, held_out;
	uint64_t unread; /* put out, but not read by the stage that reads the rest */
	uint64_t wall_ms, cpu_ms;
};

struct lu_run; /* a line; report/flow.h */
struct lu_output;
/* One run reads what another wrote. */
struct lu_edge {
	size_t from, to;
	uint64_t docs;	  /* put out for it */
	const char *file; /* as its writer named it; NULL for a set held out */
};
struct lu_flow {
	struct LU_VEC(struct lu_edge) edge;
};

struct lu_accounts {
	struct LU_VEC(struct lu_stage) stage;
	struct lu_total total;
	/* "FILE:LINE: lucie-x: in 3 + repeated 0 is not out 1 + dropped 1" */
	struct LU_VEC(const char *) fault;
	/* "x.jsonl: 2 runs of lucie-filter wrote it, ..." */
	struct LU_VEC(const char *) again;
	/* Members of archives that are no documents, as lucie-import counts them. */
	uint64_t excluded, links, special;
	/* Where and when the stages ran, if the lines say so: distinct machines in order of
	 * appearance, first and last date (RFC 3339 in UTC). */
	struct LU_VEC(const char *) machine;
	const char *first_date, *last_date; /* or NULL */
	struct lu_arena arena;		    /* the strings */

	/* Private. */
	struct LU_VEC(struct lu_run) run;
	struct LU_VEC(uint64_t) name; /* hashes of the words in the command lines */
	struct LU_VEC(struct lu_output) output;
	struct lu_flow flow;
};

int lu_accounts_read(struct lu_accounts *a, char **file, size_t files, bool by_file,
		uint64_t max_line, struct lu_err *err) LU_CHECKED;
/* Add a fault where documents are lost or appear between stages. A run that names files which other
 * runs wrote must read as many documents as were put there, and all that was put out must be read if
 * some of it is. A stage that names none must read what the stage before it put out. */
int lu_accounts_chain(struct lu_accounts *a, struct lu_err *err) LU_CHECKED;
uint64_t lu_stage_dropped(const struct lu_stage *s);
void lu_accounts_text(const struct lu_accounts *a, struct lu_buf *out);
/* The members "stages", "faults" and "total" of a JSON object. */
void lu_accounts_json(const struct lu_accounts *a, struct lu_buf *out);
void lu_accounts_release(struct lu_accounts *a);

#endif
