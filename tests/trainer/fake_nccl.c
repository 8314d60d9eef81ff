/*
 * A library with NCCL's functions, for tests without GPUs: LUCIE_NCCL names it. Ranks are processes of
 * one host, connected by sockets; an operation is work of the stream that the caller gives, queued by
 * fake_stream_launch(), which the program has (fake_device.h, tests/kernels/emu).
 *
 * It follows NCCL's manual where that matters to a caller:
 *	a communicator comes about, and its first operation is queued, in the background, and calls
 *		return ncclInProgress until then; other calls meanwhile are refused;
 *	the operations of a communicator are done one after the other, whatever their streams;
 *	those of a group begin together, and no rank's is done before all of them are;
 *	a send is done when it has been received;
 *	sums are made in the order of the ranks, which is not the tree of comm.h;
 *	a rank that dies is ncclRemoteError, and what waits for it hangs until ncclCommAbort().
 * Ranks that call different operations end with a message and SIGABRT.
 *
 * Environment: FAKE_NCCL_HANG=N, FAKE_NCCL_ERROR=N: the N-th operation of this process, counted from 1,
 * hangs, or fails; FAKE_NCCL_HANG=start: no communicator comes about. FAKE_NCCL_EAGER=1: a send is done
 * at once, for streams that do their work in the thread of the caller.
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <nccl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The header declares these two without their arguments. */
ncclResult_t ncclGroupStart(void);
ncclResult_t ncclGroupEnd(void);

#define GROUP_MAX 4096
#define LAZY 3000000 /* nanoseconds in which the first operation is queued */

enum kind { SEND, RECV, ALL_REDUCE, REDUCE_SCATTER, ALL_GATHER, REDUCE, BROADCAST };

static const char *const names[] = { "send", "recv", "all_reduce", "reduce_scatter", "all_gather",
	"reduce", "broadcast" };

struct op {
	enum kind kind;
	ncclComm_t comm;
	cudaStream_t stream;
	const char *from;
	char *to;
	size_t count;
	ncclDataType_t type;
	int root;	/* or peer */
	char *versions; /* of all ranks, for sums */
};

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

struct ncclComm {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	ncclUniqueId id;
	int ranks, rank;
	int *fds; /* [ranks] */
	ncclResult_t state;
	bool aborted, used, finalized;
	uint64_t queued, done; /* operations, in their order */
	size_t users;
};

struct launch {
	ncclComm_t comm;
	cudaStream_t stream;
	uint64_t ticket, number;
	size_t n;
	struct op op[];
};

static _Thread_local int depth;
static _Thread_local struct op pending[GROUP_MAX];
static _Thread_local size_t pendings;

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "fake nccl: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	abort();
}

static void nap(long nanoseconds)
{
	struct timespec t = { .tv_nsec = nanoseconds };

	nanosleep(&t, NULL);
}

static size_t width(ncclDataType_t type)
{
	switch (type) {
	case ncclUint8: return 1;
	case ncclBfloat16: return 2;
	case ncclFloat32: return 4;
	case ncclFloat64: return 8;
	default: die("type %d is not known", (int)type);
	}
}

static uint64_t asked(const char *name)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 10) : 0;
}

/* ---- communicators ----------------------------------------------------------------------- */

static void leave(ncclComm_t c)
{
	bool last;

	pthread_mutex_lock(&c->lock);
	last = --c->users == 0;
	pthread_mutex_unlock(&c->lock);
	if (!last)
		return;
	for (int r = 0; r < c->ranks; r++) {
		if (c->fds[r] >= 0)
			close(c->fds[r]);
	}
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
	free(c->fds);
	free(c);
}

static socklen_t address(const ncclComm_t c, int rank, struct sockaddr_un *a)
{
	uint64_t id[2];
	int n;

	memcpy(id, c->id.internal, sizeof(id));
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* No file: the name begins with a zero. */
	n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1,
			"fake-nccl-%" PRIx64 "-%" PRIx64 "-%d", id[0], id[1], rank);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static bool is_aborted(ncclComm_t c)
{
	bool is;

	pthread_mutex_lock(&c->lock);
	is = c->aborted;
	pthread_mutex_unlock(&c->lock);
	return is;
}

static int dial(ncclComm_t c, int rank)
{
	struct sockaddr_un a;
	socklen_t n = address(c, rank, &a);

	while (!is_aborted(c)) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&a, n) == 0) {
			int32_t own = c->rank;

			if (send(fd, &own, sizeof(own), MSG_NOSIGNAL) == sizeof(own))
				return fd;
		}
		close(fd);
		nap(2000000);
	}
	return -1;
}

