#ifndef LUCIE_PAR_PIPELINE_H
#define LUCIE_PAR_PIPELINE_H
/*
 * The ordered pipeline, through which all of the library's threads run: read a batch, map it on any
 * of N threads, write the batches in the order in which they were read.
 *
 *	static int read(void *ctx, void *batch, struct lu_err *err);   1 filled, 0 end of input, -1
 *	static int map(void *ctx, unsigned thread, void *batch, struct lu_err *err);	0 or -1
 *	static int write(void *ctx, void *batch, struct lu_err *err);			0 or -1
 *
 *	struct lu_pipeline p = { .threads = n, .batch = batches, .batches = count, ... };
 *	if (lu_pipeline_run(&p, &err) < 0) ...
 *
 * The caller owns the batches, at least one (lu_pipeline_batches() says how many pay off). The
 * pipeline reuses them, so their number bounds the memory. read() and write() each run on one
 * thread at a time, not always the same one; map() runs on several at once, with `thread` in
 * 0 .. threads - 1. With one thread everything happens in the calling thread.
 *
 * Errors keep the order: when batch k fails, all batches before it are written, none after it, and
 * its sentence is the result, whatever the other threads meet meanwhile.
 *
 * One large batch need not keep the other threads waiting: lu_pipeline_share() inside map() spreads
 * its parts over all idle threads.
 */
#include <stddef.h>

#include "libcommon/base/err.h"

struct lu_pipeline_run;

struct lu_pipeline {
	unsigned threads;
	void **batch;
	size_t batches;
	void *ctx;
	int (*read)(void *ctx, void *batch, struct lu_err *err);
	int (*map)(void *ctx, unsigned thread, void *batch, struct lu_err *err);
	int (*write)(void *ctx, void *batch, struct lu_err *err);
	struct lu_pipeline_run *run; /* private */
};

int lu_pipeline_run(struct lu_pipeline *p, struct lu_err *err) LU_CHECKED;

/* Parallel for: calls work(ctx, t, i, err) for each i < count, on the calling thread and on idle
 * ones (t is the number of the thread), and returns when all are done. Only inside map(), which
 * passes its own `thread`. Of several failures the one of the lowest i is returned; higher i may
 * not have been called then. */
int lu_pipeline_share(struct lu_pipeline *p, unsigned thread, size_t count,
		int (*work)(void *ctx, unsigned thread, size_t i, struct lu_err *err), void *ctx,
		struct lu_err *err) LU_CHECKED;

/* Number of batches: two for each thread keep all of them busy while one writes. */
static inline size_t lu_pipeline_batches(unsigned threads)
{
	return threads == 1 ? 1 : 2 * (size_t)threads + 1;
}

#endif
