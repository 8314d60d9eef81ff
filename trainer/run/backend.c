#include "trainer/run/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum lk_type act_of(enum lt_dtype dtype)
{
	return dtype == LT_BF16 ? LK_BF16 : LK_REAL;
}

int lt_backend_choose(struct lt_backend *b, enum lt_device device, enum lt_dtype dtype,
		struct lu_err *err)
{
	struct lk_err kerr = { .msg = "" };
	enum lt_dtype gpu_dtype = dtype == LT_DTYPE_AUTO ? LT_BF16 : dtype;

	*b = (struct lt_backend){ .gpu = true, .dtype = gpu_dtype };
	/* More streams than CUDA gives queues by default wait for each other; it reads this once. */
	if (device != LT_DEVICE_CPU) {
		(void)setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
		b->ops = lk_cuda_ops(act_of(gpu_dtype), &kerr);
	}
	if (b->ops)
		return 0;
	*b = (struct lt_backend){ .dtype = dtype == LT_DTYPE_AUTO ? LT_FP32 : dtype };
	b->ops = lk_cpu_ops(act_of(b->dtype));
	if (device == LT_DEVICE_CUDA)
		return lu_err_set(err, "train.device = cuda: %s", kerr.msg);
	if (*lk_cuda_version())
		snprintf(b->why_not, sizeof(b->why_not), "%s", kerr.msg);
	return 0;
}

/* What each rank tells rank 0. */
struct seat {
	uint64_t gpu, bus; /* whether it has one, and where in the host that is */
	char host[64];
};

/* Rank 0. */
static int check_seats(const struct seat *all, size_t ranks, struct lu_err *err)
{
	for (size_t r = 0; r < ranks; r++) {
		if (all[r].gpu != all[0].gpu)
			return lu_err_set(err,
					"rank %zu on %s computes on %s, rank 0 on %s on %s: set "
					"train.device = cpu, or leave that host out",
					r, all[r].host, all[r].gpu ? "a GPU" : "the CPU",
					all[0].host, all[0].gpu ? "a GPU" : "the CPU");
		for (size_t k = 0; k < r && all[r].gpu; k++) {
			if (all[k].bus == all[r].bus && strcmp(all[k].host, all[r].host) == 0)
				return lu_err_set(err,
						"ranks %zu and %zu on %s have the same GPU: start "
						"as many ranks as the host has GPUs",
						k, r, all[r].host);
		}
	}
	return 0;
}

/* Describe this rank's GPU, and find its number. */
static int own_seat(const struct lt_backend *b, struct lt_comm *comm, struct seat *s, int *device,
		struct lu_err *err)
{
	int n = b->gpu ? lk_cuda_devices() : 1;
	struct lk_device d;
	struct lk_err kerr;

	snprintf(s->host, sizeof(s->host), "%s", lt_comm_host(comm, lt_comm_rank(comm)));
	s->gpu = b->gpu;
	if (!b->gpu)
		return 0;
	if (n == 0)
		return lu_err_set(err, "the GPUs that were there are gone");
	/* A launcher may show each rank a GPU of its own as the only one. */
	*device = (int)(lt_comm_local_rank(comm) % (size_t)n);
	if (lk_cuda_describe(*device, &d, &kerr) < 0)
		return lu_err_set(err, "%s", kerr.msg);
	s->bus = d.bus;
	return 0;
}

int lt_backend_place(
		const struct lt_backend *b, struct lt_comm *comm, int *device, struct lu_err *err)
{
	size_t ranks = lt_comm_size(comm);
	struct seat own = { 0 }, *all = calloc(ranks, sizeof(*all));
	int rc = all ? 0 : lu_err_nomem(err);

	*device = 0;
	if (rc == 0)
		rc = own_seat(b, comm, &own, device, err);
	if (lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err) < 0) {
		free(all);
		return -1;
	}
	rc = lt_comm_collect(comm, LT_CHANNEL_MAIN, &own, sizeof(own), all, err);
	if (rc == 0) {
		if (lt_comm_rank(comm) == 0)
			rc = check_seats(all, ranks, err);
		rc = lt_comm_agree(comm, LT_CHANNEL_MAIN, rc, err);
	}
	free(all);
	return rc;
}

double lt_backend_peak(const struct lt_backend *b, int device, size_t ranks)
{
	struct lk_device d;
	struct lk_err ignored;

	if (!b->gpu || b->dtype != LT_BF16 || lk_cuda_describe(device, &d, &ignored) < 0)
		return 0;
	return d.flops16 * (double)ranks;
}

size_t lt_backend_head_rows(const struct lk_ops *ops)
{
	return strncmp(ops->name, "cuda", 4) == 0 ? LT_GPU_HEAD_ROWS : 0;
}

enum lt_equality lt_backend_equality(const struct lt_backend *b, enum lt_equality set)
{
	if (!b->gpu)
		return LT_EQUAL_LAYOUT;
	return set == LT_EQUAL_AUTO ? LT_EQUAL_RUN : set;
}

const char *lt_equality_name(enum lt_equality level)
{
	static const char *const names[] = { [LT_EQUAL_AUTO] = "auto",
		[LT_EQUAL_LAYOUT] = "layout",
		[LT_EQUAL_RUN] = "run",
		[LT_EQUAL_FAST] = "fast" };

	return names[level];
}

const char *lt_dtype_name(enum lt_dtype dtype)
{
	return dtype == LT_BF16 ? "bf16" : "fp32";
}

enum lt_dtype lt_dtype_of(const char *name)
{
	return strcmp(name, "bf16") == 0 ? LT_BF16 : LT_FP32;
}

const char *lt_memory_name(enum lt_memory_mode memory)
{
	return memory == LT_MEMORY_LOW ? "low" : "standard";
}

int lt_backend_check(const struct lt_backend *b, const struct lt_settings *s, struct lu_err *err)
{
	if (s->train.memory == LT_MEMORY_LOW && b->dtype != LT_BF16)
		return lu_err_set(err, "train.memory = low needs train.dtype = bf16; here it is %s",
				lt_dtype_name(b->dtype));
	return 0;
}
