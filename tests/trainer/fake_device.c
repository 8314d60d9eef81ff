#include "tests/trainer/fake_device.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/sys/version.h"
#include "tests/trainer/ranks.h"
#include "trainer/comm/tree_sum.h"

enum kind { CALL, RECORD, WAIT, COPY, ZERO, ADD, ACCUMULATE, LANES };

struct task {
	struct task *next;
	enum kind kind;
	void (*fn)(void *);
	void *ctx;
	struct lk_event *e;
	uint64_t number; /* of the record of the event */
	void *y;
	const void *a, *b;
	size_t n, lanes, stride;
};

struct lk_queue {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct task *first, **last;
	uint64_t queued, done;
	bool stop;
	char msg[128];
};

/* Users: the one who opened it, and tasks that name it. */
struct lk_event {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t recorded, reached;
	double at;
	size_t users;
};

static void leave_event(struct lk_event *e)
{
	bool last;

	pthread_mutex_lock(&e->lock);
	last = --e->users == 0;
	pthread_mutex_unlock(&e->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->changed);
	free(e);
}

static double clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void do_event(const struct task *t)
{
	struct lk_event *e = t->e;

	pthread_mutex_lock(&e->lock);
	if (t->kind == RECORD) {
		e->at = clock_now();
		e->reached = t->number;
		pthread_cond_broadcast(&e->changed);
	}
	while (t->kind == WAIT && e->reached < t->number)
		pthread_cond_wait(&e->changed, &e->lock);
	pthread_mutex_unlock(&e->lock);
	leave_event(e);
}

/* y = a + b, as lk_ops.add says of bf16. */
static void add_acts(const struct task *t)
{
	char *member[2] = { malloc(t->n * 2 + 2), malloc(t->n * 2 + 2) };

	memcpy(member[0], t->a, t->n * 2);
	memcpy(member[1], t->b, t->n * 2);
	lt_tree_sum(t->y, member, 2, t->n, LT_SUM_BF16);
	free(member[0]);
	free(member[1]);
}

static void do_task(const struct task *t)
{
	lk_real *y = t->y;
	const lk_real *x = t->a;

	switch (t->kind) {
	case CALL: t->fn(t->ctx); break;
	case RECORD:
	case WAIT: do_event(t); break;
	case COPY: memmove(t->y, t->a, t->n); break;
	case ZERO: memset(t->y, 0, t->n); break;
	case ADD: add_acts(t); break;
	case ACCUMULATE:
		for (size_t i = 0; i < t->n; i++)
			y[i] += x[i];
		break;
	case LANES:
		for (size_t k = t->lanes, s; k > 1; k = s) {
			s = (k + 1) / 2;
			for (size_t j = 0; j + s < k; j++)
				for (size_t i = 0; i < t->n; i++)
					y[j * t->stride + i] += y[(j + s) * t->stride + i];
		}
		break;
	}
}

static void *work(void *queue)
{
	struct lk_queue *q = queue;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		struct task *t = q->first;

		if (!t && q->stop)
			break;
		if (!t) {
			pthread_cond_wait(&q->changed, &q->lock);
			continue;
		}
		q->first = t->next;
		if (!q->first)
			q->last = &q->first;
		pthread_mutex_unlock(&q->lock);
		do_task(t);
		free(t);
		pthread_mutex_lock(&q->lock);
		q->done++;
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

static int push(struct lk_queue *q, const struct task *what)
{
	struct task *t = malloc(sizeof(*t));

	*t = *what;
	t->next = NULL;
	pthread_mutex_lock(&q->lock);
	*q->last = t;
	q->last = &t->next;
	q->queued++;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	return 0;
}

int fake_stream_launch(void *stream, void (*fn)(void *), void *ctx)
{
	return push(stream, &(struct task){ .kind = CALL, .fn = fn, .ctx = ctx });
}

static int fake_open(struct lk_queue **out, int device, struct lk_err *err)
{
	struct lk_queue *q = calloc(1, sizeof(*q));

	(void)device, (void)err;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	q->last = &q->first;
	*out = q;
	return pthread_create(&q->thread, NULL, work, q) == 0 ? 0 : -1;
}

static void fake_close(struct lk_queue *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	q->stop = true;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->changed);
	free(q);
}

static const char *fake_message(const struct lk_queue *q)
{
	return q->msg;
}

static int fake_sync(struct lk_queue *q)
{
	uint64_t until;

	pthread_mutex_lock(&q->lock);
	until = q->queued;
	while (q->done < until)
		pthread_cond_wait(&q->changed, &q->lock);
	pthread_mutex_unlock(&q->lock);
	return 0;
}

