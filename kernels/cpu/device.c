#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kernels/cpu/cpu.h"

#define ALIGN ((size_t)64)
#define HUGE ((size_t)2 << 20) /* bytes of a huge page on x86-64 and mostly on AArch64 */

int lk_cpu_fail(struct lk_queue *q, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(q->err.msg, sizeof(q->err.msg), fmt, ap);
	va_end(ap);
	return -1;
}

/* The work before an event is done when it is recorded: it only tells when that was. */
struct lk_event {
	double at; /* seconds */
};

int lk_cpu_begin(struct lk_queue *q, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return lk_cpu_fail(q, "work space of %zu times %zu bytes is too large", n, size);
	if (bytes > q->work_need)
		q->work_need = bytes;
	if (q->space == LK_SPACE_MEASURED)
		return 0;
	if (bytes <= q->work_size)
		return 1;
	if (q->space == LK_SPACE_FIXED)
		return lk_cpu_fail(q,
				"the operation needs %zu bytes of work space, %zu were measured",
				bytes, q->work_size);
	free(q->work);
	q->work_size = 0;
	q->work = lk_cpu_alloc(q, bytes);
	if (!q->work)
		return -1;
	q->work_size = bytes;
	return 1;
}

int lk_cpu_measure(struct lk_queue *q, int on)
{
	size_t need = q->work_need;

	q->space = on > 0 ? LK_SPACE_MEASURED : LK_SPACE_GROWS;
	if (on)
		return 0;
	if (lk_cpu_begin(q, need, 1) < 0)
		return -1;
	q->space = LK_SPACE_FIXED;
	return 0;
}

uint64_t lk_cpu_workspace(const struct lk_queue *q)
{
	return q->work_need;
}

int lk_cpu_team(int threads, int (*fn)(void *ctx), void *ctx)
{
	int rc = 0;

	/* Not `single`: fn stays on the caller's thread. The others do tasks until it returns. */
#pragma omp parallel num_threads(threads)
#pragma omp master
	rc = fn(ctx);
	return rc;
}

int lk_cpu_open(struct lk_queue **q, int device, struct lk_err *err)
{
	(void)device;
	*q = calloc(1, sizeof(**q));
	if (!*q) {
		(void)snprintf(err->msg, sizeof(err->msg), "cannot allocate a queue");
		return -1;
	}
	return 0;
}

void lk_cpu_close(struct lk_queue *q)
{
	if (!q)
		return;
	free(q->work);
	free(q);
}

const char *lk_cpu_message(const struct lk_queue *q)
{
	return q->err.msg;
}

int lk_cpu_sync(struct lk_queue *q)
{
	(void)q;
	return 0;
}

int lk_cpu_event_open(struct lk_queue *q, struct lk_event **e)
{
	*e = calloc(1, sizeof(**e));
	return *e ? 0 : lk_cpu_fail(q, "cannot allocate an event");
}

void lk_cpu_event_close(struct lk_queue *q, struct lk_event *e)
{
	(void)q;
	free(e);
}

int lk_cpu_event_use(struct lk_queue *q, struct lk_event *e)
{
	return e ? 0 : lk_cpu_fail(q, "the event is NULL");
}

int lk_cpu_event_record(struct lk_queue *q, struct lk_event *e)
{
	struct timespec now;

	if (lk_cpu_event_use(q, e) < 0)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	e->at = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
	return 0;
}

int lk_cpu_event_done(struct lk_queue *q, struct lk_event *e)
{
	return lk_cpu_event_use(q, e) < 0 ? -1 : 1;
}

int lk_cpu_event_seconds(struct lk_queue *q, struct lk_event *a, struct lk_event *b, double *s)
{
	if (lk_cpu_event_use(q, a) < 0 || lk_cpu_event_use(q, b) < 0)
		return -1;
	*s = b->at - a->at;
	return 0;
}

/*
 * Ask for huge pages for the part of a block that fills them. A matrix of more than a few MiB read
 * across its rows needs a page for every row, more than the processor keeps track of. The end of the
 * block stays in small pages, so that no memory is used beyond it.
 */
static void want_huge_pages(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
	/* Refused by kernels without them, which does no harm. */
	(void)madvise(p, bytes / HUGE * HUGE, MADV_HUGEPAGE);
#else
	(void)p;
	(void)bytes;
#endif
}

void *lk_cpu_alloc(struct lk_queue *q, size_t bytes)
{
	size_t align = bytes < HUGE ? ALIGN : HUGE;
	/* aligned_alloc() wants a multiple of the alignment; what is not touched takes no memory. */
	size_t size = bytes == 0 ? ALIGN : (bytes + align - 1) / align * align;
	void *p = size < bytes ? NULL : aligned_alloc(align, size);

	if (!p)
		lk_cpu_fail(q, "cannot allocate %zu bytes", bytes);
	else if (align == HUGE)
		want_huge_pages(p, bytes);
	return p;
}

void lk_cpu_free(struct lk_queue *q, void *p)
{
	(void)q;
	free(p);
}

int lk_cpu_zero(struct lk_queue *q, void *p, size_t bytes)
{
	int go = lk_cpu_begin(q, 0, 0);

	if (go <= 0)
		return go;
	if (bytes > 0)
		memset(p, 0, bytes);
	return 0;
}

int lk_cpu_copy(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how)
{
	int go = lk_cpu_begin(q, 0, 0);

	(void)how;
	if (go <= 0)
		return go;
	if (bytes > 0)
		memmove(dst, src, bytes);
	return 0;
}

int lk_cpu_reserve(struct lk_queue *q, uint64_t bytes)
{
	(void)q;
	(void)bytes;
	return 0;
}

void lk_cpu_range_begin(struct lk_queue *q, const char *name)
{
	(void)q;
	(void)name;
}

void lk_cpu_range_end(struct lk_queue *q)
{
	(void)q;
}

void *lk_cpu_native(const struct lk_queue *q)
{
	(void)q;
	return NULL;
}

int lk_cpu_pack_begin(struct lk_queue *q, struct lk_packed_weight **p, const lk_act *w, size_t n,
		size_t k, size_t ld, size_t elements)
{
	struct lk_packed_weight *h = *p;
	int go;

	if (ld != 0 && ld < k)
		return lk_cpu_fail(q, "pack: leading dimension %zu is less than %zu", ld, k);
	if (h && (h->n != n || h->k != k))
		return lk_cpu_fail(q, "pack: the packed weight is %zu x %zu, not %zu x %zu", h->n,
				h->k, n, k);
	go = lk_cpu_begin(q, 0, 0);
	if (go <= 0)
		return go;
	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h)
			return lk_cpu_fail(q, "pack: cannot allocate a packed weight");
		h->packed = lk_cpu_alloc(q, elements * sizeof(lk_real));
		if (!h->packed) {
			free(h);
			return -1;
		}
	}
	h->w = w;
	h->n = n;
	h->k = k;
	h->ld = ld == 0 ? k : ld;
	*p = h;
	return 1;
}

void lk_cpu_pack_free(struct lk_queue *q, struct lk_packed_weight *p)
{
	(void)q;
	if (p)
		free(p->packed);
	free(p);
}
