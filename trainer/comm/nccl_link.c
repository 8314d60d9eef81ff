#include "trainer/comm/nccl_link.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "trainer/comm/nccl_watch.h"
#include "trainer/comm/wire.h"

#define NAP_SHORT 20000	 /* nanoseconds between two questions whether a call is through */
#define NAP_LONG 2000000 /* when it has taken a while */
#define VERDICT 1.5	 /* seconds in which the control plane learns of a rank that is gone */
#define FINALIZE 10.0	 /* seconds for the end of a communicator */

static void nap(double waited)
{
	struct timespec t = { .tv_nsec = waited < 0.01 ? NAP_SHORT : NAP_LONG };

	nanosleep(&t, NULL);
}

/* The sentence of a call that failed. A peer that has died shows here too: the control plane, which
 * knows which it is, has the first word. */
static int explain(struct lt_link *ch, ncclResult_t code, const char *what, struct lu_err *err)
{
	struct lt_nccl *n = ch->nccl;
	struct lt_control *k = n->comm->control;
	double until = lt_now() + VERDICT;
	const char *last = NULL;
	char text[512];

	while (lt_now() < until) {
		if (lt_control_failed(k, err) < 0)
			return -1;
		nap(1);
	}
	pthread_mutex_lock(&n->lock);
	if (ch->comm && !n->over)
		last = n->lib->ncclGetLastError(ch->comm);
	snprintf(text, sizeof(text), "%s%sNCCL: %s of %s: %s%s%s", n->comm->at,
			n->comm->at[0] ? ": " : "", what, ch->name,
			n->lib->ncclGetErrorString(code), last && *last ? ": " : "",
			last && *last ? last : "");
	pthread_mutex_unlock(&n->lock);
	lt_control_lost(k, text);
	return lt_control_failed(k, err);
}

/* Wait until what the communicator does on the host is through. */
static int settle(struct lt_link *ch, const char *what, struct lu_err *err)
{
	struct lt_nccl *n = ch->nccl;
	double start = lt_now();

	for (;;) {
		ncclResult_t state = ncclInProgress, rc = ncclSuccess;

		if (lt_link_begin(ch, err) < 0)
			return -1;
		rc = n->lib->ncclCommGetAsyncError(ch->comm, &state);
		pthread_mutex_unlock(&n->lock);
		if (rc != ncclSuccess || (state != ncclSuccess && state != ncclInProgress))
			return explain(ch, rc != ncclSuccess ? rc : state, what, err);
		if (state == ncclSuccess)
			return 0;
		if (lt_now() - start > n->comm->deadline)
			return lu_err_set(err,
					"%s%sNCCL: waited %.0f s for %s of %s to begin; "
					"NCCL_DEBUG=INFO says what it tries, NCCL_SOCKET_IFNAME "
					"names the network",
					n->comm->at, n->comm->at[0] ? ": " : "", lt_now() - start,
					what, ch->name);
		nap(lt_now() - start);
	}
}

int lt_link_begin(struct lt_link *ch, struct lu_err *err)
{
	struct lt_nccl *n = ch->nccl;

	if (lt_control_failed(n->comm->control, err) < 0)
		return -1;
	pthread_mutex_lock(&n->lock);
	if (!n->over && ch->comm)
		return 0;
	pthread_mutex_unlock(&n->lock);
	if (lt_control_failed(n->comm->control, err) < 0)
		return -1;
	return lu_err_set(err, "NCCL: the communicator of %s has been aborted", ch->name);
}

int lt_link_end(struct lt_link *ch, int code, const char *what, struct lu_err *err)
{
	pthread_mutex_unlock(&ch->nccl->lock);
	if (code != ncclSuccess && code != ncclInProgress)
		return explain(ch, (ncclResult_t)code, what, err);
	return code == ncclInProgress ? settle(ch, what, err) : 0;
}

int lt_link_id(struct lt_nccl *n, unsigned char id[LT_NCCL_ID], struct lu_err *err)
{
	ncclUniqueId unique;
	ncclResult_t rc = n->lib->ncclGetUniqueId(&unique);

	_Static_assert(sizeof(unique) == LT_NCCL_ID, "the id travels as bytes");
	if (rc != ncclSuccess)
		return lu_err_set(err, "NCCL: no id for a communicator: %s",
				n->lib->ncclGetErrorString(rc));
	memcpy(id, &unique, sizeof(unique));
	return 0;
}

