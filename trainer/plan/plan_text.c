#include "trainer/plan/plan_text.h"

#include <inttypes.h>
#include <math.h>

#include "libcommon/base/num.h"
#include "libcommon/base/text_table.h"

#define GIB 1073741824.0
#define GB 1e9
#define DAY 86400.0

void lt_plan_duration(double seconds, struct lu_buf *out)
{
	static const struct {
		double size;
		const char *unit;
	} units[] = { { DAY, "days" }, { 3600, "h" }, { 60, "min" }, { 0, "s" } };
	size_t i = 0;

	if (!isfinite(seconds)) {
		lu_buf_putc(out, '-');
		return;
	}
	while (seconds < 2 * units[i].size)
		i++;
	lu_buf_printf(out, "%.1f %s", seconds / (units[i].size > 0 ? units[i].size : 1),
			units[i].unit);
}

/* --- tables ------------------------------------------------------------------------------------ */

static double per_gpu(const struct lt_ranked *row, const struct lt_question *q)
{
	return row->cost.tokens / (double)q->cluster->gpus;
}

/* Time of the step that is computation; the rest is waiting for others. */
static double computing(const struct lt_cost *c)
{
	const double *part = c->busy.part;

	return part[LT_PART_PRODUCTS] + part[LT_PART_ATTENTION] + part[LT_PART_MOVING] +
			part[LT_PART_HEAD];
}

/* "3", or "3*" for the layout of the configuration. */
static void number(struct lu_table *t, const struct lt_question *q, const struct lt_ranked *row,
		size_t i)
{
	struct lt_choice own = lt_choice_of(&q->s, q->cluster->gpus);
	bool same = lt_choice_matches(&own, &row->choice);
	struct lu_buf text = { 0 };

	lu_buf_printf(&text, "%zu%s", i + 1, same ? "*" : "");
	lu_table_str(t, lu_buf_slice(&text));
	lu_buf_release(&text);
}

static int put(struct lu_table *t, struct lu_buf *out, struct lu_err *err)
{
	int rc = lu_table_put(t, out, err);

	lu_table_release(t);
	return rc;
}

static int speed_table(const struct lt_ranking *r, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err)
{
	static const char *const heads[] = { "#", "tp", "seq", "pp", "v", "dp", "zero", "mb",
		"again", "tok/s/GPU", "Mtok/s", "MFU", "causal", "bubble", "GiB", "phase" };
	struct lu_table t = { .head = heads, .columns = 16 };
	struct lu_buf text = { 0 };

	for (size_t i = 0; i < r->row.n; i++) {
		const struct lt_ranked *row = &r->row.p[i];

		number(&t, q, row, i);
		for (int k = 0; k < LT_CHOICE_KEYS; k++) {
			lu_buf_clear(&text);
			lt_choice_value(&row->choice, (enum lt_choice_key)k, &text);
			lu_table_str(&t, lu_buf_slice(&text));
		}
		lu_table_fixed(&t, per_gpu(row, q), 0, "");
		lu_table_fixed(&t, row->cost.tokens / 1e6, 3, "");
		lu_table_fixed(&t, 100 * row->cost.mfu, 1, "%");
		lu_table_fixed(&t, 100 * row->cost.mfu_causal, 1, "%");
		lu_table_fixed(&t, 100 * row->cost.bubble, 1, "%");
		lu_table_fixed(&t, row->memory.all / GIB, 1, "");
		lu_buf_clear(&text);
		lt_plan_duration(row->seconds, &text);
		lu_table_str(&t, lu_buf_slice(&text));
	}
	lu_buf_release(&text);
	return put(&t, out, err);
}

static int memory_table(const struct lt_ranking *r, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err)
{
	static const char *const heads[] = { "#", "weights", "gradients", "AdamW", "activations",
		"work", "in all", "tp", "dp", "pp" };
	struct lu_table t = { .head = heads, .columns = 10 };

	lu_buf_puts(out, "\nmemory of the fullest rank, GiB; sent by a rank in a step, GB\n");
	for (size_t i = 0; i < r->row.n; i++) {
		const struct lt_memory *m = &r->row.p[i].memory;
		const double part[] = { m->weights, m->gradients, m->optimizer, m->activations,
			m->workspace, m->all };
		const double *sent = r->row.p[i].cost.traffic;

		number(&t, q, &r->row.p[i], i);
		for (size_t k = 0; k < sizeof(part) / sizeof(part[0]); k++)
			lu_table_fixed(&t, part[k] / GIB, 2, "");
		lu_table_fixed(&t, sent[LT_TP] / GB, 2, "");
		lu_table_fixed(&t, sent[LT_DP] / GB, 2, "");
		lu_table_fixed(&t, sent[LT_PP] / GB, 2, "");
	}
	return put(&t, out, err);
}

