/* The document stream: verdicts, edits, bad records, rejects, repeats, accounting, any threads. */
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/par/docstream.h"
#include "libcommon/sys/progress.h"

/* Each document says in its "do" what the program does with it. */
static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str what = { "", 0 };
	struct lu_buf *out;

	(void)ctx;
	if (local)
		++*(uint64_t *)local;
	lu_doc_string(doc, "do", &what);
	if (lu_str_is(what, "drop"))
		return lu_doc_drop_number(doc, "too short", (double)doc->text.n);
	if (lu_str_is(what, "bad"))
		return lu_doc_bad(doc, "no good");
	if (lu_str_is(what, "fail"))
		return lu_err_set(err, "the tool gave up");
	if (lu_str_is(what, "set"))
		return lu_doc_set(doc, "lang", LU_STR("\"fr\""));
	if (lu_str_is(what, "upper")) {
		char *p = lu_arena_alloc(doc->arena, doc->text.n);

		for (size_t i = 0; i < doc->text.n; i++)
			p[i] = (char)(doc->text.p[i] & ~0x20);
		return lu_doc_set_text(doc, (struct lu_str){ p, doc->text.n }, err);
	}
	if (lu_str_is(what, "own")) {
		out = lu_doc_out(doc);
		lu_buf_puts(out, "<own ");
		lu_buf_str(out, doc->text);
		lu_buf_puts(out, ">");
		lu_doc_out_end(doc);
	}
	if (lu_str_is(what, "repeat"))
		doc->repeat = 3;
	return 0;
}

static int first_only(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	uint64_t *seen = ctx;

	(void)err;
	assert_int_equal(doc->index, seen[0] + seen[1]);
	if (doc->text.n && doc->text.p[0] == 'x' && seen[0] > 0) {
		seen[1]++;
		return lu_doc_drop(doc, "seen", NULL);
	}
	seen[0]++;
	return lu_doc_set(doc, "n", lu_doc_printf(doc, "%" PRIu64, doc->index));
}

static const struct lu_opt no_opts[] = { LU_OPT_END };
static const struct lu_tool tool = { "lucie-test", "tests", "[FILE...]", no_opts, 0, 0 };

struct given {
	struct lu_docstream ds;
	struct lu_std std;
	struct lu_err err;
};

#define GIVEN                                                \
	{                                                    \
		.ds = { .map = map }, .std = LU_STD_DEFAULTS \
	}

/* Runs over the file "in"; output "out", rejects and stats as `std` says. */
static int run(struct given *g, int threads)
{
	char in[] = "in", name[] = "lucie-test", *file[] = { in }, *argv[] = { name, in };
	struct lu_args args = { .tool = &tool,
		.argc = 2,
		.argv = argv,
		.file = file,
		.files = 1,
		.start_wall = lu_clock() };

	g->std.output = "out";
	g->std.threads = threads;
	g->std.progress = 2;
	g->err = (struct lu_err){ 0 };
	return lu_docstream_run(&g->ds, &g->std, &args, &g->err);
}

/* Records are written with ' for " in this file. */
static char *double_quotes(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	for (char *p = copy; (p = strchr(p, '\'')) != NULL;)
		*p = '"';
	return copy;
}

static void put_json(const char *name, const char *text)
{
	char *json = double_quotes(text);

	put_text(name, json);
	free(json);
}

static void assert_json(const char *name, const char *text)
{
	char *json = double_quotes(text);

	assert_file(name, json);
	free(json);
}

static void nothing_left(void)
{
	assert_int_equal(access("out", F_OK), -1);
	assert_int_equal(unfinished_in("."), 0);
}

static void expect(const char *in, const char *out)
{
	put_json("in", in);
	for (int threads = 1; threads <= 4; threads += 3) {
		struct given g = GIVEN;

		g.std.allow_empty = true;
		if (run(&g, threads) < 0)
			fail_msg("%s", g.err.msg);
		assert_json("out", out);
	}
}

static void test_kept_byte_for_byte(void **state)
{
	(void)state;
	expect("", "");
	expect("{'text':'a'}\n", "{'text':'a'}\n");
	expect("{'text':'a'}", "{'text':'a'}\n");
	expect(" { 'n' : 1.0e1, 'text' : '\\u00e9\\/' } \r\n",
			" { 'n' : 1.0e1, 'text' : '\\u00e9\\/' } \r\n");
	expect("\xEF\xBB\xBF{'text':'a'}\n\n"
	       "  \t\r\n"
	       "{'text':'b'}\n",
			"{'text':'a'}\n"
			"{'text':'b'}\n");
}

