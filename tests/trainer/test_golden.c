/* Logits compared with those of Hugging Face transformers for the same weights, which
 * make_llama_golden.py wrote to tests/data/llama-golden.json. */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

enum { CONTEXT = 2048, VOCAB = 48 };

static char *golden_text(size_t *n)
{
	const char *src = getenv("LUCIE_SRC");
	struct lu_err err;
	char *path, *text;

	assert_true(asprintf(&path, "%s/tests/data/llama-golden.json", src ? src : ".") > 0);
	ok(lu_read_file(path, (size_t)1 << 20, &text, n, &err), &err);
	free(path);
	return text;
}

static double next_number(struct lu_json_iter *it)
{
	struct lu_json_member m;
	double v;

	assert_true(lu_json_next(it));
	m = (struct lu_json_member){ .value = it->value, .type = it->type };
	assert_true(lu_json_double(&m, &v));
	return v;
}

static void test_logits(void **state)
{
	struct lt_shape shape = { .vocab = VOCAB,
		.hidden = 32,
		.layers = 2,
		.heads = 4,
		.kv_heads = 2,
		.dim = 8,
		.ffn = 56,
		.rope_theta = 500000,
		.norm_eps = 1e-5,
		.init_std = 0.25 };
	const struct lk_ops *ops = lk_cpu_ops();
	lk_real *logits = malloc(CONTEXT * VOCAB * sizeof(*logits));
	struct lu_json_iter positions, rows;
	struct lu_json_fault fault;
	struct lu_arena arena = { 0 };
	struct lu_json_obj golden;
	static uint32_t ids[CONTEXT];
	struct lt_weights *w;
	struct lt_model *m;
	struct lk_queue *q;
	struct lk_err kerr;
	struct lu_err err;
	double worst = 0;
	size_t n, compared = 0;
	char *text = golden_text(&n);

	(void)state;
	assert_non_null(logits);
	assert_int_equal(ops->open(&q, 0, &kerr), 0);
	ok(lt_weights_open(&w, ops, q, &shape, 0, &err), &err);
	ok(lt_weights_init(w, 5, &err), &err);
	ok(lt_model_open(&m, w, 1, CONTEXT, LT_MODEL_DECODE, false, &err), &err);
	for (uint32_t i = 0; i < CONTEXT; i++)
		ids[i] = (i * 13 + i * i / 7 + i / 50) % VOCAB;
	ok(lt_model_logits(m, ids, 0, CONTEXT, true, logits, &err), &err);

	assert_int_equal(lu_json_object((struct lu_str){ text, n }, &arena, &golden, &fault), 0);
	positions = lu_json_iter(lu_json_get(&golden, "positions")->value);
	rows = lu_json_iter(lu_json_get(&golden, "logits")->value);
	while (lu_json_next(&rows)) {
		size_t at = (size_t)next_number(&positions);
		struct lu_json_iter row = lu_json_iter(rows.value);

		for (size_t v = 0; v < VOCAB; v++, compared++) {
			double off = fabs(next_number(&row) - (double)logits[at * VOCAB + v]);

			worst = off > worst ? off : worst;
		}
	}
	print_message("# %zu logits, largest difference %.2g\n", compared, worst);
	assert_int_equal(compared, 7 * VOCAB);
	assert_true(worst < 1e-3);
	lu_arena_release(&arena);
	lt_model_close(m);
	lt_weights_close(w);
	ops->close(q);
	free(logits);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_logits) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
