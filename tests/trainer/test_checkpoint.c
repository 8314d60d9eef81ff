/* Saving, loading, damage, and which checkpoints are kept. */
#include "tests/trainer/tiny.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/hash/hash.h"
#include "trainer/model/tensorfile.h"
#include "trainer/run/checkpoint.h"

static struct lt_position position(uint64_t step)
{
	return (struct lt_position){ .step = step,
		.phase = 1,
		.samples = 10 * step,
		.tokens = 99,
		.updates = step - 1,
		.context = TINY_CONTEXT,
		.phase_name = "annealing" };
}

/* Different numbers in p, m and v. */
static void fill(struct tiny *t)
{
	struct lu_err err;

	for (size_t i = 0; i < t->w->table.total; i++) {
		lk_real x = (lk_real)(0.5 * (double)i - 3);

		ok(lt_weights_put(t->w, LT_VECTOR_M, i, 1, &x, &err), &err);
		x = -x;
		ok(lt_weights_put(t->w, LT_VECTOR_V, i, 1, &x, &err), &err);
	}
}

static void save(struct tiny *t, const char *run, uint64_t step, size_t keep)
{
	struct lt_position at = position(step);
	struct lu_err err;

	ok(lt_checkpoint_save(run, t->w, &at, keep, &err), &err);
}

static bool there(const char *dir, const char *name)
{
	char *path = path_in(dir, name);
	bool is = access(path, F_OK) == 0;

	free(path);
	return is;
}

static void test_round_trip(void **state)
{
	struct lt_position at, want = position(12);
	struct lt_shape shape;
	struct tiny t, u;
	struct lu_err err;
	char *run = scratch_new(), *dir;
	lk_real zero = 0;

	(void)state;
	tiny_open(&t, 1, false);
	fill(&t);
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	assert_null(dir);
	save(&t, run, 12, 0);
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	assert_non_null(dir);
	ok(lt_manifest_read(dir, &at, &shape, &err), &err);
	assert_memory_equal(&at, &want, sizeof(at));
	assert_memory_equal(&shape, &t.w->table.shape, sizeof(shape));
	tiny_open(&u, 1, false);
	ok(lt_weights_put(u.w, LT_VECTOR_P, 5, 1, &zero, &err), &err);
	ok(lt_checkpoint_load(dir, u.w, &err), &err);
	for (int v = 0; v < LT_VECTORS; v++)
		assert_memory_equal(
				u.w->vector[v], t.w->vector[v], t.w->table.total * sizeof(lk_real));
	free(dir);
	tiny_close(&t);
	tiny_close(&u);
	scratch_remove(run);
}

/* Another model's checkpoint is refused by the first tensor that does not fit. */
static void test_wrong_shape(void **state)
{
	struct lt_shape wide = tiny_shape(false);
	char *run = scratch_new(), *dir;
	struct lt_weights *w;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	save(&t, run, 1, 0);
	wide.ffn = 24;
	ok(lt_weights_open(&w, t.ops, t.q, &wide, 1, &err), &err);
	ok(lt_checkpoint_find(run, 1, &dir, &err), &err);
	assert_int_equal(lt_checkpoint_load(dir, w, &err), -1);
	assert_non_null(strstr(err.msg, "model.layers.0.mlp.gate_proj.weight"));
	lt_weights_close(w);
	free(dir);
	tiny_close(&t);
	scratch_remove(run);
}

