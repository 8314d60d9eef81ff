/* Configurations: presets, phases, --set, refused settings, printing. */
#include "tests/trainer/tiny.h"

#include "trainer/run/config.h"

/* The sections of a configuration; the last one goes on in the text of a case. */
static const char base[] = "[data]\ntrain = a b\n[model]\npreset = tiny\nvocab = 100\n%s"
			   "[train]\nsteps = 10\n%s";

/* Read base with the text, which is for [model] if it begins with '+', then apply one --set unless
 * NULL. */
static int load(struct lt_config *c, const char *text, const char *set, struct lu_err *err)
{
	char *dir = scratch_new(), *path = path_in(dir, "c.ini");
	FILE *f = fopen(path, "w");
	int rc;

	assert_non_null(f);
	fprintf(f, base, *text == '+' ? text + 1 : "", *text == '+' ? "" : text);
	fclose(f);
	rc = lt_config_init(c, err);
	if (rc == 0)
		rc = lt_config_read(c, path, err);
	if (rc == 0 && set)
		rc = lt_config_set(c, set, err);
	if (rc == 0)
		rc = lt_config_check(c, err);
	free(path);
	scratch_remove(dir);
	return rc;
}

static uint64_t parameters(const struct lt_config *c)
{
	struct lt_shape shape;
	struct lt_table t;
	struct lu_err err;
	uint64_t n;

	lt_settings_shape(&c->base, &shape);
	ok(lt_table_build(&t, &shape, NULL, &err), &err);
	n = t.all;
	lt_table_release(&t);
	return n;
}

static void test_preset(void **state)
{
	struct lt_config c;
	struct lu_err err;

	(void)state;
	ok(load(&c, "+hidden = 96\n", NULL, &err), &err);
	assert_int_equal(c.base.model.hidden, 96);
	assert_int_equal(c.base.model.layers, 2);
	assert_int_equal(c.base.model.head_dim, 24);
	assert_int_equal(c.base.model.vocab, 100);
	assert_int_equal(c.phase.n, 1);
	assert_string_equal(c.phase.p[0].name, "main");
	lt_config_release(&c);
	ok(load(&c, "", "model.preset=lucie-1b", &err), &err);
	assert_int_equal(parameters(&c),
			65024 * 2048 * 2 + 16 * 60821504 + 2048 - 2 * 2048 * (65024 - 100));
	lt_config_release(&c);
	ok(load(&c, "", "model.preset=lucie-7b", &err), &err);
	assert_int_equal(c.base.model.ffn, 12288);
	assert_int_equal(c.base.model.head_dim, 128);
	assert_true(c.base.model.init_std == 0.009);
	lt_config_release(&c);
}

