#include "trainer/comm/comm_mpi.h"

#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <mpi.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/sys/version.h"
#include "trainer/comm/comm_private.h"
#include "trainer/comm/pieces.h"
#include "trainer/comm/wire.h"

#define FLIGHT ((size_t)4)
#define SPINS 200	 /* tests before the thread sleeps between them */
#define NAP_SHORT 20000	 /* nanoseconds */
#define NAP_LONG 1000000 /* of one that has waited for a while */
#define PUBLISH 0.5	 /* seconds after which the others learn for whom we wait */

#ifdef OMPI_MAJOR_VERSION
#define TEXT_OF(x) #x
#define VERSION_TEXT(a, b, c) "Open MPI " TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)
const char lu_version_mpi[] =
		VERSION_TEXT(OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION);
#else
const char lu_version_mpi[] = "yes";
#endif

struct mpi {
	MPI_Comm comm; /* of all ranks, ours alone; groups are told apart by their tags */
	int highest_tag;
};

static int fail(struct lu_err *err, const char *what, int code)
{
	char text[MPI_MAX_ERROR_STRING];
	int n = 0;

	if (MPI_Error_string(code, text, &n) != MPI_SUCCESS)
		n = 0;
	return lu_err_set(err, "MPI: %s: %.*s", what, n, text);
}

/* ---- exchange ---------------------------------------------------------------------------- */

static int tag_of(const struct lt_group *g, enum lt_plane plane, size_t peer)
{
	return (int)(g->number[peer] * LT_PLANES + (uint32_t)plane);
}

static int link_group(struct lt_group *g, struct lu_err *err)
{
	const struct mpi *mpi = g->comm->carrier;

	for (size_t m = 0; m < g->size; m++) {
		if (g->number[m] > (uint32_t)mpi->highest_tag / LT_PLANES - 1)
			return lu_err_set(err, "MPI has tags for %d groups only",
					mpi->highest_tag / LT_PLANES);
	}
	return 0;
}

static void unlink_group(struct lt_group *g)
{
	(void)g;
}

/*
 * An exchange under way. A message goes in pieces, of which FLIGHT are under way at once, in their
 * order; one that is received with a window has one, as there is room for one.
 */
struct batch {
	struct lt_group *g;
	enum lt_plane plane;
	struct lt_transfer *t;
	size_t n, left; /* transfers, and those that are not done */
	/* [FLIGHT * n]: request FLIGHT * i + j belongs to transfer i. */
	MPI_Request *request;
	int *bytes;	/* of each request */
	int *done;	/* indices that MPI_Testsome() returns */
	size_t *posted; /* [n]: bytes of each transfer that have been handed to MPI */
	size_t windowed, taken;
};

/* Hand MPI as many pieces of transfer i as may be under way. */
static int post(struct batch *b, size_t i)
{
	const struct mpi *mpi = b->g->comm->carrier;
	struct lt_transfer *t = &b->t[i];
	int rank = (int)b->g->ranks[t->peer], tag = tag_of(b->g, b->plane, t->peer);
	bool one = t->window && !t->from;

	for (size_t j = i * FLIGHT; j < i * FLIGHT + (one ? 1 : FLIGHT); j++) {
		size_t at = b->posted[i];
		int rc;

		if (b->request[j] != MPI_REQUEST_NULL || at == t->limit)
			continue;
		b->bytes[j] = lt_piece_bytes(t->limit - at, t->window);
		rc = t->from ? MPI_Isend(t->from + at, b->bytes[j], MPI_BYTE, rank, tag, mpi->comm,
					       &b->request[j])
			     : MPI_Irecv(one ? t->to : t->to + at, b->bytes[j], MPI_BYTE, rank, tag,
					       mpi->comm, &b->request[j]);
		if (rc != MPI_SUCCESS)
			return rc;
		b->posted[i] += (size_t)b->bytes[j];
	}
	return MPI_SUCCESS;
}

/* Receives first, so that what arrives has its place. */
static int start(struct batch *b)
{
	for (int out = 0; out <= 1; out++) {
		for (size_t i = 0; i < b->n; i++) {
			struct lt_transfer *t = &b->t[i];
			bool windowed = t->window && !t->from;
			int rc;

			if (out != (t->from != NULL))
				continue;
			t->done = 0;
			t->since = lt_now();
			t->limit = windowed && t->window < t->bytes ? t->window : t->bytes;
			if (windowed)
				b->windowed = t->bytes;
			b->left += t->bytes > 0;
			rc = post(b, i);
			if (rc != MPI_SUCCESS)
				return rc;
		}
	}
	return MPI_SUCCESS;
}

