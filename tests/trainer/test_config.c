/* Configurations: presets, phases, --set, refused settings, printing. */
#include "tests/trainer/tiny.h"

#include "trainer/run/config.h"

static const char base[] = "[model]\npreset = tiny\nvocab = 100\n[data]\ntrain = a b\n"
			   "[train]\nsteps = 10\n";

/* Read base and text, then apply one --set unless NULL. */
static int load(struct lt_config *c, const char *text, const char *set, struct lu_err *err)
{
	char *dir = scratch_new(), *path = path_in(dir, "c.ini");
	FILE *f = fopen(path, "w");
	int rc;

	assert_non_null(f);
	fputs(base, f);
	fputs(text, f);
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

static void test_preset(void **state)
{
	struct lt_config c;
	struct lu_err err;

	(void)state;
	ok(load(&c, "[model]\nhidden = 96\n", NULL, &err), &err);
	assert_int_equal(c.base.model.hidden, 96);
	assert_int_equal(c.base.model.layers, 2);
	assert_int_equal(c.base.model.head_dim, 24);
	assert_int_equal(c.base.model.vocab, 100);
	assert_int_equal(c.phase.n, 1);
	assert_string_equal(c.phase.p[0].name, "main");
	lt_config_release(&c);
	ok(load(&c, "[model]\npreset = lucie-7b\nvocab = 65024\n", NULL, &err), &err);
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
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *set, *says;
	} bad[] = {
		{ "[data]\nfoo = 1\n", NULL, "unknown key 'foo' in [data] (known: train, valid" },
		{ "[foo]\nbar = 1\n", NULL, "unknown section [foo]" },
		{ "[parallel]\ntp = 2\n", NULL, "parallel.tp = 2 has no effect" },
		{ "[parallel]\nzero = 1\n", NULL, "parallel.zero" },
		{ "[parallel]\nstages = 1 1\n", NULL, "parallel.stages" },
		{ "dtype = bf16\n", NULL, "train.dtype" },
		{ "samples = 5\n", NULL, "only one may be set" },
		{ "", "train.lanes=3", "power of two" },
		{ "", "train.micro_batch=5", "not a multiple" },
		{ "", "train.cooldown=5", "train.cooldown has no effect" },
		{ "schedule = wsd\n", NULL, "needs train.cooldown" },
		{ "[model]\nkv_heads = 3\n", NULL, "does not divide" },
		{ "[model]\nhead_dim = 7\n", NULL, "head_dim" },
		{ "[model]\npreset = huge\n", NULL, "unknown 'huge' (known: tiny, demo" },
		{ "[phase a]\nmodel.hidden = 5\n", NULL, "cannot change between phases" },
		{ "[phase a]\ncheckpoint.keep = 5\n", NULL, "same for the whole run" },
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