static int time_table(const struct lt_ranking *r, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err)
{
	static const char *const heads[] = { "#", "step", "compute", "again", "tp", "pp", "waits",
		"reduce", "gather", "update", "slowest" };
	struct lu_table t = { .head = heads, .columns = 11 };

	lu_buf_puts(out, "\ntime of a step of the busiest stage, ms\n");
	for (size_t i = 0; i < r->row.n; i++) {
		const struct lt_cost *c = &r->row.p[i].cost;
		const double part[] = { c->step, computing(c), c->busy.part[LT_PART_AGAIN],
			c->busy.part[LT_PART_TP], c->busy.part[LT_PART_PP], c->waiting, c->reduce,
			c->gather, c->update + c->fixed, c->straggler };

		number(&t, q, &r->row.p[i], i);
		for (size_t k = 0; k < sizeof(part) / sizeof(part[0]); k++)
			lu_table_fixed(&t, 1000 * part[k], 1, "");
	}
	return put(&t, out, err);
}

int lt_plan_tables(const struct lt_ranking *r, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err)
{
	if (speed_table(r, q, out, err) < 0 || memory_table(r, q, out, err) < 0)
		return -1;
	return time_table(r, q, out, err);
}

/* --- TSV --------------------------------------------------------------------------------------- */

/* The columns after the layout. */
static const char *const columns[] = { "fits", "tokens_per_s_gpu", "tokens_per_s", "mfu",
	"mfu_causal", "bubble", "phase_s", "memory", "weights", "gradients", "adamw", "activations",
	"work_space", "sent_tp", "sent_dp", "sent_pp", "step_s", "products_s", "attention_s",
	"moving_s", "head_s", "again_s", "tp_s", "pp_s", "waits_s", "reduce_s", "gather_s",
	"update_s", "fixed_s", "slowest_s" };
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

void lt_plan_tsv_heads(struct lu_buf *out)
{
	lu_buf_puts(out, "phase");
	for (int k = 0; k < LT_CHOICE_KEYS; k++)
		lu_buf_printf(out, "\t%s", lt_choice_name((enum lt_choice_key)k));
	for (size_t i = 0; i < COLUMNS; i++)
		lu_buf_printf(out, "\t%s", columns[i]);
	lu_buf_putc(out, '\n');
}

void lt_plan_tsv_row(const char *phase, const struct lt_ranked *row, const struct lt_question *q,
		struct lu_buf *out)
{
	const struct lt_cost *c = &row->cost;
	const struct lt_memory *m = &row->memory;
	const double *part = c->busy.part;
	const double value[] = { row->fits, per_gpu(row, q), c->tokens, c->mfu, c->mfu_causal,
		c->bubble, row->seconds, m->all, m->weights, m->gradients, m->optimizer,
		m->activations, m->workspace, c->traffic[LT_TP], c->traffic[LT_DP],
		c->traffic[LT_PP], c->step, part[LT_PART_PRODUCTS], part[LT_PART_ATTENTION],
		part[LT_PART_MOVING], part[LT_PART_HEAD], part[LT_PART_AGAIN], part[LT_PART_TP],
		part[LT_PART_PP], c->waiting, c->reduce, c->gather, c->update, c->fixed,
		c->straggler };

	_Static_assert(sizeof(value) / sizeof(value[0]) == COLUMNS, "a value for each column");
	lu_buf_puts(out, phase);
	for (int k = 0; k < LT_CHOICE_KEYS; k++) {
		lu_buf_putc(out, '\t');
		lt_choice_value(&row->choice, (enum lt_choice_key)k, out);
	}
	for (size_t i = 0; i < COLUMNS; i++)
		lu_buf_printf(out, "\t%.6g", value[i]);
	lu_buf_putc(out, '\n');
}

/* --- one layout -------------------------------------------------------------------------------- */

static void part_line(struct lu_buf *out, const char *name, double seconds, double step)
{
	lu_buf_printf(out, "  %-26s %10.2f ms %6.1f %%\n", name, 1000 * seconds,
			100 * seconds / step);
}