/* Hand a slice over once all have it, and let the next one come. */
static int consume(struct batch *b, lt_consume use, void *ctx)
{
	if (b->taken == b->windowed)
		return MPI_SUCCESS;
	for (size_t i = 0; i < b->n; i++) {
		if (b->t[i].window && !b->t[i].from && b->t[i].done < b->t[i].limit)
			return MPI_SUCCESS;
	}
	use(ctx);
	for (size_t i = 0; i < b->n; i++) {
		struct lt_transfer *t = &b->t[i];
		int rc;

		if (!t->window || t->from)
			continue;
		b->taken = t->limit;
		t->limit = t->bytes - t->limit < t->window ? t->bytes : t->limit + t->window;
		rc = post(b, i);
		if (rc != MPI_SUCCESS)
			return rc;
	}
	return MPI_SUCCESS;
}

/* Take note of what has been done, and go on with these transfers. */
static int progress(struct batch *b, int *n)
{
	int rc = MPI_Testsome((int)(FLIGHT * b->n), b->request, n, b->done, MPI_STATUSES_IGNORE);
	double now = lt_now();

	if (*n == MPI_UNDEFINED)
		*n = 0;
	for (int k = 0; k < *n; k++) {
		struct lt_transfer *t = &b->t[(size_t)b->done[k] / FLIGHT];

		t->done += (size_t)b->bytes[b->done[k]];
		t->since = now;
		b->left -= t->done == t->bytes;
	}
	/* Only then: a piece takes the place of one that has been counted. */
	for (int k = 0; k < *n && rc == MPI_SUCCESS; k++)
		rc = post(b, (size_t)b->done[k] / FLIGHT);
	return rc;
}

/* The transfer that has made no progress for longest. */
static const struct lt_transfer *slowest(const struct batch *b)
{
	const struct lt_transfer *found = NULL;

	for (size_t i = 0; i < b->n; i++) {
		const struct lt_transfer *t = &b->t[i];

		if (t->done < t->limit && (!found || t->since < found->since))
			found = t;
	}
	return found;
}

/* Sleep for a moment; -1 if the run has failed meanwhile. */
static int nap(struct lt_control *k, long nanoseconds, struct lu_err *err)
{
	struct pollfd p = { .fd = lt_control_down(k), .events = POLLIN };
	struct timespec t = { .tv_nsec = nanoseconds };

	return ppoll(&p, 1, &t, NULL) > 0 ? lt_control_failed(k, err) : 0;
}

static int finish(struct batch *b, lt_consume use, void *ctx, atomic_size_t *waits_for,
		struct lu_err *err)
{
	struct lt_control *k = b->g->comm->control;
	double told = lt_now();

	for (size_t idle = 0; b->left || b->taken < b->windowed;) {
		const struct lt_transfer *late;
		int n = 0, rc = progress(b, &n);

		if (rc == MPI_SUCCESS)
			rc = consume(b, use, ctx);
		if (rc != MPI_SUCCESS)
			return fail(err, "exchange", rc);
		idle = n > 0 ? 0 : idle + 1;
		if (idle < SPINS)
			continue;
		if (nap(k, idle < 10 * (size_t)SPINS ? NAP_SHORT : NAP_LONG, err) < 0)
			return -1;
		late = slowest(b);
		if (!late || lt_now() - told < PUBLISH)
			continue;
		told = lt_now();
		if (lt_control_await(k, b->g->ranks[late->peer], late->since, waits_for, err) < 0)
			return -1;
	}
	return 0;
}

/* After a failure nothing arrives any more in memory that the caller is about to free. */
static void give_up(struct batch *b)
{
	for (size_t i = 0; i < FLIGHT * b->n; i++) {
		if (b->request[i] == MPI_REQUEST_NULL)
			continue;
		(void)MPI_Cancel(&b->request[i]);
		(void)MPI_Request_free(&b->request[i]);
	}
}

static int mpi_exchange(struct lt_group *g, enum lt_plane plane, struct lt_transfer *t, size_t n,
		lt_consume use, void *ctx, atomic_size_t *waits_for, struct lu_err *err)
{
	struct batch b = { .g = g, .plane = plane, .t = t, .n = n };
	int rc = -1, code;

	if (lt_control_failed(g->comm->control, err) < 0)
		return -1;
	if (n == 0)
		return 0;
	b.request = malloc(FLIGHT * n * sizeof(MPI_Request));
	b.bytes = calloc(FLIGHT * n, sizeof(*b.bytes));
	b.done = calloc(FLIGHT * n, sizeof(*b.done));
	b.posted = calloc(n, sizeof(*b.posted));
	if (!b.request || !b.bytes || !b.done || !b.posted) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < FLIGHT * n; i++)
		b.request[i] = MPI_REQUEST_NULL;
	code = start(&b);
	rc = code == MPI_SUCCESS ? finish(&b, use, ctx, waits_for, err)
				 : fail(err, "exchange", code);
	if (rc < 0)
		give_up(&b);
	if (!waits_for)
		lt_control_waits_for(g->comm->control, LT_CONTROL_NOBODY);
out:
	free(b.request);
	free(b.bytes);
	free(b.done);
	free(b.posted);
	return rc;
}

