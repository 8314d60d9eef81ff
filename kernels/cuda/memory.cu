/*
 * Memory of the device and of the host, and copies between them.
 *
 * reserve() takes one block of the device, which all its queues then share until the last of them is
 * closed. That block is a property of the device, hence the only state outside of a queue; a lock
 * guards it. A part that is freed may be handed out again at once, also to another queue: as lk.h
 * says, the caller has waited for the work on it.
 */
#include <pthread.h>

#include "kernels/cuda/cuda.h"
#include "kernels/cuda/reserve.h"

#define DEVICES 64

static struct {
	unsigned queues;
	char *base; /* NULL: nothing is reserved */
	struct lk_reserve arena;
} devices[DEVICES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int lk_cuda_memory_open(struct lk_queue *q)
{
	if (q->device < 0 || q->device >= DEVICES)
		return lk_cuda_fail(q, "device %d: there are no more than %d", q->device, DEVICES);
	(void)pthread_mutex_lock(&lock);
	devices[q->device].queues++;
	(void)pthread_mutex_unlock(&lock);
	return 0;
}

void lk_cuda_memory_close(struct lk_queue *q)
{
	(void)pthread_mutex_lock(&lock);
	if (--devices[q->device].queues == 0 && devices[q->device].base) {
		(void)cudaFree(devices[q->device].base);
		devices[q->device].base = NULL;
		lk_reserve_release(&devices[q->device].arena);
	}
	(void)pthread_mutex_unlock(&lock);
}

/* Free memory of the device, for messages. */
static size_t left(void)
{
	size_t rest = 0, all;

	if (cudaMemGetInfo(&rest, &all) != cudaSuccess)
		(void)cudaGetLastError();
	return rest;
}

int lk_cuda_reserve(struct lk_queue *q, uint64_t bytes)
{
	void *p = NULL;
	int rc = -1;

	if (lk_cuda_check(q, cudaSetDevice(q->device), "reserve") < 0)
		return -1;
	(void)pthread_mutex_lock(&lock);
	if (devices[q->device].base) {
		lk_cuda_fail(q, "reserve: device %d has %llu bytes reserved already", q->device,
				(unsigned long long)devices[q->device].arena.bytes);
		goto out;
	}
	bytes = (bytes / LK_RESERVE_ALIGN + 1) * LK_RESERVE_ALIGN;
	if (bytes > SIZE_MAX / 2 || cudaMalloc(&p, (size_t)bytes) != cudaSuccess) {
		(void)cudaGetLastError();
		lk_cuda_fail(q, "cannot reserve %llu bytes of device %d, which has %zu free",
				(unsigned long long)bytes, q->device, left());
		goto out;
	}
	if (lk_reserve_init(&devices[q->device].arena, bytes) < 0) {
		(void)cudaFree(p);
		lk_cuda_fail(q, "reserve: cannot allocate the list of parts");
		goto out;
	}
	devices[q->device].base = (char *)p;
	rc = 0;
out:
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

static void *take(struct lk_queue *q, size_t bytes)
{
	struct lk_reserve *a = &devices[q->device].arena;
	uint64_t at = lk_reserve_take(a, bytes);

	if (at != LK_RESERVE_NONE)
		return devices[q->device].base + at;
	lk_cuda_fail(q,
			"cannot allocate %zu bytes: of the %llu reserved on device %d, %llu are in "
			"use and the largest free part has %llu",
			bytes, (unsigned long long)a->bytes, q->device,
			(unsigned long long)a->taken, (unsigned long long)lk_reserve_largest(a));
	return NULL;
}

void *lk_cuda_alloc(struct lk_queue *q, size_t bytes)
{
	int reserved;
	void *p = NULL;

	(void)pthread_mutex_lock(&lock);
	reserved = devices[q->device].base != NULL;
	if (reserved)
		p = take(q, bytes);
	(void)pthread_mutex_unlock(&lock);
	if (reserved || lk_cuda_check(q, cudaSetDevice(q->device), "alloc") < 0)
		return p;
	if (cudaMalloc(&p, bytes == 0 ? 1 : bytes) != cudaSuccess) {
		(void)cudaGetLastError();
		lk_cuda_fail(q, "cannot allocate %zu bytes of device %d, which has %zu free", bytes,
				q->device, left());
		return NULL;
	}
	return p;
}

void lk_cuda_free(struct lk_queue *q, void *p)
{
	char *base;
	int ours = 0;

	if (!p)
		return;
	(void)pthread_mutex_lock(&lock);
	base = devices[q->device].base;
	if (base && (char *)p >= base && (char *)p < base + devices[q->device].arena.bytes) {
		ours = 1;
		(void)lk_reserve_give(&devices[q->device].arena, (uint64_t)((char *)p - base));
	}
	(void)pthread_mutex_unlock(&lock);
	if (!ours && cudaSetDevice(q->device) == cudaSuccess)
		(void)cudaFree(p);
}

void *lk_cuda_host_alloc(struct lk_queue *q, size_t bytes)
{
	void *p = NULL;

	if (lk_cuda_check(q, cudaSetDevice(q->device), "host_alloc") < 0)
		return NULL;
	if (cudaMallocHost(&p, bytes == 0 ? 1 : bytes) != cudaSuccess) {
		(void)cudaGetLastError();
		lk_cuda_fail(q,
				"cannot pin %zu bytes of host memory: see the limit of locked "
				"memory, "
				"`ulimit -l`",
				bytes);
		return NULL;
	}
	return p;
}

void lk_cuda_host_free(struct lk_queue *q, void *p)
{
	(void)q;
	if (p)
		(void)cudaFreeHost(p);
}

int lk_cuda_zero(struct lk_queue *q, void *p, size_t bytes)
{
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0 || bytes == 0)
		return go < 0 ? go : 0;
	return lk_cuda_check(q, cudaMemsetAsync(p, 0, bytes, q->stream), "zero");
}

int lk_cuda_copy(struct lk_queue *q, void *dst, const void *src, size_t bytes, enum lk_copy how)
{
	static const enum cudaMemcpyKind kind[] = { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost,
		cudaMemcpyDeviceToDevice };
	int go = lk_cuda_begin(q, 0, 0);

	if (go <= 0 || bytes == 0)
		return go < 0 ? go : 0;
	return lk_cuda_check(q, cudaMemcpyAsync(dst, src, bytes, kind[how], q->stream), "copy");
}
