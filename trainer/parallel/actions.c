#include "trainer/parallel/actions.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "libcommon/base/num.h"

#define NEVER UINT64_MAX

/* A pass of a chunk and a micro-batch, and the message that it ends with. */
struct pass {
	uint64_t done;	 /* time of its end; NEVER before it begins */
	uint64_t number; /* of the message, among all from that stage to the other */
};

/* One stage of the simulation. */
struct stage {
	uint64_t idle_from;	    /* end of the pass that runs */
	uint64_t forward, backward; /* passes begun, places in the common orders */
	uint64_t bound;		    /* most micro-batches held, counted once a chunk */
	uint64_t sent[2], taken[2]; /* messages to, and from, the next and the previous stage */
};

struct slots LU_VEC(bool); /* of a chunk: which are taken */

struct simulation {
	struct lt_pipeline *p;
	size_t chunks;
	uint64_t group, larger; /* micro-batches of a group; the first groups have one more */
	uint64_t now;
	struct stage *stage;
	struct pass *pass[2]; /* forward and backward, [chunk * micros + micro] */
	uint32_t *slot;	      /* [chunk * micros + micro] */
	struct slots *taken;  /* [chunk] */
};

void lt_action_text(const struct lt_action *a, char *text, size_t size)
{
	static const char *const verbs[] = { "receive forward", "forward", "send forward",
		"receive backward", "backward", "send backward" };
	static const char *const from[] = { " from stage ", "", " to stage " };
	size_t kind = (size_t)a->kind;
	int n;

	LU_ASSERT(kind <= LT_SEND_BACKWARD);
	n = snprintf(text, size, "%s of micro-batch %" PRIu64 " in chunk %" PRIu32 "%s",
			verbs[kind], a->micro, a->chunk, from[kind % 3]);
	if (kind % 3 != 1 && n >= 0 && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, "%" PRIu32, a->peer);
}

void lt_pipeline_release(struct lt_pipeline *p)
{
	for (size_t i = 0; p->stage && i < p->stages; i++)
		lu_vec_release(&p->stage[i]);
	free(p->stage);
	free(p->slots);
	memset(p, 0, sizeof(*p));
}

/* Which of the two neighbours: 0 is the next stage, 1 the previous one. With two stages they are
 * one, and forward and backward messages share a connection. */
static size_t side(const struct lt_pipeline *p, size_t from, size_t to)
{
	return to == (from + 1) % p->stages ? 0 : 1;
}

/* Chunk and micro-batch of place k in the order that all stages share. */
static void place(const struct simulation *s, size_t stage, uint64_t k, bool backward,
		size_t *chunk, uint64_t *micro)
{
	size_t v = s->p->v;
	uint64_t group = s->group, first, within, round;

	if (k < s->larger * (group + 1) * v) {
		group++;
		first = k / (group * v) * group;
	} else {
		first = s->larger + (k / v - s->larger) / group * group;
	}
	within = k - first * v;
	round = within / group;
	*chunk = (size_t)(backward ? v - 1 - round : round) * s->p->stages + stage;
	*micro = first + within % group;
}

/* The chunk whose pass of the same kind, and the same micro-batch, comes before or after that of
 * `chunk`; chunks if there is none. */
static size_t before(const struct simulation *s, size_t chunk, bool backward)
{
	if (backward)
		return chunk + 1;
	return chunk > 0 ? chunk - 1 : s->chunks;
}

/* True if what the pass needs is there: the oldest message of its connection, or its own forward
 * pass. */
static bool ready(const struct simulation *s, size_t stage, size_t chunk, uint64_t micro,
		bool backward)
{
	size_t source = before(s, chunk, backward), peer;
	const struct pass *needed;

	if (source == s->chunks)
		return !backward || s->pass[0][chunk * s->p->micros + micro].done <= s->now;
	needed = &s->pass[backward][source * s->p->micros + micro];
	peer = source % s->p->stages;
	return needed->done <= s->now &&
			needed->number == s->stage[stage].taken[side(s->p, stage, peer)];
}

static bool push(struct lt_pipeline *p, size_t stage, enum lt_action_kind kind, size_t chunk,
		size_t peer, uint32_t slot, uint64_t micro)
{
	return lu_vec_push(&p->stage[stage],
			(struct lt_action){ .kind = kind,
					.chunk = (uint32_t)chunk,
					.slot = slot,
					.peer = (uint32_t)peer,
					.micro = micro });
}

/* Take the lowest free slot of a chunk; false when memory is out. */
static bool take_slot(struct simulation *s, size_t chunk, uint32_t *slot)
{
	struct slots *taken = &s->taken[chunk];
	size_t i = 0;

	while (i < taken->n && taken->p[i])
		i++;
	if (i == taken->n && !lu_vec_push(taken, true))
		return false;
	taken->p[i] = true;
	*slot = (uint32_t)i;
	return true;
}

