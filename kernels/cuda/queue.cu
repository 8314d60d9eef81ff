/*
 * Queues, events, work space, recorded work, ranges. A queue is a stream that does not wait for the
 * default one. Functions set the device first: a host thread may be another than the one that opened
 * the queue, and CUDA keeps the current device by thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/cuda/cuda.h"

#if !defined(LK_EMU) && __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>
#define RANGE_BEGIN(name) (void)nvtxRangePushA(name)
#define RANGE_END() (void)nvtxRangePop()
#else
#define RANGE_BEGIN(name) (void)(name)
#define RANGE_END() (void)0
#endif

struct lk_event {
	cudaEvent_t e;
};

int lk_cuda_fail(struct lk_queue *q, const char *fmt, ...)
{
	const size_t room = sizeof(q->err.msg);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(q->err.msg, room, fmt, ap);
	va_end(ap);
	/* Libraries may have long reasons. */
	if (n >= (int)room)
		(void)snprintf(q->err.msg + room - 4, 4, "...");
	return -1;
}

int lk_cuda_check(struct lk_queue *q, cudaError_t e, const char *what)
{
	if (e == cudaSuccess)
		return 0;
	/* Read once, or the next launch would be blamed for it; a failed kernel's error stays. */
	(void)cudaGetLastError();
	return lk_cuda_fail(q, "%s on device %d: %s", what, q->device, cudaGetErrorString(e));
}

int lk_cuda_launched(struct lk_queue *q, const char *what)
{
	return lk_cuda_check(q, cudaGetLastError(), what);
}

static int grow(struct lk_queue *q, size_t bytes)
{
	if (q->space == LK_CUDA_FIXED)
		return lk_cuda_fail(q,
				"the operation needs %zu bytes of work space, %zu were measured",
				bytes, q->work_size);
	if (q->recording)
		return lk_cuda_fail(q,
				"the operation needs %zu bytes of work space, measure() them "
				"before "
				"recording",
				bytes);
	/* Operations that are still queued may use it. */
	if (lk_cuda_check(q, cudaStreamSynchronize(q->stream), "work space") < 0)
		return -1;
	lk_cuda_free(q, q->work);
	q->work_size = 0;
	q->work = lk_cuda_alloc(q, bytes);
	if (!q->work)
		return -1;
	q->work_size = bytes;
	return 0;
}

int lk_cuda_begin(struct lk_queue *q, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return lk_cuda_fail(q, "work space of %zu times %zu bytes is too large", n, size);
	if (bytes > q->work_need)
		q->work_need = bytes;
	if (q->space == LK_CUDA_MEASURED)
		return 0;
	if (lk_cuda_check(q, cudaSetDevice(q->device), "begin") < 0)
		return -1;
	return bytes > q->work_size && grow(q, bytes) < 0 ? -1 : 1;
}

int lk_cuda_measure(struct lk_queue *q, int on)
{
	q->space = on > 0 ? LK_CUDA_MEASURED : LK_CUDA_GROWS;
	if (on)
		return 0;
	if (lk_cuda_begin(q, q->work_need, 1) < 0)
		return -1;
	q->space = LK_CUDA_FIXED;
	return 0;
}

uint64_t lk_cuda_workspace(const struct lk_queue *q)
{
	return q->work_need;
}

/* --- queues ----------------------------------------------------------------------------------- */

/* The device exists and is one that the build has code for. */
static int check_device(struct lk_queue *q)
{
	int n = 0, major = 0, minor = 0;

	if (lk_cuda_count(&n, &q->err) < 0)
		return -1;
	if (q->device < 0 || q->device >= n)
		return lk_cuda_fail(q, "there is no device %d: %d GPU%s visible, counted from 0",
				q->device, n, n == 1 ? " is" : "s are");
	if (lk_cuda_check(q,
			    cudaDeviceGetAttribute(
					    &major, cudaDevAttrComputeCapabilityMajor, q->device),
			    "open") < 0 ||
			lk_cuda_check(q,
					cudaDeviceGetAttribute(&minor,
							cudaDevAttrComputeCapabilityMinor,
							q->device),
					"open") < 0)
		return -1;
	if (major < 8)
		return lk_cuda_fail(q,
				"device %d has compute capability %d.%d, bf16 needs 8.0 or later",
				q->device, major, minor);
	return lk_cuda_check(q,
			cudaDeviceGetAttribute(
					&q->processors, cudaDevAttrMultiProcessorCount, q->device),
			"open");
}

