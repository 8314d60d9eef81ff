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

/* Allocations of the device are rounded up, and some small ones are not counted: so many bytes, and a
 * part of the whole. */
#define SLACK ((uint64_t)4 << 20)
#define SHARE 0.01
/* What lt_health_probe() takes for a moment, where there are several ranks, and its products need. */
#define PROBE ((uint64_t)192 << 20)

int lt_budget_count(const struct lt_settings *s, const struct lt_schedule *schedule,
		const struct lt_layout *l, const struct lt_seat *seat, struct lt_memory *m,
		struct lu_err *err)
{
	struct lt_memory_rules here;

	if (seat->absent) {
		here = lt_memory_rules_gpu(seat->b->dtype == LT_BF16 ? LK_BF16 : LK_REAL);
		here.equality = lt_backend_equality(seat->b, s->parallel.equality);
	} else {
		here = lt_memory_rules_here(seat->b, seat->device, s);
	}

	if (lt_memory_count(s, schedule, l, &here, m, err) < 0)
		return -1;
	m->activations += m->workspace;
	return 0;
}

/* The memory of a rank before the data are known: only the batches of the schedule matter. */
static int count_phase(const struct lt_settings *s, size_t rank, size_t processes,
		const struct lt_seat *seat, struct lt_memory *m, struct lu_err *err)
{
	struct lt_schedule schedule;
	struct lt_layout l;
	int rc;

	if (lt_settings_schedule(s, 1, &schedule, err) < 0 ||
			lt_layout_init(&l, s, rank, processes, err) < 0)
		return -1;
	rc = lt_budget_count(s, &schedule, &l, seat, m, err);
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
		unit = sum < 10 * LT_GIB ? LT_MIB : LT_GIB;
		if (n > 1)
			return lu_err_set(err,
					"the %zu ranks on host %s need %.1f %s of memory, %.1f are "
					"available; use fewer ranks a host, lower the sizes in "
					"[model] or train.micro_batch, set parallel.recompute = "
					"layer, or give --overcommit",
					n, all[r].host, sum / unit, unit < LT_GIB ? "MiB" : "GiB",
					all[r].available / unit);
		return lu_err_set(err,
				"the run needs %.1f %s of memory, %.1f are available: weights "
				"%.1f, gradients %.1f, AdamW %.1f, activations %.1f, a "
				"checkpoint %.1f; lower the sizes in [model] or "
				"train.micro_batch, set parallel.recompute = layer, or give "
				"--overcommit",
				sum / unit, unit < LT_GIB ? "MiB" : "GiB", all[r].available / unit,
				own->weights / unit, own->gradients / unit, own->optimizer / unit,
				own->activations / unit, own->checkpoint / unit);
	}
	return 0;
}

double lt_budget_device_bytes(const struct lt_memory *m, size_t ranks)
{
	double bytes = m->all * (1 + SHARE) + (double)SLACK;

	return ranks == 1 || bytes > (double)PROBE ? bytes : (double)PROBE;
}

double lt_budget_nccl_bytes(const struct lt_settings *s, size_t ranks)
{
	uint64_t tp = s->parallel.size[LT_TP], dp = s->parallel.size[LT_DP],
		 pp = s->parallel.size[LT_PP];

	dp = dp ? dp : ranks / (tp * pp);
	return (double)(((tp > 1) + (dp > 1) + (pp > 1)) * LT_NCCL_BYTES);
}

/* The rank's own GPU. */
static int check_device(const struct lt_seat *seat, const struct lt_settings *s, size_t ranks,
		const struct lt_memory *m, struct lu_err *err)
{
	struct lk_device d;
	struct lk_err kerr;
	double nccl = lt_budget_nccl_bytes(s, ranks),
	       need = lt_budget_device_bytes(m, ranks) + nccl;

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
			need / LT_GIB, (double)d.free / LT_GIB, (double)d.memory / LT_GIB,
			m->weights / LT_GIB, m->gradients / LT_GIB, m->optimizer / LT_GIB,
			m->activations / LT_GIB, m->exchange / LT_GIB, nccl / LT_GIB);
}

/* Add up the needs of the ranks of each host. Collective. */
static int check_phase(const struct lt_settings *s, const struct lt_seat *seat, uint64_t available,
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

/* Whether the ranks that there are will train the phase. */
static bool fits(const struct lt_settings *s, size_t ranks)
{
	size_t needed;
	bool multiple;

	return lt_layout_fits(s, ranks, &needed, &multiple);
}

/* Bytes of a GPU that the rank will allocate. */
static int count_device(const struct lt_config *c, size_t first, const struct lt_seat *seat,
		size_t rank, size_t ranks, uint64_t *bytes, struct lu_err *err)
{
	struct lt_settings s;
	struct lt_memory m;

	*bytes = 0;
	for (size_t i = first; i < c->phase.n; i++) {
		if (lt_config_phase(c, i, &s, err) < 0)
			return -1;
		if (!fits(&s, ranks))
			continue;
		if (count_phase(&s, rank, ranks, seat, &m, err) < 0)
			return -1;
		if (lt_budget_device_bytes(&m, ranks) > (double)*bytes)
			*bytes = (uint64_t)lt_budget_device_bytes(&m, ranks);
	}
	return 0;
}

int lt_budget_open_queue(const struct lt_config *c, size_t first, const struct lt_backend *b,
		int device, const struct lt_comm *comm, struct lk_queue **q, struct lu_err *err)
{
	const struct lt_seat seat = { .b = b, .device = device };
	uint64_t bytes;
	struct lk_err kerr;

	if (b->ops->open(q, device, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	if (!b->gpu)
		return 0;
	if (count_device(c, first, &seat, lt_comm_rank(comm), lt_comm_size(comm), &bytes, err) < 0)
		return -1;
	return b->ops->reserve(*q, bytes) < 0 ? lt_queue_err(b->ops, *q, err) : 0;
}

int lt_budget_check_memory(const struct lt_config *c, size_t first, const struct lt_backend *b,
		int device, struct lt_comm *comm, struct lu_err *err)
{
	const struct lt_seat seat = { .b = b, .device = device };
	uint64_t available = lt_available_memory("");
	struct lt_settings s;

	for (size_t i = first; i < c->phase.n; i++) {
		if (lt_config_phase(c, i, &s, err) < 0)
			return -1;
		if (!fits(&s, lt_comm_size(comm)))
			continue;
		if (check_phase(&s, &seat, available, comm, err) < 0)
			return c->phase.n > 1 ? lu_err_wrap(err, "phase %s", c->phase.p[i].name)
					      : -1;
	}
	return 0;
}