/* Connect to the lower ranks and accept the higher ones. */
static void *come_about(void *comm)
{
	ncclComm_t c = comm;
	struct sockaddr_un a;
	socklen_t n = address(c, c->rank, &a);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *hang = getenv("FAKE_NCCL_HANG");

	if (bind(listener, (struct sockaddr *)&a, n) < 0 || listen(listener, c->ranks) < 0)
		die("no socket: %s", strerror(errno));
	for (int r = 0; r < c->rank; r++)
		c->fds[r] = dial(c, r);
	for (int left = c->ranks - 1 - c->rank; left > 0 && !is_aborted(c);) {
		struct pollfd p = { .fd = listener, .events = POLLIN };
		int32_t rank;
		int fd;

		if (poll(&p, 1, 20) <= 0)
			continue;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (recv(fd, &rank, sizeof(rank), MSG_WAITALL) != sizeof(rank) || rank >= c->ranks)
			die("a stranger");
		c->fds[rank] = fd;
		left--;
	}
	close(listener);
	while (hang && strcmp(hang, "start") == 0 && !is_aborted(c))
		nap(10000000);
	pthread_mutex_lock(&c->lock);
	if (!c->aborted)
		c->state = ncclSuccess;
	pthread_mutex_unlock(&c->lock);
	leave(c);
	return NULL;
}

static void in_background(void *(*fn)(void *), void *ctx)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, ctx) != 0)
		die("no thread");
	pthread_detach(thread);
}

ncclResult_t ncclGetVersion(int *version)
{
	*version = NCCL_VERSION_CODE;
	return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId *id)
{
	memset(id, 0, sizeof(*id));
	return getrandom(id->internal, 16, 0) == 16 ? ncclSuccess : ncclSystemError;
}

const char *ncclGetErrorString(ncclResult_t rc)
{
	switch (rc) {
	case ncclSuccess: return "no error";
	case ncclSystemError: return "unhandled system error";
	case ncclInvalidUsage: return "invalid usage";
	case ncclRemoteError: return "remote process exited or there was a network error";
	case ncclInProgress: return "NCCL operation in progress";
	default: return "internal error";
	}
}

const char *ncclGetLastError(ncclComm_t comm)
{
	(void)comm;
	return "";
}

