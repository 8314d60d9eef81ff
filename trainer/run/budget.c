#include "trainer/run/budget.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernels/lk.h"
#include "trainer/model/model.h"
#include "trainer/model/weights.h"
#include "trainer/run/available.h"
#include "trainer/run/phase_data.h"

#define MIB 1048576.0
#define GIB (1024 * MIB)

/* Memory by part. In double, since a wrong size may be beyond 64 bits. */
struct memory {
	double weights, packed, gradients, optimizer, activations, all;
};

static void count_memory(const struct lt_settings *s, const struct lt_table *t,
		const struct lk_ops *ops, struct memory *m)
{
	double vector = (double)t->total * sizeof(lk_real);

	*m = (struct memory){
		.weights = (double)lt_weights_bytes(t, ops, 0),
		.packed = (double)lt_matrix_params(t) * (double)ops->act_size,
		.gradients = (double)s->train.lanes * vector,
		.optimizer = 2 * vector,
		.activations = (double)lt_model_bytes(&t->shape, ops, s->train.micro_batch,
				s->train.context, LT_MODEL_TRAIN,
				s->parallel.recompute == LT_RECOMPUTE_LAYER),
	};
	m->all = m->weights + m->packed + m->gradients + m->optimizer + m->activations;
}

/* --- the check of a start --------------------------------------------------------------------- */

static int check_phase(const struct lt_settings *s, uint64_t available, struct lu_err *err)
{
	struct lt_shape shape;
	struct lt_table t;
	struct memory m;
	double unit;

	lt_settings_shape(s, &shape);
	if (lt_table_build(&t, &shape, err) < 0)
		return -1;
	count_memory(s, &t, lk_cpu_ops(), &m);
	lt_table_release(&t);
	if (m.all <= (double)available)
		return 0;
	unit = m.all < 10 * GIB ? MIB : GIB;
	return lu_err_set(err,
			"the run needs %.1f %s of memory, %.1f are available: weights %.1f, packed "
			"for products %.1f, gradients %.1f, AdamW %.1f, activations %.1f; lower "
			"the "
			"sizes in [model] or train.micro_batch, set parallel.recompute = layer, or "
			"give --overcommit",
			m.all / unit, unit < GIB ? "MiB" : "GiB", (double)available / unit,
			m.weights / unit, m.packed / unit, m.gradients / unit, m.optimizer / unit,
			m.activations / unit);
}

int lt_budget_check_memory(const struct lt_config *c, struct lu_err *err)
{
	uint64_t available = lt_available_memory("");
	struct lt_settings s;

	for (size_t i = 0; i < c->phase.n; i++) {
		if (lt_config_phase(c, i, &s, err) < 0)
			return -1;
		if (check_phase(&s, available, err) < 0)
			return c->phase.n > 1 ? lu_err_wrap(err, "phase %s", c->phase.p[i].name)
					      : -1;
	}
	return 0;
}

/* --- the text --------------------------------------------------------------------------------- */

static void memory_line(struct lu_buf *out, const char *name, double bytes)
{
	lu_buf_printf(out, "%-24s %12.1f MiB\n", name, bytes / MIB);
}

static int model_lines(const struct lt_settings *s, struct lu_buf *out, struct lu_err *err)
{
	const struct lk_ops *ops = lk_cpu_ops();
	uint64_t available = lt_available_memory("");
	struct lt_shape shape;
	struct lt_table t;
	struct memory m;

	lt_settings_shape(s, &shape);
	if (lt_table_build(&t, &shape, err) < 0)
		return -1;
	count_memory(s, &t, ops, &m);
	lu_buf_printf(out, "%-24s %s\n", "backend", ops->name);
	lu_buf_printf(out, "%-24s %zu\n", "parameters", t.total);
	lu_buf_printf(out, "%-24s %" PRIu64 "\n", "in matrix products", lt_matrix_params(&t));
	lu_buf_printf(out, "%-24s %.4g (causal attention counted half: %.4g)\n", "FLOPs a token",
			lt_flops_per_token(&t, s->train.context, false),
			lt_flops_per_token(&t, s->train.context, true));
	memory_line(out, "weights", m.weights);
	memory_line(out, "packed for products", m.packed);
	memory_line(out, "gradients", m.gradients);
	memory_line(out, "AdamW", m.optimizer);
	memory_line(out, "activations", m.activations);
	memory_line(out, "memory in all", m.all);
	if (available != UINT64_MAX)
		memory_line(out, "memory available", (double)available);
	memory_line(out, "a checkpoint", (double)t.total * sizeof(lk_real) * LT_VECTORS);
	lt_table_release(&t);
	return 0;
}

static void phase_lines(const struct lt_phase_data *d, const char *name, struct lu_buf *out)
{
	uint64_t samples = lt_corpus_samples(d->corpus);

	lu_buf_printf(out, "\nphase %s\n", name);
	lu_buf_printf(out, "%-24s %" PRIu64 "\n", "steps", lt_schedule_steps(&d->schedule));
	lu_buf_printf(out, "%-24s %" PRIu64 " of %" PRIu64 " tokens\n", "samples",
			d->schedule.samples, d->s.train.context);
	lu_buf_printf(out, "%-24s %.6g\n", "tokens",
			(double)d->schedule.samples * (double)d->s.train.context);
	for (size_t i = 0; i < lt_corpus_parts(d->corpus); i++) {
		struct lu_stream_part part = lt_corpus_part(d->corpus, i);

		lu_buf_printf(out, "%-24s %" PRIu64 " tokens, %.3f epochs: %s\n", "data",
				part.tokens, (double)d->schedule.samples / (double)samples,
				part.name);
	}
}

int lt_budget(const struct lt_config *c, const char *tokenizer, struct lu_buf *out,
		struct lu_err *err)
{
	for (size_t i = 0; i < c->phase.n; i++) {
		struct lt_phase_data d;
		int rc = lt_phase_data_open(&d, c, i, tokenizer, err);

		if (rc == 0 && i == 0)
			rc = model_lines(&d.s, out, err);
		if (rc == 0)
			phase_lines(&d, c->phase.p[i].name, out);
		lt_phase_data_close(&d);
		if (rc < 0)
			return -1;
	}
	return lu_buf_check(out, err);
}
