/* lucie-plan: predicts memory, traffic and speed of the layouts of a training run on GPUs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/tool.h"
#include "trainer/plan/plan_text.h"
#include "trainer/run/config.h"
#include "trainer/run/start.h"

struct options {
	struct lu_std std;
	const char *config, *cluster, *constants, *phase, *only, *layout;
	struct lu_list set;
	uint64_t gpus, rows;
	bool gpus_given, tsv;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR('c', "config", struct options, config, "FILE", "configuration, lucie-config(5)"),
	LU_OPT_LIST(0, "set", struct options, set, "S.KEY=V", "set one key, after the file"),
	LU_OPT_STR(0, "cluster", struct options, cluster, "NAME|FILE", "the cluster"),
	LU_OPT_U64_GIVEN(0, "gpus", struct options, gpus, gpus_given, "N",
			"GPUs of the run (the cluster's)"),
	LU_OPT_STR(0, "constants", struct options, constants, "FILE",
			"rates and shares (those installed)"),
	LU_OPT_STR(0, "phase", struct options, phase, "NAME", "this phase alone"),
	LU_OPT_STR(0, "only", struct options, only, "KEY=V,...", "layouts with these values alone"),
	LU_OPT_STR(0, "layout", struct options, layout, "KEY=V,...",
			"one layout in detail, the rest as configured"),
	LU_OPT_U64('n', "rows", struct options, rows, "N", "at most N layouts, 0: all"),
	LU_OPT_FLAG(0, "tsv", struct options, tsv, "lines of tab-separated values"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-plan",
	"predicts memory, traffic and speed of the layouts of a training run", "", opts, 0,
	offsetof(struct options, std) };

struct run {
	const struct options *o;
	struct lt_config config;
	struct lt_cluster cluster;
	struct lt_constants k;
	struct lt_choice only, layout;
	struct lu_buf out;
	double seconds; /* of the best layouts of all phases */
};

static int print_heads(struct run *r, struct lu_err *err)
{
	struct lt_settings s;
	struct lt_shape shape;
	struct lt_table t;

	if (r->o->tsv) {
		lt_plan_tsv_heads(&r->out);
		return 0;
	}
	if (lt_config_phase(&r->config, 0, &s, err) < 0)
		return -1;
	lt_settings_shape(&s, &shape);
	if (lt_table_build(&t, &shape, NULL, err) < 0)
		return -1;
	lu_buf_printf(&r->out, "model    %zu parameters, %" PRIu64 " in matrix products\n", t.all,
			lt_matrix_params(&t));
	lu_buf_puts(&r->out, "cluster  ");
	lt_cluster_print(&r->cluster, &r->out);
	lt_table_release(&t);
	return 0;
}

static void print_phase(struct run *r, const char *name, const struct lt_question *q)
{
	const struct lt_settings *s = &q->s;

	lu_buf_printf(&r->out, "\nphase %s: %" PRIu64 " x %" PRIu64 " tokens a step", name,
			s->train.global_batch, s->train.context);
	if (s->train.epochs > 0)
		lu_buf_printf(&r->out, ", %g epochs of data that are not read here\n",
				s->train.epochs);
	else
		lu_buf_printf(&r->out, ", %.4g tokens\n",
				(double)q->schedule.samples * (double)s->train.context);
}

static int one_layout(
		struct run *r, const char *name, const struct lt_question *q, struct lu_err *err)
{
	struct lt_ranked row;

	if (lt_rank_one(&row, q, &r->layout, err) < 0)
		return lu_err_wrap(err, "--layout %s", r->o->layout);
	r->seconds += row.seconds;
	if (!r->o->tsv)
		return lt_plan_detail(&row, q, &r->out, err);
	lt_plan_tsv_row(name, &row, q, &r->out);
	return 0;
}

/* The configuration's own layout, where it is possible, for comparison. */
static void print_own(struct run *r, const struct lt_question *q)
{
	struct lt_choice nothing = { 0 };
	struct lt_ranked row;
	struct lu_err err;

	if (lt_rank_one(&row, q, &nothing, &err) < 0) {
		lu_buf_printf(&r->out, "as configured: %s\n", err.msg);
		return;
	}
	lu_buf_puts(&r->out, "as configured: ");
	lt_choice_print(&row.choice, &r->out);
	lu_buf_printf(&r->out, "\n  %.0f tokens/s a GPU, MFU %.1f %%, %.1f GiB%s\n",
			row.cost.tokens / (double)q->cluster->gpus, 100 * row.cost.mfu,
			row.memory.all / 1073741824, row.fits ? "" : ", which does not fit");
}