static void change_byte(const char *path, off_t at)
{
	unsigned char c;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

/* One changed bit in any file, at the ends and in the middle, and a lost byte: all are seen. */
static void test_damage(void **state)
{
	static const char *const names[] = { "weights.safetensors", "adam-m.safetensors",
		"adam-v.safetensors", "manifest.json" };
	char *run = scratch_new(), *dir;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	save(&t, run, 3, 0);
	ok(lt_checkpoint_find(run, 3, &dir, &err), &err);
	for (size_t f = 0; f < 4; f++) {
		char *path = path_in(dir, names[f]);
		struct stat sb;

		assert_int_equal(stat(path, &sb), 0);
		for (int k = 0; k < 5; k++) {
			/* the manifest's last bytes are the hash that guards it */
			off_t at = (sb.st_size - 1) * k / 4 - (k == 4 ? 4 : 0);

			change_byte(path, at);
			assert_int_equal(lt_checkpoint_load(dir, t.w, &err), -1);
			assert_non_null(strstr(err.msg, f < 3 ? names[f] : "manifest.json"));
			change_byte(path, at);
		}
		ok(lt_manifest_verify(dir, &err), &err);
		assert_int_equal(truncate(path, sb.st_size - 1), 0);
		/* The manifest may lose its last newline. */
		assert_int_equal(lt_manifest_verify(dir, &err), f == 3 ? 0 : -1);
		assert_int_equal(truncate(path, sb.st_size / 2), 0);
		assert_int_equal(lt_manifest_verify(dir, &err), -1);
		unlink(path);
		assert_int_equal(lt_manifest_verify(dir, &err), -1);
		free(path);
		save(&t, run, 3, 0);
	}
	free(dir);
	tiny_close(&t);
	scratch_remove(run);
}

static void test_keep(void **state)
{
	char *run = scratch_new();
	struct lu_err err;
	struct tiny t;
	char *dir;

	(void)state;
	tiny_open(&t, 1, false);
	for (uint64_t step = 1; step <= 4; step++)
		save(&t, run, step, 2);
	assert_false(there(run, "step-00000001"));
	assert_false(there(run, "step-00000002"));
	assert_true(there(run, "step-00000003"));
	assert_true(there(run, "step-00000004"));
	/* Going back: the step comes again in its place, later ones are not counted. */
	save(&t, run, 3, 1);
	assert_true(there(run, "step-00000004"));
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	ok(lt_manifest_verify(dir, &err), &err);
	free(dir);
	/* Files that a user left there are nobody's. */
	assert_false(there(run, ".step-00000003.lu-tmp"));
	assert_int_equal(lt_checkpoint_find(run, 77, &dir, &err), -1);
	assert_non_null(strstr(err.msg, "step-00000077"));
	tiny_close(&t);
	scratch_remove(run);
}

/* A folder that cannot be written: an error that names it, and the old checkpoint is there. */
static void test_failing_save(void **state)
{
	struct lt_position at = position(2);
	char *run = scratch_new(), *block, *dir;
	struct lu_err err;
	struct tiny t;
	int fd;

	(void)state;
	tiny_open(&t, 1, false);
	save(&t, run, 1, 1);
	/* A file where the temporary folder should be. */
	block = path_in(run, ".step-00000002.lu-tmp");
	fd = open(block, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(lt_checkpoint_save(run, t.w, &at, 1, &err), -1);
	assert_non_null(strstr(err.msg, "step-00000002"));
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	ok(lt_checkpoint_load(dir, t.w, &err), &err);
	free(dir);
	free(block);
	tiny_close(&t);
	scratch_remove(run);
}

/* Exported in every type and in pieces, read back as Hugging Face files. */
static void test_import(void **state)
{
	static const enum lu_st_type types[] = { LU_ST_F32, LU_ST_BF16 };
	struct lu_err err;
	struct tiny t, u;

	(void)state;
	tiny_open(&t, 0, false);
	for (size_t i = 0; i < 2; i++) {
		char *dir = scratch_new(), *a = path_in(dir, "model.safetensors");
		struct lt_digest w;

		ok(lt_tensors_write(t.w, LT_VECTOR_P, 0, t.w->table.n, types[i], a, NULL, &w, &err),
				&err);
		tiny_open(&u, 0, false);
		ok(lt_weights_init(u.w, 8, &err), &err);
		ok(lt_tensors_import(u.w, dir, &err), &err);
		for (size_t k = 0; k < t.w->table.total; k++) {
			float want = (float)t.w->vector[LT_VECTOR_P][k];

			if (types[i] == LU_ST_BF16)
				want = lu_bf16_to(lu_bf16_of(want));
			assert_true((float)u.w->vector[LT_VECTOR_P][k] == want);
		}
		tiny_close(&u);
		free(a);
		scratch_remove(dir);
	}
	tiny_close(&t);
}

static void test_import_index(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "x-1.safetensors");
	char *b = path_in(dir, "x-2.safetensors");
	char *index = path_in(dir, "model.safetensors.index.json");
	struct lt_digest w;
	struct lu_err err;
	struct tiny t, u;
	FILE *f;

	(void)state;
	tiny_open(&t, 0, false);
	ok(lt_tensors_write(t.w, LT_VECTOR_P, 0, 5, lt_real_type(), a, NULL, &w, &err), &err);
	ok(lt_tensors_write(t.w, LT_VECTOR_P, 5, t.w->table.n - 5, lt_real_type(), b, NULL, &w,
			   &err),
			&err);
	f = fopen(index, "w");
	assert_non_null(f);
	fputs("{\"weight_map\":{", f);
	for (size_t i = 0; i < t.w->table.n; i++)
		fprintf(f, "%s\"%s\":\"x-%d.safetensors\"", i ? "," : "", t.w->table.param[i].name,
				i < 5 ? 1 : 2);
	fputs("}}", f);
	fclose(f);
	tiny_open(&u, 0, false);
	ok(lt_weights_init(u.w, 8, &err), &err);
	ok(lt_tensors_import(u.w, dir, &err), &err);
	assert_memory_equal(u.w->vector[LT_VECTOR_P], t.w->vector[LT_VECTOR_P],
			t.w->table.total * sizeof(lk_real));
	/* A name that leads out of the folder is no file of the model. */
	f = fopen(index, "w");
	assert_non_null(f);
	fputs("{\"weight_map\":{\"lm_head.weight\":\"../x-1.safetensors\"}}", f);
	fclose(f);
	assert_int_equal(lt_tensors_import(u.w, dir, &err), -1);
	unlink(index);
	assert_int_equal(lt_tensors_import(u.w, dir, &err), -1);
	tiny_close(&t);
	tiny_close(&u);
	free(a);
	free(b);
	free(index);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_wrong_shape),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_failing_save),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_import_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