int lt_link_open(struct lt_link *ch, struct lt_nccl *n, const char *name, size_t size, size_t rank,
		const unsigned char id[LT_NCCL_ID], struct lu_err *err)
{
	ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
	ncclUniqueId unique;
	struct lk_err kerr;
	ncclResult_t rc;

	*ch = (struct lt_link){ .nccl = n, .name = name };
	if (size > INT_MAX)
		return lu_err_set(err, "NCCL: a group of %zu ranks is too large", size);
	if (n->ops->open(&ch->q, n->device, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	memcpy(&unique, id, sizeof(unique));
	config.blocking = 0;
	pthread_mutex_lock(&n->lock);
	ch->next = n->links;
	n->links = ch;
	rc = n->lib->ncclCommInitRankConfig(&ch->comm, (int)size, unique, (int)rank, &config);
	pthread_mutex_unlock(&n->lock);
	return rc == ncclSuccess || rc == ncclInProgress ? 0 : explain(ch, rc, "the start", err);
}

int lt_link_connected(struct lt_link *ch, struct lu_err *err)
{
	return settle(ch, "the start", err);
}

void lt_links_abort(struct lt_nccl *n)
{
	pthread_mutex_lock(&n->lock);
	for (struct lt_link *ch = n->over ? NULL : n->links; ch; ch = ch->next) {
		if (ch->comm)
			(void)n->lib->ncclCommAbort(ch->comm);
		ch->comm = NULL;
	}
	n->over = true;
	pthread_mutex_unlock(&n->lock);
}

/* Take it out of the list. Operations that it has carried may stay in theirs for a while: the next one of
 * another link takes them out. */
static void forget(struct lt_link *ch)
{
	struct lt_link **at = &ch->nccl->links;

	pthread_mutex_lock(&ch->nccl->lock);
	while (*at && *at != ch)
		at = &(*at)->next;
	if (*at)
		*at = ch->next;
	for (struct lt_nccl_op *op = ch->nccl->first; op; op = op->next) {
		if (op->link == ch)
			op->link = NULL;
	}
	pthread_mutex_unlock(&ch->nccl->lock);
}

void lt_link_finish(struct lt_link *ch)
{
	struct lu_err ignored;

	if (!ch->nccl || ch->nccl->comm->agreed || lt_link_begin(ch, &ignored) < 0)
		return;
	/* What is wrong with it shows in lt_link_close(). */
	(void)ch->nccl->lib->ncclCommFinalize(ch->comm);
	pthread_mutex_unlock(&ch->nccl->lock);
}

/* Wait for what lt_link_finish() has begun. False if that does not come about in time. */
static bool is_finished(struct lt_link *ch)
{
	struct lt_nccl *n = ch->nccl;
	double until = lt_now() + FINALIZE;
	struct lu_err ignored;
	ncclResult_t state = ncclSuccess, rc;

	do {
		if (lt_link_begin(ch, &ignored) < 0)
			return false;
		rc = n->lib->ncclCommGetAsyncError(ch->comm, &state);
		if (rc == ncclSuccess && state == ncclSuccess) {
			(void)n->lib->ncclCommDestroy(ch->comm);
			ch->comm = NULL;
			pthread_mutex_unlock(&n->lock);
			return true;
		}
		pthread_mutex_unlock(&n->lock);
		nap(1);
	} while (rc == ncclSuccess && state == ncclInProgress && lt_now() < until);
	return false;
}

/* The watch may abort it at any moment. */
static bool is_open(struct lt_link *ch)
{
	bool open;

	pthread_mutex_lock(&ch->nccl->lock);
	open = ch->comm != NULL;
	pthread_mutex_unlock(&ch->nccl->lock);
	return open;
}

void lt_link_close(struct lt_link *ch)
{
	struct lt_nccl *n = ch->nccl;

	if (!n)
		return;
	if (is_open(ch) && (n->comm->agreed || !is_finished(ch)))
		lt_links_abort(n);
	forget(ch);
	n->ops->free(ch->q, ch->work);
	n->ops->close(ch->q);
	*ch = (struct lt_link){ 0 };
}