static void test_verdicts(void **state)
{
	(void)state;
	expect("{'text':'a','do':'drop'}\n"
	       "{'text':'b'}\n"
	       "{'text':'c','do':'drop'}\n",
			"{'text':'b'}\n");
	expect("{'text':'a','do':'set'}\n"
	       "{'lang':1,'text':'b', 'do':'set'}\r\n",
			"{'text':'a','do':'set','lang':'fr'}\n"
			"{'lang':'fr','text':'b', 'do':'set'}\r\n");
	expect("{'text':'a\\nb','do':'upper'}", "{'text':'A\\nB','do':'upper'}\n");
	expect("{'text':'a','do':'own'}\n"
	       "{'text':'b'}\n"
	       "{'text':'\\u0063','do':'own'}\n",
			"<own a>{'text':'b'}\n<own c>");
	expect("{'text':'a','do':'repeat'}\n",
			"{'text':'a','do':'repeat'}\n"
			"{'text':'a','do':'repeat'}\n"
			"{'text':'a','do':'repeat'}\n");
}

static void test_decide(void **state)
{
	(void)state;
	put_json("in",
			"{'text':'xa'}\n"
			"{'text':'xb'}\n"
			"{'text':'c'}\n");
	for (int threads = 1; threads <= 4; threads++) {
		uint64_t seen[2] = { 0 };
		struct given g = { .ds = { .decide = first_only, .ctx = seen },
			.std = LU_STD_DEFAULTS };

		assert_int_equal(run(&g, threads), 0);
		assert_json("out",
				"{'text':'xa','n':0}\n"
				"{'text':'c','n':2}\n");
	}
}

