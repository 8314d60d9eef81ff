#include "trainer/parallel/actions_check.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define NOBODY UINT64_MAX
#define TEXT 96

/* A message on its way: the action that receives it, and when it was sent. */
struct message {
	enum lt_action_kind kind;
	uint32_t chunk;
	uint64_t micro;
	double sent;
};

struct connection {
	struct LU_VEC(struct message) queue;
	size_t received;
};

struct chunk {
	uint64_t passes[2]; /* forward and backward */
	uint64_t *holder;   /* [slots]: the micro-batch, or NOBODY */
};

struct walker {
	const struct lt_pipeline *p;
	struct lt_walk *walk;
	size_t chunks;
	size_t *next;		       /* [stages], action */
	double *clock;		       /* [stages] */
	struct chunk *chunk;	       /* [chunks] */
	struct connection *connection; /* [from * stages + to] */
	double work;
};

static bool is_backward(enum lt_action_kind kind)
{
	return kind >= LT_RECV_BACKWARD;
}

static bool is_receive(enum lt_action_kind kind)
{
	return kind == LT_RECV_FORWARD || kind == LT_RECV_BACKWARD;
}

static bool is_pass(enum lt_action_kind kind)
{
	return kind == LT_FORWARD || kind == LT_BACKWARD;
}

/* An error about the action that `stage` is at. */
static int wrong(const struct walker *w, size_t stage, const char *what, struct lu_err *err)
{
	char text[TEXT];

	lt_action_text(&w->p->stage[stage].p[w->next[stage]], text, sizeof(text));
	return lu_err_set(err, "pipeline: stage %zu, action %zu (%s): %s", stage, w->next[stage],
			text, what);
}

/* The chunk on the other side of the action: where its message comes from or goes to. */
static bool other_side(const struct walker *w, const struct lt_action *a, size_t *other)
{
	bool up = is_receive(a->kind) == is_backward(a->kind);

	if (up ? a->chunk + (size_t)1 == w->chunks : a->chunk == 0)
		return false;
	*other = up ? a->chunk + (size_t)1 : a->chunk - (size_t)1;
	return true;
}

/* Numbers in range, and the stages those that have the chunks. */
static int check_fields(
		const struct walker *w, size_t stage, const struct lt_action *a, struct lu_err *err)
{
	size_t peer = stage;

	if ((int)a->kind < LT_RECV_FORWARD || a->kind > LT_SEND_BACKWARD)
		return lu_err_set(err, "pipeline: stage %zu, action %zu is of an unknown kind",
				stage, w->next[stage]);
	if (a->chunk >= w->chunks || a->chunk % w->p->stages != stage)
		return wrong(w, stage, "the chunk is not on this stage", err);
	if (a->micro >= w->p->micros)
		return wrong(w, stage, "there is no such micro-batch", err);
	if (a->slot >= w->p->slots[a->chunk])
		return wrong(w, stage, "the chunk has no such slot", err);
	if (!is_pass(a->kind)) {
		if (!other_side(w, a, &peer))
			return wrong(w, stage, "there is no chunk on the other side", err);
		peer %= w->p->stages;
	}
	if (a->peer != peer)
		return wrong(w, stage, "the chunk on the other side is on another stage", err);
	return 0;
}

/* True if `b` is of the same chunk, micro-batch and slot, one kind after `a`. */
static bool follows(const struct lt_action *a, const struct lt_action *b)
{
	return (int)b->kind == (int)a->kind + 1 && b->chunk == a->chunk && b->micro == a->micro &&
			b->slot == a->slot;
}

