#include "tests/kernels/lk_test.h"

#include <sys/mman.h>

#ifdef LK_EMU
#include "tests/kernels/emu/emu_control.h"
#endif

#define GUARD ((size_t)128)
#define BUFFERS 32
#define UNTOUCHABLE ((size_t)1 << 32)

struct buffer {
	unsigned char *dev, *host;
	size_t bytes, first; /* of the user's part */
};

struct t_ctx {
	const struct lk_ops *ops;
	struct lk_queue *q;
	size_t shift;	   /* of the buffers, past a multiple of 64 bytes */
	size_t align;	   /* of t_align(), or 0 */
	void *untouchable; /* stands for every buffer while the queue measures */
	size_t n;
	struct buffer buffer[BUFFERS];
};

static int (*cuda_open)(struct lk_queue **q, int device, struct lk_err *err);

/* With our attention: cuDNN's, which bench_gpu compares with it, has other bits for other buffers. */
static int open_own(struct lk_queue **q, int device, struct lk_err *err)
{
	if (cuda_open(q, device, err) < 0)
		return -1;
	return lk_cuda_choose(*q, LK_ATTENTION_OWN, 1);
}

/* The GPU's, or the emulated one's: table i of two. */
static const struct lk_ops *cuda_table(size_t i, struct lk_err *err)
{
	static struct lk_ops own;
	const struct lk_ops *ops = lk_cuda_ops(i == 0 ? LK_REAL : LK_BF16, err);

	if (!ops || i == 0)
		return ops;
	cuda_open = ops->open;
	own = *ops;
	own.open = open_own;
	return &own;
}

#if defined(LK_EMU) || defined(LK_TEST_GPU)
/* Linked for these alone: the CPU's tables have been tested. Without a GPU every test would pass. */
const struct lk_ops *t_table(size_t i)
{
	struct lk_err err;
	const struct lk_ops *ops = i < 2 ? cuda_table(i, &err) : NULL;

	if (i < 2 && !ops) {
		printf("Bail out! %s\n", err.msg);
		exit(2);
	}
	return ops;
}
#else
const struct lk_ops *t_table(size_t i)
{
	static const char *const isa[] = { "base", "avx2", "avx512", "avx512bf16", "amx" };
	static const enum lk_type act[] = { LK_REAL, LK_BF16 };
	struct lk_err err;
	size_t n = 0;

	/* All instruction sets have the same loops over threads. */
	if (T_TSAN)
		return i < T_LEN(act) ? lk_cpu_ops(act[i]) : NULL;
	for (size_t j = 0; j < T_LEN(isa) * T_LEN(act); j++) {
		const struct lk_ops *ops = lk_cpu_ops_isa(isa[j % T_LEN(isa)], act[j / T_LEN(isa)]);

		if (ops && n++ == i)
			return ops;
	}
	return i - n < 2 && lk_cuda_devices() > 0 ? cuda_table(i - n, &err) : NULL;
}
#endif

const struct lk_ops *t_product_table(size_t i)
{
#if !defined(LK_EMU) && !defined(LK_TEST_GPU)
	const struct lk_ops *ops = t_table(i);

	return ops || (i > 0 && !t_table(i - 1)) ? ops : t_tile_model();
#else
	return t_table(i);
#endif
}

bool t_on_cpu(const struct lk_ops *ops)
{
	return strncmp(ops->name, "cpu ", 4) == 0;
}

const struct lk_ops *t_ops(const struct t_ctx *t)
{
	return t->ops;
}

struct lk_queue *t_queue(const struct t_ctx *t)
{
	return t->q;
}

void t_align(struct t_ctx *t, size_t align)
{
	t->align = align;
}

void t_ok(struct t_ctx *t, int rc)
{
	if (rc != 0)
		fail_msg("%s: %s", t->ops->name, t->ops->message(t->q));
}

static void *new_buffer(struct t_ctx *t, const void *init, size_t bytes, size_t shift)
{
	struct buffer *b = &t->buffer[t->n++];
	size_t all = bytes + 2 * GUARD;

	assert_true(t->n <= BUFFERS);
	b->bytes = bytes;
	b->first = GUARD / 2 + (t->align ? shift / t->align * t->align : shift);
	b->dev = t->ops->alloc(t->q, all);
	b->host = malloc(all);
	assert_non_null(b->dev);
	assert_non_null(b->host);
	memset(b->host, 0xff, all);
	if (init && bytes > 0)
		memcpy(b->host + b->first, init, bytes);
	t_ok(t, t->ops->copy(t->q, b->dev, b->host, all, LK_H2D));
	t_ok(t, t->ops->sync(t->q));
	return b->dev + b->first;
}

