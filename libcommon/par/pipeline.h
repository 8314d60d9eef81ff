#ifndef LUCIE_PAR_PIPELINE_H
#define LUCIE_PAR_PIPELINE_H
/*
 * The one way this library uses threads: read a batch, map it on any of N threads, write the
 * batches in the order they were read.
 *
 *	static int read(void *ctx, void *batch, struct lu_err *err);   1 filled, 0 no more, -1
 *	static int map(void *ctx, unsigned thread, void *batch, struct lu_err *err);	0 or -1
 *	static int write(void *ctx, void *batch, struct lu_err *err);			0 or -1
 *
 *	struct lu_pipeline p = { .threads = n, .batch = batches, .batches = count, ... };
 *	if (lu_pipeline_run(&p, &err) < 0) ...
 *
 * The caller makes the batches (at least one; lu_pipeline_batches() says how many are worth
 * having) and owns them; the pipeline hands each to read, map and write in turn, so memory is
 * bounded by their number. read() and write() are each called by one thread at a time, though
 * not always the same one; map() by several at once, with `thread` in 0..threads-1.
 *
 * Errors keep the order too: when batch k fails, all batches before it are written, none after
 * it, and its sentence is the result, whatever the other threads met meanwhile.
 * With one thread everything happens in the calling thread.
 *
 * One large batch should not keep the other threads waiting: inside map(), lu_pipeline_share()
 * lets all threads that have nothing better to do help.
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
	struct lu_pipeline_run *run; /* the pipeline's own */
};

int lu_pipeline_run(struct lu_pipeline *p, struct lu_err *err) LU_CHECKED;

/* Only inside map(), by thread `thread`: calls work(ctx, t, i, err) for each i below count, on
 * this thread and on any that is idle (t says which), and returns when all is done. Of several
 * that fail the lowest i gives the error; those behind it may not have been called. */
int lu_pipeline_share(struct lu_pipeline *p, unsigned thread, size_t count,
		int (*work)(void *ctx, unsigned thread, size_t i, struct lu_err *err), void *ctx,
		struct lu_err *err) LU_CHECKED;

/* Two a thread keeps every thread busy while one writes. */
static inline size_t lu_pipeline_batches(unsigned threads)
{
	return threads == 1 ? 1 : 2 * (size_t)threads + 1;
}

#endif