static int open_queue(struct lk_queue **to, int device, enum lk_type act, struct lk_err *err)
{
	struct lk_queue *q = (struct lk_queue *)calloc(1, sizeof(*q));

	*to = NULL;
	if (!q) {
		(void)snprintf(err->msg, sizeof(err->msg), "cannot allocate a queue");
		return -1;
	}
	q->device = device;
	q->act = act;
	if (check_device(q) < 0 || lk_cuda_check(q, cudaSetDevice(device), "open") < 0 ||
			lk_cuda_memory_open(q) < 0)
		goto fail;
	if (lk_cuda_check(q, cudaStreamCreateWithFlags(&q->stream, cudaStreamNonBlocking),
			    "cannot make a stream") < 0)
		goto fail_memory;
	if (lk_cuda_products_open(q) < 0)
		goto fail_stream;
	*to = q;
	return 0;
fail_stream:
	(void)cudaStreamDestroy(q->stream);
fail_memory:
	lk_cuda_memory_close(q);
fail:
	*err = q->err;
	free(q);
	return -1;
}

int lk_cuda_open_f32(struct lk_queue **q, int device, struct lk_err *err)
{
	return open_queue(q, device, LK_F32, err);
}

int lk_cuda_open_bf16(struct lk_queue **q, int device, struct lk_err *err)
{
	return open_queue(q, device, LK_BF16, err);
}

void lk_cuda_close(struct lk_queue *q)
{
	if (!q)
		return;
	/* A device that failed returns errors from here on: there is nothing left to save. */
	(void)cudaSetDevice(q->device);
	(void)cudaStreamSynchronize(q->stream);
#ifndef LK_EMU
	lk_cudnn_close(q);
#endif
	lk_cuda_products_close(q);
	lk_cuda_free(q, q->work);
	(void)cudaStreamDestroy(q->stream);
	lk_cuda_memory_close(q);
	(void)cudaGetLastError();
	free(q);
}

const char *lk_cuda_message(const struct lk_queue *q)
{
	return q->err.msg;
}

int lk_cuda_sync(struct lk_queue *q)
{
	return lk_cuda_check(q, cudaStreamSynchronize(q->stream), "the work queued");
}

void *lk_cuda_native(const struct lk_queue *q)
{
	return (void *)q->stream;
}

/* --- events ----------------------------------------------------------------------------------- */

int lk_cuda_event_open(struct lk_queue *q, struct lk_event **e)
{
	struct lk_event *to = (struct lk_event *)calloc(1, sizeof(*to));

	*e = NULL;
	if (!to)
		return lk_cuda_fail(q, "cannot allocate an event");
	if (lk_cuda_check(q, cudaSetDevice(q->device), "event") < 0 ||
			lk_cuda_check(q, cudaEventCreateWithFlags(&to->e, cudaEventDefault),
					"cannot make an event") < 0) {
		free(to);
		return -1;
	}
	*e = to;
	return 0;
}

void lk_cuda_event_close(struct lk_queue *q, struct lk_event *e)
{
	(void)q;
	if (e)
		(void)cudaEventDestroy(e->e);
	free(e);
}

/* Begin an operation on an event, as lk_cuda_begin() does. */
static int event_begin(struct lk_queue *q, const struct lk_event *e)
{
	return e ? lk_cuda_begin(q, 0, 0) : lk_cuda_fail(q, "the event is NULL");
}

