#include "trainer/comm/nccl_sums.h"

#include <stdlib.h>

/* An operation under way. */
struct run {
	struct lt_link *ch;
	struct lt_nccl *n;
	const struct lt_nccl_library *lib;
	struct lk_queue *q;
	char *x;
	const size_t *bound;
	size_t me, members;
	size_t size; /* bytes of an element */
	ncclDataType_t type;
	bool tree; /* sums by the tree of comm.h */
	bool real; /* the elements are lk_real */
	cudaStream_t stream;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static ncclDataType_t real_type(void)
{
	return sizeof(lk_real) == sizeof(double) ? ncclFloat64 : ncclFloat32;
}

static void set_type(struct run *r, const struct lk_ops *ops, enum lt_element type)
{
	bool adds = r->n->equality == LT_EQUAL_LAYOUT;

	switch (type) {
	case LT_REALS:
		r->type = real_type();
		r->size = sizeof(lk_real);
		r->real = true;
		r->tree = adds;
		break;
	case LT_ACTS:
		r->type = ops->act == LK_BF16 ? ncclBfloat16 : real_type();
		r->size = ops->act_size;
		r->real = ops->act != LK_BF16;
		r->tree = adds;
		break;
	case LT_DOUBLES:
		r->type = ncclFloat64;
		r->size = sizeof(double);
		break;
	case LT_BYTES:
		r->type = ncclUint8;
		r->size = 1;
		break;
	}
}

static int queue_error(const struct run *r, struct lu_err *err)
{
	return lu_err_set(err, "%s", r->n->ops->message(r->q));
}

/* Work space of the link. What is queued may still use the old one, which free() waits for. */
static int reserve(struct run *r, size_t bytes, struct lu_err *err)
{
	struct lt_link *ch = r->ch;

	if (bytes <= ch->work_bytes)
		return 0;
	if (r->n->ops->sync(r->q) < 0)
		return queue_error(r, err);
	r->n->ops->free(r->q, ch->work);
	ch->work_bytes = 0;
	ch->work = r->n->ops->alloc(r->q, bytes);
	if (!ch->work)
		return queue_error(r, err);
	ch->work_bytes = bytes;
	return 0;
}

static char *at(const struct run *r, size_t element)
{
	return r->x + element * r->size;
}

/* ---- data that move ---------------------------------------------------------------------- */

/* The first error of a group of calls. */
static ncclResult_t first_of(ncclResult_t a, ncclResult_t b)
{
	return a != ncclSuccess && a != ncclInProgress ? a : b;
}

static bool parts_are_equal(const struct run *r)
{
	for (size_t m = 1; m < r->members; m++) {
		if (r->bound[m + 1] - r->bound[m] != r->bound[1] - r->bound[0])
			return false;
	}
	return true;
}

static int all_gather(const struct run *r, struct lu_err *err)
{
	ncclResult_t rc = ncclSuccess;

	if (lt_link_begin(r->ch, err) < 0)
		return -1;
	if (parts_are_equal(r)) {
		rc = r->lib->ncclAllGather(at(r, r->bound[r->me]), at(r, r->bound[0]),
				r->bound[1] - r->bound[0], r->type, r->ch->comm, r->stream);
		return lt_link_end(r->ch, rc, "all_gather", err);
	}
	rc = r->lib->ncclGroupStart();
	for (size_t m = 0; m < r->members; m++) {
		char *part = at(r, r->bound[m]);
		size_t n = r->bound[m + 1] - r->bound[m];

		if (n)
			rc = first_of(rc,
					r->lib->ncclBroadcast(part, part, n, r->type, (int)m,
							r->ch->comm, r->stream));
	}
	rc = first_of(rc, r->lib->ncclGroupEnd());
	return lt_link_end(r->ch, rc, "all_gather", err);
}

static int broadcast(const struct run *r, size_t root, size_t n, struct lu_err *err)
{
	ncclResult_t rc;

	if (lt_link_begin(r->ch, err) < 0)
		return -1;
	rc = r->lib->ncclBroadcast(r->x, r->x, n, r->type, (int)root, r->ch->comm, r->stream);
	return lt_link_end(r->ch, rc, "broadcast", err);
}

/* A message on a link of two members: the sender is 0, the receiver 1. */
static int direct(const struct run *r, const struct lt_call *call, struct lu_err *err)
{
	ncclResult_t rc;

	if (lt_link_begin(r->ch, err) < 0)
		return -1;
	if (call->what == LT_OP_SEND)
		rc = r->lib->ncclSend(call->from, call->n, r->type, 1, r->ch->comm, r->stream);
	else
		rc = r->lib->ncclRecv(call->x, call->n, r->type, 0, r->ch->comm, r->stream);
	return lt_link_end(r->ch, rc, call->what == LT_OP_SEND ? "send" : "recv", err);
}

/* ---- sums by NCCL ------------------------------------------------------------------------ */

static int nccl_reduce_scatter(const struct run *r, struct lu_err *err)
{
	ncclResult_t rc;

	if (lt_link_begin(r->ch, err) < 0)
		return -1;
	if (parts_are_equal(r)) {
		rc = r->lib->ncclReduceScatter(at(r, r->bound[0]), at(r, r->bound[r->me]),
				r->bound[1] - r->bound[0], r->type, ncclSum, r->ch->comm,
				r->stream);
		return lt_link_end(r->ch, rc, "reduce_scatter", err);
	}
	rc = r->lib->ncclGroupStart();
	for (size_t m = 0; m < r->members; m++) {
		char *part = at(r, r->bound[m]);
		size_t n = r->bound[m + 1] - r->bound[m];

		if (n)
			rc = first_of(rc,
					r->lib->ncclReduce(part, part, n, r->type, ncclSum, (int)m,
							r->ch->comm, r->stream));
	}
	rc = first_of(rc, r->lib->ncclGroupEnd());
	return lt_link_end(r->ch, rc, "reduce_scatter", err);
}

static int nccl_all_reduce(const struct run *r, size_t n, struct lu_err *err)
{
	ncclResult_t rc;

	if (lt_link_begin(r->ch, err) < 0)
		return -1;
	rc = r->lib->ncclAllReduce(r->x, r->x, n, r->type, ncclSum, r->ch->comm, r->stream);
	return lt_link_end(r->ch, rc, "all_reduce", err);
}

/* ---- sums by the tree -------------------------------------------------------------------- */

/* y += x, n elements. */
static int add(const struct run *r, char *y, const char *x, size_t n, struct lu_err *err)
{
	const struct lk_ops *ops = r->n->ops;
	int rc = r->real ? ops->accumulate(r->q, (lk_real *)(void *)y,
					   (const lk_real *)(const void *)x, n)
			 : ops->add(r->q, y, y, x, n);

	return rc < 0 ? queue_error(r, err) : 0;
}

/* Sum all versions, n elements each behind one another, into the first. */
static int add_versions(const struct run *r, char *versions, size_t n, struct lu_err *err)
{
	if (r->real)
		return r->n->ops->lane_sum(r->q, (lk_real *)(void *)versions, r->members, n, n,
				       NULL) < 0
				? queue_error(r, err)
				: 0;
	for (size_t k = r->members, s; k > 1; k = s) {
		s = (k + 1) / 2;
		for (size_t j = 0; j + s < k; j++) {
			if (add(r, versions + j * n * r->size, versions + (j + s) * n * r->size, n,
					    err) < 0)
				return -1;
		}
	}
	return 0;
}

static int copy(const struct run *r, void *to, const void *from, size_t n, struct lu_err *err)
{
	return r->n->ops->copy(r->q, to, from, n * r->size, LK_D2D) < 0 ? queue_error(r, err) : 0;
}

/* Few elements: all versions to all. */
static int sum_gathered(struct run *r, size_t n, struct lu_err *err)
{
	char *work;
	ncclResult_t rc;

	if (reserve(r, r->members * n * r->size, err) < 0)
		return -1;
	work = r->ch->work;
	if (lt_link_begin(r->ch, err) < 0)
		return -1;
	rc = r->lib->ncclAllGather(r->x, work, n, r->type, r->ch->comm, r->stream);
	if (lt_link_end(r->ch, rc, "all_reduce", err) < 0 || add_versions(r, work, n, err) < 0)
		return -1;
	return copy(r, r->x, work, n, err);
}

/* Send n elements to a member and receive m from it. */
static int swap(const struct run *r, size_t with, const char *from, size_t n, char *to, size_t m,
		struct lu_err *err)
{
	ncclResult_t rc;

