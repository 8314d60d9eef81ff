#include "trainer/run/budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lk.h"
#include "libcommon/sys/machine.h"
#include "trainer/model/model.h"
#include "trainer/model/weights.h"
#include "trainer/parallel/actions.h"
#include "trainer/parallel/actions_chart.h"
#include "trainer/parallel/stages.h"
#include "trainer/run/available.h"
#include "trainer/run/backend.h"
#include "trainer/run/layout.h"
#include "trainer/run/memory.h"
#include "trainer/run/phase_data.h"

#define MIB 1048576.0
#define GIB (1024 * MIB)

/* Allocations of the device are rounded up, and some small ones are not counted: so many bytes, and a
 * part of the whole. */
#define SLACK ((uint64_t)4 << 20)
#define SHARE 0.01
/* What lt_health_probe() takes for a moment, where there are several ranks, and its products need. */
#define PROBE ((uint64_t)192 << 20)

/* What a rank computes with. */
struct seat {
	const struct lt_backend *b;
	int device;
};

/* The memory of the rank of a layout on this machine. The work space counts as activations. */
static int count_here(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_layout *l, const struct seat *seat, struct lt_memory *m,
		struct lu_err *err)
{
	struct lt_memory_rules here = lt_memory_rules_here(seat->b, seat->device, s);

	if (lt_memory_count(s, schedule, l, &here, m, err) < 0)
		return -1;
	m->activations += m->workspace;
	return 0;
}

/* The memory of a rank before the data are known: only the batches of the schedule matter. */
static int count_phase(const struct lt_settings *s, size_t rank, size_t processes,
		const struct seat *seat, struct lt_memory *m, struct lu_err *err)
{
	struct lt_schedule schedule;
	struct lt_layout l;
	int rc;

	if (lt_settings_schedule(s, 1, &schedule, err) < 0 ||
			lt_layout_init(&l, s, rank, processes, err) < 0)
		return -1;
	rc = count_here(s, &schedule, &l, seat, m, err);
	lt_layout_release(&l);
	return rc;
}

/* --- the check of a start --------------------------------------------------------------------- */

/* What each rank tells rank 0. */
struct need {
	double bytes;
	double available;
	char host[64];
};

/* Rank 0: fail if the ranks of a host need more than it has. */
static int check_hosts(const struct need *all, size_t ranks, const struct lt_memory *own,
		struct lu_err *err)
{
	for (size_t r = 0; r < ranks; r++) {
		double sum = 0, unit;
		size_t n = 0;

		for (size_t k = 0; k < ranks; k++) {
			if (strcmp(all[k].host, all[r].host) == 0) {
				sum += all[k].bytes;
				n++;
			}
		}
		if (sum <= all[r].available)
			continue;
		unit = sum < 10 * GIB ? MIB : GIB;
		if (n > 1)
			return lu_err_set(err,
					"the %zu ranks on host %s need %.1f %s of memory, %.1f are "
					"available; use fewer ranks a host, lower the sizes in "
					"[model] or train.micro_batch, set parallel.recompute = "
					"layer, or give --overcommit",
					n, all[r].host, sum / unit, unit < GIB ? "MiB" : "GiB",
					all[r].available / unit);
		return lu_err_set(err,
				"the run needs %.1f %s of memory, %.1f are available: weights "
				"%.1f, gradients %.1f, AdamW %.1f, activations %.1f, a "
				"checkpoint %.1f; lower the sizes in [model] or "
				"train.micro_batch, set parallel.recompute = layer, or give "
				"--overcommit",
				sum / unit, unit < GIB ? "MiB" : "GiB", all[r].available / unit,
				own->weights / unit, own->gradients / unit, own->optimizer / unit,
				own->activations / unit, own->checkpoint / unit);
	}
	return 0;
}

/* Bytes that the device is asked for. */
static double device_bytes(const struct lt_memory *m, size_t ranks)
{
	double bytes = m->all * (1 + SHARE) + (double)SLACK;

	return ranks == 1 || bytes > (double)PROBE ? bytes : (double)PROBE;
}