int lk_cuda_event_record(struct lk_queue *q, struct lk_event *e)
{
	int go = event_begin(q, e);

	return go <= 0 ? go : lk_cuda_check(q, cudaEventRecord(e->e, q->stream), "event_record");
}

int lk_cuda_event_wait(struct lk_queue *q, struct lk_event *e)
{
	int go = event_begin(q, e);

	return go <= 0 ? go
		       : lk_cuda_check(q, cudaStreamWaitEvent(q->stream, e->e, 0), "event_wait");
}

int lk_cuda_event_sync(struct lk_queue *q, struct lk_event *e)
{
	int go = event_begin(q, e);

	return go <= 0 ? go
		       : lk_cuda_check(q, cudaEventSynchronize(e->e), "the work before an event");
}

int lk_cuda_event_done(struct lk_queue *q, struct lk_event *e)
{
	cudaError_t is;

	if (!e)
		return lk_cuda_fail(q, "the event is NULL");
	is = cudaEventQuery(e->e);
	if (is == cudaErrorNotReady) {
		(void)cudaGetLastError();
		return 0;
	}
	return lk_cuda_check(q, is, "the work before an event") < 0 ? -1 : 1;
}

int lk_cuda_event_seconds(struct lk_queue *q, struct lk_event *a, struct lk_event *b, double *s)
{
	float ms = 0;

	if (!a || !b)
		return lk_cuda_fail(q, "the event is NULL");
	if (lk_cuda_check(q, cudaEventElapsedTime(&ms, a->e, b->e), "event_seconds") < 0)
		return -1;
	*s = 1e-3 * (double)ms;
	return 0;
}

/* --- ranges ----------------------------------------------------------------------------------- */

void lk_cuda_range_begin(struct lk_queue *q, const char *name)
{
	(void)q;
	RANGE_BEGIN(name);
}

void lk_cuda_range_end(struct lk_queue *q)
{
	(void)q;
	RANGE_END();
}

/* --- recorded work ---------------------------------------------------------------------------- */

struct lk_graph {
	cudaGraphExec_t run;
};

/* Other threads may allocate and copy meanwhile, hence the mode. */
int lk_cuda_record_begin(struct lk_queue *q)
{
	if (q->recording)
		return lk_cuda_fail(q, "record_begin: the queue is recording");
	if (lk_cuda_check(q, cudaSetDevice(q->device), "record_begin") < 0 ||
			lk_cuda_check(q,
					cudaStreamBeginCapture(q->stream,
							cudaStreamCaptureModeThreadLocal),
					"record_begin") < 0)
		return -1;
	q->recording = 1;
	return 0;
}

int lk_cuda_record_end(struct lk_queue *q, struct lk_graph **g)
{
	struct lk_graph *to = NULL;
	cudaGraph_t graph = NULL;
	int rc = -1;

	*g = NULL;
	if (!q->recording)
		return lk_cuda_fail(q, "record_end: the queue is not recording");
	q->recording = 0;
	if (lk_cuda_check(q, cudaStreamEndCapture(q->stream, &graph), "record_end") < 0)
		return -1;
	to = (struct lk_graph *)calloc(1, sizeof(*to));
	if (!to)
		lk_cuda_fail(q, "record_end: cannot allocate a graph");
	else
		rc = lk_cuda_check(q, cudaGraphInstantiate(&to->run, graph, 0), "record_end");
	(void)cudaGraphDestroy(graph);
	if (rc < 0)
		free(to);
	else
		*g = to;
	return rc;
}

int lk_cuda_replay(struct lk_queue *q, struct lk_graph *g)
{
	int go = g ? lk_cuda_begin(q, 0, 0) : lk_cuda_fail(q, "replay: the graph is NULL");

	return go <= 0 ? go : lk_cuda_check(q, cudaGraphLaunch(g->run, q->stream), "replay");
}

void lk_cuda_graph_free(struct lk_queue *q, struct lk_graph *g)
{
	(void)q;
	if (g)
		(void)cudaGraphExecDestroy(g->run);
	free(g);
}
