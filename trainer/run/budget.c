#include "trainer/run/budget.h"

#include <inttypes.h>

#include "kernels/lk.h"
#include "trainer/data/corpus.h"
#include "trainer/model/model.h"
#include "trainer/model/weights.h"

static void memory_line(struct lu_buf *out, const char *name, uint64_t bytes)
{
	lu_buf_printf(out, "%-24s %12.1f MiB\n", name, (double)bytes / 1048576);
}

static int model_lines(const struct lt_settings *s, struct lu_buf *out, struct lu_err *err)
{
	const struct lk_ops *ops = lk_cpu_ops();
	struct lt_shape shape;
	struct lt_table t;
	uint64_t weights, acts;

	lt_settings_shape(s, &shape);
	if (lt_table_build(&t, &shape, err) < 0)
		return -1;
	weights = lt_weights_bytes(&t, ops, s->train.lanes);
	acts = lt_model_bytes(&shape, ops, s->train.micro_batch, s->train.context, LT_MODEL_TRAIN,
			s->parallel.recompute == LT_RECOMPUTE_LAYER);
	lu_buf_printf(out, "%-24s %s\n", "backend", ops->name);
	lu_buf_printf(out, "%-24s %zu\n", "parameters", t.total);
	lu_buf_printf(out, "%-24s %" PRIu64 "\n", "in matrix products", lt_matrix_params(&t));
	lu_buf_printf(out, "%-24s %.4g (causal attention counted half: %.4g)\n", "FLOPs a token",
			lt_flops_per_token(&t, s->train.context, false),
			lt_flops_per_token(&t, s->train.context, true));
	memory_line(out, "weights, gradients, Adam", weights);
	memory_line(out, "activations", acts);
	memory_line(out, "a checkpoint", (uint64_t)t.total * sizeof(lk_real) * LT_VECTORS);
	lt_table_release(&t);
	return 0;
}

static int phase_lines(const struct lt_settings *s, const char *name, struct lu_buf *out,
		struct lu_err *err)
{
	struct lt_schedule schedule;
	struct lt_corpus *c;
	uint64_t samples;
	int rc;

	if (lt_corpus_open(&c, s->data.train, s->train.context, s->train.seed, s->data.shuffle,
			    err) < 0)
		return -1;
	samples = lt_corpus_samples(c);
	rc = lt_settings_schedule(s, samples, &schedule, err);
	if (rc == 0) {
		lu_buf_printf(out, "\nphase %s\n", name);
		lu_buf_printf(out, "%-24s %" PRIu64 "\n", "steps", lt_schedule_steps(&schedule));
		lu_buf_printf(out, "%-24s %" PRIu64 " of %" PRIu64 " tokens\n", "samples",
				schedule.samples, s->train.context);
		lu_buf_printf(out, "%-24s %.6g\n", "tokens",
				(double)schedule.samples * (double)s->train.context);
	}
	for (size_t i = 0; rc == 0 && i < lt_corpus_parts(c); i++) {
		struct lu_stream_part part = lt_corpus_part(c, i);

		lu_buf_printf(out, "%-24s %" PRIu64 " tokens, %.3f epochs: %s\n", "data",
				part.tokens,
				samples ? (double)schedule.samples / (double)samples : 0.0,
				part.name);
	}
	lt_corpus_close(c);
	return rc;
}

int lt_budget(const struct lt_config *c, struct lu_buf *out, struct lu_err *err)
{
	struct lt_settings s;

	for (size_t i = 0; i < c->phase.n; i++) {
		if (lt_config_phase(c, i, &s, err) < 0 ||
				(i == 0 && model_lines(&s, out, err) < 0) ||
				phase_lines(&s, c->phase.p[i].name, out, err) < 0)
			return -1;
	}
	return lu_buf_check(out, err);
}
