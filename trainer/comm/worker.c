#include "trainer/comm/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "trainer/comm/collective.h"
#include "trainer/comm/control.h"

struct lt_worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	struct lt_pending *first, **last, *live;
	bool busy, stop;
};

/* Take it out of the list of those that exist, and free it. */
static void drop_locked(struct lt_pending *p)
{
	*p->live_link = p->live_next;
	if (p->live_next)
		p->live_next->live_link = p->live_link;
	free(p->owned);
	free(p);
}

static void *run(void *worker)
{
	struct lt_worker *w = worker;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct lt_pending *p = w->first;

		if (!p && w->stop)
			break;
		if (!p) {
			pthread_cond_wait(&w->more, &w->lock);
			continue;
		}
		w->first = p->next;
		if (!w->first)
			w->last = &w->first;
		w->busy = true;
		pthread_mutex_unlock(&w->lock);
		p->rc = lt_collective_run(&p->call, &p->waits_for, &p->err);
		pthread_mutex_lock(&w->lock);
		w->busy = false;
		p->done = true;
		if (p->detached)
			drop_locked(p);
		pthread_cond_broadcast(&w->done);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int lt_worker_new(struct lt_worker **out, struct lu_err *err)
{
	struct lt_worker *w = calloc(1, sizeof(*w));
	pthread_condattr_t clock;
	sigset_t all, before;
	int rc;

	if (!w)
		return lu_err_nomem(err);
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&w->done, &clock);
	pthread_condattr_destroy(&clock);
	/* Signals are the caller's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		free(w);
		return lu_err_sys(err, rc, "communication: no thread");
	}
	*out = w;
	return 0;
}

void lt_worker_free(struct lt_worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	while (w->live)
		drop_locked(w->live);
	pthread_cond_destroy(&w->more);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void lt_worker_push(struct lt_worker *w, struct lt_pending *p)
{
	pthread_mutex_lock(&w->lock);
	p->worker = w;
	p->live_next = w->live;
	p->live_link = &w->live;
	if (w->live)
		w->live->live_link = &p->live_next;
	w->live = p;
	p->next = NULL;
	*w->last = p;
	w->last = &p->next;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
}

bool lt_worker_idle(struct lt_worker *w)
{
	bool idle;

	pthread_mutex_lock(&w->lock);
	idle = !w->first && !w->busy;
	pthread_mutex_unlock(&w->lock);
	return idle;
}

void lt_worker_settle(struct lt_worker *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->first || w->busy)
		pthread_cond_wait(&w->done, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

bool lt_worker_wait(struct lt_pending *p, double seconds, int *rc, struct lu_err *err)
{
	struct lt_worker *w = p->worker;
	struct timespec t;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += (long)(seconds * 1e9);
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_mutex_lock(&w->lock);
	while (!p->done && pthread_cond_timedwait(&w->done, &w->lock, &t) == 0)
		;
	done = p->done;
	if (done) {
		*rc = p->rc;
		if (p->rc < 0)
			*err = p->err;
		drop_locked(p);
	}
	pthread_mutex_unlock(&w->lock);
	return done;
}
