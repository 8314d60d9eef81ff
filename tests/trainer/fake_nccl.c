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
 * at once, for streams that do their work in the thread of the caller; where that is late, receives must
 * be (LK_EMU_LATE=1), or two ranks wait for each other.
 */
#include "tests/trainer/fake_nccl.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
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

const char *const fake_names[] = { "send", "recv", "all_reduce", "reduce_scatter", "all_gather",
	"reduce", "broadcast" };

static _Thread_local int depth;
static _Thread_local struct op pending[GROUP_MAX];
static _Thread_local size_t pendings;

void fake_die(const char *fmt, ...)
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

uint64_t fake_asked(const char *name)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 10) : 0;
}

/* ---- communicators ----------------------------------------------------------------------- */

void fake_leave(ncclComm_t c)
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

bool fake_aborted(ncclComm_t c)
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

	while (!fake_aborted(c)) {
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
		fake_die("no socket: %s", strerror(errno));
	for (int r = 0; r < c->rank; r++)
		c->fds[r] = dial(c, r);
	for (int left = c->ranks - 1 - c->rank; left > 0 && !fake_aborted(c);) {
		struct pollfd p = { .fd = listener, .events = POLLIN };
		int32_t rank;
		int fd;

		if (poll(&p, 1, 20) <= 0)
			continue;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (recv(fd, &rank, sizeof(rank), MSG_WAITALL) != sizeof(rank) || rank >= c->ranks)
			fake_die("a stranger");
		c->fds[rank] = fd;
		left--;
	}
	close(listener);
	while (hang && strcmp(hang, "start") == 0 && !fake_aborted(c))
		nap(10000000);
	pthread_mutex_lock(&c->lock);
	if (!c->aborted)
		c->state = ncclSuccess;
	pthread_mutex_unlock(&c->lock);
	fake_leave(c);
	return NULL;
}

void fake_in_background(void *(*fn)(void *), void *ctx)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, ctx) != 0)
		fake_die("no thread");
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
		fake_die("the configuration is not one that does not block");
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
	fake_in_background(come_about, c);
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
		fake_die("a communicator is destroyed before it is finalized");
	fake_leave(c);
	return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t c)
{
	pthread_mutex_lock(&c->lock);
	c->aborted = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	fake_leave(c);
	return ncclSuccess;
}

/* ---- groups ------------------------------------------------------------------------------ */

/* A function of the program, or NULL. */
static void find(const char *name, void *function)
{
	void *f = dlsym(RTLD_DEFAULT, name);

	memcpy(function, &f, sizeof(f));
}

static void launch(struct launch *n)
{
	int (*queue)(void *, void (*)(void *), void *), (*flush)(void *);
	bool waits = n->n == 1 && n->op[0].kind == RECV;
	cudaStream_t stream = n->stream;

	find("fake_stream_launch", &queue);
	find("fake_stream_flush", &flush);
	if (!queue)
		fake_die("the program has no fake_stream_launch()");
	queue(stream, fake_run, n);
	/* Nobody may wait for it here, but the other ranks do, unless it is a receive. */
	if (!waits && flush)
		flush(stream);
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
	fake_leave(c);
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
			fake_die("a group of operations of one communicator in two streams");
		n->stream = pending[i].stream;
		n->op[n->n++] = pending[i];
		pending[i].comm = NULL;
	}
	pthread_mutex_lock(&c->lock);
	if (c->state == ncclInProgress)
		fake_die("an operation of a communicator that is not ready");
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
		fake_in_background(launch_late, n);
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
		fake_die("more than %d operations in a group", GROUP_MAX);
	if (root >= c->ranks || (kind <= RECV && root == c->rank))
		fake_die("%s: rank %d of %d", fake_names[kind], root, c->ranks);
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
