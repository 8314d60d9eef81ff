#include "trainer/comm/nccl_watch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trainer/comm/wire.h"

#define TICK 50000000 /* nanoseconds between two looks */
#define PUBLISH 0.3   /* seconds of waiting after which the others learn of it */
#define VERDICT 1.5   /* seconds in which the control plane learns of a rank that is gone */

/* ---- the list, by the thread that trains ------------------------------------------------- */

/* Seconds for which a queue stood still because of the operation. */
static double stood_still(struct lt_nccl *n, const struct lt_nccl_op *op)
{
	double s;
	int rc = n->ops->event_seconds(n->q, op->waited_for ? op->reached : op->begin, op->end, &s);

	return rc == 0 && s > 0 ? s : 0;
}

/* Take those that have ended and that nobody holds out of the list. */
static void reap_locked(struct lt_nccl *n)
{
	struct lt_nccl_op **at = &n->first, *op;

	while ((op = *at)) {
		bool ended = op->noted && n->ops->event_done(n->q, op->end) == 1 &&
				(!op->waited_for || n->ops->event_done(n->q, op->reached) == 1);

		if (!ended) /* those behind it have mostly not either */
			break;
		if (op->link && op->link->last == op)
			op->link->last = NULL;
		if (op->held) {
			at = &op->next;
			continue;
		}
		if (!op->pending.detached)
			n->waited += stood_still(n, op);
		n->ops->free(n->q, op->copy);
		op->copy = NULL;
		*at = op->next;
		if (!*at)
			n->last = at;
		op->next = n->spare;
		n->spare = op;
	}
}

static void free_op(struct lt_nccl *n, struct lt_nccl_op *op)
{
	n->ops->event_close(n->q, op->begin);
	n->ops->event_close(n->q, op->end);
	n->ops->event_close(n->q, op->reached);
	n->ops->free(n->q, op->copy);
	free(op);
}

static struct lt_nccl_op *new_op(struct lt_nccl *n, struct lu_err *err)
{
	struct lt_nccl_op *op = calloc(1, sizeof(*op));

	if (!op) {
		lu_err_nomem(err);
		return NULL;
	}
	if (n->ops->event_open(n->q, &op->begin) < 0 || n->ops->event_open(n->q, &op->end) < 0 ||
			n->ops->event_open(n->q, &op->reached) < 0) {
		lu_err_set(err, "%s", n->ops->message(n->q));
		free_op(n, op);
		return NULL;
	}
	return op;
}

int lt_nccl_take(struct lt_link *ch, const char *what, size_t waits_for, struct lt_nccl_op **out,
		struct lu_err *err)
{
	struct lt_nccl *n = ch->nccl;
	struct lt_nccl_op *op;

	pthread_mutex_lock(&n->lock);
	reap_locked(n);
	op = n->spare;
	if (op)
		n->spare = op->next;
	pthread_mutex_unlock(&n->lock);
	if (!op && !(op = new_op(n, err)))
		return -1;
	*op = (struct lt_nccl_op){ .link = ch,
		.what = what,
		.waits_for = waits_for,
		.begin = op->begin,
		.end = op->end,
		.reached = op->reached };
	memcpy(op->at, n->comm->at, sizeof(op->at));
	*out = op;
	return 0;
}

int lt_nccl_note(struct lt_nccl *n, struct lk_queue *q, struct lt_nccl_op *op, struct lu_err *err)
{
	int rc = n->ops->event_record(q, op->begin);

	pthread_mutex_lock(&n->lock);
	*n->last = op;
	n->last = &op->next;
	pthread_mutex_unlock(&n->lock);
	return rc < 0 ? lu_err_set(err, "%s", n->ops->message(q)) : 0;
}

int lt_nccl_noted(struct lt_nccl *n, struct lk_queue *q, struct lt_nccl_op *op, struct lu_err *err)
{
	if (n->ops->event_record(q, op->end) < 0)
		return lu_err_set(err, "%s", n->ops->message(q));
	pthread_mutex_lock(&n->lock);
	op->noted = true;
	op->link->last = op;
	pthread_mutex_unlock(&n->lock);
	return 0;
}

