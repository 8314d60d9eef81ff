/* Every collective for 1 to 6 ranks against a serial tree; control plane; pending operations. */
#include "tests/trainer/ranks.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcommon/sys/version.h"
#include "trainer/comm/pieces.h"

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

/* As some containers do: no process reads another's memory, so that everything goes by TCP. */
static void forbid_reading(size_t rank, void *arg)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };

	(void)rank, (void)arg;
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void test_collectives(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 6; size++) {
		struct ranks r = { .size = size, .work = collectives };

		ranks_good(&r, 120);
	}
}

static void test_without_reading(void **state)
{
	(void)state;
	for (size_t size = 2; size <= 5; size += 3) {
		struct ranks r = { .size = size, .work = collectives, .before = forbid_reading };

		ranks_good(&r, 120);
	}
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

static int send_big(struct lt_comm *c, void *arg, struct lu_err *err)
{
	struct lt_group *g = world(c);
	unsigned char *p = big_new();
	struct lt_pending *pending;

	(void)arg;
	if (lt_comm_rank(c) == 1) {
		if (lt_recv(g, NULL, 0, p, BIG, LT_BYTES, NULL, err) < 0)
			return -1;
		for (size_t i = 0; i < BLOCK; i++)
			must(p[i] == (unsigned char)(i * 2654435761u >> 20));
		return 0;
	}
	for (size_t i = 0; i < BLOCK; i++)
		p[i] = (unsigned char)(i * 2654435761u >> 20);
	return lt_send(g, NULL, 1, p, BIG, LT_BYTES, &pending, err) < 0 ||
					lt_comm_wait(c, NULL, &pending, err) < 0
			? -1
			: 0;
}

static void test_big(void **state)
{
	struct ranks a = { .size = 2, .work = send_big },
		     b = { .size = 2, .work = send_big, .before = forbid_reading };

	(void)state;
	ranks_good(&a, 120);
	ranks_good(&b, 120);
}

/* The pieces of MPI's messages, whose sizes are int. */
static void test_pieces(void **state)
{
	static const size_t totals[] = { 1, LT_PIECE - 1, LT_PIECE, LT_PIECE + 1, BIG,
		(size_t)1 << 40 };
	static const size_t windows[] = { 0, 1000, (size_t)1 << 18, (size_t)1 << 36 };

	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
			size_t at = 0, pieces = 0;

			/* A window cuts nothing into millions of pieces. */
			if (windows[w] && totals[i] / windows[w] > 100000)
				continue;
			for (; at < totals[i]; pieces++) {
				int n = lt_piece_bytes(totals[i] - at, windows[w]);

				assert_true(n > 0 && (size_t)n <= LT_PIECE);
				assert_true(!windows[w] || (size_t)n <= windows[w]);
				at += (size_t)n;
			}
			assert_true(at == totals[i]);
			if (!windows[w])
				assert_true(pieces == (totals[i] + LT_PIECE - 1) / LT_PIECE);
		}
	}
}

/* ---- pending operations, sends ----------------------------------------------------------- */

/*
 * Rank 1 joins the first sum only after a message that rank 0 sends after it has begun it. So rank 0
 * does not wait in the call; were it to, the run would end at its deadline.
 */
static int overlap_in(struct lt_comm *c, struct lt_group *a, struct lt_group *b, struct lu_err *err)
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
		if (lt_recv(b, NULL, 0, &word, sizeof(word), LT_BYTES, NULL, err) < 0)
			return -1;
		must(word == 4711);
	}
	for (size_t k = 0; k < 3; k++) {
		if (lt_all_reduce(a, NULL, x[k], N, LT_DOUBLES, &p[k], err) < 0)
			return -1;
	}
	if (lt_comm_rank(c) == 0) {
		word = 4711;
		if (lt_send(b, NULL, 1, &word, sizeof(word), LT_BYTES, NULL, err) < 0)
			return -1;
	}
	for (size_t k = 3; k-- > 0;) {
		if (lt_comm_wait(c, NULL, &p[k], err) < 0 || lt_comm_wait(c, NULL, &p[k], err) < 0)
			return -1;
	}
	for (size_t k = 0; k < 3; k++) {
		size_t from[2] = { 10 * k, 10 * k + 1 };
		double *sum = serial_sum(from, 2, N, LT_DOUBLES);

		must(memcmp(x[k], sum, N * sizeof(*sum)) == 0);
		free(sum);
		free(x[k]);
	}
	return 0;
}

