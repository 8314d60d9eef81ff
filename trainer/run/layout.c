#include "trainer/run/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/tool.h"
#include "trainer/parallel/stages.h"

static int make_mesh(struct lt_layout *l, const struct lt_settings *s, size_t processes,
		struct lu_err *err)
{
	size_t size[LT_AXES];

	for (int a = 0; a < LT_AXES; a++)
		size[a] = (size_t)s->parallel.size[a];
	if (processes == 0) {
		if (size[LT_DP] == 0)
			size[LT_DP] = 1;
		processes = size[LT_TP] * size[LT_CP] * size[LT_DP] * size[LT_PP];
	}
	if (lt_mesh_init(&l->mesh, size, s->parallel.order, processes, err) < 0)
		return -1;
	if (s->parallel.equality == LT_EQUAL_LAYOUT)
		(void)lt_mesh_reverse(&l->mesh);
	for (int a = 0; a < LT_AXES; a++)
		l->at[a] = lt_mesh_at(&l->mesh, (enum lt_axis)a, l->rank);
	return 0;
}

/* Lanes dealt out over the ranks must give the tree of all lanes on one rank, which may have any
 * number. */
static int set_lanes(struct lt_layout *l, uint64_t lanes, struct lu_err *err)
{
	size_t dp = l->mesh.size[LT_DP];
	uint64_t each = lanes / dp;

	l->lanes = lanes ? (size_t)lanes : dp;
	if (lanes && dp > 1 && (lanes % dp || (each & (each - 1))))
		return lu_err_set(err,
				"train.lanes = %" PRIu64
				" is not parallel.dp = %zu times a power of two",
				lanes, dp);
	return 0;
}

static int cut_layers(struct lt_layout *l, const struct lt_settings *s, struct lu_err *err)
{
	size_t pp = l->mesh.size[LT_PP], n = pp * l->v;
	size_t *layers = calloc(n + 1, sizeof(*layers)), first = 0;
	struct lt_shape shape;
	int rc;

	l->chunk = calloc(n + 1, sizeof(*l->chunk));
	l->own = calloc(l->v + 1, sizeof(*l->own));
	lt_settings_shape(s, &shape);
	if (!layers || !l->chunk || !l->own)
		rc = lu_err_nomem(err);
	else
		rc = lt_stages_split(layers, pp, l->v, shape.layers, s->parallel.stages,
				lt_head_layers(shape.vocab, shape.heads, shape.kv_heads, shape.dim,
						shape.ffn),
				err);
	for (size_t c = 0; c < n && rc == 0; c++) {
		l->chunk[c] = (struct lt_chunk){ first, layers[c] };
		first += layers[c];
		if (c % pp == l->at[LT_PP])
			l->own[c / pp] = l->chunk[c];
	}
	free(layers);
	return rc;
}

/* The sizes that tensor and sequence parallelism split. */
static int check_splits(const struct lt_layout *l, const struct lt_settings *s, struct lu_err *err)
{
	uint64_t tokens = s->train.micro_batch * s->train.context;
	size_t tp = l->mesh.size[LT_TP];
	struct lt_shape shape;
	struct lt_table t;

	lt_settings_shape(s, &shape);
	if (lt_table_build(&t, &shape, &l->place, err) < 0)
		return -1;
	lt_table_release(&t);
	if (l->sequence && tokens % tp)
		return lu_err_set(err,
				"parallel.sequence: a micro-batch of %" PRIu64 " x %" PRIu64
				" tokens is not a multiple of parallel.tp = %zu",
				s->train.micro_batch, s->train.context, tp);
	return 0;
}

int lt_layout_init(struct lt_layout *l, const struct lt_settings *s, size_t rank, size_t processes,
		struct lu_err *err)
{
	*l = (struct lt_layout){ .rank = rank,
		.v = (size_t)s->parallel.interleave,
		.zero = s->parallel.zero == 1,
		.sequence = s->parallel.sequence };
	if (make_mesh(l, s, processes, err) < 0 || set_lanes(l, s->train.lanes, err) < 0 ||
			cut_layers(l, s, err) < 0)
		goto fail;
	l->place = (struct lt_place){ .tp_rank = l->at[LT_TP],
		.tp_size = l->mesh.size[LT_TP],
		.chunk = l->own,
		.chunks = l->v };
	if (check_splits(l, s, err) == 0)
		return 0;
fail:
	lt_layout_release(l);
	return -1;
}

bool lt_layout_equal(const struct lt_layout *a, const struct lt_layout *b)
{
	size_t chunks = a->mesh.size[LT_PP] * a->v;

	if (a->v != b->v || a->zero != b->zero || a->sequence != b->sequence ||
			a->lanes != b->lanes || a->mesh.reversed != b->mesh.reversed)
		return false;
	for (int i = 0; i < LT_AXES; i++) {
		if (a->mesh.size[i] != b->mesh.size[i] || a->mesh.order[i] != b->mesh.order[i])
			return false;
	}
	for (size_t c = 0; c < chunks; c++) {
		if (a->chunk[c].first != b->chunk[c].first || a->chunk[c].n != b->chunk[c].n)
			return false;
	}
	return true;
}

