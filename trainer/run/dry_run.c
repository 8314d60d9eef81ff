#include "trainer/run/dry_run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "kernels/lk.h"
#include "libcommon/sys/machine.h"
#include "trainer/model/model.h"
#include "trainer/model/rotary.h"
#include "trainer/model/weights.h"
#include "trainer/parallel/actions.h"
#include "trainer/parallel/actions_chart.h"
#include "trainer/parallel/stages.h"
#include "trainer/run/available.h"
#include "trainer/run/budget.h"
#include "trainer/run/layout.h"
#include "trainer/run/phase_data.h"

static void memory_line(struct lu_buf *out, const char *name, double bytes)
{
	lu_buf_printf(out, "%-24s %12.1f MiB\n", name, bytes / LT_MIB);
}

static int model_lines(const struct lt_settings *s, const struct lt_seat *seat, struct lu_buf *out,
		struct lu_err *err)
{
	struct lt_shape shape;
	struct lt_table t;

	lt_settings_shape(s, &shape);
	if (lt_table_build(&t, &shape, NULL, err) < 0)
		return -1;
	if (seat->absent)
		lu_buf_printf(out, "%-24s %s %s (%s: memory by rule)\n", "backend", "cuda",
				lt_dtype_name(seat->b->dtype), seat->absent);
	else
		lu_buf_printf(out, "%-24s %s\n", "backend", seat->b->ops->name);
	lu_buf_printf(out, "%-24s %zu\n", "parameters", t.all);
	lu_buf_printf(out, "%-24s %" PRIu64 "\n", "in matrix products", lt_matrix_params(&t));
	lu_buf_printf(out, "%-24s %.4g (causal attention counted half: %.4g)\n", "FLOPs a token",
			lt_flops_per_token(&t, s->train.context, false),
			lt_flops_per_token(&t, s->train.context, true));
	memory_line(out, "a checkpoint", (double)t.all * sizeof(lk_real) * LT_VECTORS);
	lt_table_release(&t);
	return 0;
}

/* Memory of the first rank of a stage. */
static int count_stage(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_seat *seat, size_t stage, struct lt_memory *m, struct lu_err *err)
{
	struct lt_layout l;
	size_t rank;
	int rc;

	if (lt_layout_init(&l, s, 0, 0, err) < 0)
		return -1;
	rank = lt_mesh_peer(&l.mesh, LT_PP, 0, stage);
	lt_layout_release(&l);
	if (lt_layout_init(&l, s, rank, 0, err) < 0)
		return -1;
	rc = lt_budget_count(s, schedule, &l, seat, m, err);
	lt_layout_release(&l);
	return rc;
}