static int overlap(struct lt_comm *c, void *arg, struct lu_err *err)
{
	struct lt_group *a = world(c);

	(void)arg;
	return overlap_in(c, a, world(c), err);
}

/* Both ranks send more than any socket holds before they receive; messages keep their order; the
 * buffer of a send without `pending` is free at once; a pending operation nobody waits for is freed. */
static int sends_first_in(struct lt_comm *c, struct lt_group *g, struct lu_err *err)
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
		if (lt_send(g, NULL, other, x, N - k, LT_BYTES, NULL, err) < 0)
			return -1;
	}
	memset(z, 55, N);
	if (lt_send(g, NULL, other, z, N, LT_BYTES, &p, err) < 0)
		return -1;
	for (size_t k = 0; k < MESSAGES; k++) {
		memset(y, 0, N);
		if (lt_recv(g, NULL, other, y, N - k, LT_BYTES, NULL, err) < 0)
			return -1;
		must(y[0] == 10 * other + k && memcmp(y, y + 1, N - 2 - k) == 0);
		must(y[N - 1] == (k == 0 ? 99 : 0));
	}
	if (lt_recv(g, NULL, other, y, N, LT_BYTES, NULL, err) < 0 ||
			lt_comm_wait(c, NULL, &p, err) < 0)
		return -1;
	must(memcmp(y, z, N) == 0);
	if (lt_send(g, NULL, other, z, 1, LT_BYTES, &p, err) < 0 ||
			lt_recv(g, NULL, other, y, 1, LT_BYTES, NULL, err) < 0)
		return -1;
	free(x);
	free(y);
	return 0; /* z may still be read: p is not waited for */
}

static int sends_first(struct lt_comm *c, void *arg, struct lu_err *err)
{
	(void)arg;
	return sends_first_in(c, world(c), err);
}

/* overlap() and sends_first() between ranks 0 and 1 of more. */
static int pairs(struct lt_comm *c, struct lu_err *err)
{
	size_t two[2] = { 0, 1 };
	struct lt_group *a, *b;

	if (lt_comm_rank(c) > 1)
		return 0;
	if (lt_comm_group(c, two, 2, "a", &a, err) < 0 ||
			lt_comm_group(c, two, 2, "b", &b, err) < 0)
		return -1;
	return overlap_in(c, a, b, err) < 0 || sends_first_in(c, a, err) < 0 ? -1 : 0;
}

static void test_pending(void **state)
{
	struct ranks a = { .size = 2, .work = overlap }, b = { .size = 2, .work = sends_first };

	(void)state;
	ranks_good(&a, 40);
	ranks_good(&b, 40);
}

/* ---- several groups at once -------------------------------------------------------------- */

/* 2 x 2 ranks as tensor and data parallel groups, the operations of which are under way together, and
 * a pipeline through all ranks. */
