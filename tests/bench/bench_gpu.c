/*
 * bench_gpu.c: speed of the operations and of training steps on a GPU, beside what the card gives:
 * memory-bound operations beside a copy, products beside the data sheet, attention of ours beside
 * cuDNN's, 20 steps beside the CPU's.
 *
 *	bench_gpu [-s] PART...		device copy kernels attention products parity
 *					step:NAME profile:NAME, NAME tiny, 1b, 7b or 7b-low
 *
 * -s: tiny sizes, for the emulation. Rows as gpu.h tells. tests/gpu/run runs all of it.
 */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/gpu.h"

double now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		exit(2);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void must(const struct bench *b, int rc)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bench_gpu: %s\n", b->ops->message(b->q));
	exit(2);
}

void row_put(const struct row *r, const char *shape, ...)
{
	va_list ap;

	printf("%s\t%s\t", r->part, r->what);
	va_start(ap, shape);
	vprintf(shape, ap);
	va_end(ap);
	if (r->seconds > 0)
		printf("\t%.4g", 1e3 * r->seconds);
	else
		printf("\t-");
	if (r->unit)
		printf("\t%.4g\t%s", r->value, r->unit);
	else
		printf("\t-\t-");
	if (r->limit > 0)
		printf("\t%.4g\t%.1f", r->limit, 100 * r->value / r->limit);
	else
		printf("\t-\t-");
	printf("\t%s\n", r->note ? r->note : "-");
	fflush(stdout);
}

void bench_open(struct bench *b, enum lk_type act, bool small)
{
	struct lk_err err;

	b->ops = lk_cuda_ops(act, &err);
	if (!b->ops || lk_cuda_describe(0, &b->device, &err) < 0 ||
			b->ops->open(&b->q, 0, &err) < 0) {
		fprintf(stderr, "bench_gpu: %s\n", err.msg);
		exit(2);
	}
	b->small = small;
	b->flops = b->device.flops16;
}

void bench_close(struct bench *b)
{
	b->ops->close(b->q);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The first calls load code and choose algorithms; a run is 40 ms or one call. */
double seconds_of(const struct bench *b, int (*call)(void *ctx), void *ctx)
{
	double run[5], t;
	size_t runs = b->small ? 1 : 5, calls = 1;

	for (int i = 0; i < 2; i++) {
		t = now();
		must(b, call(ctx));
		must(b, b->ops->sync(b->q));
		t = now() - t;
	}
	if (!b->small && t < 0.04)
		calls = t > 1e-5 ? (size_t)ceil(0.04 / t) : 4000;
	for (size_t i = 0; i < runs; i++) {
		t = now();
		for (size_t j = 0; j < calls; j++)
			must(b, call(ctx));
		must(b, b->ops->sync(b->q));
		run[i] = (now() - t) / (double)calls;
	}
	qsort(run, runs, sizeof(run[0]), ascending);
	return run[runs / 2];
}

void *device(const struct bench *b, size_t bytes)
{
	void *p = b->ops->alloc(b->q, bytes);

	must(b, p ? 0 : -1);
	return p;
}

/* Repeat the first `have` bytes over all of them, by copies that double. */
static void spread(const struct bench *b, char *p, size_t have, size_t bytes)
{
	while (have < bytes) {
		size_t n = have < bytes - have ? have : bytes - have;

		must(b, b->ops->copy(b->q, p + have, p, n, LK_D2D));
		have += n;
	}
	must(b, b->ops->sync(b->q));
}

/* A prime number of values, so that no row begins as another; sums of four uniform ones. */
#define BLOCK ((size_t)1048573)

static size_t random_block(const struct bench *b, lk_real *to, size_t n, double scale)
{
	lk_real *host = malloc(BLOCK * sizeof(*host));
	uint64_t x = 88172645463325252;
	size_t have = n < BLOCK ? n : BLOCK;

	if (!host)
		exit(2);
	for (size_t i = 0; i < have; i++) {
		double sum = 0;

		for (int j = 0; j < 4; j++) {
			/* xorshift (Marsaglia 2003) */
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			sum += (double)(x >> 11) * 0x1p-53 - 0.5;
		}
		host[i] = (lk_real)(sum * scale * sqrt(3));
	}
	must(b, b->ops->copy(b->q, to, host, have * sizeof(*host), LK_H2D));
	must(b, b->ops->sync(b->q));
	free(host);
	return have;
}

lk_real *random_reals(const struct bench *b, size_t n, double scale)
{
	lk_real *p = device(b, n * sizeof(*p));
	size_t have = random_block(b, p, n, scale);

	spread(b, (char *)p, have * sizeof(*p), n * sizeof(*p));
	return p;
}

lk_act *random_acts(const struct bench *b, size_t n, double scale)
{
	size_t have = n < BLOCK ? n : BLOCK;
	lk_real *block = device(b, have * sizeof(*block));
	lk_act *p = device(b, n * b->ops->act_size);

	(void)random_block(b, block, have, scale);
	must(b, b->ops->to_act(b->q, p, block, have));
	spread(b, p, have * b->ops->act_size, n * b->ops->act_size);
	b->ops->free(b->q, block);
	return p;
}

static int bench_device(const struct bench *b)
{
	const struct lk_device *d = &b->device;
	struct row r = { .part = "device", .what = d->name, .note = lk_cuda_version() };

	row_put(&r, "capability %d.%d, %d processors", d->major, d->minor, d->processors);
	r = (struct row){
		.part = "device", .what = "memory", .value = 1e-9 * (double)d->memory, .unit = "GB"
	};
	row_put(&r, "%.1f GB free", 1e-9 * (double)d->free);
	r = (struct row){ .part = "device",
		.what = "data sheet",
		.value = 1e-12 * d->flops16,
		.unit = "TFLOP/s" };
	row_put(&r, "bf16, %.0f GB/s", 1e-9 * d->bandwidth);
	return 0;
}

static int run(const char *part, bool small)
{
	struct bench b = { 0 };
	int rc;

	if (strcmp(part, "parity") == 0)
		return bench_parity(small);
	bench_open(&b, LK_BF16, small);
	if (strcmp(part, "device") == 0)
		rc = bench_device(&b);
	else if (strcmp(part, "copy") == 0)
		rc = bench_copy(&b);
	else if (strcmp(part, "kernels") == 0)
		rc = bench_kernels(&b);
	else if (strcmp(part, "attention") == 0)
		rc = bench_attention(&b);
	else if (strcmp(part, "products") == 0)
		rc = bench_products(&b);
	else if (strncmp(part, "step:", 5) == 0)
		rc = bench_step(&b, part + 5, false);
	else if (strncmp(part, "profile:", 8) == 0)
		rc = bench_step(&b, part + 8, true);
	else {
		fprintf(stderr, "bench_gpu: no part %s\n", part);
		exit(2);
	}
	bench_close(&b);
	return rc;
}

int main(int argc, char **argv)
{
	bool small = argc > 1 && strcmp(argv[1], "-s") == 0;
	int rc = 0;

	if (lk_cuda_devices() == 0 && argc < 2) {
		/* As one of all benchmarks, on a machine without. */
		printf("no GPU: %s\n",
				*lk_cuda_version() ? lk_cuda_version() : "this build has no CUDA");
		return 0;
	}
	if (argc < 2 + small) {
		fprintf(stderr, "usage: bench_gpu [-s] PART...\n");
		return 2;
	}
	for (int i = 1 + small; i < argc; i++)
		rc |= run(argv[i], small);
	return rc;
}
