/* sys/cmdline.h: what a command line stores, and what it is told. */
#include "tests/unit/unit.h"

#include "libcommon/sys/cmdline.h"
#include "libcommon/sys/tool.h"

struct config {
	struct lu_std std;
	const char *preset;
	uint64_t vocab_size, tokens;
	bool strict, stop, gone;
};

static const struct lu_opt opts[] = {
	LU_OPT_STR(0, "preset", struct config, preset, "NAME", "a preset"),
	LU_OPT_ALIAS("vocab", "vocab-size"),
	LU_OPT_ALIAS_LETTER('n', "vocab-size"),
	LU_OPT_U64(0, "vocab-size", struct config, vocab_size, "N", "pieces"),
	LU_OPT_U64('k', "tokens", struct config, tokens, "N", "tokens"),
	LU_OPT_FLAG('s', "strict", struct config, strict, "refuse what is unsure"),
	LU_OPT_FLAG(0, "stop", struct config, stop, "stop early"),
	LU_OPT_ALIAS("stupid", "strict"),
	LU_OPT_ALIAS("tok", "preset"),
	LU_OPT_GONE("table", "a table is what is printed now"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-x", "does a thing", "[FILE...]", opts,
	LU_STD_OUTPUT | LU_STD_THREADS, offsetof(struct config, std) };

/* Split `line` at blanks and parse it. */
static int parse(const char *line, struct config *c, struct lu_cmdline *l, struct lu_err *err)
{
	static char text[512];
	static char *argv[32], behind[] = "--no-such-option";
	int argc = 0;

	snprintf(text, sizeof(text), "lucie-x %s", line);
	for (char *at = text; at; at = strchr(at, ' ')) {
		if (argc)
			*at++ = '\0';
		argv[argc++] = at;
	}
	/* What is behind argc is not ours: `lucie COMMAND ...` passes it on. */
	argv[argc] = behind;
	*c = (struct config){ .std = LU_STD_DEFAULTS };
	return lu_cmdline_parse(&tool, argc, argv, c, l, err);
}

static void test_forms(void **state)
{
	struct lu_cmdline l;
	struct lu_err err;
	struct config c;

	(void)state;
	assert_int_equal(parse("a --preset p1 -sk7 - b --stop -j 3 -oout -- --strict -s", &c, &l,
					 &err),
			0);
	assert_string_equal(c.preset, "p1");
	assert_int_equal(c.tokens, 7);
	assert_true(c.strict && c.stop);
	assert_int_equal(c.std.threads, 3);
	assert_string_equal(c.std.output, "out");
	assert_int_equal(l.file.n, 5);
	assert_string_equal(l.file.p[0], "a");
	assert_string_equal(l.file.p[1], "-");
	assert_string_equal(l.file.p[2], "b");
	assert_string_equal(l.file.p[3], "--strict");
	assert_string_equal(l.file.p[4], "-s");
	lu_cmdline_release(&l);
	assert_int_equal(parse("--preset= --vocab-size=9 --preset -s --thr=2", &c, &l, &err), 0);
	assert_string_equal(c.preset, "-s");
	assert_int_equal(c.vocab_size, 9);
	assert_int_equal(c.std.threads, 2);
	assert_false(c.strict);
	lu_cmdline_release(&l);
	assert_int_equal(parse("-sh --no-such", &c, &l, &err), 0);
	assert_true(l.help && !l.version && !l.shell);
	lu_cmdline_release(&l);
	assert_int_equal(parse("--print-completion fish", &c, &l, &err), 0);
	assert_string_equal(l.shell, "fish");
	lu_cmdline_release(&l);
}

static void test_errors(void **state)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{ "--presett x", "unknown option '--presett', did you mean '--preset'" },
		{ "--presets=x", "unknown option '--presets', did you mean '--preset'" },
		{ "--frobnicate", "unknown option '--frobnicate'" },
		{ "--vocab_size 3", "unknown option '--vocab_size', did you mean '--vocab-size'" },
		/* the old name is not what to learn */
		{ "--vocb 3", "unknown option '--vocb'" },
		{ "--print-opt", "unknown option '--print-opt'" },
		{ "--st", "option '--st' is ambiguous: --strict, --stop" },
		{ "--t", "option '--t' is ambiguous: --tokens, --threads" },
		{ "--strict=yes", "option '--strict' takes no argument: 'yes'" },
		{ "--preset", "option '--preset' needs an argument: NAME" },
		{ "-sk", "option '-k' needs an argument: N" },
		{ "-sy", "unknown option '-y'" },
		{ "-K 3", "unknown option '-K', did you mean '-k'" },
		{ "-preset x", "unknown option '-preset', did you mean '--preset'" },
		{ "-j 0", "--threads: '0' is not between 1 and 1024" },
		{ "--vocab x", "--vocab-size: 'x' is not a whole number" },
	};
	struct lu_cmdline l;
	struct lu_err err;
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(parse(cases[i].line, &c, &l, &err), -1);
		assert_string_equal(err.msg, cases[i].error);
		lu_cmdline_release(&l);
	}
}

static void test_old_names(void **state)
{
	struct lu_cmdline l;
	struct lu_err err;
	struct config c;

	(void)state;
	assert_int_equal(parse("--vocab 3 -n4 --vocab=5 --stup --table x", &c, &l, &err), 0);
	assert_int_equal(c.vocab_size, 5);
	assert_true(c.strict);
	assert_int_equal(l.old.n, 4);
	assert_string_equal(l.old.p[0]->name, "vocab");
	assert_int_equal(l.old.p[1]->letter, 'n');
	assert_string_equal(l.old.p[2]->name, "stupid");
	assert_string_equal(l.old.p[3]->name, "table");
	assert_int_equal(l.file.n, 1);
	lu_cmdline_release(&l);
	/* a cut name means the option of today, whatever old names begin with it */
	assert_int_equal(parse("--voc 3 --str --to 8 --p x", &c, &l, &err), 0);
	assert_int_equal(c.vocab_size, 3);
	assert_int_equal(c.tokens, 8);
	assert_int_equal(l.old.n, 0);
	lu_cmdline_release(&l);
}

static void test_shown(void **state)
{
	static const char *const names[] = { "preset", "vocab-size", "tokens", "strict", "stop",
		"output", "compress", "threads", "quiet", "verbose", "help", "version" };
	size_t n = 0;

	(void)state;
	for (const struct lu_opt *o; (o = lu_cmdline_row(&tool, n)); n++) {
		assert_true(n < sizeof(names) / sizeof(*names));
		assert_string_equal(o->name, names[n]);
	}
	assert_int_equal(n, sizeof(names) / sizeof(*names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_old_names),
		cmocka_unit_test(test_shown),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
