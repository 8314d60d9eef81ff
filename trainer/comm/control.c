#include "trainer/comm/control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "trainer/comm/control_private.h"
#include "trainer/comm/wire.h"

#define BEAT 1.0		    /* seconds */
#define VERDICT_PATIENCE 1.5	    /* seconds for rank 0 to judge */
#define FAREWELL_PATIENCE 5.0	    /* seconds for rank 0 to answer a farewell */
#define LEFT_PATIENCE 2.0	    /* seconds that data of a rank which left may be on its way */
#define OUT_LIMIT ((size_t)8 << 20) /* bytes that wait for one rank before the sender waits */

/* Wait until something changes, at most `seconds`. */
static void wait_locked(struct lt_control *k, double seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)seconds;
	t.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	(void)pthread_cond_timedwait(&k->changed, &k->lock, &t);
}

/* Lock and condition, whose times are those of lt_now(), and the thread, which takes no signals. */
static int start_thread(struct lt_control *k)
{
	pthread_condattr_t clock;
	sigset_t all, before;
	int rc;

	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&k->changed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_mutex_init(&k->lock, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&k->thread, NULL, lt_control_run, k);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		pthread_cond_destroy(&k->changed);
		pthread_mutex_destroy(&k->lock);
	}
	return rc;
}

int lt_control_open(struct lt_control **out, struct lt_meeting *m, size_t rank, size_t size,
		double deadline, struct lt_door *door, struct lu_err *err)
{
	struct lt_control *k = calloc(1, sizeof(*k));
	int rc = -1;

	if (!k)
		return lu_err_nomem(err);
	*k = (struct lt_control){ .rank = rank,
		.size = size,
		.deadline = deadline,
		.beat = deadline / 5 < BEAT ? deadline / 5 : BEAT,
		.members = m->members,
		.door = *door,
		.waits_for = LT_CONTROL_NOBODY,
		.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.down = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	memcpy(k->secret, m->secret, sizeof(k->secret));
	k->spoke = calloc(size, sizeof(*k->spoke));
	k->poll = calloc(size + 2, sizeof(*k->poll));
	if (!k->spoke || !k->poll) {
		lu_err_nomem(err);
		goto fail;
	}
	if (k->wake < 0 || k->down < 0) {
		lu_err_sys(err, errno, "control plane");
		goto fail;
	}
	for (size_t r = 0; r < size; r++) {
		k->spoke[r].fd = m->fds[r];
		k->spoke[r].heard = lt_now();
		k->spoke[r].waits_for = LT_CONTROL_NOBODY;
	}
	rc = start_thread(k);
	if (rc != 0) {
		lu_err_sys(err, rc, "control plane: no thread");
		goto fail;
	}
	m->members = NULL;
	lt_meeting_release(m);
	*door = (struct lt_door){ .fd = -1, .listener = -1 };
	*out = k;
	return 0;
fail:
	if (k->wake >= 0)
		close(k->wake);
	if (k->down >= 0)
		close(k->down);
	free(k->spoke);
	free(k->poll);
	free(k);
	return -1;
}

/* Wait until all others have said farewell too, which rank 0 needs to hear of. */
static void part_locked(struct lt_control *k)
{
	double start = lt_now();

	for (size_t r = 0; r < k->size; r++)
		lt_spoke_put_locked(k, &k->spoke[r], LT_FRAME_BYE, LT_CHANNEL_MAIN, 0, NULL, 0);
	while (!k->failed) {
		size_t waiting = k->size;

		for (size_t r = 0; r < k->size; r++) {
			struct lt_spoke *s = &k->spoke[r];

			if (s->fd >= 0 && !s->acked)
				waiting = r;
			if (s->fd >= 0 && k->rank == 0 && s->left == 0)
				waiting = r;
		}
		if (waiting == k->size)
			return;
		if (k->rank != 0 && lt_now() - start > FAREWELL_PATIENCE)
			return;
		if (lt_now() - start > k->deadline) {
			struct lt_verdict v = {
				.rank = waiting, .seconds = lt_now() - start, .kind = LT_BLAME_STUCK
			};

			lt_control_judge_locked(k, &v);
		}
		wait_locked(k, 0.2);
	}
}

void lt_control_close(struct lt_control *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->closing = true;
	if (!k->failed)
		part_locked(k);
	k->stop = true;
	pthread_mutex_unlock(&k->lock);
	lt_control_wake(k);
	pthread_join(k->thread, NULL);
	for (size_t r = 0; r < k->size; r++) {
		struct lt_spoke *s = &k->spoke[r];

		if (s->fd >= 0)
			close(s->fd);
		lu_buf_release(&s->in);
		lu_buf_release(&s->out);
		for (size_t c = 0; c < LT_CHANNELS; c++)
			lu_buf_release(&s->inbox[c]);
	}
	for (size_t i = 0; i < k->arrivals.n; i++)
		close(k->arrivals.p[i].fd);
	lu_vec_release(&k->arrivals);
	lt_door_close(&k->door);
	close(k->wake);
	close(k->down);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k->members);
	free(k->spoke);
	free(k->poll);
	free(k);
}

