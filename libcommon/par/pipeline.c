#include "libcommon/par/pipeline.h"

#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum state { FREE, READING, MAPPED, FAILED, BUSY };

struct slot {
	void *batch;
	uint64_t seq;
	enum state state;
	struct lu_err err;
};

/* A parallel for that map() has started. */
struct loop {
	int (*work)(void *ctx, unsigned thread, size_t i, struct lu_err *err);
	void *ctx;
	size_t next, count, running;
	size_t failed; /* lowest failing index, or SIZE_MAX */
	struct lu_err err;
	struct loop *link;
};

/*
 * One lock guards the slots and loops; reading, mapping and writing happen outside it. An idle
 * thread sleeps until one of them changes. Sequence numbers are given when reading begins, and
 * reading is exclusive, so they follow the input.
 */
struct lu_pipeline_run {
	const struct lu_pipeline *p;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot *slot;
	uint64_t next_read, next_write;
	bool reading, writing;
	bool ended;   /* no more input, or an error ahead: stop reading */
	bool stopped; /* the error was reached in order: stop everything */
	struct lu_err err;
	struct loop *loops; /* those that may have iterations left */
};

static struct slot *find(struct lu_pipeline_run *r, enum state state, bool by_seq)
{
	for (size_t i = 0; i < r->p->batches; i++) {
		struct slot *s = &r->slot[i];

		if (s->state == state && (!by_seq || s->seq == r->next_write))
			return s;
	}
	return NULL;
}

/* This function and the next two are called with the lock held and drop it while they work. */
static void do_write(struct lu_pipeline_run *r, struct slot *s)
{
	int rc;

	if (s->state == FAILED) {
		r->stopped = true;
		r->err = s->err;
		return;
	}
	r->writing = true;
	s->state = BUSY;
	pthread_mutex_unlock(&r->lock);
	rc = r->p->write(r->p->ctx, s->batch, &s->err);
	pthread_mutex_lock(&r->lock);
	r->writing = false;
	s->state = FREE;
	r->next_write++;
	if (rc < 0) {
		r->stopped = true;
		r->err = s->err;
	}
}

static void do_read_and_map(struct lu_pipeline_run *r, struct slot *s, unsigned thread)
{
	int rc;

	r->reading = true;
	s->state = READING;
	s->seq = r->next_read++;
	pthread_mutex_unlock(&r->lock);
	rc = r->p->read(r->p->ctx, s->batch, &s->err);
	pthread_mutex_lock(&r->lock);
	r->reading = false;
	if (rc <= 0) {
		r->ended = true;
		s->state = rc < 0 ? FAILED : FREE;
		if (rc == 0)
			r->next_read--;
		pthread_cond_broadcast(&r->changed);
		return;
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	rc = r->p->map(r->p->ctx, thread, s->batch, &s->err);
	pthread_mutex_lock(&r->lock);
	s->state = rc < 0 ? FAILED : MAPPED;
	if (rc < 0)
		r->ended = true;
}

static void do_iteration(struct lu_pipeline_run *r, struct loop *l, unsigned thread)
{
	size_t i = l->next++;
	struct lu_err err = { 0 };
	int rc;

	l->running++;
	pthread_mutex_unlock(&r->lock);
	rc = l->work(l->ctx, thread, i, &err);
	pthread_mutex_lock(&r->lock);
	l->running--;
	if (rc < 0) {
		/* All lower indexes have started, so the lowest failure is deterministic. */
		l->next = l->count;
		if (i < l->failed) {
			l->failed = i;
			l->err = err;
		}
	}
	if (l->next == l->count && l->running == 0)
		pthread_cond_broadcast(&r->changed);
}

static struct loop *find_loop(const struct lu_pipeline_run *r)
{
	struct loop *l = r->loops;

	while (l && l->next == l->count)
		l = l->link;
	return l;
}

int lu_pipeline_share(struct lu_pipeline *p, unsigned thread, size_t count,
		int (*work)(void *ctx, unsigned thread, size_t i, struct lu_err *err), void *ctx,
		struct lu_err *err)
{
	struct loop l = { .work = work, .ctx = ctx, .count = count, .failed = SIZE_MAX };
	struct lu_pipeline_run *r = p->run;
	struct loop **at;

	if (!r) {
		for (size_t i = 0; i < count; i++) {
			if (work(ctx, thread, i, err) < 0)
				return -1;
		}
		return 0;
	}
	pthread_mutex_lock(&r->lock);
	l.link = r->loops;
	r->loops = &l;
	pthread_cond_broadcast(&r->changed);
	while (l.next < l.count)
		do_iteration(r, &l, thread);
	while (l.running > 0)
		pthread_cond_wait(&r->changed, &r->lock);
	for (at = &r->loops; *at != &l; at = &(*at)->link)
		;
	*at = l.link;
	pthread_mutex_unlock(&r->lock);
	if (l.failed == SIZE_MAX)
		return 0;
	*err = l.err;
	return -1;
}

static void worker(struct lu_pipeline_run *r, unsigned thread)
{
	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct slot *s = NULL;
		struct loop *loop;

		if (r->stopped || (r->ended && !r->reading && r->next_write == r->next_read))
			break;
		/* Writing comes first: it frees the slot that reading needs. */
		if (!r->writing) {
			s = find(r, FAILED, true);
			if (!s)
				s = find(r, MAPPED, true);
		}
		if (s) {
			do_write(r, s);
		} else if ((loop = find_loop(r)) != NULL) {
			do_iteration(r, loop, thread);
			continue;
		} else if (!r->reading && !r->ended && (s = find(r, FREE, false)) != NULL) {
			do_read_and_map(r, s, thread);
		} else {
			pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		pthread_cond_broadcast(&r->changed);
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static int run_alone(const struct lu_pipeline *p, struct lu_err *err)
{
	int rc;

	while ((rc = p->read(p->ctx, p->batch[0], err)) > 0) {
		if (p->map(p->ctx, 0, p->batch[0], err) < 0 ||
				p->write(p->ctx, p->batch[0], err) < 0)
			return -1;
	}
	return rc;
}

int lu_pipeline_run(struct lu_pipeline *p, struct lu_err *err)
{
	struct lu_pipeline_run r = { .p = p };
	int rc = 0;

	p->run = NULL;
	if (p->threads <= 1)
		return run_alone(p, err);
	r.slot = calloc(p->batches, sizeof(*r.slot));
	if (!r.slot)
		return lu_err_nomem(err);
	for (size_t i = 0; i < p->batches; i++)
		r.slot[i].batch = p->batch[i];
	pthread_mutex_init(&r.lock, NULL);
	pthread_cond_init(&r.changed, NULL);
	p->run = &r;
#pragma omp parallel num_threads(p->threads)
	worker(&r, (unsigned)omp_get_thread_num());
	p->run = NULL;
	pthread_cond_destroy(&r.changed);
	pthread_mutex_destroy(&r.lock);
	if (r.stopped) {
		*err = r.err;
		rc = -1;
	}
	free(r.slot);
	return rc;
}
