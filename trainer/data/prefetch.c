#include "trainer/data/prefetch.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct slot {
	uint64_t sample;
	struct lt_micro row;
	bool done, failed;
	struct lu_err err;
};

/*
 * A ring. Pushes are numbered from 0: number k is in slot k % slots. Those below `popped` are used up,
 * but for the last of them, which the caller may be reading; below `claimed` a thread has taken them;
 * below `pushed` they are asked for.
 */
struct lt_prefetch {
	const struct lt_corpus *corpus;
	struct slot *slot;
	size_t slots;
	uint64_t popped, claimed, pushed;
	bool stop;
	pthread_mutex_t lock;
	pthread_cond_t asked, done;
	pthread_t *thread;
	size_t threads;
};

static void *read_ahead(void *arg)
{
	struct lt_prefetch *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct slot *s;
		int rc;

		while (!p->stop && p->claimed == p->pushed)
			pthread_cond_wait(&p->asked, &p->lock);
		if (p->stop)
			break;
		s = &p->slot[p->claimed++ % p->slots];
		pthread_mutex_unlock(&p->lock);
		rc = lt_corpus_sample(p->corpus, s->sample, &s->row, &s->err);
		pthread_mutex_lock(&p->lock);
		s->failed = rc < 0;
		s->done = true;
		pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Start the threads with signals blocked, but for those of faults. */
static int start(struct lt_prefetch *p, size_t threads, struct lu_err *err)
{
	static const int fault[] = { SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT };
	sigset_t blocked, before;
	int rc = 0;

	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(fault) / sizeof(fault[0]); i++)
		sigdelset(&blocked, fault[i]);
	pthread_sigmask(SIG_BLOCK, &blocked, &before);
	while (rc == 0 && p->threads < threads) {
		rc = pthread_create(&p->thread[p->threads], NULL, read_ahead, p);
		p->threads += rc == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? 0 : lu_err_sys(err, rc, "cannot start a thread that reads samples");
}

static int allocate(struct lt_prefetch *p, const struct lt_micro_want *want, struct lu_err *err)
{
	size_t context = lt_corpus_context(p->corpus);

	p->slot = calloc(p->slots, sizeof(*p->slot));
	if (!p->slot)
		return lu_err_nomem(err);
	for (size_t i = 0; i < p->slots; i++) {
		if (lt_micro_open(&p->slot[i].row, want, context, 1, err) < 0)
			return -1;
	}
	return 0;
}

int lt_prefetch_open(struct lt_prefetch **out, const struct lt_corpus *c, size_t slots,
		size_t threads, const struct lt_micro_want *want, struct lu_err *err)
{
	struct lt_prefetch *p = calloc(1, sizeof(*p));

	LU_ASSERT(slots > 0 && threads > 0);
	*out = NULL;
	if (!p)
		return lu_err_nomem(err);
	p->corpus = c;
	p->slots = slots + 1;
	/* With default attributes these cannot fail. */
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->asked, NULL);
	pthread_cond_init(&p->done, NULL);
	p->thread = calloc(threads, sizeof(*p->thread));
	if (!p->thread) {
		lt_prefetch_close(p);
		return lu_err_nomem(err);
	}
	if (allocate(p, want, err) < 0 || start(p, threads, err) < 0) {
		lt_prefetch_close(p);
		return -1;
	}
	*out = p;
	return 0;
}

void lt_prefetch_close(struct lt_prefetch *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->asked);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	pthread_cond_destroy(&p->asked);
	pthread_cond_destroy(&p->done);
	pthread_mutex_destroy(&p->lock);
	for (size_t i = 0; p->slot && i < p->slots; i++)
		lt_micro_release(&p->slot[i].row);
	free(p->thread);
	free(p->slot);
	free(p);
}

bool lt_prefetch_push(struct lt_prefetch *p, uint64_t i)
{
	bool room;

	pthread_mutex_lock(&p->lock);
	/* One slot is the caller's. */
	room = p->pushed - p->popped < p->slots - 1;
	if (room) {
		struct slot *s = &p->slot[p->pushed++ % p->slots];

		s->sample = i;
		s->done = s->failed = false;
		pthread_cond_signal(&p->asked);
	}
	pthread_mutex_unlock(&p->lock);
	return room;
}

int lt_prefetch_pop(struct lt_prefetch *p, struct lt_prefetched *out, struct lu_err *err)
{
	struct slot *s;
	bool failed;

	pthread_mutex_lock(&p->lock);
	LU_ASSERT(p->popped < p->pushed);
	s = &p->slot[p->popped % p->slots];
	while (!s->done)
		pthread_cond_wait(&p->done, &p->lock);
	p->popped++;
	failed = s->failed;
	pthread_mutex_unlock(&p->lock);
	if (failed) {
		*err = s->err;
		return -1;
	}
	*out = (struct lt_prefetched){ s->sample, &s->row };
	return 0;
}