/* Bytes that NCCL is granted. */
static double nccl_bytes(const struct lt_settings *s, size_t ranks)
{
	uint64_t tp = s->parallel.size[LT_TP], dp = s->parallel.size[LT_DP],
		 pp = s->parallel.size[LT_PP];

	dp = dp ? dp : ranks / (tp * pp);
	return (double)(((tp > 1) + (dp > 1) + (pp > 1)) * LT_NCCL_BYTES);
}

/* The rank's own GPU. */
static int check_device(const struct seat *seat, const struct lt_settings *s, size_t ranks,
		const struct lt_memory *m, struct lu_err *err)
{
	struct lk_device d;
	struct lk_err kerr;
	double nccl = nccl_bytes(s, ranks), need = device_bytes(m, ranks) + nccl;

	if (lk_cuda_describe(seat->device, &d, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	if (need <= (double)d.free)
		return 0;
	return lu_err_set(err,
			"the run needs %.1f GiB of the GPU's memory, %.1f of %.1f are free: "
			"weights %.1f, "
			"gradients %.1f, AdamW %.1f, activations %.1f, exchange %.1f, NCCL %.1f; "
			"lower train.micro_batch, set parallel.recompute = layer, split the model "
			"over more ranks (parallel.tp, parallel.pp), or give --overcommit",
			need / GIB, (double)d.free / GIB, (double)d.memory / GIB, m->weights / GIB,
			m->gradients / GIB, m->optimizer / GIB, m->activations / GIB,
			m->exchange / GIB, nccl / GIB);
}

/* Add up the needs of the ranks of each host. Collective. */
static int check_phase(const struct lt_settings *s, const struct seat *seat, uint64_t available,
		struct lt_comm *comm, struct lu_err *err)
{
	size_t rank = lt_comm_rank(comm), ranks = lt_comm_size(comm);
	struct need need = { .available = (double)available }, *all = NULL;
	struct lt_memory m;
	int rc = count_phase(s, rank, ranks, seat, &m, err);

	if (rc == 0 && seat->b->gpu)
		rc = check_device(seat, s, ranks, &m, err);
	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0)
		return -1;
	if (seat->b->gpu)
		m = (struct lt_memory){ .checkpoint = m.checkpoint, .all = m.checkpoint };
	need.bytes = m.all;
	snprintf(need.host, sizeof(need.host), "%s", lt_comm_host(comm, rank));
	all = calloc(ranks, sizeof(*all));
	if (!all)
		return lu_err_nomem(err);
	rc = lt_comm_collect(comm, LT_CHANNEL_MAIN, &need, sizeof(need), all, err);
	if (rc == 0) {
		if (rank == 0)
			rc = check_hosts(all, ranks, &m, err);
		rc = lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err);
	}
	free(all);
	return rc;
}

/* Bytes of a GPU that the rank will allocate. */
static int count_device(const struct lt_config *c, const struct seat *seat, size_t rank,
		size_t ranks, uint64_t *bytes, struct lu_err *err)
{
	struct lt_settings s;
	struct lt_memory m;

	*bytes = 0;
	for (size_t i = 0; i < c->phase.n; i++) {
		if (lt_config_phase(c, i, &s, err) < 0 ||
				count_phase(&s, rank, ranks, seat, &m, err) < 0)
			return -1;
		if (device_bytes(&m, ranks) > (double)*bytes)
			*bytes = (uint64_t)device_bytes(&m, ranks);
	}
	return 0;
}

