/* Weights in safetensors files: import of what was written. */
#include "tests/trainer/tiny.h"

#include <unistd.h>

#include "trainer/model/tensor_import.h"
#include "trainer/model/tensorfile.h"

/* Weights written as F32 and BF16 import as the rounded values. */
static void test_import(void **state)
{
	static const enum lu_st_type types[] = { LU_ST_F32, LU_ST_BF16 };
	struct lu_err err;
	struct tiny t, u;

	(void)state;
	tiny_open(&t, 0, false);
	for (size_t i = 0; i < 2; i++) {
		char *dir = scratch_new(), *a = path_in(dir, "model.safetensors");
		struct lt_digest digest;

		ok(lt_tensors_write(t.w, LT_VECTOR_P, 0, t.w->table.n, types[i], a, NULL, &digest,
				   NULL, NULL, &err),
				&err);
		tiny_open(&u, 0, false);
		ok(lt_weights_init(u.w, 8, &err), &err);
		ok(lt_tensors_import(u.w, dir, NULL, &err), &err);
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

/* Weights in several files with an index. */
static void test_import_index(void **state)
{
	char *dir = scratch_new(), *a = path_in(dir, "x-1.safetensors");
	char *b = path_in(dir, "x-2.safetensors");
	char *index = path_in(dir, "model.safetensors.index.json");
	struct lt_digest digest;
	struct lu_err err;
	struct tiny t, u;
	FILE *f;

	(void)state;
	tiny_open(&t, 0, false);
	ok(lt_tensors_write(t.w, LT_VECTOR_P, 0, 5, lt_real_type(), a, NULL, &digest, NULL, NULL,
			   &err),
			&err);
	ok(lt_tensors_write(t.w, LT_VECTOR_P, 5, t.w->table.n - 5, lt_real_type(), b, NULL, &digest,
			   NULL, NULL, &err),
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
	ok(lt_tensors_import(u.w, dir, NULL, &err), &err);
	assert_memory_equal(u.w->vector[LT_VECTOR_P], t.w->vector[LT_VECTOR_P],
			t.w->table.total * sizeof(lk_real));
	/* A file outside the folder is refused. */
	f = fopen(index, "w");
	assert_non_null(f);
	fputs("{\"weight_map\":{\"lm_head.weight\":\"../x-1.safetensors\"}}", f);
	fclose(f);
	assert_int_equal(lt_tensors_import(u.w, dir, NULL, &err), -1);
	unlink(index);
	assert_int_equal(lt_tensors_import(u.w, dir, NULL, &err), -1);
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
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_import_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