void *t_dev(struct t_ctx *t, const void *init, size_t bytes)
{
	if (t->untouchable)
		return t->untouchable;
	return new_buffer(t, init, bytes, t->shift);
}

void *t_dev8(struct t_ctx *t, const void *init, size_t bytes)
{
	if (t->untouchable)
		return t->untouchable;
	return new_buffer(t, init, bytes, t->shift / 8 * 8);
}

void *t_get(struct t_ctx *t, void *out, const void *dev, size_t bytes)
{
	if (!t->untouchable) {
		t_ok(t, t->ops->copy(t->q, out, dev, bytes, LK_D2H));
		t_ok(t, t->ops->sync(t->q));
	}
	return (unsigned char *)out + bytes;
}

/* --- activations ------------------------------------------------------------------------------- */

bool t_is_bf16(const struct lk_ops *ops)
{
	return ops->act == LK_BF16;
}

double t_round(const struct lk_ops *ops, double x)
{
	return lk_ref_round(x, ops->act);
}

static uint16_t to_bf16(lk_real x)
{
	float f = (float)lk_ref_round((double)x, LK_BF16);
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return (uint16_t)(bits >> 16);
}

static lk_real from_bf16(uint16_t x)
{
	uint32_t bits = (uint32_t)x << 16;
	float f;

	memcpy(&f, &bits, sizeof(f));
	return (lk_real)f;
}

void *t_act(struct t_ctx *t, const lk_real *init, size_t n)
{
	size_t bytes = n * t->ops->act_size, shift = t->shift / sizeof(lk_real) * t->ops->act_size;
	uint16_t *half = NULL;
	void *dev;

	if (t->untouchable)
		return t->untouchable;
	if (init && t_is_bf16(t->ops)) {
		half = t_alloc(n, sizeof(*half));
		for (size_t i = 0; i < n; i++)
			half[i] = to_bf16(init[i]);
	}
	dev = new_buffer(t, half ? (const void *)half : init, bytes, shift);
	free(half);
	return dev;
}

void *t_get_act(struct t_ctx *t, void *out, const void *dev, size_t n)
{
	unsigned char *to = out;
	uint16_t *half;

	if (t->untouchable)
		return to + n * sizeof(lk_real);
	if (!t_is_bf16(t->ops))
		return t_get(t, out, dev, n * sizeof(lk_real));
	half = t_alloc(n, sizeof(*half));
	t_get(t, half, dev, n * sizeof(*half));
	for (size_t i = 0; i < n; i++) {
		lk_real x = from_bf16(half[i]);

		memcpy(to + i * sizeof(x), &x, sizeof(x));
	}
	free(half);
	return to + n * sizeof(lk_real);
}

void *t_act_at(const struct lk_ops *ops, const void *p, size_t i)
{
	return (char *)(uintptr_t)p + i * ops->act_size;
}

lk_real *t_fill_act(const struct lk_ops *ops, uint64_t seed, size_t n, double scale)
{
	lk_real *x = t_fill(seed, n, scale);

	for (size_t i = 0; i < n; i++)
		x[i] = (lk_real)t_round(ops, (double)x[i]);
	return x;
}

/* --- a run of a test ---------------------------------------------------------------------------- */

/* Check the bytes around each buffer and free it. */
static void release(struct t_ctx *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct buffer *b = &t->buffer[i];
		size_t all = b->bytes + 2 * GUARD;

		t_get(t, b->host, b->dev, all);
		for (size_t j = 0; j < all; j++)
			if ((j < b->first || j >= b->first + b->bytes) && b->host[j] != 0xff)
				fail_msg("%s: buffer %zu of %zu bytes: byte %zd overwritten",
						t->ops->name, i, b->bytes, (ssize_t)(j - b->first));
		t->ops->free(t->q, b->dev);
		free(b->host);
	}
	t->n = 0;
}

/* A call of a test's function inside a team. */
struct call {
	struct t_ctx *t;
	t_fn *fn;
	const void *arg;
	void *out;
};

static int in_team(void *ctx)
{
	const struct call *c = ctx;

	c->fn(c->t, c->arg, c->out);
	return 0;
}

