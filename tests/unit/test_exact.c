/* Exact deduplication: verdicts with and without a bound of memory, policies of what is kept, drop
 * lists, blocks repeated within a text. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/dedup/droplist.h"
#include "libcommon/dedup/estimate.h"
#include "libcommon/dedup/exact.h"
#include "libcommon/dedup/keep.h"
#include "libcommon/dedup/within.h"

/* --- verdicts ------------------------------------------------------------------------------ */

enum { DOCS = 60000, KEYS = 25000 };

static struct lu_exact_doc doc_of(uint64_t i)
{
	uint64_t seed = i, key = unit_random(&seed) % KEYS;

	return (struct lu_exact_doc){ { unit_random(&key), unit_random(&key) },
		unit_random(&seed) % 3, i, i * 3 };
}

/* The document kept for each key, by definition: the lowest rank, then the first. */
static void define(bool ranks, uint64_t best[KEYS], uint64_t size[KEYS])
{
	for (size_t k = 0; k < KEYS; k++)
		size[k] = 0;
	for (uint64_t i = 0; i < DOCS; i++) {
		uint64_t seed = i, k = unit_random(&seed) % KEYS;

		if (size[k]++ == 0 || (ranks && doc_of(i).rank < doc_of(best[k]).rank))
			best[k] = i;
	}
}

static void check_exact(bool list, bool late, uint64_t memory)
{
	struct lu_exact_options o = { list, late, memory, ".", 2 };
	uint64_t *best = calloc(KEYS, sizeof(*best)), *size = calloc(KEYS, sizeof(*size));
	struct lu_exact x = LU_EXACT_NONE;
	struct lu_exact_removed r;
	uint64_t later = DOCS;
	struct lu_err err;
	bool wrong = false;

	assert_true(best && size);
	define(late, best, size);
	assert_int_equal(lu_exact_open(&x, &o, &err), 0);
	for (uint64_t i = 0; i < DOCS; i++) {
		struct lu_exact_doc d = doc_of(i);
		uint64_t seed = i, k = unit_random(&seed) % KEYS;
		int rc = lu_exact_add(&x, &d, &err);

		if (rc == LU_EXACT_LATER && later == DOCS)
			later = i;
		wrong |= rc != (i >= later ? LU_EXACT_LATER : (int)(best[k] == i));
	}
	assert_false(wrong);
	assert_int_equal(later == DOCS, !late && memory == 0);
	assert_int_equal(lu_exact_finish(&x, &err), 0);
	for (uint64_t i = list ? 0 : later; i < DOCS; i++) {
		uint64_t seed = i, k = unit_random(&seed) % KEYS;

		if (best[k] == i)
			continue;
		assert_int_equal(lu_exact_next(&x, &r, &err), 1);
		assert_int_equal(r.number, i);
		if (!list && best[k] < later)
			continue;
		assert_int_equal(r.kept, best[k]);
		assert_int_equal(r.kept_origin, best[k] * 3);
		if (list)
			assert_int_equal(r.size, size[k]);
	}
	assert_int_equal(lu_exact_next(&x, &r, &err), 0);
	lu_exact_rewind(&x);
	assert_int_equal(lu_exact_next(&x, &r, &err), list || later < DOCS);
	lu_exact_close(&x);
	free(best);
	free(size);
}

static void test_verdicts(void **state)
{
	(void)state;
	for (int list = 0; list < 2; list++) {
		check_exact(list, false, 0);
		check_exact(list, false, 1);
		check_exact(list, false, 400000); /* full halfway */
		check_exact(list, true, 0);
		check_exact(list, true, 400000);
	}
}

/* --- policies ------------------------------------------------------------------------------ */

static uint64_t rank_of(const char *how, const char *record)
{
	struct lu_arena arena = { 0 };
	struct lu_json_obj obj;
	struct lu_json_fault fault;
	struct lu_keep keep;
	struct lu_err err;
	uint64_t rank;

	assert_int_equal(lu_keep_parse(&keep, how, &err), 0);
	assert_int_equal(lu_json_object(lu_str_of(record), &arena, &obj, &fault), 0);
	assert_int_equal(lu_keep_rank(&keep, &obj, strlen(record), &arena, &rank, &err), 0);
	lu_keep_release(&keep);
	lu_arena_release(&arena);
	return rank;
}

/* Each record is to come before the next; those with '=' in front are equal to the one before. */
static void check_order(const char *how, const char *const *record, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		bool equal = *record[i] == '=';
		const char *before = record[i - 1] + (*record[i - 1] == '=');
		uint64_t a = rank_of(how, before), b = rank_of(how, record[i] + equal);

		if (equal ? a != b : a >= b)
			fail_msg("--keep %s: %s does not stand before %s", how, before, record[i]);
	}
}

