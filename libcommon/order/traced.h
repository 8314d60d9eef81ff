#ifndef LUCIE_ORDER_TRACED_H
#define LUCIE_ORDER_TRACED_H
/*
 * What lucie-trace prints: documents and their tokens, a line each, or their totals by a member of the
 * ledger; as a table or as JSON (lucie-trace(1)).
 *
 *	struct lu_traced a = { .out = out, .by = 'l', .json = json, ... };
 *	lu_traced_begin(&a)
 *	lu_traced_put(&a, &answer, &doc, &err)		any number of times
 *	lu_traced_finish(&a, &err)			once
 *	lu_traced_release(&a)				in any case
 */
#include <stdbool.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/text_table.h"
#include "libcommon/io/outstream.h"
#include "libcommon/order/targets.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/shard/tally.h"

enum lu_traced_by { LU_BY_NOTHING, LU_BY_LICENSE, LU_BY_LANG, LU_BY_SOURCE };

struct lu_traced {
	/* The caller's. */
	struct lu_out *out;
	enum lu_traced_by by; /* totals instead of documents */
	bool steps;	      /* the answers are of steps */
	bool targets;	      /* find them; totals are theirs */
	bool json;
	/* Private. */
	const char *total[4]; /* the heads */
	struct lu_buf line;
	struct lu_tally tally;
	struct lu_table table;
	struct lu_arena arena; /* of one row */
	struct lu_targets found;
};

/* Tokens of one document. */
struct lu_traced_answer {
	const char *step; /* with `steps` */
	uint64_t sample;
	const struct lu_shard *shard;
	uint64_t from, to; /* tokens from .. to - 1 of the shard */
	uint64_t label;	   /* the first that is a label; what precedes it is an id only */
	uint64_t goldfish; /* K, or 0 */
};

void lu_traced_begin(struct lu_traced *a);
int lu_traced_put(struct lu_traced *a, const struct lu_traced_answer *answer,
		const struct lu_ledger_doc *d, struct lu_err *err) LU_CHECKED;
int lu_traced_finish(struct lu_traced *a, struct lu_err *err) LU_CHECKED;
void lu_traced_release(struct lu_traced *a);

#endif
