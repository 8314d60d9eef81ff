#include "trainer/run/saver.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "libcommon/sys/mapped.h"
#include "trainer/run/checkpoint_write.h"
#include "trainer/run/hash_share.h"
#include "trainer/run/stop.h"

enum state { IDLE, SAVING, FAILED, ENDING };

struct lt_saver {
	struct lt_snapshot snapshot;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* state */
	/* Under the lock. */
	enum state state;
	uint64_t saved;	   /* step */
	struct lu_err err; /* if FAILED */
	/* Set by begin before SAVING, read by the thread while SAVING. */
	struct lt_write write;
	struct lt_run run; /* a copy: the logs may be opened meanwhile */
	int rc;		   /* of the snapshot */
	struct lu_err why; /* rc < 0 */
};

/* --- the thread ------------------------------------------------------------------------------- */

static void save(struct lt_saver *s)
{
	struct lu_err err = s->why;
	bool published;
	int rc = lt_checkpoint_write(&s->write, s->rc, &published, &err);

	if (rc < 0)
		lu_err_wrap(&err, "checkpoint");
	pthread_mutex_lock(&s->lock);
	if (rc == 0 || published) {
		s->saved = s->write.pos.step;
		lt_stop_saved(s->saved);
	}
	s->state = rc < 0 ? FAILED : IDLE;
	s->err = err;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void *run_thread(void *ctx)
{
	struct lt_saver *s = ctx;
	enum state state;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		while (s->state != SAVING && s->state != ENDING)
			pthread_cond_wait(&s->changed, &s->lock);
		state = s->state;
		pthread_mutex_unlock(&s->lock);
		if (state == ENDING)
			return NULL;
		save(s);
	}
}

/* Start the thread, which takes no signals: those of the run belong to the training loop. */
static int start(struct lt_saver *s, struct lu_err *err)
{
	sigset_t all, before;
	int e;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&s->thread, NULL, run_thread, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e ? lu_err_sys(err, e, "cannot start the thread that writes checkpoints") : 0;
}

/* --- interface -------------------------------------------------------------------------------- */

int lt_saver_open(struct lt_saver **out, struct lt_comm *comm, struct lt_weights *w,
		const struct lt_saver_options *options, struct lu_err *err)
{
	struct lt_saver *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return lu_err_nomem(err);
	LU_ASSERT(w->holding.lanes > 0);
	s->saved = UINT64_MAX;
	s->write = (struct lt_write){ .comm = comm,
		.snapshot = &s->snapshot,
		.round = options->round ? options->round : LT_ROUND,
		.keep = options->keep };
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	if (lt_snapshot_open(&s->snapshot, w, err) < 0 || start(s, err) < 0) {
		lt_snapshot_close(&s->snapshot);
		pthread_cond_destroy(&s->changed);
		pthread_mutex_destroy(&s->lock);
		free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void lt_saver_close(struct lt_saver *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	while (s->state == SAVING)
		pthread_cond_wait(&s->changed, &s->lock);
	s->state = ENDING;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	lt_snapshot_close(&s->snapshot);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

uint64_t lt_saver_bytes(const struct lt_table *t, const struct lt_holding *holding,
		const struct lt_weights_bytes *bytes)
{
	uint64_t part = holding->zero
			? bytes->optimizer / 2
			: (t->total + holding->dp_size - 1) / holding->dp_size * sizeof(lk_real);

	return LT_VECTORS * part;
}

/* Report the state, and forget a failure. The lock is held. */
static int report(struct lt_saver *s, uint64_t *saved, struct lu_err *err)
{
	*saved = s->saved;
	if (s->state != FAILED)
		return 0;
	s->state = IDLE;
	*err = s->err;
	return -1;
}

int lt_saver_poll(struct lt_saver *s, uint64_t *saved, struct lu_err *err)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = report(s, saved, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int lt_saver_wait(struct lt_saver *s, uint64_t *saved, struct lu_err *err)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	while (s->state == SAVING)
		pthread_cond_wait(&s->changed, &s->lock);
	rc = report(s, saved, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int lt_saver_begin(struct lt_saver *s, const struct lt_run *run, const struct lt_position *pos,
		struct lu_err *err)
{
	uint64_t saved;

	if (lt_saver_wait(s, &saved, err) < 0)
		return -1;
	s->write.pos = *pos;
	if (run) {
		s->run = *run;
		s->write.run = &s->run;
	}
	s->rc = lt_snapshot_take(&s->snapshot, &s->why);
	/* A shard that was cut may have been read as zeros. */
	if (s->rc == 0)
		s->rc = lu_mapped_check(&s->why);
	pthread_mutex_lock(&s->lock);
	s->state = SAVING;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return 0;
}