static void test_keep(void **state)
{
	static const char *const newest[] = { "{\"d\":\"2026-11-30T00:00:01.5Z\"}",
		"{\"d\":\"2026-11-30T00:00:01.25Z\"}", "{\"d\":\"2026-11-30 01:00:01+01:00\"}",
		"={\"d\":\"2026-11-29T22:30:01-0130\"}", "{\"d\":\"2026-11-30\"}",
		"={\"d\":\"2026-11-29T24:00Z\"}", "={\"d\":\"2026-11-30T00:00\"}",
		"{\"d\":\"2026-11-29T23:59:59\"}", "{\"d\":\"2024-03-01\"}",
		"{\"d\":\"2024-02-29\"}", "{\"d\":\"2024-02\"}", "={\"d\":\"2024-02-01\"}",
		"{\"d\":\"2024\"}", "{\"d\":\"2023-12-31\"}", "{\"d\":\"0001-01-01\"}",
		"{\"d\":20261129}", "={\"d\":\"20261129\"}", "{\"d\":20261128.5}", "{\"d\":0}",
		"{\"d\":-1}", "{\"d\":-1e300}", "{}", "={\"d\":null}", "={\"d\":\"2024-13-01\"}",
		"={\"d\":\"2023-02-29\"}", "={\"d\":\"2026-11-31T00:00\"}",
		"={\"d\":\"2026-11-29T24:01\"}", "={\"d\":\"2026-11-29T10:00+24:00\"}",
		"={\"d\":\"yesterday\"}", "={\"d\":[1]}" };
	static const char *const max[] = { "{\"s\":1e308}", "{\"s\":0.75}", "={\"s\":\"0.75\"}",
		"{\"s\":0.7}", "{\"s\":0}", "={\"s\":-0.0}", "{\"s\":-2}", "{}",
		"={\"s\":\"high\"}", "={\"s\":true}" };
	static const char *const priority[] = { "{\"src\":\"b\\u00e9\"}", "{\"src\":\"a\"}",
		"{\"src\":7}", "={\"src\":\"7\"}", "{\"src\":\"other\"}", "={\"src\":false}", "{}",
		"={\"src\":null}" };
	static const char *const longest[] = { "{\"text\":\"abc\"}", "{\"text\":\"ab\"}" };
	static const char *const bad[] = { "", "best", "newest", "newest:", "max:", "priority:f",
		"priority:f=", "priority:=a", "firsts" };
	struct lu_keep keep;
	struct lu_err err;

	(void)state;
	check_order("newest:d", newest, sizeof(newest) / sizeof(newest[0]));
	check_order("max:s", max, sizeof(max) / sizeof(max[0]));
	check_order("priority:src=b\xC3\xA9,a,7", priority, sizeof(priority) / sizeof(priority[0]));
	check_order("longest", longest, 2);
	assert_int_equal(rank_of("first", "{}"), rank_of("first", "{\"text\":\"a\"}"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(lu_keep_parse(&keep, bad[i], &err), -1);
		assert_non_null(strstr(err.msg, bad[i]));
	}
}

/* --- drop lists ---------------------------------------------------------------------------- */

static struct lu_corpus make_corpus(uint64_t docs)
{
	struct lu_corpus c = { 0 };
	struct lu_err err;

	assert_int_equal(lu_corpus_push(&c, "a.jsonl", docs, 7, &err), 0);
	assert_int_equal(lu_corpus_push(&c, "none.jsonl", 0, 0, &err), 0);
	assert_int_equal(lu_corpus_push(&c, "b.jsonl", docs, 8, &err), 0);
	return c;
}

/* Part `part` of two: every second document is dropped, by turns in one of the parts. */
static void write_list(const char *path, unsigned part, uint64_t docs, const char *settings)
{
	struct lu_stepfile_writer w = LU_STEPFILE_WRITER_NONE;
	struct lu_corpus c = make_corpus(docs);
	struct lu_err err;

	assert_int_equal(lu_stepfile_create(&w, path, LU_DROP_MAGIC, &err), 0);
	for (size_t f = 0; f < 3; f++) {
		uint64_t records = 0;

		for (uint64_t i = 2 * part; i < c.file.p[f].docs; i += 4, records++) {
			struct lu_drop d = { i, i / 2, i + 1, i, (uint32_t)i % 10001, LU_DROP_NEAR,
				i % 3 ? LU_STR("\"id\"") : LU_STR("") };

			assert_int_equal(lu_drop_put(&w, &d, &err), 0);
		}
		assert_int_equal(lu_stepfile_end_section(&w, records, &err), 0);
	}
	assert_int_equal(lu_stepfile_commit(&w, &c, settings, part, 2, &err), 0);
	lu_stepfile_abort(&w);
	lu_corpus_release(&c);
}

/* Read all of b.jsonl; the number of records, or -1. */
static int64_t read_lists(const char *one, const char *two, const char *name, struct lu_err *err)
{
	const char *path[] = { one, two };
	struct lu_drops d;
	struct lu_drop x;
	int64_t n = 0;
	bool wrong = false;
	int rc = lu_drops_open(&d, path, two ? 2 : 1, name, err);

	while (rc == 0 && (rc = lu_drops_next(&d, &x, err)) > 0) {
		uint64_t i = 2 * ((uint64_t)n + 1);

		wrong |= x.number != i || x.kept != i / 2 || x.kept_line != i + 1 || x.size != i ||
				x.similarity != i % 10001 || x.kind != LU_DROP_NEAR ||
				x.kept_id.n != (i % 3 ? 4 : 0);
		n++;
		rc = 0;
	}
	assert_true(rc < 0 || !wrong);
	lu_drops_close(&d);
	return rc < 0 ? -1 : n;
}

static void fails(const char *one, const char *two, const char *name, const char *why)
{
	struct lu_err err;

	assert_int_equal(read_lists(one, two, name, &err), -1);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void test_drop_lists(void **state)
{
	struct lu_err err;

	(void)state;
	write_list("1", 1, 20000, "x");
	write_list("2", 2, 20000, "x");
	assert_int_equal(read_lists("1", "2", "b.jsonl", &err), 9999);
	assert_int_equal(read_lists("2", "1", "a.jsonl", &err), 9999);
	assert_int_equal(read_lists("2", "1", "none.jsonl", &err), 0);
	fails("1", NULL, "b.jsonl", "part 2 of 2 is missing");
	fails("1", "1", "b.jsonl", "part 1 of 2, and so is 1");
	fails("1", "2", "c.jsonl", "c.jsonl: not among the files of 1");
	write_list("other", 2, 20001, "x");
	fails("1", "other", "b.jsonl", "other: made from other documents than 1");
	write_list("how", 2, 20000, "y");
	fails("1", "how", "b.jsonl", "how: made with 'y', 1 with 'x'");
	put_text("no", "{\"text\":\"this is a document, and no list\"}\n");
	fails("1", "no", "b.jsonl", "no: not a file that --step first or settle writes");
}

/* Truncated or changed at any byte: always refused. */
static void test_damage(void **state)
{
	struct lu_err err;
	size_t bytes;
	char *all;

	(void)state;
	write_list("1", 1, 12, "x");
	write_list("2", 2, 12, "x");
	assert_int_equal(read_lists("1", "2", "b.jsonl", &err), 5);
	all = get_file("2", &bytes);
	for (size_t i = 0; i < bytes; i++) {
		put_file("damaged", all, i);
		assert_int_equal(read_lists("1", "damaged", "b.jsonl", &err), -1);
		all[i] ^= 0x40;
		put_file("damaged", all, bytes);
		/* The section of another file is not read. */
		if (read_lists("1", "damaged", "b.jsonl", &err) >= 0)
			assert_int_equal(read_lists("1", "damaged", "a.jsonl", &err), -1);
		all[i] ^= 0x40;
	}
	free(all);
}

/* --- within -------------------------------------------------------------------------------- */

static void test_within(void **state)
{
	static const struct {
		const char *text, *cut;
		uint64_t min;
		int blocks;
	} cases[] = {
		{ "", "", 1, 0 },
		{ "a\nb\nc\n", "", 1, 0 },
		{ "a\nb\na\nb\n", "a\nb\n", 1, 1 },
		{ "a\nb\na\nb", "a\nb", 4, 1 },
		{ "a\nb\na\nb", "", 5, 0 },
		{ "a\na\na\na\n", "a\n", 1, 2 },
		{ "ab\ncd\nx\nab\ncd\ny\nab\ncd\nef", "ab\ncd\nx\ny\nef", 6, 2 },
		/* A longer block than the least one is left out as a whole. */
		{ "1\n2\n3\n4\nx\n1\n2\n3\n4\n5\n", "1\n2\n3\n4\nx\n5\n", 4, 1 },
		/* Too short for a block, though it is repeated. */
		{ "a\nlong line\na\n", "", 3, 0 },
		{ "\n\n\n\nx", "\n\nx", 2, 1 },
	};
	struct lu_within w = { 0 };
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lu_buf_clear(&out);
		assert_int_equal(lu_within_cut(&w, lu_str_of(cases[i].text), cases[i].min, &out,
						 &err),
				cases[i].blocks);
		if (!lu_str_is(lu_buf_slice(&out), cases[i].cut))
			fail_msg("'%s' became '%.*s'", cases[i].text, (int)out.n, out.p);
	}
	lu_within_release(&w);
	lu_buf_release(&out);
}

/* --- estimates ----------------------------------------------------------------------------- */

static void test_estimate(void **state)
{
	struct lu_dedup_options o = LU_DEDUP_DEFAULTS;
	struct lu_estimate e = { .bytes = UINT64_C(1) << 40, .docs = UINT64_C(1) << 28 };

	(void)state;
	o.std.threads = 1;
	o.exact = true;
	lu_estimate_run(&e, &o);
	assert_true(e.memory >= 28 * e.docs && e.memory < 29 * e.docs);
	assert_int_equal(e.disk, 0);
	assert_true(e.seconds > 1000 && e.seconds < 10000);
	/* What does not fit goes to disk, with the records. */
	o.std.memory = (uint64_t)1 << 30;
	lu_estimate_run(&e, &o);
	assert_true(e.memory < (uint64_t)11 << 27);
	assert_true(e.disk > e.bytes && e.disk < e.bytes + 200 * e.docs);
	o.near = true;
	lu_estimate_run(&e, &o);
	assert_true(e.disk > e.bytes + 500 * e.docs);
	assert_true(e.seconds > 15000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_drop_lists),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_estimate),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