void lt_control_secret(const struct lt_control *k, unsigned char out[16])
{
	memcpy(out, k->secret, sizeof(k->secret));
}

const struct lt_member *lt_control_member(const struct lt_control *k, size_t rank)
{
	return &k->members[rank];
}

/* ---- failure ----------------------------------------------------------------------------- */

int lt_control_down(const struct lt_control *k)
{
	return k->down;
}

int lt_control_failed(struct lt_control *k, struct lu_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&k->lock);
	if (lt_control_is_over_locked(k))
		rc = lt_control_error_locked(k, err);
	pthread_mutex_unlock(&k->lock);
	return rc;
}

void lt_control_cancel(struct lt_control *k)
{
	pthread_mutex_lock(&k->lock);
	k->cancelled = true;
	(void)eventfd_write(k->down, 1);
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
}

static int blame_locked(struct lt_control *k, size_t rank, enum lt_blame kind, double seconds,
		struct lu_err *err)
{
	struct lt_verdict v = { .rank = rank, .seconds = seconds, .kind = (uint32_t)kind };
	double until = lt_now() + VERDICT_PATIENCE;

	if (k->rank == 0)
		lt_control_judge_locked(k, &v);
	else if (!k->failed)
		lt_spoke_put_locked(
				k, &k->spoke[0], LT_FRAME_BLAME, LT_CHANNEL_MAIN, 0, &v, sizeof(v));
	while (!k->failed && lt_now() < until)
		wait_locked(k, until - lt_now());
	/* Rank 0 does not answer. */
	if (rank == 0 && k->rank != 0 && lt_control_is_quiet_locked(k, 0))
		v.kind = LT_BLAME_SILENT;
	lt_control_fail_locked(k, &v);
	return lt_control_error_locked(k, err);
}

int lt_control_blame(struct lt_control *k, size_t rank, enum lt_blame kind, double seconds,
		struct lu_err *err)
{
	pthread_mutex_lock(&k->lock);
	blame_locked(k, rank, kind, seconds, err);
	pthread_mutex_unlock(&k->lock);
	return -1;
}

void lt_control_abort(struct lt_control *k, const char *sentence)
{
	struct lt_verdict v = { .rank = k->rank, .kind = LT_BLAME_ABORT };

	snprintf(v.text, sizeof(v.text), "%s", sentence);
	pthread_mutex_lock(&k->lock);
	if (k->rank != 0 && !k->failed)
		lt_spoke_put_locked(
				k, &k->spoke[0], LT_FRAME_BLAME, LT_CHANNEL_MAIN, 0, &v, sizeof(v));
	lt_control_fail_locked(k, &v);
	pthread_mutex_unlock(&k->lock);
}

void lt_control_lost(struct lt_control *k, const char *sentence)
{
	struct lt_verdict v = { .rank = k->rank, .kind = LT_BLAME_LOST };
	double until = lt_now() + VERDICT_PATIENCE;

	snprintf(v.text, sizeof(v.text), "%s", sentence);
	pthread_mutex_lock(&k->lock);
	if (k->rank == 0)
		lt_control_judge_locked(k, &v);
	else if (!k->failed)
		lt_spoke_put_locked(
				k, &k->spoke[0], LT_FRAME_BLAME, LT_CHANNEL_MAIN, 0, &v, sizeof(v));
	while (!k->failed && lt_now() < until)
		wait_locked(k, until - lt_now());
	v.kind = LT_BLAME_ABORT;
	lt_control_fail_locked(k, &v);
	pthread_mutex_unlock(&k->lock);
}

void lt_control_at(struct lt_control *k, const char *text)
{
	pthread_mutex_lock(&k->lock);
	snprintf(k->at, sizeof(k->at), "%s", text);
	pthread_mutex_unlock(&k->lock);
}

void lt_control_waits_for(struct lt_control *k, size_t rank)
{
	pthread_mutex_lock(&k->lock);
	k->waits_for = rank;
	pthread_mutex_unlock(&k->lock);
}

/* True if data of the rank which has left are not on their way any more. Only rank 0 hears of all. */
static bool is_missed_locked(const struct lt_control *k, size_t rank, double since)
{
	double left = k->rank == 0 || rank == 0 ? k->spoke[rank].left : 0, now = lt_now();

	return left > 0 && now - left > LEFT_PATIENCE && now - since > LEFT_PATIENCE;
}

int lt_control_await(struct lt_control *k, size_t rank, double since, atomic_size_t *waits_for,
		struct lu_err *err)
{
	double waited = lt_now() - since;
	int rc = 0;