static void test_bad_records(void **state)
{
	static const struct {
		const char *line, *reason;
	} t[] = {
		{ "x", "not JSON" },
		{ "{'text':'a'", "JSON ends too early" },
		{ "[]", "not a JSON object" },
		{ "{'text':'\xFF'}", "invalid UTF-8" },
		{ "{'text':'\\udc00'}", "lone surrogate" },
		{ "{'text':null}", "\"text\" is not a string" },
		{ "{'id':'text'}", "no \"text\" member; it has \"id\"" },
		{ "{'text':'a','text':'a'}", "two members of the same name" },
		{ "{'text':'a','do':'bad'}", "no good" },
		{ "{'text':'a','do':'fail'}", "the tool gave up" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		for (int threads = 1; threads <= 4; threads += 3) {
			struct given g = GIVEN;
			char in[200], message[200];

			unlink("out");
			snprintf(in, sizeof(in),
					"{'text':'a'}\n\n"
					"%s\n"
					"{'text':'b'}\n",
					t[i].line);
			put_json("in", in);
			assert_int_equal(run(&g, threads), -1);
			snprintf(message, sizeof(message), "in:3: %s", t[i].reason);
			assert_string_equal(g.err.msg, message);
			nothing_left();
		}
	}
}

static void test_textless(void **state)
{
	struct given g = GIVEN;

	(void)state;
	g.ds.flags = LU_DOCSTREAM_TEXTLESS;
	put_json("in",
			"{'text':1}\n"
			"{}\n");
	assert_int_equal(run(&g, 2), 0);
	assert_json("out",
			"{'text':1}\n"
			"{}\n");
}

static void test_max_bad(void **state)
{
	(void)state;
	put_json("in",
			"1\n"
			"{'text':'a'}\n"
			"2\n");
	for (int threads = 1; threads <= 4; threads += 3) {
		for (uint64_t limit = 0; limit < 3; limit++) {
			static const char *const message[] = { "in:1: not a JSON object",
				"in:3: not a JSON object (beyond --max-bad 1)" };
			struct given g = GIVEN;

			unlink("out");
			g.std.max_bad = limit;
			g.std.max_bad_given = true;
			assert_int_equal(run(&g, threads), limit < 2 ? -1 : 0);
			if (limit < 2) {
				assert_string_equal(g.err.msg, message[limit]);
				nothing_left();
			} else {
				assert_json("out", "{'text':'a'}\n");
			}
		}
	}
}

/* With lines of up to 28 and 20 bytes. */
static const char rejects_of_28[] =
		"{'file':'in','line':1,'reason':'not JSON','value':null,'raw_base64':'bm8='}\n"
		"{'file':'in','line':2,'reason':'too "
		"short','value':3.0,'record':{'text':'abc','do':'drop'}}\n"
		"{'file':'in','line':4,'reason':'not a JSON object','value':null,'record':[ 1 ]}\n"
		"{'file':'in','line':5,'reason':'not JSON','value':null,'raw_base64':'/w=='}\n";
static const char rejects_of_20[] =
		"{'file':'in','line':1,'reason':'not JSON','value':null,'raw_base64':'bm8='}\n"
		"{'file':'in','line':2,'reason':'longer than "
		"--max-line','value':27,'raw_base64':''}\n"
		"{'file':'in','line':4,'reason':'not a JSON object','value':null,'record':[ 1 ]}\n"
		"{'file':'in','line':5,'reason':'not JSON','value':null,'raw_base64':'/w=='}\n";

static void test_rejects(void **state)
{
	struct given g = GIVEN;

	(void)state;
	put_json("in",
			"no\n"
			"{'text':'abc','do':'drop'}\r\n"
			"{'text':'a'}\n"
			"[ 1 ]\n"
			"\xFF\n"
			"{'text':'123456789'}\n");
	g.std.rejects = "rejects";
	g.std.max_line = 28;
	assert_int_equal(run(&g, 3), 0);
	assert_json("out",
			"{'text':'a'}\n"
			"{'text':'123456789'}\n");
	assert_json("rejects", rejects_of_28);
	g.std.max_line = 20;
	assert_int_equal(run(&g, 1), 0);
	assert_json("rejects", rejects_of_20);
	/* An explicit limit holds; no reject file is left then. */
	unlink("out");
	unlink("rejects");
	g.std.max_bad = 1;
	g.std.max_bad_given = true;
	assert_int_equal(run(&g, 3), -1);
	nothing_left();
	assert_int_equal(access("rejects", F_OK), -1);
}

static void test_repair(void **state)
{
	struct given g = GIVEN;

	(void)state;
	put_json("in",
			"{'text':'\xFFz\\ud800','n': 1}\r\n"
			"{'text':'a'}\n"
			"\xFF\n");
	g.ds.flags = LU_DOCSTREAM_REPAIR;
	g.std.max_bad = 1;
	g.std.max_bad_given = true;
	assert_int_equal(run(&g, 2), 0);
	assert_json("out",
			"{'text':'\xEF\xBF\xBDz\\ufffd','n': 1}\r\n"
			"{'text':'a'}\n");
	assert_int_equal(g.ds.repaired, 2);
}

/* Call of each callback, and the documents that the threads saw together. */
struct locals {
	const struct lu_docstream *ds;
	int made, merged, freed;
	uint64_t seen;
};
static struct locals locals;

static int local_init(void *ctx, void *local, struct lu_err *err)
{
	(void)ctx;
	(void)err;
	locals.made++;
	return *(uint64_t *)local == 0 ? 0 : -1;
}

static void local_free(void *local)
{
	(void)local;
	locals.freed++;
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	(void)ctx;
	assert_ptr_equal(local, locals.ds->local[locals.merged++]);
	locals.seen += *(uint64_t *)local;
	return locals.seen > 60000 ? lu_err_set(err, "merged twice") : 0;
}

static int add_extra(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	(void)ctx;
	(void)err;
	/* All threads have been merged by now. */
	assert_int_equal(locals.merged, locals.ds ? locals.ds->locals : 0);
	lu_buf_puts(&stats->extra, ",\"extra\":[1]");
	return 0;
}

/* Many documents of several slabs: the same bytes and the same accounts for any threads, each
 * document seen by exactly one thread's state. */
static void test_many(void **state)
{
	static const char *const what[] = { "", "drop", "set", "upper", "repeat", "bad", "" };
	struct lu_buf in = { 0 };
	char *first = NULL;
	size_t first_n = 0;

	(void)state;
	for (unsigned i = 0; i < 60000; i++)
		lu_buf_printf(&in,
				"{\"text\":\"document number %u, with some more "
				"words\",\"do\":\"%s\"}\n",
				i, what[i % 7]);
	put_file("in", in.p, in.n);
	for (int threads = 1; threads <= 9; threads += 4) {
		struct lu_stats stats = { 0 };
		struct given g = GIVEN;
		char *out;
		size_t n;

		locals = (struct locals){ .ds = &g.ds };
		g.ds.local_size = sizeof(uint64_t);
		g.ds.local_init = local_init;
		g.ds.local_free = local_free;
		g.ds.merge = merge;
		g.ds.stats = &stats;
		g.ds.finish = add_extra;
		g.std.rejects = "rejects";
		assert_int_equal(run(&g, threads), 0);
		assert_int_equal(locals.seen, 60000);
		assert_int_equal(locals.made, threads);
		assert_int_equal(locals.merged, threads);
		assert_int_equal(locals.freed, threads);
		assert_int_equal(stats.in.docs, 60000);
		assert_int_equal(stats.in.bytes, in.n);
		assert_int_equal(stats.in.docs + stats.repeated,
				stats.out.docs + lu_stats_dropped(&stats));
		assert_int_equal(stats.repeated, 2 * 8571);
		lu_stats_release(&stats);
		out = get_file("out", &n);
		if (first) {
			assert_int_equal(n, first_n);
			assert_memory_equal(out, first, n);
			free(out);
		} else {
			first = out;
			first_n = n;
		}
	}
	free(first);
	lu_buf_release(&in);
}

static void test_stats_file(void **state)
{
	struct given g = GIVEN;
	json_t *j;

	(void)state;
	put_json("in",
			"{'text':'a','do':'repeat'}\n"
			"{'text':'b','do':'drop'}\n"
			"bad\n");
	locals = (struct locals){ 0 };
	g.ds.finish = add_extra;
	g.std.stats = "stats";
	g.std.rejects = "rejects";
	assert_int_equal(run(&g, 2), 0);
	j = json_load_file("stats", JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "in"), "docs")), 3);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "out"), "docs")), 3);
	assert_int_equal(json_integer_value(json_object_get(j, "repeated")), 2);
	assert_int_equal(json_object_size(json_object_get(j, "dropped")), 2);
	assert_int_equal(json_array_size(json_object_get(j, "extra")), 1);
	assert_int_equal(json_object_size(json_object_get(j, "time")), 5);
	json_decref(j);
	/* Nothing is counted as done when the run fails. */
	unlink("stats");
	unlink("out");
	g.std.rejects = NULL;
	assert_int_equal(run(&g, 2), -1);
	assert_int_equal(access("stats", F_OK), -1);
}

