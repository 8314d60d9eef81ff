#include "tests/trainer/fake_nccl.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What precedes the data of a message. */
struct head {
	uint32_t kind, type;
	uint64_t count, root;
};

/* A message between two ranks: its head, then its data. */
struct transfer {
	int peer;
	bool out;
	struct head head;
	const struct op *op;
	char *p;
	size_t bytes, done; /* done: of the head and the data */
};

static size_t width(ncclDataType_t type)
{
	switch (type) {
	case ncclUint8: return 1;
	case ncclBfloat16: return 2;
	case ncclFloat32: return 4;
	case ncclFloat64: return 8;
	default: fake_die("type %d is not known", (int)type);
	}
}

/* ---- what an operation moves ------------------------------------------------------------- */

struct list {
	struct transfer *p;
	size_t n;
};

static void add(struct list *l, const struct op *op, int peer, bool out, const void *p,
		size_t count)
{
	if (peer == op->comm->rank)
		return;
	l->p = realloc(l->p, (l->n + 1) * sizeof(*l->p));
	l->p[l->n++] = (struct transfer){ .peer = peer,
		.out = out,
		.op = op,
		.p = (char *)(uintptr_t)p,
		.bytes = count * width(op->type),
		.head = { op->kind == RECV ? SEND : op->kind, op->type, op->count,
				op->kind <= RECV ? 0 : (uint64_t)op->root } };
}

static void plan(struct list *l, struct op *op)
{
	ncclComm_t c = op->comm;
	size_t bytes = op->count * width(op->type);

	switch (op->kind) {
	case SEND: add(l, op, op->root, true, op->from, op->count); return;
	case RECV: add(l, op, op->root, false, op->to, op->count); return;
	case BROADCAST:
		if (c->rank != op->root)
			add(l, op, op->root, false, op->to, op->count);
		for (int r = 0; r < c->ranks && c->rank == op->root; r++)
			add(l, op, r, true, op->from, op->count);
		return;
	case ALL_GATHER:
		for (int r = 0; r < c->ranks; r++) {
			add(l, op, r, true, op->from, op->count);
			add(l, op, r, false, op->to + (size_t)r * bytes, op->count);
		}
		return;
	case REDUCE:
		if (c->rank != op->root) {
			add(l, op, op->root, true, op->from, op->count);
			return;
		}
		break;
	default: break;
	}
	op->versions = malloc((size_t)c->ranks * bytes + 1);
	for (int r = 0; r < c->ranks; r++) {
		if (op->kind != REDUCE)
			add(l, op, r, true,
					op->from +
							(op->kind == REDUCE_SCATTER ? (size_t)r * bytes
										    : 0),
					op->count);
		add(l, op, r, false, op->versions + (size_t)r * bytes, op->count);
	}
}

static float from_bf16(uint16_t h)
{
	uint32_t bits = (uint32_t)h << 16;
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static uint16_t to_bf16(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void sum(void *y, const void *x, size_t n, ncclDataType_t type)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t *h = y;

		switch (type) {
		case ncclUint8: ((uint8_t *)y)[i] += ((const uint8_t *)x)[i]; break;
		case ncclFloat32: ((float *)y)[i] += ((const float *)x)[i]; break;
		case ncclFloat64: ((double *)y)[i] += ((const double *)x)[i]; break;
		default: h[i] = to_bf16(from_bf16(h[i]) + from_bf16(((const uint16_t *)x)[i]));
		}
	}
}

/* What is left when all has arrived. */
static void conclude(struct op *op)
{
	ncclComm_t c = op->comm;
	size_t bytes = op->count * width(op->type);
	const char *own = op->from;

	if (op->kind == ALL_GATHER)
		memmove(op->to + (size_t)c->rank * bytes, op->from, bytes);
	if (op->kind == BROADCAST && c->rank == op->root)
		memmove(op->to, op->from, bytes);
	if (!op->versions)
		return;
	if (op->kind == REDUCE_SCATTER)
		own += (size_t)c->rank * bytes;
	memcpy(op->versions + (size_t)c->rank * bytes, own, bytes);
	for (int r = 1; r < c->ranks; r++)
		sum(op->versions, op->versions + (size_t)r * bytes, op->count, op->type);
	memcpy(op->to, op->versions, bytes);
}

/* ---- the stream's part ------------------------------------------------------------------- */

