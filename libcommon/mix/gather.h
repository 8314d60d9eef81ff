#ifndef LUCIE_MIX_GATHER_H
#define LUCIE_MIX_GATHER_H
/*
 * The records of a mix in its order (arrange.h), from those held in the order of the input (par/held.h).
 *
 *	lu_held_rewind(&held, &err);
 *	lu_arrange_cut(a, ...);
 *	lu_gather(a, &held, &o, &err);		calls put() in the order of the mix, drop() for the rest
 *
 * Without a bound of memory, or where all records fit into it (the system keeps them in its cache), each
 * record is read where it lies. Else the disk is read and written in sequence: the records are dealt into
 * cells, each a stretch of the mix, in one pass over the input, and then cell after cell is read
 * (tokshuf of DCLM deals at random instead). A record goes into a cell as often as the mix has it there,
 * so disk is the size of the mix.
 *
 * At most LU_GATHER_CELLS files are open. Memory is the sorter's bound, then a window of a spool for each
 * cell, then 16 bytes for each document of a cell.
 */
#include "libcommon/mix/arrange.h"
#include "libcommon/par/held.h"

#define LU_GATHER_CELLS 256

struct lu_gather_options {
	uint64_t memory; /* 0: no bound */
	const char *tmpdir;
	int threads;
	void *ctx;
	/* A document of the mix, for the (pass + 1)-th time. Its file and line may be missing. */
	int (*put)(void *ctx, struct lu_doc *doc, uint64_t pass, struct lu_err *err);
	/* One that it does not use, in the order of the input. */
	int (*drop)(void *ctx, struct lu_doc *doc, struct lu_err *err);
};

/* `out` is the number of documents of the mix. */
int lu_gather(struct lu_arrange *a, uint64_t out, struct lu_held *h,
		const struct lu_gather_options *o, struct lu_err *err) LU_CHECKED;

#endif
