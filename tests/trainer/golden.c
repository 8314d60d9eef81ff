#include "tests/trainer/golden.h"

#include <math.h>

#include "trainer/model/tensor_import.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/hugging_face.h"

static const bool in_double = sizeof(lk_real) == sizeof(double);

/* The values of a tensor; malloc'd. */
void *golden_values(const struct golden *g, const char *name, enum lu_st_type type, size_t *n)
{
	const struct lu_st_tensor *t = lu_st_find(&g->st, name);
	struct lu_err err;
	void *p;

	if (!t || t->type != type)
		fail_msg("%s: no %s of type %s", g->st.path, name, lu_st_type_name(type));
	*n = (size_t)lu_st_count(t);
	p = malloc(lu_st_bytes(t) + 1);
	assert_non_null(p);
	ok(lu_st_read(&g->st, t, 0, p, lu_st_bytes(t), &err), &err);
	return p;
}

uint32_t *golden_small(const struct golden *g, const char *name)
{
	size_t n;
	unsigned char *b = golden_values(g, name, LU_ST_U8, &n);
	uint32_t *u = calloc(n, sizeof(*u));

	assert_non_null(u);
	for (size_t i = 0; i < n; i++)
		u[i] = b[i];
	free(b);
	return u;
}

size_t golden_count(const struct golden *g, const char *name)
{
	size_t n;
	int32_t *p = golden_values(g, name, LU_ST_I32, &n), v = p[0];

	free(p);
	assert_int_equal(n, 1);
	assert_true(v > 0);
	return (size_t)v;
}

static void open_weights(struct golden *g, const char *dir)
{
	struct lt_holding holding = { .lanes = 1, .dp_size = 1 };
	struct lu_arena arena = { 0 };
	struct lt_hf_ids marks;
	struct lt_shape shape;
	struct lk_err kerr;
	struct lu_err err;
	struct lt_hf_about about;
	char *path = path_in(dir, "config.json");

	ok(lt_hf_read_config(path, &shape, &about, &marks, &arena, &err), &err);
	g->ops = lk_cpu_ops(tiny_act);
	assert_int_equal(g->ops->open(&g->q, 0, &kerr), 0);
	ok(lt_weights_open(&g->w, g->ops, g->q, &shape, NULL, &holding, &err), &err);
	ok(lt_tensors_import(g->w, dir, NULL, &err), &err);
	lu_arena_release(&arena);
	free(path);
}

void golden_open(struct golden *g, const char *model, const char *name)
{
	const char *src = getenv("LUCIE_SRC");
	const struct lu_st_tensor *t;
	struct lu_err err;
	char *dir, *path;
	float *weight;
	size_t n;

	memset(g, 0, sizeof(*g));
	assert_true(asprintf(&dir, "%s/tests/data/llama/%s", src ? src : ".", model) > 0);
	path = path_in(dir, name);
	open_weights(g, dir);
	ok(lu_st_open(&g->st, path, &err), &err);
	t = lu_st_find(&g->st, "ids");
	assert_non_null(t);
	assert_int_equal(t->dims, 3);
	g->sequences = (size_t)t->dim[1];
	g->context = (size_t)t->dim[2];
	g->ids = golden_small(g, "ids");
	if (lu_st_find(&g->st, "places"))
		g->places = golden_small(g, "places");
	if (lu_st_find(&g->st, "labels")) {
		g->labels = golden_small(g, "labels");
		g->micros = golden_count(g, "micro");
		weight = golden_values(g, "weight", LU_ST_F32, &n);
		g->weight = calloc(n, sizeof(*g->weight));
		assert_non_null(g->weight);
		for (size_t i = 0; i < n; i++)
			g->weight[i] = weight[i];
		free(weight);
	}
	free(path);
	free(dir);
}

void golden_close(struct golden *g)
{
	lu_st_close(&g->st);
	lt_weights_close(g->w);
	g->ops->close(g->q);
	free(g->ids);
	free(g->labels);
	free(g->places);
	free(g->weight);
}

struct lt_batch golden_batch(const struct golden *g, size_t i)
{
	size_t at = i * g->sequences * g->context;

	return (struct lt_batch){ .ids = g->ids + at,
		.labels = g->labels + at,
		.weight = g->weight + at,
		.places = g->places ? g->places + at : NULL };
}

struct lt_model *golden_model(struct golden *g, enum lt_model_mode mode)
{
	struct lt_model_plan plan = { .batch = mode == LT_MODEL_DECODE ? 1 : g->sequences,
		.context = g->context,
		.mode = mode };
	struct lt_model *m;
	struct lu_err err;

	ok(lt_model_open(&m, g->w, &plan, &err), &err);
	return m;
}

/* The limit of this build and type of activations. */
double golden_limit(double in64, double in32, double bf16)
{
	return tiny_is_bf16() ? bf16 : in_double ? in64 : in32;
}

void golden_within(const char *what, double off, double most)
{
	print_message("# %s: %.2g, at most %.2g\n", what, off, most);
	/* Also true for a NaN. */
	if (!(off <= most))
		fail_msg("%s: %g is more than %g", what, off, most);
}

/* Relative L2 distance of a tensor's gradient, divided by `tokens`, over the elements in the file. */
double golden_gradient_off(struct golden *g, const struct lt_param *p, size_t stride, double tokens)
{
	lk_real *got = malloc(p->count * sizeof(*got));
	double square = 0, all = 0;
	char *name;
	float *want;
	size_t n;

	assert_non_null(got);
	assert_true(asprintf(&name, "grad.%s", p->name) > 0);
	want = golden_values(g, name, LU_ST_F32, &n);
	assert_int_equal(n, (p->count + stride - 1) / stride);
	g->ops->copy(g->q, got, g->w->grad + p->offset, p->count * sizeof(*got), LK_D2H);
	assert_int_equal(g->ops->sync(g->q), 0);
	for (size_t i = 0; i < n; i++) {
		double w = (double)want[i], d = (double)got[i * stride] / tokens - w;

		square += d * d;
		all += w * w;
	}
	assert_true(all > 0);
	free(want);
	free(name);
	free(got);
	return sqrt(square / all);
}
