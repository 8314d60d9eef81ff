#ifndef LUCIE_FILTER_PII_JUDGE_H
#define LUCIE_FILTER_PII_JUDGE_H
/*
 * Personal data as a judge of lucie-filter (judges.h, pii.h): masked, a reason to drop, or listed in
 * a file of spans which is applied later (pii_file.h).
 *
 *	struct lu_pii_run run;
 *	if (lu_pii_run_open(&run, &options, threads, &err) < 0) ...
 *	lu_judges_add(&judges, &lu_pii_judge, &run, &err)
 *	...
 *	lu_pii_run_close(&run);				also after a failure
 *
 * The accounting line gets a member "pii": found items by kind, and the documents that held some, of
 * those that no judge dropped; for LU_PII_DROP of those that it dropped. The reason of a drop names
 * the first kind found, "pii: email". LU_PII_APPLY adds "unused", the documents of the file that did
 * not come.
 *
 * Text that changes gets its masks as a whole new member "text"; a record without finds is written
 * as it was read.
 */
#include "libcommon/filter/judges.h"
#include "libcommon/pii/pii_file.h"

enum lu_pii_how { LU_PII_NONE, LU_PII_MASK, LU_PII_DROP, LU_PII_SPANS, LU_PII_APPLY };
/* mask, drop, spans, apply; ends with LU_ENUM_END. */
extern const struct lu_enum lu_pii_hows[];

struct lu_pii_options {
	enum lu_pii_how how;
	unsigned kinds;	  /* bits 1 << kind */
	const char *file; /* of spans: written or applied; else NULL */
};

struct lu_pii_run {
	struct lu_pii_options o;
	struct lu_pii_writer writer;
	struct lu_pii_reader reader;
	uint64_t found[LU_PII_KINDS], documents;
};

int lu_pii_run_open(struct lu_pii_run *r, const struct lu_pii_options *o, int threads,
		struct lu_err *err) LU_CHECKED;
extern const struct lu_judge lu_pii_judge;
void lu_pii_run_close(struct lu_pii_run *r);

/* Append what was found, for people: "12 email, 3 ip in 9 documents". */
void lu_pii_run_tell(const struct lu_pii_run *r, struct lu_buf *out);

#endif