void lt_nccl_release(struct lt_nccl *n, struct lt_nccl_op *op, bool waited_for)
{
	pthread_mutex_lock(&n->lock);
	op->waited_for = waited_for;
	op->held = false;
	pthread_mutex_unlock(&n->lock);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* What the thread sees at one look. */
struct look {
	bool waits;
	size_t rank;
	double since;
	char at[256];  /* of the oldest operation that waits */
	char bad[512]; /* what is wrong, or "" */
};

static void look_at_errors(struct lt_nccl *n, struct look *l)
{
	for (struct lt_link *ch = n->links; ch && !l->bad[0]; ch = ch->next) {
		ncclResult_t state = ncclSuccess;

		if (!ch->comm || n->lib->ncclCommGetAsyncError(ch->comm, &state) != ncclSuccess ||
				state == ncclSuccess || state == ncclInProgress)
			continue;
		snprintf(l->bad, sizeof(l->bad), "%s%sNCCL: an operation of %s failed: %s", l->at,
				l->at[0] ? ": " : "", ch->name, n->lib->ncclGetErrorString(state));
	}
}

/* The oldest operation in which the GPU is, by the queue of the thread. */
static void look_at_operations(struct lt_nccl *n, struct lk_queue *q, struct look *l)
{
	for (struct lt_nccl_op *op = n->first; op; op = op->next) {
		int begun, ended = op->noted ? n->ops->event_done(q, op->end) : 0;

		if (ended == 1 || !op->link)
			continue;
		begun = op->since > 0 ? 1 : n->ops->event_done(q, op->begin);
		if (ended < 0 || begun < 0) {
			snprintf(l->bad, sizeof(l->bad), "%s: %s", op->at, n->ops->message(q));
			return;
		}
		if (!begun)
			continue;
		if (op->since == 0)
			op->since = lt_now();
		if (l->waits && l->since <= op->since)
			continue;
		l->waits = true;
		l->rank = op->waits_for;
		l->since = op->since;
		snprintf(l->at, sizeof(l->at), "%s%s%s of %s", op->at, op->at[0] ? ", " : "",
				op->what, op->link->name);
	}
}

/* Tell the others; a rank that has died is the control plane's to name. */
static void report(struct lt_control *k, const char *sentence)
{
	double until = lt_now() + VERDICT;
	struct lu_err ignored;

	while (lt_control_failed(k, &ignored) == 0) {
		struct timespec t = { .tv_nsec = TICK };

		if (lt_now() > until)
			lt_control_lost(k, sentence);
		nanosleep(&t, NULL);
	}
}

/* False once the run has failed. */
static bool look(struct lt_nccl *n, struct lk_queue *q, bool *published)
{
	struct lt_control *k = n->comm->control;
	struct look l = { 0 };
	struct lu_err ignored;

	pthread_mutex_lock(&n->lock);
	look_at_operations(n, q, &l);
	look_at_errors(n, &l);
	pthread_mutex_unlock(&n->lock);
	if (l.bad[0])
		report(k, l.bad);
	if (l.waits && lt_now() - l.since > PUBLISH) {
		lt_control_at(k, l.at);
		*published = true;
		return lt_control_await(k, l.rank, l.since, NULL, &ignored) == 0;
	}
	if (*published)
		lt_control_waits_for(k, LT_CONTROL_NOBODY);
	*published = false;
	return lt_control_failed(k, &ignored) == 0;
}

static void *watch(void *nccl)
{
	struct lt_nccl *n = nccl;
	struct lk_queue *q = NULL;
	struct lk_err kerr;
	bool going = n->ops->open(&q, n->device, &kerr) == 0, published = false, stop = false;

	if (!going)
		lt_control_abort(n->comm->control, kerr.msg);
	while (!stop) {
		struct timespec t = { .tv_nsec = TICK };

		if (going && !look(n, q, &published)) {
			going = false;
			lt_links_abort(n);
		}
		nanosleep(&t, NULL);
		pthread_mutex_lock(&n->lock);
		stop = n->stop;
		pthread_mutex_unlock(&n->lock);
	}
	n->ops->close(q);
	return NULL;
}

int lt_nccl_watch_start(struct lt_nccl *n, struct lu_err *err)
{
	sigset_t all, before;
	int rc;

	n->last = &n->first;
	/* Signals are the caller's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&n->thread, NULL, watch, n);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return lu_err_sys(err, rc, "NCCL: no thread");
	n->watching = true;
	return 0;
}

void lt_nccl_watch_end(struct lt_nccl *n)
{
	if (!n->watching)
		return;
	pthread_mutex_lock(&n->lock);
	n->stop = true;
	pthread_mutex_unlock(&n->lock);
	pthread_join(n->thread, NULL);
	n->watching = false;
	while (n->first) {
		struct lt_nccl_op *op = n->first;

		n->first = op->next;
		free_op(n, op);
	}
	while (n->spare) {
		struct lt_nccl_op *op = n->spare;

		n->spare = op->next;
		free_op(n, op);
	}
	n->last = &n->first;
}