ncclResult_t ncclCommInitRankConfig(
		ncclComm_t *comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t *config)
{
	ncclComm_t c = calloc(1, sizeof(*c));

	if (config->magic != 0xcafebeef || config->size != sizeof(*config) || config->blocking != 0)
		die("the configuration is not one that does not block");
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->id = id;
	c->ranks = ranks;
	c->rank = rank;
	c->state = ncclInProgress;
	c->users = 2;
	c->fds = malloc((size_t)ranks * sizeof(*c->fds));
	for (int r = 0; r < ranks; r++)
		c->fds[r] = -1;
	*comm = c;
	in_background(come_about, c);
	return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t c, ncclResult_t *state)
{
	pthread_mutex_lock(&c->lock);
	*state = c->state;
	if (c->finalized && c->state == ncclSuccess && c->done < c->queued)
		*state = ncclInProgress;
	pthread_mutex_unlock(&c->lock);
	return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t c)
{
	pthread_mutex_lock(&c->lock);
	c->finalized = true;
	pthread_mutex_unlock(&c->lock);
	return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t c)
{
	if (!c->finalized || c->done < c->queued)
		die("a communicator is destroyed before it is finalized");
	leave(c);
	return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t c)
{
	pthread_mutex_lock(&c->lock);
	c->aborted = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	leave(c);
	return ncclSuccess;
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
				die("rank %d calls %s of %" PRIu64 " elements, rank %d %s of "
				    "%" PRIu64,
						t->op->comm->rank, names[t->op->kind],
						t->head.count, t->peer, names[theirs.kind],
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

	for (size_t left = l->n; left && !is_aborted(c);) {
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
	leave(n->comm);
	free(n);
	return NULL;
}

static bool send_at_once(struct launch *n)
{
	size_t bytes = n->op[0].count * width(n->op[0].type);
	char *copy;

	if (!asked("FAKE_NCCL_EAGER") || n->n != 1 || n->op[0].kind != SEND)
		return false;
	copy = malloc(bytes + 1);
	memcpy(copy, n->op[0].from, bytes);
	n->op[0].from = copy;
	in_background(send_copy, n);
	return true;
}

/* One group of operations of a communicator. */
static void run(void *launch)
{
	struct launch *n = launch;
	ncclComm_t c = n->comm;
	struct list l = { 0 };

	/* The operations before, in whatever stream. */
	pthread_mutex_lock(&c->lock);
	while (c->done < n->ticket && !c->aborted)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	if (n->number == asked("FAKE_NCCL_HANG"))
		hang(c);
	if (n->number == asked("FAKE_NCCL_ERROR")) {
		set_error(c, ncclSystemError);
		hang(c);
	}
	if (!is_aborted(c) && send_at_once(n))
		return;
	for (size_t i = 0; i < n->n; i++)
		plan(&l, &n->op[i]);
	exchange(c, &l);
	for (size_t i = 0; i < n->n; i++) {
		if (!is_aborted(c))
			conclude(&n->op[i]);
		free(n->op[i].versions);
	}
	free(l.p);
	pthread_mutex_lock(&c->lock);
	c->done++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	leave(c);
	free(n);
}

/* ---- groups ------------------------------------------------------------------------------ */

static void launch(struct launch *n)
{
	int (*queue)(void *, void (*)(void *), void *);
	void *f = dlsym(RTLD_DEFAULT, "fake_stream_launch");

	if (!f)
		die("the program has no fake_stream_launch()");
	memcpy(&queue, &f, sizeof(f));
	queue(n->stream, run, n);
}

static void *launch_late(void *launched)
{
	struct launch *n = launched;
	ncclComm_t c = n->comm;

	nap(LAZY);
	pthread_mutex_lock(&c->lock);
	c->users++;
	pthread_mutex_unlock(&c->lock);
	launch(n);
	pthread_mutex_lock(&c->lock);
	if (c->state == ncclInProgress)
		c->state = ncclSuccess;
	pthread_mutex_unlock(&c->lock);
	leave(c);
	return NULL;
}

/* Those of the pending operations that are of one communicator begin together. */
static ncclResult_t begin(ncclComm_t c)
{
	static _Atomic uint64_t numbers;
	struct launch *n = calloc(1, sizeof(*n) + pendings * sizeof(n->op[0]));
	ncclResult_t rc = ncclSuccess;
	bool first;

	n->comm = c;
	for (size_t i = 0; i < pendings; i++) {
		if (pending[i].comm != c)
			continue;
		if (n->n && pending[i].stream != n->stream)
			die("a group of operations of one communicator in two streams");
		n->stream = pending[i].stream;
		n->op[n->n++] = pending[i];
		pending[i].comm = NULL;
	}
	pthread_mutex_lock(&c->lock);
	if (c->state == ncclInProgress)
		die("an operation of a communicator that is not ready");
	n->ticket = c->queued++;
	n->number = ++numbers;
	c->users++;
	first = !c->used;
	c->used = true;
	if (c->state != ncclSuccess)
		rc = c->state;
	else if (first)
		c->state = rc = ncclInProgress;
	pthread_mutex_unlock(&c->lock);
	if (rc != ncclSuccess && rc != ncclInProgress)
		return rc; /* of an operation that failed: what is queued now is never done */
	if (first)
		in_background(launch_late, n);
	else
		launch(n);
	return rc;
}

ncclResult_t ncclGroupStart(void)
{
	depth++;
	return ncclSuccess;
}

ncclResult_t ncclGroupEnd(void)
{
	ncclResult_t rc = ncclSuccess;

	if (--depth > 0)
		return ncclSuccess;
	for (size_t i = 0; i < pendings; i++) {
		ncclResult_t one = pending[i].comm ? begin(pending[i].comm) : ncclSuccess;

		rc = one != ncclSuccess ? one : rc;
	}
	pendings = 0;
	return rc;
}

static ncclResult_t note(enum kind kind, const void *from, void *to, size_t count,
		ncclDataType_t type, int root, ncclComm_t c, cudaStream_t stream)
{
	if (pendings == GROUP_MAX)
		die("more than %d operations in a group", GROUP_MAX);
	if (root >= c->ranks || (kind <= RECV && root == c->rank))
		die("%s: rank %d of %d", names[kind], root, c->ranks);
	ncclGroupStart();
	pending[pendings++] = (struct op){ kind, c, stream, from, to, count, type, root, NULL };
	return ncclGroupEnd();
}

ncclResult_t ncclAllReduce(const void *from, void *to, size_t count, ncclDataType_t type,
		ncclRedOp_t op, ncclComm_t c, cudaStream_t stream)
{
	(void)op;
	return note(ALL_REDUCE, from, to, count, type, 0, c, stream);
}

ncclResult_t ncclReduceScatter(const void *from, void *to, size_t count, ncclDataType_t type,
		ncclRedOp_t op, ncclComm_t c, cudaStream_t stream)
{
	(void)op;
	return note(REDUCE_SCATTER, from, to, count, type, 0, c, stream);
}

ncclResult_t ncclAllGather(const void *from, void *to, size_t count, ncclDataType_t type,
		ncclComm_t c, cudaStream_t stream)
{
	return note(ALL_GATHER, from, to, count, type, 0, c, stream);
}

ncclResult_t ncclReduce(const void *from, void *to, size_t count, ncclDataType_t type,
		ncclRedOp_t op, int root, ncclComm_t c, cudaStream_t stream)
{
	(void)op;
	return note(REDUCE, from, to, count, type, root, c, stream);
}

ncclResult_t ncclBroadcast(const void *from, void *to, size_t count, ncclDataType_t type, int root,
		ncclComm_t c, cudaStream_t stream)
{
	return note(BROADCAST, from, to, count, type, root, c, stream);
}

ncclResult_t ncclSend(const void *from, size_t count, ncclDataType_t type, int peer, ncclComm_t c,
		cudaStream_t stream)
{
	return note(SEND, from, NULL, count, type, peer, c, stream);
}

ncclResult_t ncclRecv(void *to, size_t count, ncclDataType_t type, int peer, ncclComm_t c,
		cudaStream_t stream)
{
	return note(RECV, NULL, to, count, type, peer, c, stream);
}