static int mesh(struct lt_comm *c, void *arg, struct lu_err *err)
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
		if (lt_all_reduce(t, NULL, x, N, LT_REALS, &p, err) < 0 ||
				lt_all_reduce(d, NULL, y, N, LT_REALS, &q, err) < 0)
			return -1;
		if (me > 0 &&
				lt_recv(all, NULL, me - 1, &token, sizeof(token), LT_BYTES, NULL,
						err) < 0)
			return -1;
		token = token * 3 + me;
		if (me < 3 &&
				lt_send(all, NULL, me + 1, &token, sizeof(token), LT_BYTES, NULL,
						err) < 0)
			return -1;
		/* In the other order on half of the ranks. */
		if (lt_comm_wait(c, NULL, me % 2 ? &p : &q, err) < 0 ||
				lt_comm_wait(c, NULL, me % 2 ? &q : &p, err) < 0)
			return -1;
		s = serial_sum(tp, 2, N, LT_REALS);
		r = serial_sum(dp, 2, N, LT_REALS);
		must(memcmp(x, s, N * sizeof(*x)) == 0 && memcmp(y, r, N * sizeof(*y)) == 0);
		free(s);
		free(r);
		if (lt_broadcast(all, NULL, 3, &token, 1, LT_DOUBLES, NULL, err) < 0)
			return -1;
	}
	must(lt_comm_local_size(c) == 4 && lt_comm_local_rank(c) == me);
	must(strcmp(lt_comm_transport(c), "tcp") == 0);
	must(lt_comm_host(c, 3 - me)[0] != '\0');
	free(x);
	free(y);
	return 0;
}

/* The same run twice at once, by attempts of their own: neither meets the other's ranks. */
static void test_groups(void **state)
{
	struct ranks a = { .size = 4, .work = mesh }, b = { .size = 4, .work = mesh };

	(void)state;
	ranks_start(&a);
	ranks_good(&b, 60);
	ranks_wait(&a, 60);
	for (size_t i = 0; i < a.size; i++)
		assert_int_equal(a.status[i], RANKS_GOOD);
}

/* ---- control plane ----------------------------------------------------------------------- */

struct saver {
	struct lt_comm *c;
	int rc;
	struct lu_err err;
};

/* The other channel, from a thread of its own. */
static void *save(void *arg)
{
	struct saver *s = arg;
	size_t size = lt_comm_size(s->c), rank = lt_comm_rank(s->c);
	uint32_t *all = calloc(size * 4000, sizeof(*all)), mine[4000];

	must(all != NULL);
	for (uint32_t round = 0; round < 50 && s->rc == 0; round++) {
		for (uint32_t i = 0; i < 4000; i++)
			mine[i] = round * 7 + i + (uint32_t)rank * 100000;
		s->rc = lt_comm_collect(s->c, LT_CHANNEL_SAVE, mine, sizeof(mine), all, &s->err);
		for (uint32_t i = 0; rank == 0 && i < size * 4000; i++)
			must(all[i] == round * 7 + i % 4000 + i / 4000 * 100000);
	}
	free(all);
	return NULL;
}

static int control(struct lt_comm *c, void *arg, struct lu_err *err)
{
	size_t rank = lt_comm_rank(c);
	struct saver s = { .c = c };
	pthread_t thread;
	char text[1000];

	(void)arg;
	must(pthread_create(&thread, NULL, save, &s) == 0);
	for (size_t round = 0; round < 50; round++) {
		bool none = false, one = rank == round % lt_comm_size(c), all = true;

		memset(text, rank == 0 ? (int)round : 0, sizeof(text));
		lt_comm_at(c, "round %zu", round);
		if (lt_comm_any(c, LT_CHANNEL_MAIN, &none, err) < 0 ||
				lt_comm_any(c, LT_CHANNEL_MAIN, &one, err) < 0 ||
				lt_comm_any(c, LT_CHANNEL_MAIN, &all, err) < 0 ||
				lt_comm_share(c, LT_CHANNEL_MAIN, text, sizeof(text), err) < 0 ||
				lt_comm_agree(c, LT_CHANNEL_MAIN, 0, err) < 0)
			return -1;
		must(!none && one && all);
		must(text[0] == (char)round && memcmp(text, text + 1, sizeof(text) - 1) == 0);
	}
	must(lt_comm_speaks(c));
	must(pthread_join(thread, NULL) == 0);
	if (s.rc < 0)
		*err = s.err;
	return s.rc;
}