static void step_lines(const struct lt_ranked *row, struct lu_buf *out)
{
	const struct lt_cost *c = &row->cost;
	const double *part = c->busy.part;

	lu_buf_printf(out, "\na step, on the busiest stage: %" PRIu64 " micro-batch%s\n", c->micros,
			c->micros == 1 ? "" : "es");
	part_line(out, "matrix products", part[LT_PART_PRODUCTS], c->step);
	part_line(out, "attention", part[LT_PART_ATTENTION], c->step);
	part_line(out, "norms and the like", part[LT_PART_MOVING], c->step);
	part_line(out, "head and loss", part[LT_PART_HEAD], c->step);
	part_line(out, "recomputation", part[LT_PART_AGAIN], c->step);
	part_line(out, "tensor-parallel exchange", part[LT_PART_TP], c->step);
	part_line(out, "messages between stages", part[LT_PART_PP], c->step);
	part_line(out, "waiting for other stages", c->waiting, c->step);
	part_line(out, "gradients, exposed", c->reduce, c->step);
	part_line(out, "parameters, exposed", c->gather, c->step);
	part_line(out, "norm and AdamW", c->update, c->step);
	part_line(out, "what no size changes", c->fixed, c->step);
	part_line(out, "the slowest node", c->straggler, c->step);
	part_line(out, "in all", c->step, c->step);
	lu_buf_printf(out, "  reducing gradients takes %.1f ms, gathering parameters %.1f ms\n",
			1000 * c->reduce_time, 1000 * c->gather_time);
	lu_buf_printf(out, "  the stages wait for %.1f %% of the pipeline's time\n",
			100 * c->bubble);
	lu_buf_printf(out, "  sent by a rank: tp %.2f GB, dp %.2f GB, pp %.2f GB\n",
			c->traffic[LT_TP] / GB, c->traffic[LT_DP] / GB, c->traffic[LT_PP] / GB);
}

static int stage_lines(const struct lt_ranked *row, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err)
{
	static const char *const heads[] = { "stage", "weights", "gradients", "AdamW",
		"activations", "work", "in all" };
	struct lu_table t = { .head = heads, .columns = 7 };
	struct lt_settings s = q->s;
	struct lt_scene *sc;
	int rc;

	lt_choice_apply(&row->choice, q->cluster->gpus, &s);
	if (lt_scene_open(&sc, q->cluster, q->k, &s, err) < 0)
		return -1;
	lu_buf_printf(out, "\nmemory of a rank, GiB, of %.1f that there are\n",
			lt_memory_usable(q->cluster, q->k) / GIB);
	rc = 0;
	for (size_t i = 0; i < s.parallel.size[LT_PP] && rc == 0; i++) {
		struct lt_memory m = { 0 };
		rc = lt_scene_stage_memory(sc, &q->schedule, i, &m, err);
		const double part[] = { m.weights, m.gradients, m.optimizer, m.activations,
			m.workspace, m.all };

		lu_table_u64(&t, i);
		for (size_t k = 0; k < sizeof(part) / sizeof(part[0]); k++)
			lu_table_fixed(&t, part[k] / GIB, 2, "");
	}
	lt_scene_close(sc);
	return put(&t, out, err) < 0 ? -1 : rc;
}

/* The speed if the passes hid as much of the data-parallel exchange as their time allows. */
static int hidden_line(const struct lt_ranked *row, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err)
{
	struct lt_constants k = *q->k;
	struct lt_question all = *q;
	struct lt_ranked hidden;

	k.overlap = 1;
	all.k = &k;
	if (lt_rank_one(&hidden, &all, &row->choice, err) < 0)
		return -1;
	lu_buf_printf(out, "                 %.0f a GPU if passes hid all exchange that they can\n",
			per_gpu(&hidden, q));
	return 0;
}

int lt_plan_detail(const struct lt_ranked *row, const struct lt_question *q, struct lu_buf *out,
		struct lu_err *err)
{
	const struct lt_cost *c = &row->cost;

	lu_buf_puts(out, "layout           ");
	lt_choice_print(&row->choice, out);
	lu_buf_printf(out, "\ntokens a second  %.0f a GPU, %.0f in all\n", per_gpu(row, q),
			c->tokens);
	if (hidden_line(row, q, out, err) < 0)
		return -1;
	lu_buf_printf(out, "MFU              %.1f %%; causal attention counted half: %.1f %%\n",
			100 * c->mfu, 100 * c->mfu_causal);
	lu_buf_puts(out, "the phase        ");
	lt_plan_duration(row->seconds, out);
	lu_buf_printf(out, "\nmemory           %s\n", row->fits ? "fits" : "DOES NOT FIT");
	step_lines(row, out);
	return stage_lines(row, q, out, err);
}
