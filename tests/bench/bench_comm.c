/*
 * bench_comm.c: all_reduce, reduce_scatter and all_gather over ranks on this host, beside memcpy.
 *
 *	bench_comm [MiB] [repeats]	size of the buffer (default 64); each figure is the best of
 *					so many (default 10)
 *
 * GB/s are bytes of the buffer by time, whatever moves: an all_reduce over n ranks sends and
 * receives 2 (n - 1) / n of it in each. Run by mpirun it measures MPI.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trainer/comm/comm.h"

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int host_sync(struct lk_queue *q)
{
	(void)q;
	return 0;
}

static const struct lk_ops host_ops = {
	.name = "host", .act = LK_F32, .act_size = 4, .sync = host_sync
};

static int run_one(struct lt_group *g, int what, float *x, const size_t *bound, size_t n,
		struct lu_err *err)
{
	switch (what) {
	case 0: return lt_all_reduce(g, NULL, x, n, LT_REALS, NULL, err);
	case 1: return lt_reduce_scatter(g, NULL, x, bound, LT_REALS, NULL, err);
	default: return lt_all_gather(g, NULL, x, bound, LT_REALS, NULL, err);
	}
}

static int measure(struct lt_comm *c, size_t n, int repeats, struct lu_err *err)
{
	static const char *const names[] = { "all_reduce", "reduce_scatter", "all_gather" };
	size_t size = lt_comm_size(c), ranks[64], bound[65];
	float *x = calloc(n, sizeof(*x));
	struct lt_group *g;
	double tiny = 1e9;

	if (!x || size > 64)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		x[i] = (float)(i % 1000) * 1e-3f;
	for (size_t m = 0; m <= size; m++)
		bound[m] = n * m / size;
	for (size_t m = 0; m < size; m++)
		ranks[m] = m;
	if (lt_comm_group(c, ranks, size, "dp", &g, err) < 0)
		return -1;
	for (int what = 0; what < 3; what++) {
		double best = 1e9;

		for (int i = 0; i < repeats; i++) {
			double start;
			bool flag = false;

			if (lt_comm_any(c, LT_CHANNEL_MAIN, &flag, err) < 0)
				return -1;
			start = now();
			if (run_one(g, what, x, bound, n, err) < 0)
				return -1;
			if (now() - start < best)
				best = now() - start;
		}
		if (lt_comm_rank(c) == 0)
			printf("%s, %zu ranks, %-14s %8.2f ms  %6.2f GB/s\n", lt_comm_transport(c),
					size, names[what], 1e3 * best,
					1e-9 * (double)(n * sizeof(*x)) / best);
	}
	for (int i = 0; i < 100 * repeats; i++) {
		double start = now();

		if (run_one(g, 0, x, bound, 1, err) < 0)
			return -1;
		if (now() - start < tiny)
			tiny = now() - start;
	}
	if (lt_comm_rank(c) == 0)
		printf("%s, %zu ranks, one number    %8.2f us\n", lt_comm_transport(c), size,
				1e6 * tiny);
	free(x);
	return 0;
}

/* A rank from its start to its end; returns its exit status. */
static int be_rank(size_t n, int repeats)
{
	struct lt_comm_options options = { 60, 60, NULL };
	struct lt_launch who;
	struct lt_comm *c = NULL;
	struct lu_err err;
	int rc = 0;

	if (lt_launch_detect(&who, &err) < 0 ||
			lt_comm_open(&c, &who, &host_ops, &options, &err) < 0 ||
			measure(c, n, repeats, &err) < 0) {
		fprintf(stderr, "bench_comm: %s\n", err.msg);
		rc = 2;
	}
	lt_comm_close(c);
	return rc;
}

static void put(const char *name, size_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", value);
	setenv(name, text, 1);
}

static int start_ranks(size_t size, size_t n, int repeats)
{
	int status, rc = 0;

	fflush(stdout);
	setenv("LUCIE_RENDEZVOUS", "127.0.0.1", 1);
	put("LUCIE_SIZE", size);
	put("LUCIE_ATTEMPT", (size_t)getpid());
	for (size_t r = 0; r < size; r++) {
		put("LUCIE_RANK", r);
		if (fork() == 0)
			exit(be_rank(n, repeats));
	}
	for (size_t r = 0; r < size; r++) {
		if (wait(&status) < 0 || status != 0)
			rc = 2;
	}
	return rc;
}

static void copy(size_t n, int repeats)
{
	float *x = calloc(n, sizeof(*x)), *y = malloc(n * sizeof(*y));
	double best = 1e9;

	for (size_t i = 0; x && i < n; i++)
		x[i] = (float)i;
	for (int i = 0; x && y && i < repeats; i++) {
		double start = now();

		memcpy(y, x, n * sizeof(*y));
		x[i % n] += y[n - 1 - i % n];
		if (now() - start < best)
			best = now() - start;
	}
	printf("memcpy %31.2f ms  %6.2f GB/s\n", 1e3 * best,
			1e-9 * (double)(n * sizeof(*x)) / best);
	free(x);
	free(y);
}

int main(int argc, char **argv)
{
	size_t n = (argc > 1 ? strtoul(argv[1], NULL, 10) : 64) * ((size_t)1 << 20) / sizeof(float);
	int repeats = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 10;

	if (n == 0 || repeats < 1) {
		fprintf(stderr, "usage: bench_comm [MiB] [repeats]\n");
		return 2;
	}
	if (getenv("OMPI_COMM_WORLD_RANK"))
		return be_rank(n, repeats);
	copy(n, repeats);
	for (size_t size = 2; size <= 4; size += 2) {
		if (start_ranks(size, n, repeats) != 0)
			return 2;
	}
	return 0;
}