int lt_budget_open_queue(const struct lt_config *c, const struct lt_backend *b, int device,
		const struct lt_comm *comm, struct lk_queue **q, struct lu_err *err)
{
	const struct seat seat = { b, device };
	uint64_t bytes;
	struct lk_err kerr;

	if (b->ops->open(q, device, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	if (!b->gpu)
		return 0;
	if (count_device(c, &seat, lt_comm_rank(comm), lt_comm_size(comm), &bytes, err) < 0)
		return -1;
	return b->ops->reserve(*q, bytes) < 0 ? lt_queue_err(b->ops, *q, err) : 0;
}

int lt_budget_check_memory(const struct lt_config *c, const struct lt_backend *b, int device,
		struct lt_comm *comm, struct lu_err *err)
{
	const struct seat seat = { b, device };
	uint64_t available = lt_available_memory("");
	struct lt_settings s;

	for (size_t i = 0; i < c->phase.n; i++) {
		if (lt_config_phase(c, i, &s, err) < 0)
			return -1;
		if (check_phase(&s, &seat, available, comm, err) < 0)
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

static int model_lines(const struct lt_settings *s, const struct seat *seat, struct lu_buf *out,
		struct lu_err *err)
{
	struct lt_shape shape;
	struct lt_table t;

	lt_settings_shape(s, &shape);
	if (lt_table_build(&t, &shape, NULL, err) < 0)
		return -1;
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
		const struct seat *seat, size_t stage, struct lt_memory *m, struct lu_err *err)
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
	rc = count_here(s, schedule, &l, seat, m, err);
	lt_layout_release(&l);
	return rc;
}

/* What the GPU has besides. The copy for a checkpoint is in the host's memory. */
static int device_lines(
		const struct seat *seat, double nccl, struct lu_buf *out, struct lu_err *err)
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
		const struct seat *seat, struct lu_buf *out, struct lu_err *err)
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
				m.weights / MIB, m.gradients / MIB, m.optimizer / MIB,
				m.activations / MIB, m.exchange / MIB, m.checkpoint / MIB,
				(gpu ? device_bytes(&m, 1) : m.all + program) / MIB);
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
				gpu ? device_bytes(&m, 1) : m.all + program);
	}
	if (gpu && device_lines(seat, nccl_bytes(s, 0), out, err) < 0)
		return -1;
	if (available != UINT64_MAX)
		memory_line(out, "memory available", (double)available);
	return 0;
}

/* How to start so many ranks. */
static int start_lines(const struct lt_settings *s, struct lu_buf *out, struct lu_err *err)
{
	struct lt_layout l;
	size_t n;

	if (lt_layout_init(&l, s, 0, 0, err) < 0)
		return -1;
	n = l.mesh.ranks;
	lt_layout_release(&l);
	if (n > 1)
		lu_buf_printf(out,
				"\nto start %zu ranks: mpirun -np %zu lucie-train ...\n"
				"within a Slurm job:  srun -n %zu lucie-train ...\n"
				"as a Slurm job:      sbatch -n %zu $(lucie rules)/train.sbatch "
				"CONFIG RUN\n",
				n, n, n, n);
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
		const struct seat *seat, struct lu_buf *out)
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

static int layout_lines(const struct lt_settings *s, const struct seat *seat, struct lu_buf *out,
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

static void phase_lines(const struct lt_phase_data *d, const char *name, struct lu_buf *out)
{
	lu_buf_printf(out, "\nphase %s\n", name);
	lu_buf_printf(out, "%-24s %" PRIu64 "\n", "steps", lt_schedule_steps(&d->schedule));
	lu_buf_printf(out, "%-24s %" PRIu64 " of %" PRIu64 " tokens\n", "samples",
			d->schedule.samples, d->s.train.context);
	lt_phase_data_print(d, out);
}

int lt_budget(const struct lt_config *c, const char *tokenizer, struct lu_buf *out,
		struct lu_err *err)
{
	struct lt_backend b;
	const struct seat seat = { &b, 0 };

	if (lt_backend_choose(&b, c->base.train.device, c->base.train.dtype, err) < 0 ||
			lt_backend_check(&b, &c->base, err) < 0)
		return -1;
	for (size_t i = 0; i < c->phase.n; i++) {
		struct lt_phase_data d;
		int rc = lt_phase_data_open(&d, c, i, tokenizer, false, err);

		if (rc == 0 && i == 0)
			rc = model_lines(&d.s, &seat, out, err);
		if (rc == 0)
			phase_lines(&d, c->phase.p[i].name, out);
		if (rc == 0)
			rc = layout_lines(&d.s, &seat, out, err);
		if (rc == 0)
			rc = memory_lines(&d.s, &d.schedule, &seat, out, err);
		if (rc == 0 && i + 1 == c->phase.n)
			rc = start_lines(&d.s, out, err);
		lt_phase_data_close(&d);
		if (rc < 0)
			return -1;
	}
	return lu_buf_check(out, err);
}