static void test_refusals(void **state)
{
	struct given g = GIVEN;

	(void)state;
	put_json("in", "{'text':'a'}\n");
	g.std.rejects = "in";
	assert_int_equal(run(&g, 1), -1);
	assert_string_equal(g.err.msg, "in: input file is output file");
	g.std.rejects = "out";
	assert_int_equal(run(&g, 1), -1);
	assert_string_equal(g.err.msg, "out: two outputs have this name");
	nothing_left();
}

/* The last value of a member counts; a value too long for lu_doc_printf() becomes null. */
static void test_doc_functions(void **state)
{
	struct lu_arena arena = { 0 };
	struct lu_doc doc = { .arena = &arena };
	char many[600];

	(void)state;
	lu_doc_set(&doc, "a", LU_STR("1"));
	lu_doc_set(&doc, "b", LU_STR("2"));
	lu_doc_set(&doc, "a", LU_STR("3"));
	assert_int_equal(doc.edits, 2);
	assert_true(lu_str_is(doc.edit[0].value, "3"));
	memset(many, '1', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	assert_true(lu_str_is(lu_doc_printf(&doc, "%s", many), "null"));
	assert_true(lu_str_is(lu_doc_printf(&doc, "%d", 7), "7"));
	lu_arena_release(&arena);
}

static int each(void **state)
{
	(void)state;
	unlink("out");
	unlink("rejects");
	unlink("stats");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_kept_byte_for_byte, each),
		cmocka_unit_test_setup(test_verdicts, each),
		cmocka_unit_test_setup(test_decide, each),
		cmocka_unit_test_setup(test_bad_records, each),
		cmocka_unit_test_setup(test_textless, each),
		cmocka_unit_test_setup(test_max_bad, each),
		cmocka_unit_test_setup(test_rejects, each),
		cmocka_unit_test_setup(test_repair, each),
		cmocka_unit_test_setup(test_many, each),
		cmocka_unit_test_setup(test_stats_file, each),
		cmocka_unit_test_setup(test_refusals, each),
		cmocka_unit_test_setup(test_doc_functions, each),
	};

	return cmocka_run_group_tests_name("docstream", tests, scratch_make, scratch_remove);
}
