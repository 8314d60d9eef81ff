#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trainer/comm/control_private.h"
#include "trainer/comm/wire.h"

#define READ_SIZE ((size_t)64 << 10)
#define FLUSH_PATIENCE 1.0 /* seconds for the news of a failure to go out */
#define EXIT_STATUS 2

static size_t rank_of(const struct lt_control *k, const struct lt_spoke *s)
{
	return (size_t)(s - k->spoke);
}

static void lose_locked(struct lt_control *k, struct lt_spoke *s)
{
	struct lt_verdict v = { .rank = rank_of(k, s), .kind = LT_BLAME_GONE };

	close(s->fd);
	s->fd = -1;
	if (s->left == 0)
		lt_control_fail_locked(k, &v);
	pthread_cond_broadcast(&k->changed);
}

/* One frame has come. False: it is none of ours. */
static bool take_locked(
		struct lt_control *k, struct lt_spoke *s, const struct lt_frame *f, const char *p)
{
	struct lt_verdict v;
	struct lt_beat beat;

	switch ((enum lt_frame_kind)f->kind) {
	case LT_FRAME_MESSAGE:
		if (f->channel >= LT_CHANNELS || f->bytes > LT_CONTROL_FRAME)
			return false;
		lu_buf_append(&s->inbox[f->channel], f, sizeof(*f));
		lu_buf_append(&s->inbox[f->channel], p, f->bytes);
		pthread_cond_broadcast(&k->changed);
		return lu_buf_ok(&s->inbox[f->channel]);
	case LT_FRAME_BEAT:
		if (f->bytes != sizeof(beat))
			return false;
		memcpy(&beat, p, sizeof(beat));
		s->waits_for = (size_t)beat.waits_for;
		memcpy(s->at, beat.at, sizeof(s->at));
		s->at[sizeof(s->at) - 1] = '\0';
		return true;
	case LT_FRAME_BLAME:
	case LT_FRAME_FAIL:
		if (f->bytes != sizeof(v))
			return false;
		memcpy(&v, p, sizeof(v));
		if (f->kind == LT_FRAME_BLAME && v.kind != LT_BLAME_ABORT)
			lt_control_judge_locked(k, &v);
		else
			lt_control_fail_locked(k, &v);
		return true;
	case LT_FRAME_BYE:
		s->left = lt_now();
		lt_spoke_put_locked(k, s, LT_FRAME_ACK, LT_CHANNEL_MAIN, 0, NULL, 0);
		pthread_cond_broadcast(&k->changed);
		return true;
	case LT_FRAME_ACK:
		s->acked = true;
		pthread_cond_broadcast(&k->changed);
		return true;
	}
	return false;
}

/* Read what has come; the end of the connection is looked at after what came before it. */
static void read_locked(struct lt_control *k, struct lt_spoke *s)
{
	size_t at = 0;
	bool end = false;

	for (;;) {
		ssize_t n;

		if (!lu_buf_reserve(&s->in, READ_SIZE)) {
			end = true;
			break;
		}
		n = recv(s->fd, s->in.p + s->in.n, READ_SIZE, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			end = true;
			break;
		}
		s->in.n += (size_t)n;
		s->heard = lt_now();
		if (s->in.n > LT_CONTROL_FRAME)
			break;
	}
	while (s->in.n - at >= sizeof(struct lt_frame)) {
		struct lt_frame f;

		memcpy(&f, s->in.p + at, sizeof(f));
		if (f.bytes > LT_CONTROL_FRAME) {
			end = true;
			break;
		}
		if (s->in.n - at < sizeof(f) + f.bytes)
			break;
		if (!take_locked(k, s, &f, s->in.p + at + sizeof(f)))
			end = true;
		at += sizeof(f) + f.bytes;
	}
	if (at) {
		memmove(s->in.p, s->in.p + at, s->in.n - at);
		s->in.n -= at;
	}
	if (end)
		lose_locked(k, s);
}

static void beat_locked(struct lt_control *k)
{
	struct lt_beat beat = { .waits_for = k->waits_for };

	memcpy(beat.at, k->at, sizeof(beat.at));
	for (size_t r = 0; r < k->size; r++) {
		/* To one that does not read, a heartbeat more is no news. */
		if (lt_spoke_unsent(&k->spoke[r]) < LT_CONTROL_FRAME)
			lt_spoke_put_locked(k, &k->spoke[r], LT_FRAME_BEAT, LT_CHANNEL_MAIN, 0,
					&beat, sizeof(beat));
	}
}