/* A pass stands between its messages. */
static int check_neighbours(
		const struct walker *w, size_t stage, const struct lt_action *a, struct lu_err *err)
{
	const struct lt_actions *list = &w->p->stage[stage];
	const struct lt_action *before = w->next[stage] > 0 ? a - 1 : NULL;
	const struct lt_action *after = w->next[stage] + 1 < list->n ? a + 1 : NULL;
	struct lt_action message = *a;
	size_t other;

	if (is_receive(a->kind))
		return after && follows(a, after)
				? 0
				: wrong(w, stage, "its pass does not follow at once", err);
	if (!is_pass(a->kind))
		return before && follows(before, a)
				? 0
				: wrong(w, stage, "its pass does not stand before it", err);
	message.kind = is_backward(a->kind) ? LT_RECV_BACKWARD : LT_RECV_FORWARD;
	if (other_side(w, &message, &other) && !(before && follows(before, a)))
		return wrong(w, stage, "what it needs is not received just before it", err);
	message.kind = is_backward(a->kind) ? LT_SEND_BACKWARD : LT_SEND_FORWARD;
	if (other_side(w, &message, &other) && !(after && follows(a, after)))
		return wrong(w, stage, "its result is not sent just after it", err);
	return 0;
}

/* Take or check the slot, and give it back after the backward pass. */
static int check_slot(
		const struct walker *w, size_t stage, const struct lt_action *a, struct lu_err *err)
{
	uint64_t *holder = &w->chunk[a->chunk].holder[a->slot];

	if (a->kind == (a->chunk > 0 ? LT_RECV_FORWARD : LT_FORWARD)) {
		if (*holder != NOBODY)
			return wrong(w, stage, "the slot holds another micro-batch", err);
		*holder = a->micro;
	}
	/* The gradient that is sent is not in the slot. */
	if (*holder != a->micro && a->kind != LT_SEND_BACKWARD)
		return wrong(w, stage, "the slot does not hold its forward pass", err);
	if (a->kind == LT_BACKWARD)
		*holder = NOBODY;
	return 0;
}

static int run_pass(struct walker *w, size_t stage, const struct lt_action *a, struct lu_err *err)
{
	bool backward = is_backward(a->kind);
	struct chunk *chunk = &w->chunk[a->chunk];
	const double *times = w->walk->forward;
	double begin = w->clock[stage], time = backward ? 2 : 1;

	if (chunk->passes[backward] != a->micro)
		return wrong(w, stage,
				"the passes of the chunk are not in the order of micro-batches",
				err);
	chunk->passes[backward]++;
	if (backward)
		times = w->walk->backward;
	if (times)
		time = times[a->chunk];
	w->clock[stage] = begin + time;
	w->work += time;
	if (w->clock[stage] > w->walk->time)
		w->walk->time = w->clock[stage];
	if (w->walk->visit)
		w->walk->visit(w->walk->ctx, stage, a, begin, w->clock[stage]);
	return 0;
}

static int send_message(
		struct walker *w, size_t stage, const struct lt_action *a, struct lu_err *err)
{
	struct connection *to = &w->connection[stage * w->p->stages + a->peer];
	size_t other = 0;

	other_side(w, a, &other);
	if (!lu_vec_push(&to->queue,
			    (struct message){ .kind = is_backward(a->kind) ? LT_RECV_BACKWARD
									   : LT_RECV_FORWARD,
					    .chunk = (uint32_t)other,
					    .micro = a->micro,
					    .sent = w->clock[stage] }))
		return lu_err_nomem(err);
	return 0;
}

static int receive_message(
		struct walker *w, size_t stage, const struct lt_action *a, struct lu_err *err)
{
	struct connection *from = &w->connection[a->peer * w->p->stages + stage];
	const struct message *m = &from->queue.p[from->received];
	struct lt_action is = *a;
	char text[TEXT], what[TEXT + 64];

	if (m->kind != a->kind || m->chunk != a->chunk || m->micro != a->micro) {
		is.kind = m->kind, is.chunk = m->chunk, is.micro = m->micro;
		lt_action_text(&is, text, sizeof(text));
		snprintf(what, sizeof(what), "the message that arrives is for '%s'", text);
		return wrong(w, stage, what, err);
	}
	from->received++;
	if (m->sent > w->clock[stage])
		w->clock[stage] = m->sent;
	return 0;
}

