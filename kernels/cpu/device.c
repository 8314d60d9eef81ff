#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/cpu.h"

#define ALIGN ((size_t)64)

int lk_cpu_fail(struct lk_queue *q, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(q->err.msg, sizeof q->err.msg, fmt, ap);
	va_end(ap);
	return -1;
}

void *lk_cpu_scratch(struct lk_queue *q, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		lk_cpu_fail(q, "work space of %zu times %zu bytes is too large", n, size);
		return NULL;
	}
	if (bytes <= q->ws_size && q->ws != NULL)
		return q->ws;
	free(q->ws);
	q->ws_size = 0;
	q->ws = lk_cpu_alloc(q, bytes);
	if (q->ws != NULL)
		q->ws_size = bytes;
	return q->ws;
}

int lk_cpu_open(struct lk_queue **q, int device, struct lk_err *err)
{
	(void)device;
	*q = calloc(1, sizeof **q);
	if (*q == NULL) {
		(void)snprintf(err->msg, sizeof err->msg, "cannot allocate a queue");
		return -1;
	}
	return 0;
}

void lk_cpu_close(struct lk_queue *q)
{
	if (q == NULL)
		return;
	free(q->ws);
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

void *lk_cpu_alloc(struct lk_queue *q, size_t bytes)
{
	size_t size = bytes == 0 ? ALIGN : (bytes + ALIGN - 1) / ALIGN * ALIGN;
	void *p = size < bytes ? NULL : aligned_alloc(ALIGN, size);

	if (p == NULL)
		lk_cpu_fail(q, "cannot allocate %zu bytes", bytes);
	return p;
}

void lk_cpu_free(struct lk_queue *q, void *p)
{
	(void)q;
	free(p);
}

int lk_cpu_zero(struct lk_queue *q, void *p, size_t bytes)
{
	(void)q;
	if (bytes > 0)
		memset(p, 0, bytes);
	return 0;
}

int lk_cpu_copy(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how)
{
	(void)q;
	(void)how;
	if (bytes > 0)
		memmove(dst, src, bytes);
	return 0;
}

int lk_cpu_prepare(struct lk_queue *q, struct lk_prep **p, const lk_act *w, size_t n, size_t k,
		size_t ld, size_t elements)
{
	struct lk_prep *h = *p;

	if (ld != 0 && ld < k)
		return lk_cpu_fail(q, "prepare: leading dimension %zu is below %zu", ld, k);
	if (h != NULL && (h->n != n || h->k != k))
		return lk_cpu_fail(q, "prepare: the handle is for %zu x %zu, not %zu x %zu", h->n,
				h->k, n, k);
	if (h == NULL) {
		h = calloc(1, sizeof *h);
		if (h == NULL)
			return lk_cpu_fail(q, "prepare: cannot allocate a handle");
		h->packed = lk_cpu_alloc(q, elements * sizeof(lk_real));
		if (h->packed == NULL) {
			free(h);
			return -1;
		}
	}
	h->w = w;
	h->n = n;
	h->k = k;
	h->ld = ld == 0 ? k : ld;
	*p = h;
	return 0;
}

void lk_cpu_unprepare(struct lk_queue *q, struct lk_prep *p)
{
	(void)q;
	if (p != NULL)
		free(p->packed);
	free(p);
}