	if (lt_link_begin(r->ch, err) < 0)
		return -1;
	rc = r->lib->ncclGroupStart();
	if (n)
		rc = first_of(rc,
				r->lib->ncclSend(from, n, r->type, (int)with, r->ch->comm,
						r->stream));
	if (m)
		rc = first_of(rc,
				r->lib->ncclRecv(
						to, m, r->type, (int)with, r->ch->comm, r->stream));
	rc = first_of(rc, r->lib->ncclGroupEnd());
	return lt_link_end(r->ch, rc, "reduce_scatter", err);
}

/* Members that are a power of two: those from `first` on, `k` of them, share what is left. */
static int halve(struct run *r, struct lu_err *err)
{
	size_t first = 0, most = LT_GPU_SLICE / r->size;

	for (size_t s = r->members / 2; s > 0; s /= 2) {
		bool low = r->me < first + s;
		size_t with = low ? r->me + s : r->me - s, middle = r->bound[first + s];
		size_t keep = low ? r->bound[first] : middle;
		size_t keep_end = low ? middle : r->bound[first + 2 * s];
		size_t give = low ? middle : r->bound[first];
		size_t give_end = low ? r->bound[first + 2 * s] : middle;

		while (keep < keep_end || give < give_end) {
			size_t n = least(give_end - give, most), m = least(keep_end - keep, most);

			if (reserve(r, least(LT_GPU_SLICE, (keep_end - keep) * r->size), err) < 0 ||
					swap(r, with, at(r, give), n, r->ch->work, m, err) < 0 ||
					(m && add(r, at(r, keep), r->ch->work, m, err) < 0))
				return -1;
			give += n;
			keep += m;
		}
		first += low ? 0 : s;
	}
	return 0;
}

/* Elements of a member's part in the slice that begins at `from`. */
static size_t in_slice(const struct run *r, size_t member, size_t from, size_t slice)
{
	size_t n = r->bound[member + 1] - r->bound[member];

	return n > from ? least(n - from, slice) : 0;
}

/* Any number of members: versions of a slice of every part to its owner. */
static int collect(struct run *r, size_t from, size_t slice, struct lu_err *err)
{
	size_t own = in_slice(r, r->me, from, slice);
	char *work = r->ch->work;
	ncclResult_t rc;

	if (lt_link_begin(r->ch, err) < 0)
		return -1;
	rc = r->lib->ncclGroupStart();
	for (size_t m = 0; m < r->members; m++) {
		size_t n = in_slice(r, m, from, slice);

		if (m != r->me && n)
			rc = first_of(rc,
					r->lib->ncclSend(at(r, r->bound[m] + from), n, r->type,
							(int)m, r->ch->comm, r->stream));
		if (m != r->me && own)
			rc = first_of(rc,
					r->lib->ncclRecv(work + m * own * r->size, own, r->type,
							(int)m, r->ch->comm, r->stream));
	}
	rc = first_of(rc, r->lib->ncclGroupEnd());
	if (lt_link_end(r->ch, rc, "reduce_scatter", err) < 0 || !own)
		return lt_control_failed(r->n->comm->control, err);
	if (copy(r, work + r->me * own * r->size, at(r, r->bound[r->me] + from), own, err) < 0 ||
			add_versions(r, work, own, err) < 0)
		return -1;
	return copy(r, at(r, r->bound[r->me] + from), work, own, err);
}

static int tree_reduce_scatter(struct run *r, struct lu_err *err)
{
	size_t longest = 0, slice, total = r->bound[r->members] - r->bound[0];

	if ((r->members & (r->members - 1)) == 0)
		return total ? halve(r, err) : 0;
	for (size_t m = 0; m < r->members; m++) {
		size_t n = r->bound[m + 1] - r->bound[m];

		longest = n > longest ? n : longest;
	}
	slice = least(longest, LT_GPU_SLICE / r->size / r->members + 1);
	if (reserve(r, slice * r->members * r->size, err) < 0)
		return -1;
	for (size_t from = 0; from < longest; from += slice) {
		if (collect(r, from, slice, err) < 0)
			return -1;
	}
	return 0;
}

/* Parts as equal as they can be, by which a sum over all is made and gathered. */
static int tree_all_reduce(struct run *r, size_t n, struct lu_err *err)
{
	size_t *bound, part = n / r->members + (n % r->members != 0);
	int rc;

	if (n * r->size * r->members <= LT_GPU_GATHER)
		return sum_gathered(r, n, err);
	bound = malloc((r->members + 1) * sizeof(*bound));
	if (!bound)
		return lu_err_nomem(err);
	for (size_t m = 0; m <= r->members; m++)
		bound[m] = least(m * part, n);
	r->bound = bound;
	rc = tree_reduce_scatter(r, err);
	if (rc == 0)
		rc = all_gather(r, err);
	free(bound);
	return rc;
}

int lt_nccl_run(struct lt_link *ch, const struct lt_call *call, struct lk_queue *q,
		struct lu_err *err)
{
	struct run r = { .ch = ch,
		.n = ch->nccl,
		.lib = ch->nccl->lib,
		.q = q,
		.x = call->x,
		.bound = call->bound,
		.me = call->group->rank,
		.members = call->group->size,
		.stream = ch->nccl->ops->native(q) };

	set_type(&r, r.n->ops, call->type);
	switch (call->what) {
	case LT_OP_ALL_REDUCE:
		return r.tree ? tree_all_reduce(&r, call->n, err)
			      : nccl_all_reduce(&r, call->n, err);
	case LT_OP_REDUCE_SCATTER:
		return r.tree ? tree_reduce_scatter(&r, err) : nccl_reduce_scatter(&r, err);
	case LT_OP_ALL_GATHER: return all_gather(&r, err);
	case LT_OP_BROADCAST: return broadcast(&r, call->peer, call->n, err);
	case LT_OP_SEND:
	case LT_OP_RECV: return direct(&r, call, err);
	}
	return lu_err_set(err, "communication: no operation %d", (int)call->what);
}
