#ifndef LUCIE_REPORT_FLOW_H
#define LUCIE_REPORT_FLOW_H
/*
 * How documents went from run to run, for accounts.c: a run reads what another one wrote if its
 * command line names the other's -o FILE, or a set that the other held out. Several files of a stage
 * (one a task) add up. A step of a program (lucie-dedup --step keys) hands no documents on, but what
 * its work file counts must be what the next step takes in.
 *
 *	lu_flow_note(a, &run, &args, &shards, &err);	for each accounting line
 *	lu_flow_link(a, &flow, &err);
 *	lu_flow_passes(a, &flow, &err);		run.pass is set; then the stages are made
 *	lu_flow_order(a, &flow, &err);
 *	lu_flow_total(a, &err);			report/flow_sums.h
 *
 * Where command lines name nothing, since programs were connected by pipes, a stage is taken to read
 * what the stage before it put out.
 */
#include "libcommon/io/json.h"
#include "libcommon/report/accounts.h"

/* An accounting line. */
struct lu_run {
	const char *kind; /* "lucie-dedup --exact" */
	const char *file; /* its name, for stages of files */
	size_t stage;
	uint32_t pass; /* from 1 */
	bool passes;   /* hands documents on */
	bool piped;    /* an operand is "-" */
	bool source;   /* reads no documents of other programs */
	bool step;     /* part of a program: writes a work file, counts the documents in it */
	bool named;    /* its command line names what another run wrote */
	bool read;     /* some run reads what it put out */
	struct lu_count in, out;
	uint64_t repeated, held_out;
	uint64_t fed, taken; /* documents from other runs, by other runs */
	uint64_t wall_ms, cpu_ms;
	uint64_t rss;
	struct lu_str mix;
	struct lu_stage_reason *reason;
	size_t reasons;
	size_t name, names; /* words in lu_accounts.name */
};

/* What a run wrote under a name. */
struct lu_output {
	uint64_t name;	  /* hash */
	const char *text; /* the name as given; NULL for a set held out */
	size_t run;
	uint64_t docs;
	bool held_out;
	size_t readers;
};

/* The kind of a run: its program, and the mode where one program is several stages. */
const char *lu_flow_kind(
		struct lu_accounts *a, struct lu_str tool, struct lu_str args, struct lu_run *run);
/* Note the names that the arguments and the member "shards" (raw JSON, or empty) hold. `run` will be
 * the next one of a->run. */
int lu_flow_note(struct lu_accounts *a, struct lu_run *run, struct lu_str args,
		struct lu_str shards, struct lu_arena *scan, struct lu_err *err) LU_CHECKED;
int lu_flow_link(struct lu_accounts *a, struct lu_flow *f, struct lu_err *err) LU_CHECKED;
/* With run.stage, the number of its kind; sets run.pass. */
int lu_flow_passes(struct lu_accounts *a, struct lu_flow *f, struct lu_err *err) LU_CHECKED;
int lu_flow_order(struct lu_accounts *a, const struct lu_flow *f, struct lu_err *err) LU_CHECKED;
/* Add a sentence to the faults, and release it. */
int lu_flow_fault(struct lu_accounts *a, struct lu_buf *text, struct lu_err *err) LU_CHECKED;

#endif