/* What the GPU has besides. The copy for a checkpoint is in the host's memory. */
static int device_lines(
		const struct lt_seat *seat, double nccl, struct lu_buf *out, struct lu_err *err)
{
	struct lk_device d;
	struct lk_err kerr;

	if (lk_cuda_describe(seat->device, &d, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	if (nccl > 0)
		memory_line(out, "granted to NCCL", nccl);
	memory_line(out, "free on the GPU", (double)d.free);
	lu_buf_printf(out, "%-24s %s\n", "GPU", d.name);
	return 0;
}

/* A line for each part of a rank, or where there are stages one for each of them. */
static int memory_lines(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_seat *seat, struct lu_buf *out, struct lu_err *err)
{
	uint64_t available = lt_available_memory("");
	bool gpu = seat->b->gpu;
	size_t stages = (size_t)s->parallel.size[LT_PP];
	double program = (double)lu_resident_bytes();
	struct lt_memory m;

	if (stages > 1)
		lu_buf_printf(out, "\nmemory of a rank, MiB\n%5s %9s %9s %9s %9s %9s %9s %9s\n",
				"stage", "weights", "gradients", "AdamW", "activat.", "exchange",
				"saving", "in all");
	for (size_t stage = 0; stage < stages; stage++) {
		if (count_stage(s, schedule, seat, stage, &m, err) < 0)
			return -1;
		if (stages == 1)
			break;
		lu_buf_printf(out, "%5zu %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f\n", stage,
				m.weights / LT_MIB, m.gradients / LT_MIB, m.optimizer / LT_MIB,
				m.activations / LT_MIB, m.exchange / LT_MIB, m.checkpoint / LT_MIB,
				(gpu ? lt_budget_device_bytes(&m, 1) : m.all + program) / LT_MIB);
	}
	lu_buf_printf(out, "\n");
	if (stages == 1) {
		memory_line(out, "weights", m.weights);
		memory_line(out, "gradients", m.gradients);
		memory_line(out, "AdamW", m.optimizer);
		memory_line(out, "activations", m.activations);
		memory_line(out, "exchange of gradients", m.exchange);
		memory_line(out, "saving a checkpoint", m.checkpoint);
		if (!gpu)
			memory_line(out, "program", program);
		memory_line(out, gpu ? "one allocation of a GPU" : "memory in all",
				gpu ? lt_budget_device_bytes(&m, 1) : m.all + program);
	}
	if (gpu && !seat->absent && device_lines(seat, lt_budget_nccl_bytes(s, 0), out, err) < 0)
		return -1;
	if (available != UINT64_MAX && !seat->absent)
		memory_line(out, "memory available", (double)available);
	return 0;
}

/* The schedule of a full batch. */
static int pipeline_lines(const struct lt_settings *s, const struct lt_layout *l,
		struct lu_buf *out, struct lu_err *err)
{
	size_t micros = (size_t)(s->train.global_batch / s->train.micro_batch);
	size_t n = l->mesh.size[LT_PP] * l->v, *layers = calloc(n + 1, sizeof(*layers));
	struct lt_pipeline p;
	struct lt_shape shape;
	int rc;

	if (!layers)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		layers[i] = l->chunk[i].n;
	lt_settings_shape(s, &shape);
	rc = lt_pipeline_make(&p, l->mesh.size[LT_PP], l->v, lt_layout_micros(l, micros), err);
	if (rc == 0) {
		lu_buf_printf(out, "\n");
		rc = lt_pipeline_print(&p, layers,
				lt_head_layers(shape.vocab, shape.heads, shape.kv_heads, shape.dim,
						shape.ffn),
				out, err);
		lt_pipeline_release(&p);
	}
	free(layers);
	return rc;
}

/* What the sums of gradients of a step cost on GPUs, at the level of equality. */
static void equality_lines(const struct lt_settings *s, const struct lt_layout *l,
		const struct lt_seat *seat, struct lu_buf *out)
{
	enum lt_equality level = lt_backend_equality(seat->b, s->parallel.equality);
	size_t dp = l->mesh.size[LT_DP];
	bool halves = (dp & (dp - 1)) == 0;
	static const char *const says[] = {
		[LT_EQUAL_LAYOUT] = "the same bits in every layout without tensor parallelism",
		[LT_EQUAL_RUN] = "the same bits from run to run",
		[LT_EQUAL_FAST] = "bits may differ from run to run",
	};

	lu_buf_printf(out, "%-24s %s: %s\n", "equality", lt_equality_name(level), says[level]);
	if (!seat->b->gpu || dp == 1)
		return;
	if (level == LT_EQUAL_LAYOUT)
		lu_buf_printf(out, "%-24s %s\n", "sums of gradients",
				halves ? "by halves, as many bytes as a ring sends"
				       : "all versions to each owner: dp is no power of two, and "
					 "every byte leaves the host");
	else
		lu_buf_printf(out, "%-24s %s\n", "sums of gradients",
				level == LT_EQUAL_RUN ? "NCCL's ring, protocol Simple, no NVLS"
						      : "as NCCL finds best");
}

static int layout_lines(const struct lt_settings *s, const struct lt_seat *seat, struct lu_buf *out,
		struct lu_err *err)
{
	struct lt_layout l;
	int rc = 0;

	if (lt_layout_init(&l, s, 0, 0, err) < 0)
		return -1;
	if (l.mesh.ranks > 1) {
		lu_buf_printf(out, "\n");
		rc = lt_mesh_print(&l.mesh, out, err);
		equality_lines(s, &l, seat, out);
	}
	if (rc == 0 && l.mesh.size[LT_PP] > 1)
		rc = pipeline_lines(s, &l, out, err);
	lt_layout_release(&l);
	return rc;
}

static void schedule_lines(const struct lt_schedule *s, uint64_t context, struct lu_buf *out)
{
	static const char *const names[] = { [LT_CONSTANT] = "constant",
		[LT_LINEAR] = "linear",
		[LT_COSINE] = "cosine",
		[LT_WSD] = "wsd" };
	static const char *const types[] = { [LT_DECAY_LINEAR] = "linear",
		[LT_DECAY_COSINE] = "cosine",
		[LT_DECAY_SQRT] = "1-sqrt" };
	uint64_t steps = lt_schedule_steps(s), samples = lt_schedule_samples(s, steps);
	uint64_t first = lt_schedule_samples(s, 1), peak,
		 step = lt_schedule_reach(s, s->warmup, &peak);

	lu_buf_printf(out, "%-24s %" PRIu64 "\n", "steps", steps);
	lu_buf_printf(out, "%-24s %" PRIu64 " of %" PRIu64 " tokens", "samples", samples, context);
	if (samples < s->samples)
		lu_buf_printf(out, ", %" PRIu64 " left over", s->samples - samples);
	lu_buf_putc(out, '\n');
	if (s->ramp_step) {
		uint64_t at, before = lt_schedule_reach(s, s->ramp_samples, &at);

		lu_buf_printf(out,
				"%-24s %" PRIu64 " to %" PRIu64 " samples by %" PRIu64
				", full from step %" PRIu64 "\n",
				"batch", s->ramp_start, s->batch, s->ramp_step, before + 1);
	} else {
		lu_buf_printf(out, "%-24s %" PRIu64 " samples\n", "batch", s->batch);
	}
	lu_buf_printf(out, "%-24s %s", "schedule", names[s->decay]);
	if (s->warmup)
		lu_buf_printf(out, ", warm-up over %" PRIu64 " samples", s->warmup);
	if (s->decay == LT_WSD)
		lu_buf_printf(out, ", %s decay over the last %" PRIu64, types[s->decay_type],
				s->cooldown);
	if (peak < first || peak > samples) {
		peak = peak < first ? first : samples;
		step = peak == first ? 1 : steps;
	}
	lu_buf_printf(out,
			"\n%-24s %.6g in the first step, %.6g at most (step %" PRIu64
			"), %.6g in the last\n",
			"learning rate", lt_schedule_lr(s, first), lt_schedule_lr(s, peak),
			step ? step : 1, lt_schedule_lr(s, samples));
}

/* Tokens and data. Rows of documents are padded, so that their tokens are known with the data only. */
static void data_lines(const struct lt_phase_data *d, struct lu_buf *out)
{
	uint64_t samples = lt_schedule_samples(&d->schedule, lt_schedule_steps(&d->schedule));
	uint64_t places = samples * d->s.train.context;

	if (d->s.data.rows == LU_ROWS_STREAM)
		lu_buf_printf(out, "%-24s %" PRIu64 "\n", "tokens", places);
	else if (d->corpus)
		lu_buf_printf(out, "%-24s about %.6g in %" PRIu64 " places\n", "tokens",
				lt_phase_data_total(d), places);
	else
		lu_buf_printf(out, "%-24s %" PRIu64 " with padding\n", "tokens", places);
	if (d->corpus)
		lt_phase_data_print(d, out);
	else
		lu_buf_printf(out, "%-24s not opened: %s\n", "data", d->s.data.train);
}

/* The rotary positions, and what AdamW starts from. */
static void state_lines(const struct lt_settings *s, size_t phase, struct lu_buf *out)
{
	struct lt_shape shape;

	lt_settings_shape(s, &shape);
	lu_buf_printf(out, "%-24s theta %.6g", "positions", shape.rope_theta);
	if (shape.rope_scaling != LT_ROPE_NONE)
		lu_buf_printf(out, ", %s by %.6g", lt_rope_name(shape.rope_scaling),
				shape.rope_factor);
	if (phase > 0)
		lu_buf_printf(out, "\n%-24s %s", "optimizer",
				s->train.reset_optimizer ? "starts anew" : "kept");
	lu_buf_putc(out, '\n');
}

/* What a step minimises, and what of the data counts, where it is not all of the next tokens. */
static void objective_lines(const struct lt_settings *s, size_t phase, struct lu_buf *out)
{
	if (phase == 0 && *s->train.init)
		lu_buf_printf(out, "%-24s %s\n", "begins with", s->train.init);
	if (s->train.objective == LT_DPO)
		lu_buf_printf(out, "%-24s dpo, beta %.6g%s\n", "objective", s->train.beta,
				s->train.length_normalized ? ", by length" : "");
	if (*s->train.teacher)
		lu_buf_printf(out, "%-24s %s, %.6g of the loss\n", "teacher", s->train.teacher,
				s->train.teacher_weight);
	if (s->data.goldfish)
		lu_buf_printf(out, "%-24s one label of %" PRIu64 " left out\n", "goldfish",
				s->data.goldfish);
	if (s->train.spike > 0)
		lu_buf_printf(out, "%-24s above %.6g times the median norm\n", "updates left out",
				s->train.spike);
}

/* How to start so many ranks. */
static void start_lines(size_t n, struct lu_buf *out)
{
	if (n > 1)
		lu_buf_printf(out,
				"\nto start %zu ranks: mpirun -np %zu lucie-train ...\n"
				"within a Slurm job:  srun -n %zu lucie-train ...\n"
				"as a Slurm job:      sbatch -n %zu $(lucie rules)/train.sbatch "
				"CONFIG RUN\n",
				n, n, n, n);
}

/* The data of a phase, or without them what the settings alone say. */
static int open_phase(struct lt_phase_data *d, const struct lt_config *c, size_t i,
		const char *tokenizer, bool no_data, struct lu_err *err)
{
	if (!no_data)
		return lt_phase_data_open(d, c, i, tokenizer, false, err);
	*d = (struct lt_phase_data){ 0 };
	if (lt_config_phase(c, i, &d->s, err) < 0)
		return -1;
	if (d->s.train.epochs > 0)
		return lu_err_set(err,
				"phase %s: without the data the length of train.epochs is not "
				"known: leave out --no-data, or set train.samples",
				c->phase.p[i].name);
	if (lt_settings_schedule(&d->s, 0, &d->schedule, err) < 0 ||
			lt_schedule_check(&d->schedule, err) < 0)
		return c->phase.n > 1 ? lu_err_wrap(err, "phase %s", c->phase.p[i].name) : -1;
	return 0;
}

/* What all phases add up to. */
struct sum {
	uint64_t steps, tokens;
	size_t ranks; /* of the phase before; the number may change */
};

static int describe_phase(const struct lt_config *c, size_t i, const struct lt_phase_data *d,
		const struct lt_seat *seat, struct sum *sum, struct lu_buf *out, struct lu_err *err)
{
	uint64_t steps = lt_schedule_steps(&d->schedule);
	bool multiple;
	size_t ranks;

	if (i == 0 && model_lines(&d->s, seat, out, err) < 0)
		return -1;
	lu_buf_printf(out, "\nphase %s\n", c->phase.p[i].name);
	schedule_lines(&d->schedule, d->s.train.context, out);
	state_lines(&d->s, i, out);
	objective_lines(&d->s, i, out);
	data_lines(d, out);
	if (layout_lines(&d->s, seat, out, err) < 0 ||
			memory_lines(&d->s, &d->schedule, seat, out, err) < 0)
		return -1;
	sum->steps += steps;
	sum->tokens += lt_schedule_samples(&d->schedule, steps) * d->s.train.context;
	(void)lt_layout_fits(&d->s, 0, &ranks, &multiple);
	if (i > 0 && ranks != sum->ranks)
		lu_buf_printf(out,
				"\nthe run stops before phase %s, to be started with %zu ranks\n",
				c->phase.p[i].name, ranks);
	if (i == 0 || ranks != sum->ranks)
		start_lines(ranks, out);
	sum->ranks = ranks;
	return 0;
}

int lt_dry_run(const struct lt_config *c, const char *tokenizer, bool no_data, struct lu_buf *out,
		struct lu_err *err)
{
	const struct lt_settings *s = &c->base;
	struct sum sum = { 0 };
	struct lt_backend b;
	struct lt_seat seat = { .b = &b };
	struct lu_err missing;

	if (lt_backend_choose(&b, s->train.device, s->train.dtype, &missing) < 0) {
		b = (struct lt_backend){ .gpu = true,
			.dtype = s->train.dtype == LT_FP32 ? LT_FP32 : LT_BF16 };
		seat.absent = "not here";
	}
	if (lt_backend_check(&b, s, err) < 0)
		return -1;
	for (size_t i = 0; i < c->phase.n; i++) {
		struct lt_phase_data d;
		int rc = open_phase(&d, c, i, tokenizer, no_data, err);

		if (rc == 0)
			rc = describe_phase(c, i, &d, &seat, &sum, out, err);
		lt_phase_data_close(&d);
		if (rc < 0)
			return -1;
	}
	if (c->phase.n > 1)
		lu_buf_printf(out, "\nall phases\n%-24s %" PRIu64 "\n%-24s %" PRIu64 "\n", "steps",
				sum.steps, "tokens", sum.tokens);
	return lu_buf_check(out, err);
}
