#include "tests/trainer/tiny.h"

#include <ftw.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/shard/format.h"

enum lk_type tiny_act = LK_REAL;

bool tiny_is_bf16(void)
{
	return tiny_act == LK_BF16;
}

int tiny_use_bf16(void **state)
{
	(void)state;
	tiny_act = LK_BF16;
	return 0;
}

int tiny_use_real(void **state)
{
	(void)state;
	tiny_act = LK_REAL;
	return 0;
}

struct lt_shape tiny_shape(bool tied)
{
	return (struct lt_shape){ .vocab = TINY_VOCAB,
		.hidden = 12,
		.layers = 2,
		.heads = 4,
		.kv_heads = 2,
		.dim = 6,
		.ffn = 20,
		.tied = tied,
		.rope_theta = 1000,
		.norm_eps = 1e-5,
		.init_std = 0.3 };
}

void ok(int rc, const struct lu_err *err)
{
	if (rc < 0)
		fail_msg("%s", err->msg);
}

void tiny_open_part(struct tiny *t, const struct lt_shape *shape, const struct lt_place *place,
		const struct lt_holding *holding, const struct lt_groups *groups)
{
	struct lk_err kerr;
	struct lu_err err;

	memset(t, 0, sizeof(*t));
	t->ops = lk_cpu_ops(tiny_act);
	assert_int_equal(t->ops->open(&t->q, 0, &kerr), 0);
	ok(lt_weights_open(&t->w, t->ops, t->q, shape, place, holding, &err), &err);
	ok(lt_optimizer_open(&t->o, t->w, groups, &err), &err);
	ok(lt_weights_init(t->w, 7, &err), &err);
	t->loss = t->ops->alloc(t->q, LK_SUMS * TINY_MICROS * sizeof(*t->loss));
	assert_non_null(t->loss);
	assert_int_equal(t->ops->zero(t->q, t->loss, LK_SUMS * TINY_MICROS * sizeof(*t->loss)), 0);
	for (size_t i = 0; i < TINY_ROWS; i++) {
		t->ids[i] = (uint32_t)lu_rand_below(1, 0, i, TINY_VOCAB);
		t->labels[i] = (uint32_t)lu_rand_below(1, 1, i, TINY_VOCAB);
		t->weight[i] = i % 9 != 4;
	}
}

void tiny_open(struct tiny *t, size_t lanes, bool tied)
{
	const struct lt_holding holding = { .lanes = lanes, .dp_size = 1 };
	struct lt_shape shape = tiny_shape(tied);

	tiny_open_part(t, &shape, NULL, &holding, NULL);
}

struct lt_batch tiny_batch(const struct tiny *t)
{
	return (struct lt_batch){ .ids = t->ids, .labels = t->labels, .weight = t->weight };
}

struct lt_model_plan tiny_plan(enum lt_model_mode mode)
{
	return (struct lt_model_plan){ .batch = TINY_BATCH, .context = TINY_CONTEXT, .mode = mode };
}

void tiny_close(struct tiny *t)
{
	t->ops->free(t->q, t->loss);
	lt_optimizer_close(t->o);
	lt_weights_close(t->w);
	t->ops->close(t->q);
}

void tiny_read(struct tiny *t, const lk_real *from, lk_real *to, size_t n)
{
	assert_int_equal(t->ops->copy(t->q, to, from, n * sizeof(*to), LK_D2H), 0);
	assert_int_equal(t->ops->sync(t->q), 0);
}

void tiny_read_loss(struct tiny *t, size_t n, double *out)
{
	assert_int_equal(t->ops->copy(t->q, out, t->loss, n * sizeof(*out), LK_D2H), 0);
	assert_int_equal(t->ops->sync(t->q), 0);
}

void tiny_set_weights(struct tiny *t, double weights)
{
	const double sums[LK_SUMS] = { [LK_SUM_WEIGHTS] = weights };

	assert_int_equal(t->ops->copy(t->q, t->loss, sums, sizeof(sums), LK_H2D), 0);
	assert_int_equal(t->ops->sync(t->q), 0);
}

char *scratch_new(void)
{
	const char *base = getenv("TMPDIR");
	char *dir;

	assert_true(asprintf(&dir, "%s/lucie-test-XXXXXX", base && *base ? base : "/tmp") > 0);
	assert_non_null(mkdtemp(dir));
	return dir;
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

char *path_in(const char *dir, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static FILE *create(const char *prefix, const char *suffix)
{
	char *path;
	FILE *f;

	assert_true(asprintf(&path, "%s%s", prefix, suffix) > 0);
	f = fopen(path, "wb");
	assert_non_null(f);
	free(path);
	return f;
}

static void put(FILE *f, uint64_t v, size_t bytes)
{
	unsigned char b[8];

	lu_store64(b, v);
	assert_int_equal(fwrite(b, 1, bytes, f), bytes);
}

static uint64_t length_of(size_t doc)
{
	return 3 + doc * 5 % 11;
}

uint64_t make_shard(const char *prefix, size_t docs, uint32_t vocab)
{
	FILE *bin = create(prefix, ".bin"), *idx = create(prefix, ".idx");
	uint64_t tokens = 0, at = 0;

	assert_int_equal(fwrite(LU_IDX_MAGIC, 1, LU_IDX_MAGIC_SIZE, idx), LU_IDX_MAGIC_SIZE);
	put(idx, LU_IDX_VERSION, 8);
	put(idx, LU_IDX_TYPE_U16, 1);
	put(idx, docs, 8);
	put(idx, docs + 1, 8);
	for (size_t d = 0; d < docs; d++) {
		put(idx, length_of(d), 4);
		tokens += length_of(d);
	}
	for (size_t d = 0; d < docs; d++) {
		put(idx, 2 * at, 8);
		at += length_of(d);
	}
	for (size_t d = 0; d <= docs; d++)
		put(idx, d, 8);
	for (uint64_t i = 0; i < tokens; i++)
		put(bin, (i * 7 + i / 5) % vocab, 2);
	assert_int_equal(fclose(bin), 0);
	assert_int_equal(fclose(idx), 0);
	return tokens;
}

int read_sample(const struct lt_corpus *c, uint64_t i, uint32_t *tokens, uint32_t *pos,
		struct lu_err *err)
{
	const struct lt_micro_want want = { .places = pos };
	size_t context = lt_corpus_context(c);
	struct lt_micro row;
	int rc;

	ok(lt_micro_open(&row, &want, context, 1, err), err);
	rc = lt_corpus_sample(c, i, &row, err);
	if (rc == 0) {
		memcpy(tokens, row.ids, context * sizeof(*tokens));
		tokens[context] = row.labels[context - 1];
		assert_memory_equal(tokens + 1, row.labels, context * sizeof(*tokens));
	}
	if (rc == 0 && pos)
		memcpy(pos, row.places, context * sizeof(*pos));
	lt_micro_release(&row);
	return rc;
}
