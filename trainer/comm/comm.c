#include "trainer/comm/comm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "trainer/comm/comm_mpi.h"
#include "trainer/comm/comm_nccl.h"
#include "trainer/comm/comm_private.h"
#include "trainer/comm/comm_tcp.h"

#define DEADLINE 600   /* seconds */
#define RENDEZVOUS 300 /* seconds */

enum op { OP_ANY = 1, OP_SHARE, OP_COLLECT, OP_AGREE, OP_AGREED };

/* Rank 0 has a connection to every rank, and every rank a few to others, for each group. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		/* Where it is refused, the call that needs more says so. */
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void count_local(struct lt_comm *c)
{
	const struct lt_process *self = &lt_control_member(c->control, c->rank)->process;

	for (size_t r = 0; r < c->size; r++) {
		if (!lt_process_same_host(self, &lt_control_member(c->control, r)->process))
			continue;
		c->local_rank += r < c->rank;
		c->local_size++;
	}
}

/* Meet and begin to watch; the door for data is the control plane's from then on. */
static int meet(struct lt_comm *c, const struct lt_launch *who, double patience,
		lt_notice_fn *notice, struct lu_err *err)
{
	struct lt_door door = { .fd = -1, .listener = -1 };
	struct lt_meeting meeting = { 0 };

	if (lt_door_open(&door, 0, sizeof(struct lt_data_hello), err) < 0)
		return -1;
	if (lt_rendezvous(&meeting, who, patience, door.port, notice, err) < 0) {
		lt_door_close(&door);
		return -1;
	}
	if (lt_control_open(&c->control, &meeting, c->rank, c->size, c->deadline, &door, err) < 0) {
		lt_door_close(&door);
		lt_meeting_close(&meeting, c->size);
		return -1;
	}
	return 0;
}

/* See whether the ranks of each host can read each other's memory, all of them or none: then both sides
 * of a message know how it goes. */
static int look_at_neighbours(struct lt_comm *c, struct lu_err *err)
{
	const struct lt_process *self = &lt_control_member(c->control, c->rank)->process;
	bool never = false;

	lt_process_allow_reading();
	if (lt_comm_any(c, LT_CHANNEL_MAIN, &never, err) < 0)
		return -1;
	for (size_t r = 0; r < c->size && !never; r++) {
		const struct lt_process *p = &lt_control_member(c->control, r)->process;

		never = r != c->rank && lt_process_in_reach(self, p) && !lt_process_is_readable(p);
	}
	if (lt_comm_any(c, LT_CHANNEL_MAIN, &never, err) < 0)
		return -1;
	c->reads_memory = !never;
	return 0;
}

int lt_comm_open(struct lt_comm **out, const struct lt_launch *who, const struct lk_ops *ops,
		const struct lt_comm_options *options, struct lu_err *err)
{
	struct lt_launch place = *who;
	struct lt_comm *c;

	if (lt_comm_single(&c, err) < 0)
		return -1;
	if (who->size == 1) {
		*out = c;
		return 0;
	}
	raise_descriptors();
	*c = (struct lt_comm){ .rank = who->rank,
		.size = who->size,
		.ops = ops,
		.deadline = options->deadline > 0 ? options->deadline : DEADLINE,
		.speaks = true };
	c->shared = calloc(c->size, sizeof(*c->shared));
	if (!c->shared) {
		lu_err_nomem(err);
		goto fail;
	}
	c->transport = &lt_tcp_transport;
	if (who->by == LT_LAUNCH_MPI && lt_mpi_start(c, &place, err) < 0)
		goto fail;
	if (meet(c, &place, options->rendezvous > 0 ? options->rendezvous : RENDEZVOUS,
			    options->notice, err) < 0)
		goto fail;
	count_local(c);
	if (look_at_neighbours(c, err) < 0)
		goto fail;
	*out = c;
	return 0;
fail:
	lt_comm_close(c);
	return -1;
}

int lt_comm_device(struct lt_comm *c, int device, enum lt_equality equality, struct lu_err *err)
{
	LU_ASSERT(equality != LT_EQUAL_AUTO && !c->groups && !c->gpu);
	return c->size == 1 ? 0 : lt_nccl_start(c, device, equality, err);
}

void lt_comm_settle(struct lt_comm *c)
{
	if (c)
		lt_groups_settle(c);
}

void lt_comm_ungroup(struct lt_comm *c)
{
	lt_groups_release(c);
}

void lt_comm_close(struct lt_comm *c)
{
	if (!c)
		return;
	lt_groups_release(c);
	if (c->gpu)
		c->gpu->close(c);
	if (c->transport && c->transport->close)
		c->transport->close(c);
	lt_control_close(c->control);
	free(c->shared);
	free(c);
}

size_t lt_comm_rank(const struct lt_comm *c)
{
	return c->rank;
}

size_t lt_comm_size(const struct lt_comm *c)
{
	return c->size;
}

const char *lt_comm_transport(const struct lt_comm *c)
{
	return c->gpu ? c->gpu->name : c->transport ? c->transport->name : "one process";
}

const char *lt_comm_host(const struct lt_comm *c, size_t rank)
{
	return c->control ? lt_control_member(c->control, rank)->process.host : c->self.host;
}

size_t lt_comm_local_size(const struct lt_comm *c)
{
	return c->local_size;
}

size_t lt_comm_local_rank(const struct lt_comm *c)
{
	return c->local_rank;
}

