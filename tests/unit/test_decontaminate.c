/* Decontamination: an item inside a document is found however it is written, nothing else is. */
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/filter/decontaminate_match.h"

#include "tests/unit/unit.h"

static void open_items(struct lu_decontaminate *d, size_t min, const char *items)
{
	struct lu_decontaminate_options o = { min, 0.5, NULL };
	struct lu_err err = { 0 };

	put_text("items.jsonl", items);
	assert_int_equal(lu_decontaminate_open(d, &o, 1, &err), 0);
	if (lu_decontaminate_read(d, "items.jsonl", &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(lu_decontaminate_ready(d, &err), 0);
}

/* The share of item `item` in a text, 0 where there is nothing of it. */
static double share(const struct lu_decontaminate *d, struct lu_bench_work *w, const char *text,
		uint32_t item)
{
	struct lu_err err = { 0 };

	assert_int_equal(lu_decontaminate_match(d, lu_str_of(text), w, &err), 0);
	for (size_t i = 0; i < w->matches.n; i++) {
		if (w->matches.p[i].item == item)
			return w->matches.p[i].share;
	}
	return 0;
}

static void is(double got, double want)
{
	if (got < want - 1e-12 || got > want + 1e-12)
		fail_msg("%.9f, not %.9f", got, want);
}

static void folded(void **state)
{
	static const char *const text[][2] = {
		{ "The Cat, sat.", "the cat sat " },
		{ "L'\xC3\x89T\xC3\x89 2024!", "l \xC3\xA9t\xC3\xA9 2024 " },
		{ "E\xCC\x81te\xCC\x81", "\xC3\xA9t\xC3\xA9 " },
		{ "Stra\xC3\x9F"
		  "e STRASSE",
				"strasse strasse " },
		{ "co\xC2\xAD"
		  "op",
				"coop " },
		{ "\xE4\xB8\xAD\xE6\x96\x87 a\xE5\xAD\x97",
				"\xE4\xB8\xAD \xE6\x96\x87 a \xE5\xAD\x97 " },
		{ " \n.", "" },
		{ "\xCE\x90\xCE\x90", "\xCE\xB9\xCC\x88\xCC\x81\xCE\xB9\xCC\x88\xCC\x81 " },
	};
	struct lu_shingler *s;
	struct lu_folded_words w = { 0 };
	struct lu_buf scratch = { 0 };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_shingler_new(&s, &err), 0);
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		assert_int_equal(lu_fold_words(s, lu_str_of(text[i][0]), &scratch, &w, &err), 0);
		if (!lu_str_is(lu_buf_slice(&w.text), text[i][1]))
			fail_msg("'%s': '%.*s'", text[i][0], (int)w.text.n, w.text.p);
		for (size_t k = 0; k < w.end.n; k++)
			assert_int_equal(w.text.p[w.end.p[k]], ' ');
	}
	lu_folded_words_release(&w);
	lu_buf_release(&scratch);
	lu_shingler_free(s);
}

static void found(void **state)
{
	struct lu_decontaminate d;
	struct lu_bench_work w = { 0 };

	(void)state;
	open_items(&d, 4,
			"{\"id\":1,\"text\":\"w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 "
			"w16\"}\n"
			"{\"question\":\"Combien font deux et deux ?\",\"answer\":\"Quatre.\"}\n"
			"{\"id\":\"short\",\"text\":\"un deux trois\"}\n");
	assert_int_equal(d.unmatchable, 1);
	is(share(&d, &w, "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16", 0), 1);
	is(share(&d, &w, "x W1\nW2, w3; w4 (w5) w6\r\nw7 w8 w9 w10 w11 w12 w13 w14 w15 w16. y", 0),
			1);
	/* 14 of 16 words, then 13, then a run of 12, which is none. */
	is(share(&d, &w, "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 z w16", 0), 14.0 / 16);
	is(share(&d, &w, "w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16", 0), 13.0 / 16);
	is(share(&d, &w, "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 z w13 w14", 0), 0);
	is(share(&d, &w, "combien FONT deux et deux? \xE2\x80\x94 quatre", 1), 1);
	is(share(&d, &w, "combien font deux et trois quatre", 1), 0);
	is(share(&d, &w, "un deux trois", 2), 0);
	is(share(&d, &w, "", 0), 0);
	lu_bench_work_release(&w);
	lu_decontaminate_close(&d);
}