static int fake_event_open(struct lk_queue *q, struct lk_event **out)
{
	struct lk_event *e = calloc(1, sizeof(*e));

	(void)q;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	e->users = 1;
	*out = e;
	return 0;
}

static void fake_event_close(struct lk_queue *q, struct lk_event *e)
{
	(void)q;
	if (e)
		leave_event(e);
}

static int use_event(struct lk_queue *q, struct lk_event *e, enum kind kind)
{
	struct task t = { .kind = kind, .e = e };

	pthread_mutex_lock(&e->lock);
	t.number = kind == RECORD ? ++e->recorded : e->recorded;
	e->users++;
	pthread_mutex_unlock(&e->lock);
	return push(q, &t);
}

static int fake_event_record(struct lk_queue *q, struct lk_event *e)
{
	return use_event(q, e, RECORD);
}

static int fake_event_wait(struct lk_queue *q, struct lk_event *e)
{
	return use_event(q, e, WAIT);
}

static int fake_event_done(struct lk_queue *q, struct lk_event *e)
{
	int done;

	(void)q;
	pthread_mutex_lock(&e->lock);
	done = e->reached == e->recorded;
	pthread_mutex_unlock(&e->lock);
	return done;
}

static int fake_event_seconds(struct lk_queue *q, struct lk_event *a, struct lk_event *b, double *s)
{
	if (fake_event_done(q, a) != 1 || fake_event_done(q, b) != 1)
		return -1;
	pthread_mutex_lock(&a->lock);
	*s = -a->at;
	pthread_mutex_unlock(&a->lock);
	pthread_mutex_lock(&b->lock);
	*s += b->at;
	pthread_mutex_unlock(&b->lock);
	return 0;
}

static void *fake_alloc(struct lk_queue *q, size_t bytes)
{
	(void)q;
	return malloc(bytes + 1);
}

static void fake_free(struct lk_queue *q, void *p)
{
	(void)q;
	free(p);
}

static int fake_zero(struct lk_queue *q, void *p, size_t bytes)
{
	return push(q, &(struct task){ .kind = ZERO, .y = p, .n = bytes });
}

static int fake_copy(struct lk_queue *q, void *to, const void *from, size_t n, enum lk_copy how)
{
	(void)how;
	return push(q, &(struct task){ .kind = COPY, .y = to, .a = from, .n = n });
}

static int fake_add(struct lk_queue *q, lk_act *y, const lk_act *a, const lk_act *b, size_t n)
{
	return push(q, &(struct task){ .kind = ADD, .y = y, .a = a, .b = b, .n = n });
}

static int fake_accumulate(struct lk_queue *q, lk_real *y, const lk_real *x, size_t n)
{
	return push(q, &(struct task){ .kind = ACCUMULATE, .y = y, .a = x, .n = n });
}

static int fake_lane_sum(
		struct lk_queue *q, lk_real *x, size_t lanes, size_t stride, size_t n, double *sums)
{
	(void)sums;
	return push(q,
			&(struct task){ .kind = LANES,
					.y = x,
					.n = n,
					.lanes = lanes,
					.stride = stride });
}

static void *fake_native(const struct lk_queue *q)
{
	return (void *)(uintptr_t)q;
}

const struct lk_ops fake_ops = { .name = "fake",
	.act = LK_BF16,
	.act_size = 2,
	.open = fake_open,
	.close = fake_close,
	.message = fake_message,
	.sync = fake_sync,
	.event_open = fake_event_open,
	.event_close = fake_event_close,
	.event_record = fake_event_record,
	.event_wait = fake_event_wait,
	.event_done = fake_event_done,
	.event_seconds = fake_event_seconds,
	.alloc = fake_alloc,
	.free = fake_free,
	.zero = fake_zero,
	.copy = fake_copy,
	.native = fake_native,
	.add = fake_add,
	.accumulate = fake_accumulate,
	.lane_sum = fake_lane_sum };

void fake_nccl(size_t rank, void *arg)
{
	char self[1024], path[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)rank, (void)arg;
	must(n > 0);
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/fake_nccl.so", self);
	setenv("LUCIE_NCCL", path, 1);
}

bool fake_nccl_is_there(void)
{
	const char *ci = getenv("CI");

	if (lu_version_nccl)
		return true;
	if (ci && strcmp(ci, "true") == 0)
		fail_msg("no NCCL in this build");
	printf("# no NCCL in this build: it is not tested\n");
	return false;
}
