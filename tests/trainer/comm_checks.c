#include "tests/trainer/comm_checks.h"

#include <sys/mman.h>
#include <unistd.h>

const struct lk_ops *check_ops;
struct lk_queue *check_queue;

/* What a queue has been given is done. */
static int settled(struct lu_err *err)
{
	return !check_queue || check_ops->sync(check_queue) == 0 ? 0 : lu_err_set(err, "no sync");
}

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
	case LT_ACTS: return sizeof(uint16_t);
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

/* The same, of a type; on a device only one rank has doubles other than 0, as comm.h says. */
static double element(size_t rank, size_t i, enum lt_element type)
{
	return check_queue && type == LT_DOUBLES && rank % 5 != i % 5 ? 0 : number(rank, i);
}

static void fill(void *x, size_t n, enum lt_element type, size_t rank)
{
	for (size_t i = 0; i < n; i++)
		put(x, i, type, element(rank, i, type));
}

/* The tree of comm.h, an element at a time. */
static void *serial_sum(const size_t *ranks, size_t size, size_t n, enum lt_element type)
{
	unsigned char *sum = calloc(n + 1, width(type));
	double lanes[RANKS_MAX];

	must(sum != NULL);
	for (size_t i = 0; i < n; i++) {
		for (size_t m = 0; m < size; m++)
			put(lanes, m, type, element(ranks[m], i, type));
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
	if (lt_all_reduce(g, check_queue, x, n, type, NULL, err) < 0 || settled(err) < 0)
		goto out;
	must(memcmp(x, sum, n * w) == 0);
	must(x[n * w] == 0); /* nothing is written behind the end */
	for (size_t how = 0; how < 4; how++) {
		bounds_of(bound, size, n, how);
		fill(x, n, type, lt_comm_rank(c));
		if (lt_reduce_scatter(g, check_queue, x, bound, type, &p, err) < 0 ||
				lt_comm_wait(c, check_queue, &p, err) < 0 || settled(err) < 0)
			goto out;
		must(p == NULL);
		must(memcmp(x + bound[me] * w, sum + bound[me] * w,
				     (bound[me + 1] - bound[me]) * w) == 0);
		for (size_t i = 0; i < n; i++) {
			if (i < bound[me] || i >= bound[me + 1])
				put(x, i, type, 77);
		}
		if (lt_all_gather(g, check_queue, x, bound, type, NULL, err) < 0 ||
				settled(err) < 0)
			goto out;
		must(memcmp(x, sum, n * w) == 0);
	}
	for (size_t root = 0; root < size; root++) {
		fill(x, n, type, me == root ? 1000 + root : me);
		if (lt_broadcast(g, check_queue, root, x, n, type, NULL, err) < 0 ||
				settled(err) < 0)
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

int check_collectives(struct lt_comm *c, void *arg, struct lu_err *err)
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

/* ---- counts above 2^31 ------------------------------------------------------------------- */

#define BIG (((size_t)1 << 31) + BLOCK + 12345)
#define BLOCK ((size_t)32 << 20)

/* BIG bytes of addresses, which are the same block of memory again and again. */
static unsigned char *big_new(void)
{
	int fd = memfd_create("big", MFD_CLOEXEC);
	size_t all = (BIG / BLOCK + 1) * BLOCK;
	unsigned char *p = mmap(
			NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(fd >= 0 && ftruncate(fd, (off_t)BLOCK) == 0 && p != MAP_FAILED);
	for (size_t at = 0; at < all; at += BLOCK)
		must(mmap(p + at, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) !=
				MAP_FAILED);
	close(fd);
	return p;
}

int check_big(struct lt_comm *c, void *arg, struct lu_err *err)
{
	struct lt_group *g = world(c);
	unsigned char *p = big_new();
	struct lt_pending *pending;

	(void)arg;
	if (lt_comm_rank(c) == 1) {
		if (lt_recv(g, check_queue, 0, p, BIG, LT_BYTES, NULL, err) < 0 || settled(err) < 0)
			return -1;
		for (size_t i = 0; i < BLOCK; i++)
			must(p[i] == (unsigned char)(i * 2654435761u >> 20));
		return 0;
	}
	for (size_t i = 0; i < BLOCK; i++)
		p[i] = (unsigned char)(i * 2654435761u >> 20);
	return lt_send(g, check_queue, 1, p, BIG, LT_BYTES, &pending, err) < 0 ||
					lt_comm_wait(c, check_queue, &pending, err) < 0 ||
					settled(err) < 0
			? -1
			: 0;
}

/* ---- pending operations, sends ----------------------------------------------------------- */

/*
 * Rank 1 joins the first sum only after a message that rank 0 sends after it has begun it. So rank 0
 * does not wait in the call; were it to, the run would end at its deadline.
 */
int check_overlap_in(struct lt_comm *c, struct lt_group *a, struct lt_group *b, struct lu_err *err)
{
	enum { N = 100000 };
	struct lt_pending *p[3] = { NULL };
	double *x[3];
	int word = 0;

	for (size_t k = 0; k < 3; k++) {
		x[k] = calloc(N, sizeof(*x[k]));
		must(x[k] != NULL);
		fill(x[k], N, LT_DOUBLES, lt_comm_rank(c) + 10 * k);
	}
	if (lt_comm_rank(c) == 1) {
		if (lt_recv(b, check_queue, 0, &word, sizeof(word), LT_BYTES, NULL, err) < 0 ||
				settled(err) < 0)
			return -1;
		must(word == 4711);
	}
	for (size_t k = 0; k < 3; k++) {
		if (lt_all_reduce(a, check_queue, x[k], N, LT_DOUBLES, &p[k], err) < 0)
			return -1;
	}
	if (lt_comm_rank(c) == 0) {
		word = 4711;
		if (lt_send(b, check_queue, 1, &word, sizeof(word), LT_BYTES, NULL, err) < 0)
			return -1;
	}
	for (size_t k = 3; k-- > 0;) {
		if (lt_comm_wait(c, check_queue, &p[k], err) < 0 ||
				lt_comm_wait(c, check_queue, &p[k], err) < 0)
			return -1;
	}
	if (settled(err) < 0)
		return -1;
	for (size_t k = 0; k < 3; k++) {
		size_t from[2] = { 10 * k, 10 * k + 1 };
		double *sum = serial_sum(from, 2, N, LT_DOUBLES);

		must(memcmp(x[k], sum, N * sizeof(*sum)) == 0);
		free(sum);
		free(x[k]);
	}
	return 0;
}

int check_overlap(struct lt_comm *c, void *arg, struct lu_err *err)
{
	struct lt_group *a = world(c);

	(void)arg;
	return check_overlap_in(c, a, world(c), err);
}

/* Both ranks send more than any socket holds before they receive; messages keep their order; the
 * buffer of a send without `pending` is free at once; a pending operation nobody waits for is freed. */
int check_sends_first_in(struct lt_comm *c, struct lt_group *g, struct lu_err *err)
{
	enum { N = 9 << 20, MESSAGES = 3 };
	size_t me = lt_comm_rank(c), other = 1 - me;
	unsigned char *x = malloc(N), *y = malloc(N);
	static unsigned char *z;
	struct lt_pending *p = NULL;

	z = malloc(N);
	must(x && y && z);
	for (size_t k = 0; k < MESSAGES; k++) {
		memset(x, (int)(10 * me + k), N);
		x[N - 1] = 99;
		if (lt_send(g, check_queue, other, x, N - k, LT_BYTES, NULL, err) < 0 ||
				settled(err) < 0)
			return -1;
	}
	memset(z, 55, N);
	if (lt_send(g, check_queue, other, z, N, LT_BYTES, &p, err) < 0)
		return -1;
	for (size_t k = 0; k < MESSAGES; k++) {
		memset(y, 0, N);
		if (lt_recv(g, check_queue, other, y, N - k, LT_BYTES, NULL, err) < 0 ||
				settled(err) < 0)
			return -1;
		must(y[0] == 10 * other + k && memcmp(y, y + 1, N - 2 - k) == 0);
		must(y[N - 1] == (k == 0 ? 99 : 0));
	}
	if (lt_recv(g, check_queue, other, y, N, LT_BYTES, NULL, err) < 0 ||
			lt_comm_wait(c, check_queue, &p, err) < 0 || settled(err) < 0)
		return -1;
	must(memcmp(y, z, N) == 0);
	if (lt_send(g, check_queue, other, z, 1, LT_BYTES, &p, err) < 0 ||
			lt_recv(g, check_queue, other, y, 1, LT_BYTES, NULL, err) < 0 ||
			settled(err) < 0)
		return -1;
	free(x);
	free(y);
	return 0; /* z may still be read: p is not waited for */
}

int check_sends_first(struct lt_comm *c, void *arg, struct lu_err *err)
{
	(void)arg;
	return check_sends_first_in(c, world(c), err);
}

/* ---- several groups at once -------------------------------------------------------------- */

/* 2 x 2 ranks as tensor and data parallel groups, the operations of which are under way together, and
 * a pipeline through all ranks. */
int check_mesh(struct lt_comm *c, void *arg, struct lu_err *err)
{
	enum { N = 50001 };
	size_t me = lt_comm_rank(c), tp[2] = { me / 2 * 2, me / 2 * 2 + 1 },
	       dp[2] = { me % 2, me % 2 + 2 };
	struct lt_group *t, *d, *all = world(c);
	struct lt_pending *p, *q;
	lk_real *x = calloc(N, sizeof(*x)), *y = calloc(N, sizeof(*y));
	uint64_t token = 1;

	(void)arg;
	must(x && y);
	if (lt_comm_group(c, tp, 2, "tp", &t, err) < 0 ||
			lt_comm_group(c, dp, 2, "dp", &d, err) < 0)
		return -1;
	for (size_t round = 0; round < 20; round++) {
		void *s, *r;

		fill(x, N, LT_REALS, me);
		fill(y, N, LT_REALS, me);
		if (lt_all_reduce(t, check_queue, x, N, LT_REALS, &p, err) < 0 ||
				lt_all_reduce(d, check_queue, y, N, LT_REALS, &q, err) < 0)
			return -1;
		if (me > 0 &&
				(lt_recv(all, check_queue, me - 1, &token, sizeof(token), LT_BYTES,
						 NULL, err) < 0 ||
						settled(err) < 0))
			return -1;
		token = token * 3 + me;
		if (me < 3 &&
				lt_send(all, check_queue, me + 1, &token, sizeof(token), LT_BYTES,
						NULL, err) < 0)
			return -1;
		/* In the other order on half of the ranks. */
		if (lt_comm_wait(c, check_queue, me % 2 ? &p : &q, err) < 0 ||
				lt_comm_wait(c, check_queue, me % 2 ? &q : &p, err) < 0 ||
				settled(err) < 0)
			return -1;
		s = serial_sum(tp, 2, N, LT_REALS);
		r = serial_sum(dp, 2, N, LT_REALS);
		must(memcmp(x, s, N * sizeof(*x)) == 0 && memcmp(y, r, N * sizeof(*y)) == 0);
		free(s);
		free(r);
		if (lt_broadcast(all, check_queue, 3, &token, 1, LT_DOUBLES, NULL, err) < 0 ||
				settled(err) < 0)
			return -1;
	}
	must(lt_comm_local_size(c) == 4 && lt_comm_local_rank(c) == me);
	must(strcmp(lt_comm_transport(c), check_queue ? "nccl" : "tcp") == 0);
	must(lt_comm_host(c, 3 - me)[0] != '\0');
	free(x);
	free(y);
	return 0;
}