static void mpi_close(struct lt_comm *c)
{
	struct mpi *mpi = c->carrier;
	struct lu_err err;

	/* Every rank takes part in the end of MPI: after a failure they do not. */
	if (mpi && c->control && lt_control_failed(c->control, &err) == 0) {
		(void)MPI_Comm_free(&mpi->comm);
		(void)MPI_Finalize();
	}
	free(mpi);
}

static const struct lt_transport mpi_transport = { .name = "mpi",
	.link = link_group,
	.unlink = unlink_group,
	.exchange = mpi_exchange,
	.close = mpi_close };

/* ---- start ------------------------------------------------------------------------------- */

/* Where rank 0 can be met. */
struct place {
	char hosts[256], token[128], boot[40];
};

/* Rank 0's name and the addresses of its interfaces that are up. */
static void list_hosts(char *out, size_t size)
{
	struct ifaddrs *list = NULL;
	size_t n;

	if (gethostname(out, size - 1) < 0)
		out[0] = '\0';
	out[size - 1] = '\0';
	n = strlen(out);
	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *a = list; a; a = a->ifa_next) {
		char text[64];
		socklen_t length;

		if (!a->ifa_addr || (a->ifa_flags & IFF_LOOPBACK) || !(a->ifa_flags & IFF_UP))
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			length = sizeof(struct sockaddr_in);
		else if (a->ifa_addr->sa_family == AF_INET6)
			length = sizeof(struct sockaddr_in6);
		else
			continue;
		/* A link-local address means another link on each host. */
		if (getnameinfo(a->ifa_addr, length, text, sizeof(text), NULL, 0, NI_NUMERICHOST) !=
						0 ||
				strchr(text, '%') || n + strlen(text) + 2 > size)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "," : "", text);
	}
	freeifaddrs(list);
}

/* Let all ranks know where rank 0 is, and by which token of this run. */
static int tell_place(MPI_Comm comm, struct lt_launch *who, struct lu_err *err)
{
	struct lt_process self = lt_process_self();
	struct place p = { 0 };
	uint64_t number[2] = { 0 };
	int rc;

	if (who->rank == 0) {
		if (getrandom(number, sizeof(number), 0) != (ssize_t)sizeof(number))
			return lu_err_sys(err, errno, "no random numbers");
		snprintf(p.token, sizeof(p.token), "lucie mpi %zu %016" PRIx64 "%016" PRIx64,
				who->size, number[0], number[1]);
		list_hosts(p.hosts, sizeof(p.hosts));
		memcpy(p.boot, self.boot, sizeof(p.boot));
	}
	rc = MPI_Bcast(&p, (int)sizeof(p), MPI_BYTE, 0, comm);
	if (rc != MPI_SUCCESS)
		return fail(err, "cannot tell where to meet", rc);
	memcpy(who->token, p.token, sizeof(who->token));
	memcpy(who->host, p.hosts, sizeof(who->host));
	if (self.boot[0] && strcmp(self.boot, p.boot) == 0)
		snprintf(who->host, sizeof(who->host), "127.0.0.1,%.200s", p.hosts);
	who->port = 0;
	return 0;
}

int lt_mpi_start(struct lt_comm *c, struct lt_launch *who, struct lu_err *err)
{
	struct mpi *mpi = calloc(1, sizeof(*mpi));
	int level = 0, rank = 0, size = 0, found = 0, rc;
	int *highest = NULL;

	if (!mpi)
		return lu_err_nomem(err);
	rc = MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level);
	if (rc != MPI_SUCCESS) {
		fail(err, "cannot start", rc);
		goto fail;
	}
	if (level < MPI_THREAD_MULTIPLE) {
		lu_err_set(err, "MPI serves one thread only: it must have been built for several");
		goto fail;
	}
	rc = MPI_Comm_dup(MPI_COMM_WORLD, &mpi->comm);
	if (rc == MPI_SUCCESS)
		rc = MPI_Comm_set_errhandler(mpi->comm, MPI_ERRORS_RETURN);
	if (rc == MPI_SUCCESS)
		rc = MPI_Comm_get_attr(mpi->comm, MPI_TAG_UB, &highest, &found);
	if (rc != MPI_SUCCESS) {
		fail(err, "cannot make a communicator", rc);
		goto fail;
	}
	mpi->highest_tag = found ? *highest : 32767;
	if (MPI_Comm_rank(mpi->comm, &rank) != MPI_SUCCESS ||
			MPI_Comm_size(mpi->comm, &size) != MPI_SUCCESS ||
			(size_t)rank != who->rank || (size_t)size != who->size) {
		lu_err_set(err,
				"MPI calls this process rank %d of %d, and its environment rank "
				"%zu of "
				"%zu: is this the mpirun of the MPI it was built with?",
				rank, size, who->rank, who->size);
		goto fail;
	}
	if (tell_place(mpi->comm, who, err) < 0)
		goto fail;
	c->transport = &mpi_transport;
	c->carrier = mpi;
	return 0;
fail:
	free(mpi);
	return -1;
}