static void test_phases(void **state)
{
	struct lt_settings s;
	struct lt_config c;
	struct lu_err err;

	(void)state;
	ok(load(&c,
			   "lr = 0.5\n[phase one]\n[phase two]\ntrain.lr = 0.25\ntrain.samples = "
			   "64\n"
			   "model.rope_theta = 2e7\ndata.train = c\n",
			   "phase.two.train.clip=3", &err),
			&err);
	assert_int_equal(c.phase.n, 2);
	ok(lt_config_phase(&c, 0, &s, &err), &err);
	assert_true(s.train.lr == 0.5 && s.train.steps == 10 && s.train.clip == 1);
	ok(lt_config_phase(&c, 1, &s, &err), &err);
	assert_true(s.train.lr == 0.25 && s.train.steps == 0 && s.train.samples == 64);
	assert_true(s.model.rope_theta == 2e7 && s.train.clip == 3);
	assert_string_equal(s.data.train, "c");
	lt_config_release(&c);
	/* Another length replaces that of the phase, whatever its unit. */
	ok(load(&c, "[phase one]\ntrain.samples = 64\ntrain.lr = 1\n", "phase.one.train.epochs=2",
			   &err),
			&err);
	ok(lt_config_phase(&c, 0, &s, &err), &err);
	assert_true(s.train.steps == 0 && s.train.samples == 0 && s.train.epochs == 2);
	assert_true(s.train.lr == 1);
	lt_config_release(&c);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *set, *says;
	} bad[] = {
		{ "", "data.foo=1", "[data]: unknown key 'foo' (known: train, valid" },
		{ "[foo]\nbar = 1\n", NULL, "unknown section 'foo' (known: model, data," },
		{ "[parallel]\ntp = 0\n", NULL, "parallel.tp = 0 is out of range" },
		{ "[parallel]\nzero = 2\n", NULL, "parallel.zero = 2 is not supported" },
		{ "[parallel]\ninterleave = 2\n", NULL,
				"parallel.interleave has no effect without parallel.pp > 1" },
		{ "[parallel]\npp = 2\ninterleave = 0\n", NULL,
				"parallel.interleave = 0 is out of range" },
		{ "[parallel]\nsequence = yes\n", NULL,
				"parallel.sequence has no effect without parallel.tp > 1" },
		{ "[parallel]\nrecompute = all\n", NULL, "not one of none|norms|layer" },
		{ "[parallel]\ndeadline = 0\n", NULL, "parallel.deadline" },
		{ "dtype = fp16\n", NULL, "not one of auto|fp32|bf16" },
		{ "device = gpu\n", NULL, "not one of auto|cpu|cuda" },
		{ "device = cpu\n[parallel]\nequality = run\n", NULL,
				"parallel.equality = run has no effect with train.device = cpu" },
		{ "[phase a]\ntrain.device = cuda\n", NULL, "same for the whole run" },
		{ "[phase a]\ntrain.dtype = bf16\n", NULL, "same for the whole run" },
		{ "[phase a]\ntrain.memory = low\n", NULL, "same for the whole run" },
		{ "dtype = fp32\nmemory = low\n", NULL,
				"train.memory = low needs train.dtype = bf16" },
		{ "steps = 5\n", NULL,
				"c.ini:8: 'steps' is set twice in [train], first in line 7" },
		{ "[model]\n", NULL, "section [model] appears twice" },
		{ "[phase a]\n[phase b]\n[phase a]\n", NULL, "section [phase a] appears twice" },
		{ "wramup = 5\n", NULL, "[train]: unknown key 'wramup', did you mean 'warmup'" },
		{ "[parralel]\ntp = 1\n", NULL,
				"unknown section 'parralel', did you mean 'parallel'" },
		{ "", "model.preset=tniy", "unknown preset 'tniy', did you mean 'tiny'" },
		{ "samples = 5\n", NULL, "only one may be set" },
		{ "", "train.lanes=5000", "train.lanes = 5000 is more than 4096" },
		{ "", "train.micro_batch=5", "not a multiple" },
		{ "", "train.cooldown=5", "train.cooldown has no effect" },
		{ "device = cpu\n", "train.attention=own", "train.attention has no effect" },
		{ "dtype = fp32\n", "train.attention=cudnn", "cuDNN's attention is for bf16" },
		{ "schedule = wsd\n", NULL, "needs train.cooldown" },
		{ "+kv_heads = 3\n", NULL, "does not divide" },
		{ "+head_dim = 7\n", NULL, "head_dim" },
		{ "+hidden = 130\n", NULL,
				"model.hidden = 130 is not a multiple of model.heads = 4" },
		{ "", "model.preset=huge", "unknown preset 'huge' (known: tiny, demo" },
		{ "[phase a]\nmodel.hidden = 5\n", NULL, "cannot change between phases" },
		{ "[phase a]\ncheckpoint.keep = 5\n", NULL, "same for the whole run" },
		{ "[phase a]\nparallel.equality = run\n", NULL, "same for the whole run" },
		{ "[phase a]\nparallel.deadline = 2\n", NULL, "same for the whole run" },
		{ "[phase a]\nparallel.interleave = 2\n", NULL,
				"parallel.interleave has no effect without parallel.pp > 1" },
		{ "decay_type = 1-sqrt\n", NULL, "train.decay_type has no effect without" },
		{ "decay_type = sqrt\n", NULL, "not one of linear|cosine|1-sqrt" },
		{ "spike = 0.5\n", NULL, "train.spike = 0.5 would skip ordinary steps" },
		{ "+rope_factor = 8\n", NULL, "model.rope_factor has no effect" },
		{ "+rope_scaling = linear\n", NULL, "needs model.rope_factor, at least 1" },
		{ "+rope_scaling = linear\nrope_factor = 2\nrope_original = 8\n", NULL,
				"model.rope_original has no effect" },
		{ "+rope_scaling = llama3\nrope_factor = 8\n", NULL, "needs model.rope_original" },
		{ "+rope_scaling = llama3\nrope_factor = 8\nrope_original = 64\nrope_low = 4\n",
				NULL, "model.rope_low = 4 is not less than model.rope_high = 4" },
		{ "[phase a234567890123456789012345678901234567890123456789012345678901234]\n",
				NULL, "longer than 63 bytes" },
		{ "[phase a]\ntrain.lanes = 2\n", NULL, "same for the whole run" },
		{ "[phase a]\nlr = 5\n", NULL, "not section.key" },
		{ "[phase]\n", NULL, "needs a name" },
		{ "[phase a]\ntrain.lr = x\n", NULL, "train.lr" },
		{ "[train x]\n", NULL, "takes no name" },
		{ "", "train.lr", "--set" },
		{ "", "phase.b.train.lr=1", "no [phase b]" },
		{ "", "train.context=0", "train.context" },
		{ "", "data.train=", "data.train is not set" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lt_config c;
		struct lu_err err = { .msg = "nothing" };

		assert_int_equal(load(&c, bad[i].text, bad[i].set, &err), -1);
		if (!strstr(err.msg, bad[i].says))
			fail_msg("case %zu: '%s' does not say '%s'", i, err.msg, bad[i].says);
		lt_config_release(&c);
	}
}

/* A printed configuration reads back as the same; a difference is named. */
static void test_print(void **state)
{
	char *dir = scratch_new(), *path = path_in(dir, "printed.ini"), what[300];
	struct lt_config a, b, d;
	struct lu_buf text = { 0 }, again = { 0 };
	struct lu_err err;
	FILE *f;

	(void)state;
	ok(load(&a, "lr = 0.3\nramp = 8 8 64\n[phase x]\ntrain.seed = 4\n[phase y]\n", NULL, &err),
			&err);
	lt_config_print(&a, &text);
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite(text.p, 1, text.n, f);
	fclose(f);
	ok(lt_config_init(&b, &err), &err);
	ok(lt_config_read(&b, path, &err), &err);
	ok(lt_config_check(&b, &err), &err);
	lt_config_print(&b, &again);
	assert_string_equal(text.p, again.p);
	assert_int_equal(lt_config_differ(&a, &b, what, sizeof(what)), 0);
	ok(load(&d, "lr = 0.3\nramp = 8 8 64\n[phase x]\ntrain.seed = 5\n[phase y]\n", NULL, &err),
			&err);
	assert_int_equal(lt_config_differ(&a, &d, what, sizeof(what)), 1);
	assert_string_equal(what, "phase x: train.seed is '4' in the run and '5' now");
	lt_config_release(&a);
	lt_config_release(&b);
	lt_config_release(&d);
	lu_buf_release(&text);
	lu_buf_release(&again);
	free(path);
	scratch_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preset),
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
