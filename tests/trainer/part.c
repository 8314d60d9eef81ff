#include "tests/trainer/part.h"

#include "libcommon/base/rng.h"
#include "trainer/model/tensorfile.h"
#include "trainer/model/weights_place.h"

#define CHUNKS 16

const char *part_name(const struct part_layout *l, char buf[64])
{
	snprintf(buf, 64, "tp %zu dp %zu pp %zu x %zu%s seed %d", l->tp, l->dp, l->pp, l->chunks,
			l->zero ? " zero" : "", (int)l->seed);
	return buf;
}

/* Tensors of several chunks of the norm, which do not end on borders of chunks; elements in all that
 * neither 3 nor 4 ranks share evenly. */
struct lt_shape part_shape(void)
{
	return (struct lt_shape){ .vocab = 104,
		.hidden = 50,
		.layers = PART_LAYERS,
		.heads = 8,
		.kv_heads = 4,
		.dim = 6,
		.ffn = 100,
		.rope_theta = 1000,
		.norm_eps = 1e-5,
		.init_std = 0.3 };
}

/* Cut the layers into n chunks at places drawn from the seed. */
static void cut_layers(const struct part_layout *l, struct lt_chunk *all, size_t n)
{
	size_t first = 0;

	for (size_t i = 0; i < n; i++) {
		size_t most = PART_LAYERS - first - (n - 1 - i);
		size_t size = i == n - 1 ? most : 1 + lu_rand_below(l->seed, 0, i, most);

		all[i] = (struct lt_chunk){ first, size };
		first += size;
	}
}

void part_open(struct part *p, size_t rank, const struct part_layout *l)
{
	struct lt_chunk all[CHUNKS], mine[CHUNKS];
	size_t stage = rank / (l->tp * l->dp), n = l->pp * l->chunks;
	struct lt_place place = { rank % l->tp, l->tp, mine, 0 };
	struct lt_holding holding = {
		.lanes = 1, .dp_rank = rank / l->tp % l->dp, .dp_size = l->dp, .zero = l->zero
	};
	struct lt_shape shape = part_shape();
	struct lk_err kerr;
	struct lu_err err;

	must(n <= CHUNKS && n <= PART_LAYERS);
	cut_layers(l, all, n);
	for (size_t i = stage; i < n; i += l->pp)
		mine[place.chunks++] = all[i];
	p->ops = lk_cpu_ops(LK_REAL);
	must(p->ops->open(&p->q, 0, &kerr) == 0);
	must(lt_weights_open(&p->w, p->ops, p->q, &shape, &place, &holding, &err) == 0);
}

void part_close(struct part *p)
{
	lt_weights_close(p->w);
	p->ops->close(p->q);
}

static lk_real value(uint64_t number, enum lt_vector v, size_t param, size_t element)
{
	uint64_t x = lu_rand_u64(number, (uint64_t)v * 1000 + param, element);

	return (lk_real)((double)(x >> 44) / 1024 - 512);
}

/* Set the elements that the rank has of a vector, or return false at the first that is not as set. */
static bool walk(struct part *p, enum lt_vector v, uint64_t number, bool set)
{
	const struct lt_table *t = &p->w->table;

	for (size_t i = 0; i < t->n; i++) {
		const struct lt_param *param = &t->param[i];
		size_t at = 0, end = param->offset == LT_ELSEWHERE ? 0 : param->local_count;

		if (v != LT_VECTOR_P)
			lt_tensors_owned(p->w, i, &at, &end);
		for (; at < end; at++) {
			lk_real *x = lt_weights_at(p->w, v, param->offset + at);
			size_t element;

			(void)lt_param_run(t, param, at, &element);
			if (set)
				*x = value(number, v, i, element);
			else if (*x != value(number, v, i, element))
				return false;
		}
	}
	return true;
}

void part_fill(struct part *p, uint64_t number)
{
	for (int v = 0; v < LT_VECTORS; v++)
		walk(p, (enum lt_vector)v, number, true);
}

bool part_is(struct part *p, uint64_t number)
{
	for (int v = 0; v < LT_VECTORS; v++) {
		if (!walk(p, (enum lt_vector)v, number, false))
			return false;
	}
	return true;
}