static int all_layouts(struct run *r, const char *name, struct lt_question *q, struct lu_err *err)
{
	struct lt_ranking ranking;
	int rc = 0;

	if (lt_ranking_make(&ranking, q, r->o->rows ? (size_t)r->o->rows : SIZE_MAX, err) < 0)
		return -1;
	if (ranking.tried == 0)
		rc = lu_err_set(err, "no layout is possible on %" PRIu64 " GPUs%s%s",
				q->cluster->gpus, r->o->only ? " with --only " : "",
				r->o->only ? r->o->only : "");
	else if (ranking.row.n == 0)
		rc = lu_err_set(err,
				"none of the %zu layouts that are possible fits into %" PRIu64
				" GPUs of %.1f GiB; give more with --gpus",
				ranking.tried, q->cluster->gpus,
				(double)q->cluster->memory / 1073741824);
	else
		r->seconds += ranking.row.p[0].seconds;
	for (size_t i = 0; r->o->tsv && i < ranking.row.n; i++)
		lt_plan_tsv_row(name, &ranking.row.p[i], q, &r->out);
	if (rc == 0 && !r->o->tsv) {
		lu_buf_printf(&r->out, "%zu layouts are possible", ranking.tried);
		if (ranking.too_big)
			lu_buf_printf(&r->out, "; %zu of those that would be faster do not fit",
					ranking.too_big);
		lu_buf_putc(&r->out, '\n');
		print_own(r, q);
		lu_buf_putc(&r->out, '\n');
		rc = lt_plan_tables(&ranking, q, &r->out, err);
	}
	lt_ranking_release(&ranking);
	return rc;
}

static int plan_phase(struct run *r, size_t i, struct lu_err *err)
{
	const char *name = r->config.phase.p[i].name;
	struct lt_question q;
	struct lt_settings s;

	if (lt_config_phase(&r->config, i, &s, err) < 0 ||
			lt_question_init(&q, &r->cluster, &r->k, &s, err) < 0)
		return lu_err_wrap(err, "phase %s", name);
	q.only = r->only;
	if (!r->o->tsv)
		print_phase(r, name, &q);
	if (r->o->layout ? one_layout(r, name, &q, err) : all_layouts(r, name, &q, err))
		return r->config.phase.n > 1 ? lu_err_wrap(err, "phase %s", name) : -1;
	return 0;
}

static int plan(struct run *r, struct lu_err *err)
{
	size_t planned = 0;

	if (print_heads(r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->config.phase.n; i++) {
		if (r->o->phase && strcmp(r->o->phase, r->config.phase.p[i].name) != 0)
			continue;
		if (plan_phase(r, i, err) < 0)
			return -1;
		planned++;
	}
	if (planned == 0)
		return lu_err_set(err, "--phase %s: the configuration has no such phase",
				r->o->phase);
	if (planned > 1 && !r->o->tsv) {
		lu_buf_printf(&r->out, "\n%zu phases, each in its best layout: ", planned);
		lt_plan_duration(r->seconds, &r->out);
		lu_buf_putc(&r->out, '\n');
	}
	return lu_buf_check(&r->out, err);
}

static int open_files(struct run *r, struct lu_err *err)
{
	const struct options *o = r->o;

	if (lt_cluster_read(&r->cluster, o->cluster, err) < 0 ||
			lt_constants_read(&r->k, o->constants, err) < 0)
		return -1;
	if (o->gpus_given) {
		r->cluster.gpus = o->gpus;
		if (lt_cluster_check(&r->cluster, err) < 0)
			return lu_err_wrap(err, "--gpus");
	}
	if (o->only && lt_choice_parse(&r->only, o->only, err) < 0)
		return lu_err_wrap(err, "--only %s", o->only);
	if (o->layout && lt_choice_parse(&r->layout, o->layout, err) < 0)
		return lu_err_wrap(err, "--layout %s", o->layout);
	return lt_start_load(&r->config, o->config, &o->set, NULL, err);
}

static int run(const struct options *o, struct lu_err *err)
{
	struct run r = { .o = o };
	int rc = open_files(&r, err);

	if (rc == 0)
		rc = plan(&r, err);
	if (rc == 0)
		fwrite(r.out.p, 1, r.out.n, stdout);
	lu_buf_release(&r.out);
	lt_config_release(&r.config);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .rows = 10 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	if (!o.config)
		lu_usage_error("no configuration: give -c FILE");
	if (!o.cluster)
		lu_usage_error("no cluster: give --cluster NAME, such as jean-zay-h100, or FILE");
	if (o.layout && o.only)
		lu_usage_error("--layout is one layout, --only searches: give one of them");
	rc = run(&o, &err);
	lu_list_release(&o.set);
	return lu_tool_finish(rc, &err);
}