bool lt_layout_fits(const struct lt_settings *s, size_t processes, size_t *needed, bool *multiple)
{
	size_t n = 1;

	*multiple = s->parallel.size[LT_DP] == 0;
	for (int a = 0; a < LT_AXES; a++) {
		if (s->parallel.size[a])
			n *= (size_t)s->parallel.size[a];
	}
	*needed = n;
	return *multiple ? processes % n == 0 : processes == n;
}

int lt_layout_connect(struct lt_layout *l, struct lt_comm *comm, struct lu_err *err)
{
	size_t *ranks = calloc(l->mesh.ranks, sizeof(*ranks));
	int rc = ranks ? 0 : lu_err_nomem(err);

	l->comm = comm;
	for (int a = 0; a < LT_AXES && rc == 0; a++) {
		enum lt_axis axis = (enum lt_axis)a;

		if (l->mesh.size[a] == 1)
			continue;
		lt_mesh_group(&l->mesh, axis, l->rank, ranks);
		rc = lt_comm_group(comm, ranks, l->mesh.size[a], lt_axis_name(axis), &l->group[a],
				err);
		/* Stages send to the next and the one before. */
		if (rc == 0 && axis == LT_PP)
			rc = lt_group_ring(l->group[a], err);
	}
	free(ranks);
	return rc;
}

void lt_layout_release(struct lt_layout *l)
{
	free(l->chunk);
	free(l->own);
	*l = (struct lt_layout){ 0 };
}

struct lt_holding lt_layout_holding(const struct lt_layout *l, const struct lt_settings *s)
{
	return (struct lt_holding){ .lanes = l->lanes / l->mesh.size[LT_DP],
		.dp_rank = l->at[LT_DP],
		.dp_size = l->mesh.size[LT_DP],
		.zero = l->zero,
		.low = s->train.memory == LT_MEMORY_LOW,
		.seed = s->train.seed };
}

struct lt_groups lt_layout_groups(const struct lt_layout *l)
{
	return (struct lt_groups){ .comm = l->comm,
		.dp = l->group[LT_DP],
		.tp = l->group[LT_TP],
		.pp = l->group[LT_PP],
		.sequence = l->sequence };
}

struct lt_written_by lt_layout_describe(
		const struct lt_layout *l, const struct lt_settings *s, const struct lt_backend *b)
{
	static const char *const names[] = { [LT_RECOMPUTE_NONE] = "none",
		[LT_RECOMPUTE_NORMS] = "norms",
		[LT_RECOMPUTE_LAYER] = "layer" };
	struct lt_written_by by = { .dp = l->mesh.size[LT_DP],
		.tp = l->mesh.size[LT_TP],
		.pp = l->mesh.size[LT_PP],
		.zero = l->zero,
		.lanes = l->lanes };

	snprintf(by.equality, sizeof(by.equality), "%s",
			lt_equality_name(lt_backend_equality(b, s->parallel.equality)));
	snprintf(by.recompute, sizeof(by.recompute), "%s", names[s->parallel.recompute]);
	snprintf(by.dtype, sizeof(by.dtype), "%s", lt_dtype_name(b->dtype));
	snprintf(by.memory, sizeof(by.memory), "%s", lt_memory_name(s->train.memory));
	return by;
}

size_t lt_layout_micros(const struct lt_layout *l, size_t n)
{
	size_t dp = l->mesh.size[LT_DP], r = l->at[LT_DP];

	return n > r ? (n - r - 1) / dp + 1 : 0;
}

void lt_layout_note_rounding(const struct lt_written_by *was, const struct lt_written_by *is)
{
	const char *standard = lt_memory_name(LT_MEMORY_STANDARD);
	const char *before = *was->memory ? was->memory : standard;
	const char *dtype = lt_dtype_name(lt_dtype_of(was->dtype));

	if (strcmp(dtype, is->dtype) != 0)
		lu_note("activations round otherwise than before: train.dtype was %s and is %s",
				dtype, is->dtype);
	if (strcmp(before, is->memory) != 0)
		lu_note("gradients and moments round otherwise than before: train.memory was %s "
			"and "
			"is %s",
				before, is->memory);
	if (was->dp && (was->lanes != is->lanes || was->tp != is->tp))
		lu_note("sums round otherwise than before: train.lanes was %" PRIu64 " and is "
			"%" PRIu64 ", parallel.tp was %" PRIu64 " and is %" PRIu64,
				was->lanes, is->lanes, was->tp, is->tp);
}
