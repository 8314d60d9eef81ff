/* Every collective for 1 to 6 ranks against a serial tree; control plane; pending operations. */
#include "tests/trainer/ranks.h"

/* Sizes around nothing, odd ones, those of a slice and of a socket's buffer. */
static const size_t sizes[] = { 0, 1, 2, 5, 63, 1000, 2049, 16384, 65537, 300001 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* A number that rank r has at place i; sums of them round. */
static double number(size_t r, size_t i)
{
	uint64_t h = (r * 1000003 + i) * UINT64_C(0x9e3779b97f4a7c15);

	return (double)(int64_t)(h >> 20) / 1e9 + 1e-3 * (double)r;
}

static size_t width(enum lt_element type)
{
	switch (type) {
	case LT_BYTES: return 1;
	case LT_ACTS: return host_ops.act_size;
	case LT_DOUBLES: return sizeof(double);
	case LT_REALS: return sizeof(lk_real);
	}
	return 0;
}

/* bf16 by its definition: the nearer of the two neighbours, the even one of a tie. */
static uint16_t to_bf16(float f)
{
	uint32_t bits, rest;

	memcpy(&bits, &f, sizeof(bits));
	rest = bits & 0xffff;
	bits >>= 16;
	return (uint16_t)(bits + (rest > 0x8000 || (rest == 0x8000 && (bits & 1))));
}

static float from_bf16(uint16_t h)
{
	uint32_t bits = (uint32_t)h << 16;
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static void put(void *x, size_t i, enum lt_element type, double v)
{
	switch (type) {
	case LT_BYTES: ((unsigned char *)x)[i] = (unsigned char)(int64_t)(v * 1e3); break;
	case LT_ACTS: ((uint16_t *)x)[i] = to_bf16((float)v); break;
	case LT_DOUBLES: ((double *)x)[i] = v; break;
	case LT_REALS: ((lk_real *)x)[i] = (lk_real)v; break;
	}
}

/* x[a] += x[b] */
static void add(void *x, size_t a, size_t b, enum lt_element type)
{
	unsigned char *byte = x;
	uint16_t *act = x;
	double *wide = x;
	lk_real *real = x;

	switch (type) {
	case LT_BYTES: byte[a] = (unsigned char)(byte[a] + byte[b]); break;
	case LT_ACTS: act[a] = to_bf16(from_bf16(act[a]) + from_bf16(act[b])); break;
	case LT_DOUBLES: wide[a] += wide[b]; break;
	case LT_REALS: real[a] += real[b]; break;
	}
}

static void fill(void *x, size_t n, enum lt_element type, size_t rank)
{
	for (size_t i = 0; i < n; i++)
		put(x, i, type, number(rank, i));
}

/* The tree of comm.h, an element at a time. */
static void *serial_sum(const size_t *ranks, size_t size, size_t n, enum lt_element type)
{
	unsigned char *sum = calloc(n + 1, width(type));
	double lanes[RANKS_MAX];

	must(sum != NULL);
	for (size_t i = 0; i < n; i++) {
		for (size_t m = 0; m < size; m++)
			put(lanes, m, type, number(ranks[m], i));
		for (size_t k = size, s; k > 1; k = s) {
			s = (k + 1) / 2;
			for (size_t j = 0; j + s < k; j++)
				add(lanes, j, j + s, type);
		}
		memcpy(sum + i * width(type), lanes, width(type));
	}
	return sum;
}

/* Bounds that give member m a share, with empty ones among them. */
static void bounds_of(size_t *bound, size_t size, size_t n, size_t how)
{
	bound[0] = 0;
	for (size_t m = 0; m < size; m++) {
		size_t share = how == 0		     ? n / size
				: (m + how) % 3 == 0 ? 0
						     : n * (m + 1) / size / 2;

		bound[m + 1] = bound[m] + share < n ? bound[m] + share : n;
	}
	bound[size] = n;
}

static int check_size(struct lt_comm *c, struct lt_group *g, const size_t *ranks, size_t n,
		enum lt_element type, struct lu_err *err)
{
	size_t size = lt_group_size(g), me = lt_group_rank(g), w = width(type),
	       bound[RANKS_MAX + 1];
	unsigned char *x = calloc(n + 1, w), *sum = serial_sum(ranks, size, n, type);
	struct lt_pending *p = NULL;
	int rc = -1;

	must(x != NULL);
	fill(x, n, type, lt_comm_rank(c));
	if (lt_all_reduce(g, NULL, x, n, type, NULL, err) < 0)
		goto out;
	must(memcmp(x, sum, n * w) == 0);
	must(x[n * w] == 0); /* nothing is written behind the end */
	for (size_t how = 0; how < 4; how++) {
		bounds_of(bound, size, n, how);
		fill(x, n, type, lt_comm_rank(c));
		if (lt_reduce_scatter(g, NULL, x, bound, type, &p, err) < 0 ||
				lt_comm_wait(c, NULL, &p, err) < 0)
			goto out;
		must(p == NULL);
		must(memcmp(x + bound[me] * w, sum + bound[me] * w,
				     (bound[me + 1] - bound[me]) * w) == 0);
		for (size_t i = 0; i < n; i++) {
			if (i < bound[me] || i >= bound[me + 1])
				put(x, i, type, 77);
		}
		if (lt_all_gather(g, NULL, x, bound, type, NULL, err) < 0)
			goto out;
		must(memcmp(x, sum, n * w) == 0);
	}
	for (size_t root = 0; root < size; root++) {
		fill(x, n, type, me == root ? 1000 + root : me);
		if (lt_broadcast(g, NULL, root, x, n, type, NULL, err) < 0)
			goto out;
		fill(sum, n, type, 1000 + root);
		must(memcmp(x, sum, n * w) == 0);
	}
	rc = 0;
out:
	free(x);
	free(sum);
	return rc;
}

static int collectives(struct lt_comm *c, void *arg, struct lu_err *err)
{
	static const enum lt_element types[] = { LT_REALS, LT_DOUBLES, LT_ACTS, LT_BYTES };
	size_t size = lt_comm_size(c), ranks[RANKS_MAX], back[RANKS_MAX];
	struct lt_group *g, *b;

	(void)arg;
	for (size_t i = 0; i < size; i++) {
		ranks[i] = i;
		back[i] = size - 1 - i;
	}
	if (lt_comm_group(c, ranks, size, "dp", &g, err) < 0 ||
			lt_comm_group(c, back, size, "back", &b, err) < 0)
		return -1;
	must(lt_group_rank(g) == lt_comm_rank(c) && lt_group_size(g) == size);
	must(lt_group_rank(b) == size - 1 - lt_comm_rank(c));
	for (size_t t = 0; t < 4; t++) {
		for (size_t s = 0; s < SIZES; s++) {
			if (check_size(c, g, ranks, sizes[s], types[t], err) < 0 ||
					check_size(c, b, back, sizes[s], types[t], err) < 0)
				return -1;
		}
	}
	return 0;
}

static void test_collectives(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 6; size++) {
		struct ranks r = { .size = size, .work = collectives };

		ranks_good(&r, 120);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collectives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
