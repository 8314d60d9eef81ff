#ifndef LUCIE_DEDUP_DEDUP_STATE_H
#define LUCIE_DEDUP_DEDUP_STATE_H
/*
 * What the parts of deduplication as one command share: dedup_run.c, which reads documents and finds
 * exact duplicates, and near_run.h.
 */
#include "libcommon/dedup/exact.h"
#include "libcommon/dedup/origins.h"
#include "libcommon/dedup/sources.h"
#include "libcommon/dedup/steps.h"
#include "libcommon/io/outstream.h"

/* What is known of a document when its verdict is given. */
struct lu_dedup_mark {
	uint64_t number; /* among the documents that are not bad, from 0 */
	uint32_t source; /* for lu_sources_removed() */
};

struct lu_dedup_state {
	const struct lu_dedup *d;
	struct lu_docstream *stream;
	struct lu_exact exact;
	struct lu_origins origins; /* of all documents, by number; only with --removed */
	struct lu_sources sources;
	struct lu_exact_removed next; /* the exact duplicate that comes next, at the end */
	bool any;		      /* there is one */
};

/* Go to the next exact duplicate that was found only at the end, the first one at the first call: 1, 0
 * if there is none, -1. */
int lu_dedup_next_exact(struct lu_dedup_state *s, struct lu_err *err) LU_CHECKED;

/* In finish(): 1 if document `number` is an exact duplicate that was found only now, else 0. Numbers
 * must ascend. */
int lu_dedup_is_exact(struct lu_dedup_state *s, uint64_t number, struct lu_err *err) LU_CHECKED;

/* Write a line of the removal log: numbers are those of the marks, and `number` mostly ascends. */
int lu_dedup_log(struct lu_dedup_state *s, struct lu_out *log, const char *kind, uint64_t number,
		uint64_t kept, double similarity, uint64_t size, struct lu_err *err) LU_CHECKED;

#endif