/* The wording that many items share does not count, but an item of nothing else is found. */
static void common(void **state)
{
	struct lu_decontaminate d;
	struct lu_bench_work w = { 0 };
	struct lu_buf b = { 0 };
	static const char wording[] = "choose the one correct answer of the four that follow below "
				      "here please now";

	(void)state;
	for (int i = 0; i < 12; i++)
		lu_buf_printf(&b, "{\"text\":\"%s a%d b%d c%d d%d e%d f%d\"}\n", wording, i, i, i,
				i, i, i);
	lu_buf_printf(&b, "{\"text\":\"%s\"}\n", wording);
	lu_buf_printf(&b, "{\"text\":\"%s\"}\n", wording);
	open_items(&d, 8, b.p);
	assert_int_equal(d.items.n, 13);
	assert_int_equal(d.repeated, 1);
	is(share(&d, &w, wording, 3), 0);
	is(share(&d, &w, wording, 4), 0);
	is(share(&d, &w, wording, 12), 1);
	lu_buf_clear(&b);
	lu_buf_printf(&b, "%s a3 b3 c3 d3 e3 f3", wording);
	is(share(&d, &w, b.p, 3), 1);
	lu_buf_release(&b);
	lu_bench_work_release(&w);
	lu_decontaminate_close(&d);
}

static void refused(void **state)
{
	static const char *const items[][2] = {
		{ "{\"id\":1}\n",
				"items.jsonl:1: an item needs \"text\", or \"question\" and "
				"\"answer\"" },
		{ "{\"text\":\"a\"}\n\n{\"text\":\n", "items.jsonl:3: JSON ends too early" },
		{ "\n", "items.jsonl: no item in this file" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		struct lu_decontaminate_options o = { 8, 0.5, NULL };
		struct lu_decontaminate d;
		struct lu_err err = { 0 };

		put_text("items.jsonl", items[i][0]);
		assert_int_equal(lu_decontaminate_open(&d, &o, 1, &err), 0);
		assert_int_equal(lu_decontaminate_read(&d, "items.jsonl", &err), -1);
		assert_string_equal(err.msg, items[i][1]);
		lu_decontaminate_close(&d);
	}
}

/* --- against a plain search ---------------------------------------------------------------- */

#define VOCABULARY 3 /* so small that n-grams occur by chance */
#define LONGEST 40

struct words {
	int w[LONGEST];
	int n;
};

static struct words random_words(uint64_t *seed, int most)
{
	struct words x;

	x.n = 1 + (int)(unit_random(seed) % (uint64_t)most);
	for (int i = 0; i < x.n; i++)
		x.w[i] = unit_random(seed) % 4 ? 0 : (int)(unit_random(seed) % VOCABULARY);
	return x;
}

static void put_words(struct lu_buf *b, const struct words *x, uint64_t *seed)
{
	static const char *const space[] = { " ", "\\n", ", ", " - ", "\\r\\n\\r\\n" };

	for (int i = 0; i < x->n; i++) {
		lu_buf_puts(b, space[unit_random(seed) % 5]);
		lu_buf_putc(b, (char)((unit_random(seed) % 2 ? 'a' : 'A') + x->w[i]));
	}
}

static bool occurs(const struct words *x, const int *gram, int n)
{
	for (int i = 0; i + n <= x->n; i++) {
		if (memcmp(x->w + i, gram, (size_t)n * sizeof(*gram)) == 0)
			return true;
	}
	return false;
}

/* Mark the words of the item that lie in an n-gram of the document. */
static double plain_share(const struct words *item, const struct words *text, int min)
{
	int n = item->n < 13 ? item->n : 13, marked = 0;
	bool in[LONGEST] = { false };

	if (item->n < min)
		return 0;
	for (int i = 0; i + n <= item->n; i++) {
		for (int k = 0; k < n && occurs(text, item->w + i, n); k++)
			in[i + k] = true;
	}
	for (int i = 0; i < item->n; i++)
		marked += in[i];
	return (double)marked / item->n;
}

static void against_plain_search(void **state)
{
	uint64_t seed = 11, hits = 0;
	struct lu_bench_work w = { 0 };
	struct lu_buf b = { 0 };

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct words item[3];
		struct lu_decontaminate d;
		struct lu_buf text = { 0 };

		lu_buf_clear(&b);
		for (int i = 0; i < 3; i++) {
			item[i] = random_words(&seed, i == 2 ? 12 : LONGEST);
			lu_buf_puts(&b, "{\"text\":\"");
			put_words(&b, &item[i], &seed);
			lu_buf_puts(&b, "\"}\n");
		}
		open_items(&d, 4, b.p);
		for (int k = 0; k < 150; k++) {
			struct words x = random_words(&seed, LONGEST);

			lu_buf_clear(&text);
			for (int i = 0; i < x.n; i++)
				lu_buf_printf(&text, "%c ", 'a' + x.w[i]);
			for (uint32_t i = 0; i < 3 && d.items.n == 3; i++) {
				double want = plain_share(&item[i], &x, 4);

				is(share(&d, &w, text.p, i), want);
				hits += want > 0;
			}
		}
		lu_buf_release(&text);
		lu_decontaminate_close(&d);
	}
	assert_true(hits > 500);
	lu_bench_work_release(&w);
	lu_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folded),
		cmocka_unit_test(found),
		cmocka_unit_test(common),
		cmocka_unit_test(refused),
		cmocka_unit_test(against_plain_search),
	};

	return cmocka_run_group_tests_name("decontaminate", tests, scratch_make, scratch_remove);
}