/* Measure fn without touching its buffers, then run it in the work space that this found. */
static int measured(void *ctx)
{
	const struct call *c = ctx;
	struct t_ctx *t = c->t;
	void *page = mmap(NULL, UNTOUCHABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);
	uint64_t need;

	assert_true(page != MAP_FAILED);
	t->untouchable = page;
	t_ok(t, t->ops->measure(t->q, 1));
	c->fn(t, c->arg, c->out);
	need = t->ops->workspace(t->q);
	t_ok(t, t->ops->measure(t->q, 0));
	t->untouchable = NULL;
	assert_int_equal(munmap(page, UNTOUCHABLE), 0);
	c->fn(t, c->arg, c->out);
	assert_true(t->ops->workspace(t->q) == need);
	release(t);
	return 0;
}

/*
 * How often t_run() runs a test, and how: the CPU with several numbers of threads, the emulated GPU in
 * several orders of its threads and with work done late, a GPU twice.
 */
struct way {
	int threads;
	unsigned order;
	int late;
};

static const struct way *ways(const struct lk_ops *ops, size_t *n)
{
	static const struct way cpu[] = { { .threads = 1 }, { .threads = 1 }, { .threads = 2 },
		{ .threads = 3 }, { .threads = 5 } };
	static const struct way cuda[] = { { .threads = 1 }, { .threads = 1, .order = 1 },
		{ .threads = 1, .order = 2, .late = 1 } };

	*n = t_on_cpu(ops) ? T_LEN(cpu) : T_LEN(cuda);
	return t_on_cpu(ops) ? cpu : cuda;
}

static void set_way(const struct way *w)
{
#ifdef LK_EMU
	emu_set_order(w->order);
	emu_set_late(w->late);
#else
	(void)w;
#endif
}

void t_run(const struct lk_ops *ops, t_fn *fn, const void *arg, void *out, size_t bytes)
{
	size_t n;
	const struct way *way = ways(ops, &n);
	struct t_ctx t = { .ops = ops };
	struct lk_err err;
	void *again = malloc(bytes + 1);

	assert_non_null(again);
	if (ops->open(&t.q, 0, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < n; i++) {
		struct call c = { &t, fn, arg, i == 0 ? out : again };

		t.shift = i * sizeof(lk_real);
		set_way(&way[i]);
		lk_cpu_team(way[i].threads, in_team, &c);
		release(&t);
		if (i > 0 && memcmp(out, again, bytes) != 0)
			fail_msg("%s: run %zu with %d threads has other bits", ops->name, i,
					way[i].threads);
	}
	set_way(&way[0]);
	ops->close(t.q);
	if (ops->open(&t.q, 0, &err) < 0)
		fail_msg("%s", err.msg);
	lk_cpu_team(way[n - 1].threads, measured, &(struct call){ &t, fn, arg, again });
	if (memcmp(out, again, bytes) != 0)
		fail_msg("%s: the run after measuring has other bits", ops->name);
	ops->close(t.q);
	free(again);
}

double t_rand(uint64_t seed, uint64_t i)
{
	uint64_t z = (seed * 0x100000001b3u + i + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (double)(z >> 11) * 0x1p-52 - 1;
}

void *t_alloc(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	assert_non_null(p);
	return p;
}

lk_real *t_fill(uint64_t seed, size_t n, double scale)
{
	lk_real *x = t_alloc(n, sizeof(*x));

	for (size_t i = 0; i < n; i++)
		x[i] = (lk_real)(t_rand(seed, i) * scale);
	return x;
}

double *t_widen(const lk_real *x, size_t n)
{
	double *y = t_alloc(n, sizeof(*y));

	for (size_t i = 0; i < n; i++)
		y[i] = (double)x[i];
	return y;
}

/* |got - want| within tol of the largest |want|, and `own` of its own. */
static void near(const char *what, const lk_real *got, const double *want, size_t n, double tol,
		double own)
{
	double max = 1e-3;

	for (size_t i = 0; i < n; i++)
		if (isfinite(want[i]) && fabs(want[i]) > max)
			max = fabs(want[i]);
	for (size_t i = 0; i < n; i++)
		if (!((double)got[i] == want[i]) &&
				!(fabs((double)got[i] - want[i]) <=
						tol * max + own * fabs(want[i])))
			fail_msg("%s[%zu of %zu]: %.9g, not %.9g", what, i, n, (double)got[i],
					want[i]);
}

void t_near(const char *what, const lk_real *got, const double *want, size_t n, double tol)
{
	near(what, got, want, n, tol, 0);
}

void t_near_act(const struct lk_ops *ops, const char *what, const lk_real *got, const double *want,
		size_t n, double tol)
{
	char named[160];

	(void)snprintf(named, sizeof(named), "%s: %s", ops->name, what);
	near(named, got, want, n, tol, t_is_bf16(ops) ? T_BF16 : 0);
}