/* Look for silence. `slept`: this thread itself did not run, so nothing follows from silence. */
static void check_locked(struct lt_control *k, double now, bool slept)
{
	for (size_t r = 0; r < k->size; r++) {
		struct lt_spoke *s = &k->spoke[r];
		struct lt_verdict v = { .rank = r, .kind = LT_BLAME_SILENT };

		if (s->fd < 0 || s->left > 0)
			continue;
		if (slept)
			s->heard = now;
		v.seconds = now - s->heard;
		if (v.seconds > k->deadline)
			lt_control_fail_locked(k, &v);
	}
	if (k->suspicion_due > 0 && now > k->suspicion_due) {
		if (lt_control_has_left_locked(k, k->suspicion.rank))
			k->suspicion.kind = LT_BLAME_LEFT;
		lt_control_fail_locked(k, &k->suspicion);
	}
}

static void let_in(struct lt_control *k)
{
	struct lt_data_hello h;
	int fd;

	while ((fd = lt_door_next(&k->door, &h)) >= 0) {
		struct lt_arrival a = { .rank = h.rank, .link = h.link, .fd = fd };
		bool ours = memcmp(h.secret, k->secret, sizeof(h.secret)) == 0 && h.rank < k->size;

		pthread_mutex_lock(&k->lock);
		if (!ours || !lu_vec_push(&k->arrivals, a))
			close(fd);
		pthread_cond_broadcast(&k->changed);
		pthread_mutex_unlock(&k->lock);
	}
}

/* After a failure: true once this thread may end, because the caller is closing, everybody has the
 * news, and nothing is left to be done on this host. */
static bool wind_up(struct lt_control *k, bool *printed)
{
	size_t waiting = 0;
	bool closing, busy;
	double age;

	pthread_mutex_lock(&k->lock);
	closing = k->closing;
	age = lt_now() - k->failed_at;
	for (size_t r = 0; r < k->size; r++)
		waiting += lt_spoke_unsent(&k->spoke[r]);
	pthread_mutex_unlock(&k->lock);
	busy = lt_control_end_neighbours(k);
	if (!closing && age > LT_CONTROL_GRACE && !*printed) {
		/* The caller is stuck: this is the only one who can tell. */
		fprintf(stderr, "%s: %s\n", program_invocation_short_name, k->sentence);
		*printed = true;
	}
	if (*printed && !busy)
		_exit(EXIT_STATUS);
	return closing && !busy && (waiting == 0 || age > FLUSH_PATIENCE);
}

/* Fill in what to wait for. */
static nfds_t watch_locked(struct lt_control *k, struct pollfd *p)
{
	p[0] = (struct pollfd){ .fd = k->wake, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = k->door.fd, .events = POLLIN };
	for (size_t r = 0; r < k->size; r++) {
		struct lt_spoke *s = &k->spoke[r];

		p[2 + r] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
		if (lt_spoke_unsent(s))
			p[2 + r].events |= POLLOUT;
	}
	return (nfds_t)(2 + k->size);
}

void *lt_control_run(void *control)
{
	struct lt_control *k = control;
	struct pollfd *p = k->poll;
	double next = lt_now(), before = next;
	bool printed = false, end = false;

	while (!end) {
		double now;
		bool failed;
		nfds_t n;

		pthread_mutex_lock(&k->lock);
		n = watch_locked(k, p);
		failed = k->failed;
		pthread_mutex_unlock(&k->lock);
		if (poll(p, n, failed ? 20 : (int)(k->beat * 250)) < 0)
			continue;
		if (p[0].revents) {
			eventfd_t count;

			(void)eventfd_read(k->wake, &count);
		}
		if (p[1].revents)
			let_in(k);
		pthread_mutex_lock(&k->lock);
		for (size_t r = 0; r < k->size; r++) {
			struct lt_spoke *s = &k->spoke[r];

			if (s->fd >= 0 && s->fd == p[2 + r].fd) {
				lt_spoke_flush_locked(s);
				if (p[2 + r].revents & ~POLLOUT)
					read_locked(k, s);
			}
		}
		pthread_cond_broadcast(&k->changed);
		now = lt_now();
		if (now >= next) {
			beat_locked(k);
			next = now + k->beat;
		}
		check_locked(k, now, now - before > k->deadline / 2);
		before = now;
		failed = k->failed;
		end = k->stop && !failed;
		pthread_mutex_unlock(&k->lock);
		if (failed)
			end = wind_up(k, &printed);
	}
	return NULL;
}