/* Ranks 1 and 3 of five fail: rank 1 speaks, the others know what it says. */
static int disagree(struct lt_comm *c, void *arg, struct lu_err *err)
{
	size_t rank = lt_comm_rank(c);
	struct lt_group *g = world(c);
	struct lt_pending *p, *q;
	static double never;
	int rc = 0;

	(void)arg;
	/* What will never come does not keep them. */
	must(rank != 2 || lt_recv(g, NULL, 3, &never, 1, LT_DOUBLES, &p, err) == 0);
	must(rank != 4 || lt_send(g, NULL, 1, &never, 1, LT_DOUBLES, &q, err) == 0);
	if (rank == 1 || rank == 3)
		rc = lu_err_set(err, "no room for rank %zu", rank);
	must(lt_comm_agree(c, LT_CHANNEL_MAIN, rc, err) == -1);
	must(lt_comm_speaks(c) == (rank == 1));
	if (rank == 1) {
		must(strcmp(err->msg, "no room for rank 1") == 0);
		return 0;
	}
	must(strncmp(err->msg, "rank 1 on ", 10) == 0);
	must(strstr(err->msg, ": no room for rank 1") != NULL);
	return 0;
}

static void test_control(void **state)
{
	struct ranks a = { .size = 5, .work = control },
		     b = { .size = 5, .work = disagree, .deadline = 300 };

	(void)state;
	ranks_good(&a, 60);
	ranks_good(&b, 60);
}

static int nothing(struct lt_comm *c, void *arg, struct lu_err *err)
{
	(void)c, (void)arg, (void)err;
	return 0;
}

/* Ranks leave at different times, rank 0 among the first: nobody takes it for a death. */
static int leave(struct lt_comm *c, void *arg, struct lu_err *err)
{
	(void)arg, (void)err;
	sleep_for(0.1 * (double)lt_comm_rank(c));
	return 0;
}

static void test_meeting(void **state)
{
	struct ranks a = { .size = 48, .work = nothing }, b = { .size = 6, .work = leave };

	(void)state;
	ranks_good(&a, 60);
	ranks_good(&b, 60);
}

/* ---- mpirun ------------------------------------------------------------------------------ */

/* What a rank that mpirun has started does: all of the above. */
static void be_mpi_rank(void)
{
	struct lt_comm_options options = { 60, 60, NULL };
	struct lt_launch who;
	struct lt_comm *c = NULL;
	struct lu_err err;
	int rc = -1;

	if (lt_launch_detect(&who, &err) < 0 ||
			lt_comm_open(&c, &who, &host_ops, &options, &err) < 0)
		goto out;
	must(who.by == LT_LAUNCH_MPI && lt_comm_size(c) == 3);
	/* Without MPI in the build the ranks, which are on one host, use TCP. */
	must(strcmp(lt_comm_transport(c), lu_version_mpi ? "mpi" : "tcp") == 0);
	if (collectives(c, NULL, &err) < 0 || control(c, NULL, &err) < 0 || pairs(c, &err) < 0)
		goto out;
	rc = 0;
out:
	if (rc < 0)
		fprintf(stderr, "rank %zu: %s\n", who.rank, err.msg);
	lt_comm_close(c);
	/* Open MPI leaks memory of plugins that it has unloaded, which no suppression can name. */
	_exit(rc == 0 ? RANKS_GOOD : RANKS_ERROR);
}

static void test_mpirun(void **state)
{
	char self[1024], command[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *ci = getenv("CI");

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	if (system("command -v mpirun >/dev/null 2>&1") != 0) {
		if (ci && strcmp(ci, "true") == 0)
			fail_msg("no mpirun");
		printf("# no mpirun: MPI is not tested\n");
		return;
	}
	/* Without -x the ranks have this environment; -q keeps Open MPI's own remarks away. */
	snprintf(command, sizeof(command),
			"OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
			"mpirun -q -np 3 --oversubscribe '%s' mpi-rank",
			self);
	assert_int_equal(system(command), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collectives),
		cmocka_unit_test(test_without_reading),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_meeting),
		cmocka_unit_test(test_mpirun),
	};

	if (argc > 1 && strcmp(argv[1], "mpi-rank") == 0)
		be_mpi_rank();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