void lt_comm_at(struct lt_comm *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->control)
		return;
	va_start(ap, fmt);
	vsnprintf(c->at, sizeof(c->at), fmt, ap);
	va_end(ap);
	lt_control_at(c->control, c->at);
}

bool lt_comm_overlaps(const struct lt_comm *c)
{
	return c->gpu != NULL;
}

int lt_comm_check(struct lt_comm *c, struct lu_err *err)
{
	return c->control ? lt_control_failed(c->control, err) : 0;
}

void lt_comm_abort(struct lt_comm *c, const char *sentence)
{
	if (c->control)
		lt_control_abort(c->control, sentence);
}

/* ---- control plane ----------------------------------------------------------------------- */

int lt_comm_any(struct lt_comm *c, enum lt_channel channel, bool *flag, struct lu_err *err)
{
	unsigned char mine = *flag, theirs = 0;

	if (c->size == 1)
		return 0;
	if (c->rank != 0) {
		if (lt_control_send(c->control, channel, 0, OP_ANY, &mine, 1, err) < 0 ||
				lt_control_recv(c->control, channel, 0, OP_ANY, &mine, 1, NULL,
						err) < 0)
			return -1;
		*flag = mine != 0;
		return 0;
	}
	for (size_t r = 1; r < c->size; r++) {
		if (lt_control_recv(c->control, channel, r, OP_ANY, &theirs, 1, NULL, err) < 0)
			return -1;
		mine |= theirs;
	}
	for (size_t r = 1; r < c->size; r++) {
		if (lt_control_send(c->control, channel, r, OP_ANY, &mine, 1, err) < 0)
			return -1;
	}
	*flag = mine != 0;
	return 0;
}

int lt_comm_share(struct lt_comm *c, enum lt_channel channel, void *p, size_t n, struct lu_err *err)
{
	if (c->size == 1)
		return 0;
	if (c->rank != 0)
		return lt_control_recv(c->control, channel, 0, OP_SHARE, p, n, NULL, err);
	for (size_t r = 1; r < c->size; r++) {
		if (lt_control_send(c->control, channel, r, OP_SHARE, p, n, err) < 0)
			return -1;
	}
	return 0;
}

int lt_comm_collect(struct lt_comm *c, enum lt_channel channel, const void *p, size_t n, void *all,
		struct lu_err *err)
{
	if (c->rank != 0)
		return lt_control_send(c->control, channel, 0, OP_COLLECT, p, n, err);
	if (n)
		memcpy(all, p, n);
	for (size_t r = 1; r < c->size; r++) {
		if (lt_control_recv(c->control, channel, r, OP_COLLECT, (char *)all + r * n, n,
				    NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* What a rank says of itself, and what rank 0 then says to all: no sentence if all is well. */
struct opinion {
	uint64_t rank;
	int32_t errnum;
	uint32_t failed;
	char msg[sizeof(((struct lu_err *)0)->msg)];
};

static size_t opinion_bytes(const struct opinion *o)
{
	return offsetof(struct opinion, msg) + (o->failed ? strlen(o->msg) + 1 : 0);
}

/* Rank 0: the lowest rank that failed speaks. */
static int judge(struct lt_comm *c, enum lt_channel channel, struct opinion *o, struct lu_err *err)
{
	for (size_t r = 1; r < c->size; r++) {
		struct opinion other = { 0 };
		size_t got;

		if (lt_control_recv(c->control, channel, r, OP_AGREE, &other, sizeof(other), &got,
				    err) < 0)
			return -1;
		other.msg[sizeof(other.msg) - 1] = '\0';
		if (other.failed && !o->failed)
			*o = other;
	}
	for (size_t r = 1; r < c->size; r++) {
		if (lt_control_send(c->control, channel, r, OP_AGREED, o, opinion_bytes(o), err) <
				0)
			return -1;
	}
	return 0;
}

int lt_comm_agree(struct lt_comm *c, enum lt_channel channel, int rc, struct lu_err *err)
{
	struct opinion o = { .rank = c->rank, .failed = rc < 0 };
	size_t got;

	if (c->size == 1)
		return rc < 0 ? -1 : 0;
	if (rc < 0) {
		memcpy(o.msg, err->msg, sizeof(o.msg));
		o.msg[sizeof(o.msg) - 1] = '\0';
		o.errnum = err->errnum;
	}
	if (c->rank == 0) {
		if (judge(c, channel, &o, err) < 0)
			return -1;
	} else {
		if (lt_control_send(c->control, channel, 0, OP_AGREE, &o, opinion_bytes(&o), err) <
				0)
			return -1;
		memset(&o, 0, sizeof(o));
		if (lt_control_recv(c->control, channel, 0, OP_AGREED, &o, sizeof(o), &got, err) <
				0)
			return -1;
		o.msg[sizeof(o.msg) - 1] = '\0';
	}
	if (!o.failed)
		return 0;
	c->speaks = o.rank == c->rank;
	c->agreed = true;
	lu_err_set(err, "%s", o.msg);
	err->errnum = o.errnum;
	if (!c->speaks && o.rank < c->size)
		lu_err_wrap(err, "rank %zu on %s", (size_t)o.rank, lt_comm_host(c, (size_t)o.rank));
	return -1;
}

bool lt_comm_speaks(const struct lt_comm *c)
{
	return c->speaks;
}

bool lt_comm_agreed(const struct lt_comm *c)
{
	return c->agreed;
}