	pthread_mutex_lock(&k->lock);
	if (waits_for)
		atomic_store(waits_for, rank);
	else
		k->waits_for = rank;
	if (lt_control_is_over_locked(k))
		rc = lt_control_error_locked(k, err);
	else if (is_missed_locked(k, rank, since))
		rc = blame_locked(k, rank, LT_BLAME_LEFT, waited, err);
	else if (waited > k->deadline)
		rc = blame_locked(k, rank, LT_BLAME_STUCK, waited, err);
	pthread_mutex_unlock(&k->lock);
	return rc;
}

/* ---- messages ---------------------------------------------------------------------------- */

int lt_control_send(struct lt_control *k, enum lt_channel channel, size_t to, uint32_t op,
		const void *p, size_t n, struct lu_err *err)
{
	struct lt_spoke *s = &k->spoke[to];
	double start = lt_now();
	int rc = 0;

	LU_ASSERT(n <= LT_CONTROL_MESSAGE && (k->rank == 0) != (to == 0));
	pthread_mutex_lock(&k->lock);
	while (!k->failed && s->fd >= 0 && s->out.n - s->sent > OUT_LIMIT && rc == 0) {
		if (lt_now() - start > k->deadline)
			rc = blame_locked(k, to, LT_BLAME_STUCK, lt_now() - start, err);
		else
			wait_locked(k, 0.2);
	}
	if (k->failed)
		rc = lt_control_error_locked(k, err);
	else if (s->fd < 0 || s->left > 0)
		rc = blame_locked(k, to, LT_BLAME_LEFT, 0, err);
	else
		lt_spoke_put_locked(k, s, LT_FRAME_MESSAGE, channel, op, p, n);
	pthread_mutex_unlock(&k->lock);
	return rc;
}

/* Take the first message of the channel, which is there. */
static int take_message(struct lt_control *k, size_t from, enum lt_channel channel, uint32_t op,
		void *p, size_t n, size_t *got, struct lu_err *err)
{
	struct lt_spoke *s = &k->spoke[from];
	struct lu_buf *box = &s->inbox[channel];
	const char *at = box->p + s->taken[channel];
	struct lt_frame f;

	memcpy(&f, at, sizeof(f));
	if (f.op != op || f.bytes > n || (!got && f.bytes != n))
		return lu_err_set(err,
				"ranks %zu and %zu do not make the same calls: operation %u of "
				"%zu bytes here, %u of %u there",
				k->rank, from, op, n, f.op, f.bytes);
	if (f.bytes)
		memcpy(p, at + sizeof(f), f.bytes);
	if (got)
		*got = f.bytes;
	s->taken[channel] += sizeof(f) + f.bytes;
	if (s->taken[channel] == box->n) {
		lu_buf_clear(box);
		s->taken[channel] = 0;
	}
	return 0;
}

int lt_control_recv(struct lt_control *k, enum lt_channel channel, size_t from, uint32_t op,
		void *p, size_t n, size_t *got, struct lu_err *err)
{
	struct lt_spoke *s = &k->spoke[from];
	double start = lt_now();
	int rc = 0;

	pthread_mutex_lock(&k->lock);
	while (!k->failed && s->inbox[channel].n == 0 && rc == 0) {
		if (s->left > 0 || s->fd < 0) {
			rc = blame_locked(k, from, LT_BLAME_LEFT, 0, err);
		} else if (lt_now() - start > k->deadline) {
			rc = blame_locked(k, from, LT_BLAME_STUCK, lt_now() - start, err);
		} else {
			k->waits_for = from;
			wait_locked(k, 0.5);
		}
	}
	k->waits_for = LT_CONTROL_NOBODY;
	if (k->failed)
		rc = lt_control_error_locked(k, err);
	else
		rc = take_message(k, from, channel, op, p, n, got, err);
	pthread_mutex_unlock(&k->lock);
	return rc;
}

int lt_control_take(struct lt_control *k, size_t rank, uint32_t link, struct lu_err *err)
{
	double start = lt_now();
	int fd = -1;

	pthread_mutex_lock(&k->lock);
	while (!lt_control_is_over_locked(k) && fd < 0) {
		for (size_t i = 0; i < k->arrivals.n; i++) {
			struct lt_arrival *a = &k->arrivals.p[i];

			if (a->rank != rank || a->link != link)
				continue;
			fd = a->fd;
			*a = k->arrivals.p[--k->arrivals.n];
			break;
		}
		if (fd >= 0)
			break;
		if (lt_now() - start > k->deadline) {
			blame_locked(k, rank, LT_BLAME_STUCK, lt_now() - start, err);
		} else if (is_missed_locked(k, rank, start)) {
			blame_locked(k, rank, LT_BLAME_LEFT, 0, err);
		} else {
			k->waits_for = rank;
			wait_locked(k, 0.5);
		}
	}
	k->waits_for = LT_CONTROL_NOBODY;
	if (fd < 0)
		lt_control_error_locked(k, err);
	pthread_mutex_unlock(&k->lock);
	return fd;
}