/* Send or receive what can be moved now. False: the other rank is gone. */
static bool move(struct transfer *t, int fd)
{
	while (t->done < sizeof(t->head) + t->bytes) {
		bool in_head = t->done < sizeof(t->head);
		struct head theirs = t->head;
		char *p = in_head ? (char *)&t->head + t->done : t->p + (t->done - sizeof(t->head));
		size_t n = in_head ? sizeof(t->head) - t->done
				   : sizeof(t->head) + t->bytes - t->done;
		ssize_t k;

		if (!t->out && in_head) {
			/* Whole or not at all, and compared. */
			k = recv(fd, &theirs, sizeof(theirs), MSG_DONTWAIT | MSG_PEEK);
			if (k == sizeof(theirs))
				k = recv(fd, &theirs, sizeof(theirs), MSG_DONTWAIT);
			else if (k > 0)
				return true;
			if (k > 0 && memcmp(&theirs, &t->head, sizeof(theirs)) != 0)
				fake_die("rank %d calls %s of %" PRIu64 " elements, rank %d %s of "
					 "%" PRIu64,
						t->op->comm->rank, fake_names[t->op->kind],
						t->head.count, t->peer, fake_names[theirs.kind],
						theirs.count);
		} else {
			n = n < 1u << 20 ? n : 1u << 20;
			k = t->out ? send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL)
				   : recv(fd, p, n, MSG_DONTWAIT);
		}
		if (k < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (k <= 0)
			return false;
		t->done += (size_t)k;
	}
	return true;
}

/* Hang until the abort. */
static void hang(ncclComm_t c)
{
	pthread_mutex_lock(&c->lock);
	while (!c->aborted)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

static void set_error(ncclComm_t c, ncclResult_t code)
{
	pthread_mutex_lock(&c->lock);
	c->state = code;
	pthread_mutex_unlock(&c->lock);
}

/* Messages between two ranks in one direction go one after the other. */
static bool is_first(const struct list *l, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		const struct transfer *t = &l->p[k];

		if (t->peer == l->p[i].peer && t->out == l->p[i].out &&
				t->done < sizeof(t->head) + t->bytes)
			return false;
	}
	return true;
}

static void exchange(ncclComm_t c, struct list *l)
{
	struct pollfd *p = calloc(l->n + 1, sizeof(*p));

	for (size_t left = l->n; left && !fake_aborted(c);) {
		left = 0;
		for (size_t i = 0; i < l->n; i++) {
			struct transfer *t = &l->p[i];
			bool waits = t->done < sizeof(t->head) + t->bytes && is_first(l, i);

			p[i] = (struct pollfd){ .fd = -1 };
			left += t->done < sizeof(t->head) + t->bytes;
			if (waits && !move(t, c->fds[t->peer])) {
				set_error(c, ncclRemoteError);
				hang(c);
				break;
			}
			if (waits)
				p[i] = (struct pollfd){ .fd = c->fds[t->peer],
					.events = t->out ? POLLOUT : POLLIN };
		}
		if (left)
			poll(p, l->n, 2);
	}
	free(p);
}

/* A send that is done at once: the data are copied, and sent by another thread. */
static void *send_copy(void *launch)
{
	struct launch *n = launch;
	struct list l = { 0 };

	plan(&l, &n->op[0]);
	exchange(n->comm, &l);
	free(l.p);
	free((void *)(uintptr_t)n->op[0].from);
	pthread_mutex_lock(&n->comm->lock);
	n->comm->done++;
	pthread_cond_broadcast(&n->comm->changed);
	pthread_mutex_unlock(&n->comm->lock);
	fake_leave(n->comm);
	free(n);
	return NULL;
}

bool fake_sends_at_once(const struct launch *n)
{
	return fake_asked("FAKE_NCCL_EAGER") && n->n == 1 && n->op[0].kind == SEND;
}

static bool send_at_once(struct launch *n)
{
	size_t bytes = n->op[0].count * width(n->op[0].type);
	char *copy;

	if (!fake_sends_at_once(n))
		return false;
	copy = malloc(bytes + 1);
	memcpy(copy, n->op[0].from, bytes);
	n->op[0].from = copy;
	fake_in_background(send_copy, n);
	return true;
}

/* One group of operations of a communicator. */
void fake_run(void *launch)
{
	struct launch *n = launch;
	ncclComm_t c = n->comm;
	struct list l = { 0 };

	/* The operations before, in whatever stream. */
	pthread_mutex_lock(&c->lock);
	while (c->done < n->ticket && !c->aborted)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	if (n->number == fake_asked("FAKE_NCCL_HANG"))
		hang(c);
	if (n->number == fake_asked("FAKE_NCCL_ERROR")) {
		set_error(c, ncclSystemError);
		hang(c);
	}
	if (!fake_aborted(c) && send_at_once(n))
		return;
	for (size_t i = 0; i < n->n; i++)
		plan(&l, &n->op[i]);
	exchange(c, &l);
	for (size_t i = 0; i < n->n; i++) {
		if (!fake_aborted(c))
			conclude(&n->op[i]);
		free(n->op[i].versions);
	}
	free(l.p);
	pthread_mutex_lock(&c->lock);
	c->done++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	fake_leave(c);
	free(n);
}