/* Run the next action of a stage: 1, or 0 if it has to wait, or the list is at its end. */
static int advance(struct walker *w, size_t stage, struct lu_err *err)
{
	const struct lt_actions *list = &w->p->stage[stage];
	const struct lt_action *a;
	int rc;

	if (w->next[stage] == list->n)
		return 0;
	a = &list->p[w->next[stage]];
	if (check_fields(w, stage, a, err) < 0 || check_neighbours(w, stage, a, err) < 0)
		return -1;
	if (is_receive(a->kind)) {
		const struct connection *from = &w->connection[a->peer * w->p->stages + stage];

		if (from->received == from->queue.n)
			return 0;
	}
	if (check_slot(w, stage, a, err) < 0)
		return -1;
	rc = is_pass(a->kind)		      ? run_pass(w, stage, a, err)
			: is_receive(a->kind) ? receive_message(w, stage, a, err)
					      : send_message(w, stage, a, err);
	w->next[stage]++;
	return rc < 0 ? -1 : 1;
}

/* Everybody has stopped: all lists are at their ends and everything was run. Each pass has been run
 * once, between its messages, so no message is left either. */
static int check_end(const struct walker *w, struct lu_err *err)
{
	size_t stages = w->p->stages;

	for (size_t i = 0; i < stages; i++) {
		if (w->next[i] < w->p->stage[i].n)
			return wrong(w, i, "it waits for ever (deadlock)", err);
	}
	for (size_t c = 0; c < w->chunks; c++) {
		for (size_t backward = 0; backward < 2; backward++) {
			if (w->chunk[c].passes[backward] < w->p->micros)
				return lu_err_set(err,
						"pipeline: stage %zu: micro-batch %" PRIu64
						" has no %s pass in chunk %zu",
						c % stages, w->chunk[c].passes[backward],
						backward ? "backward" : "forward", c);
		}
	}
	return 0;
}

static int walk_all(struct walker *w, struct lu_err *err)
{
	int moved, rc;

	do {
		moved = 0;
		for (size_t i = 0; i < w->p->stages; i++) {
			while ((rc = advance(w, i, err)) > 0)
				moved = 1;
			if (rc < 0)
				return -1;
		}
	} while (moved);
	return check_end(w, err);
}

/* False when memory is out. */
static bool prepare(struct walker *w)
{
	size_t stages = w->p->stages;

	w->next = calloc(stages, sizeof(*w->next));
	w->clock = calloc(stages, sizeof(*w->clock));
	w->chunk = calloc(w->chunks, sizeof(*w->chunk));
	w->connection = calloc(stages * stages, sizeof(*w->connection));
	if (!w->next || !w->clock || !w->chunk || !w->connection)
		return false;
	for (size_t c = 0; c < w->chunks; c++) {
		size_t slots = w->p->slots[c];

		w->chunk[c].holder = calloc(slots + 1, sizeof(*w->chunk[c].holder));
		if (!w->chunk[c].holder)
			return false;
		for (size_t i = 0; i < slots; i++)
			w->chunk[c].holder[i] = NOBODY;
	}
	return true;
}

int lt_pipeline_check(const struct lt_pipeline *p, struct lt_walk *walk, struct lu_err *err)
{
	struct lt_walk plain = { 0 };
	struct walker w = { .p = p, .walk = walk ? walk : &plain, .chunks = p->stages * p->v };
	int rc;

	w.walk->time = w.walk->bubble = 0;
	rc = prepare(&w) ? walk_all(&w, err) : lu_err_nomem(err);
	if (w.walk->time > 0)
		w.walk->bubble = 1 - w.work / (w.walk->time * (double)p->stages);
	for (size_t c = 0; w.chunk && c < w.chunks; c++)
		free(w.chunk[c].holder);
	for (size_t i = 0; w.connection && i < p->stages * p->stages; i++)
		lu_vec_release(&w.connection[i].queue);
	free(w.connection);
	free(w.chunk);
	free(w.clock);
	free(w.next);
	return rc;
}