/* Begin a pass: append its actions, and set when its message will be there. */
static bool begin(struct simulation *s, size_t stage, size_t chunk, uint64_t micro, bool backward)
{
	struct lt_pipeline *p = s->p;
	struct stage *st = &s->stage[stage];
	size_t at = chunk * p->micros + micro, kind = backward ? LT_RECV_BACKWARD : LT_RECV_FORWARD;
	size_t source = before(s, chunk, backward), sink = before(s, chunk, !backward), peer;
	struct pass *pass = &s->pass[backward][at];

	if (!backward && !take_slot(s, chunk, &s->slot[at]))
		return false;
	if (source < s->chunks) {
		peer = source % p->stages;
		st->taken[side(p, stage, peer)]++;
		if (!push(p, stage, kind, chunk, peer, s->slot[at], micro))
			return false;
	}
	if (!push(p, stage, kind + 1, chunk, stage, s->slot[at], micro))
		return false;
	if (sink < s->chunks) {
		peer = sink % p->stages;
		pass->number = st->sent[side(p, stage, peer)]++;
		if (!push(p, stage, kind + 2, chunk, peer, s->slot[at], micro))
			return false;
	}
	if (backward)
		s->taken[chunk].p[s->slot[at]] = false;
	pass->done = st->idle_from = s->now + (backward ? 2 : 1);
	*(backward ? &st->backward : &st->forward) += 1;
	return true;
}

/* Find the next pass of a stage in this direction; false if none is left or can begin now. */
static bool next_pass(const struct simulation *s, size_t stage, bool backward, size_t *chunk,
		uint64_t *micro)
{
	const struct stage *st = &s->stage[stage];
	uint64_t k = backward ? st->backward : st->forward;

	if (k == s->p->v * s->p->micros)
		return false;
	place(s, stage, k, backward, chunk, micro);
	return ready(s, stage, *chunk, *micro, backward);
}

/* Begin what can begin at this time. 1 if a stage is busy afterwards, 0 if none is, -1 when memory
 * is out. */
static int tick(struct simulation *s)
{
	int busy = 0;

	for (size_t i = 0; i < s->p->stages; i++) {
		struct stage *st = &s->stage[i];
		bool backward;
		size_t chunk;
		uint64_t micro;

		if (st->idle_from <= s->now) {
			backward = st->forward - st->backward >= st->bound ||
					!next_pass(s, i, false, &chunk, &micro);
			if (backward && !next_pass(s, i, true, &chunk, &micro))
				continue;
			if (!begin(s, i, chunk, micro, backward))
				return -1;
		}
		busy = 1;
	}
	return busy;
}

static int simulate(struct simulation *s)
{
	size_t stages = s->p->stages, v = s->p->v;
	uint64_t micros = s->p->micros, groups = micros < stages ? 1 : micros / stages;
	int busy;

	s->group = micros / groups;
	s->larger = micros % groups;
	for (size_t i = 0; i < stages; i++) {
		uint64_t largest = s->group + (s->larger > 0);

		s->stage[i].bound =
				v == 1 ? stages - i : 2 * (stages - i - 1) + (v - 1) * largest + 1;
	}
	for (size_t i = 0; i < s->chunks * micros; i++)
		s->pass[0][i].done = s->pass[1][i].done = NEVER;
	while ((busy = tick(s)) > 0)
		s->now++;
	for (size_t i = 0; busy == 0 && i < stages; i++)
		LU_ASSERT(s->stage[i].backward == v * micros);
	return busy;
}

int lt_pipeline_make(
		struct lt_pipeline *p, size_t stages, size_t v, uint64_t micros, struct lu_err *err)
{
	struct simulation s = { .p = p };
	size_t passes;
	int rc = -1;

	*p = (struct lt_pipeline){ .stages = stages, .v = v, .micros = micros };
	LU_ASSERT(stages > 0 && v > 0 && (stages > 1 || v == 1));
	if (!lu_mul_size(stages, v, &s.chunks) || s.chunks > UINT32_MAX ||
			!lu_mul_size(s.chunks, micros, &passes)) {
		lu_err_set(err, "a pipeline of %zu x %zu chunks is out of range", stages, v);
		goto out;
	}
	p->stage = calloc(stages, sizeof(*p->stage));
	p->slots = calloc(s.chunks, sizeof(*p->slots));
	s.stage = calloc(stages, sizeof(*s.stage));
	s.taken = calloc(s.chunks, sizeof(*s.taken));
	s.pass[0] = calloc(passes + 1, sizeof(*s.pass[0]));
	s.pass[1] = calloc(passes + 1, sizeof(*s.pass[1]));
	s.slot = calloc(passes + 1, sizeof(*s.slot));
	if (!p->stage || !p->slots || !s.stage || !s.taken || !s.pass[0] || !s.pass[1] || !s.slot ||
			simulate(&s) < 0) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t c = 0; c < s.chunks; c++)
		p->slots[c] = s.taken[c].n;
	rc = 0;
out:
	for (size_t c = 0; s.taken && c < s.chunks; c++)
		lu_vec_release(&s.taken[c]);
	free(s.taken);
	free(s.stage);
	free(s.pass[0]);
	free(s.pass[1]);
	free(s.slot);
	if (rc < 0)
		lt_pipeline_release(p);
	return rc;
}
