/* Tasks: encoding, packing of requests into rows, choices, comparison of answers, needles. */
#include "tests/trainer/tiny.h"

#include <math.h>

#include "libcommon/base/json_writer.h"
#include "trainer/eval/alone.h"
#include "trainer/eval/likelihood.h"
#include "trainer/eval/needle.h"
#include "trainer/eval/task_prompt.h"
#include "trainer/eval/task_result.h"

/* A tokenizer of single characters, with these marks at 0 and 1. */
static struct lu_tok *characters(const char *bos, const char *eos)
{
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	struct lu_err err;
	uint32_t id = 0;

	lu_buf_printf(&json,
			"{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_"
			"tokens\":["
			"{\"id\":0,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,"
			"\"rstrip\":false,\"normalized\":false,\"special\":true},"
			"{\"id\":1,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,"
			"\"rstrip\":false,\"normalized\":false,\"special\":true}],"
			"\"normalizer\":null,\"pre_tokenizer\":null,\"post_processor\":null,"
			"\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"type\":\"BPE\",\"dropout\":"
			"null,"
			"\"unk_token\":\"?\",\"continuing_subword_prefix\":null,"
			"\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":false,"
			"\"ignore_merges\":false,\"vocab\":{\"%s\":%u",
			bos, eos, bos, id);
	lu_buf_printf(&json, ",\"%s\":%u,\"?\":%u", eos, id + 1, id + 2);
	id = 3;
	for (const char *c = "abcdefg 0123456789.\n"; *c; c++) {
		lu_buf_putc(&json, ',');
		lu_json_quote(&json, (struct lu_str){ c, 1 });
		lu_buf_printf(&json, ":%u", id++);
	}
	lu_buf_puts(&json, "},\"merges\":[]}}");
	ok(lu_buf_check(&json, &err), &err);
	ok(lu_tok_parse(&tok, "x.json", lu_buf_slice(&json), &err), &err);
	lu_buf_release(&json);
	return tok;
}

/* The ids of a pair as text, the scored ones in brackets. */
static void check_pair(const struct lu_tok *tok, const char *context, const char *delimiter,
		const char *continuation, const char *want)
{
	struct lt_prompter p;
	struct lu_ids ids = { 0 };
	struct lu_buf got = { 0 };
	struct lu_err err;
	size_t scored;

	ok(lt_prompter_init(&p, tok, &err), &err);
	if (lt_prompt_pair(&p, lu_str_of(context), lu_str_of(delimiter), lu_str_of(continuation),
			    &ids, &scored, &err) < 0) {
		lu_buf_puts(&got, err.msg);
	} else {
		for (size_t i = 0; i < ids.n; i++) {
			if (i == ids.n - scored)
				lu_buf_putc(&got, '[');
			lu_buf_str(&got, lu_tok_piece(tok, ids.p[i]));
		}
		lu_buf_putc(&got, ']');
	}
	ok(lu_buf_check(&got, &err), &err);
	assert_string_equal(got.p, want);
	lu_buf_release(&got);
	lu_ids_release(&ids);
	lt_prompter_release(&p);
}

static void test_begin_tokens(void **state)
{
	struct lu_tok *both = characters("<s>", "</s>"), *end = characters("<x>", "</s>");
	struct lu_tok *none = characters("<x>", "<y>");

	(void)state;
	check_pair(both, "ab", " ", "cd", "<s>ab[ cd]");
	check_pair(both, "", " ", "cd", "<s>[ cd]");
	/* Once, whoever wrote it. */
	check_pair(both, "<s>ab", " ", "cd", "<s>ab[ cd]");
	/* White space at the end of the context is the continuation's. */
	check_pair(both, "ab \n", "", "cd", "<s>ab[ \ncd]");
	check_pair(both, " ", " ", "c", "<s>[  c]");
	/* The harness has the end token before an empty context, and nothing before others. */
	check_pair(end, "ab", " ", "cd", "ab[ cd]");
	check_pair(end, "", " ", "cd", "</s>[ cd]");
	check_pair(none, "ab", "", "c", "ab[c]");
	check_pair(none, "", "", "c",
			"nothing comes before the first token: the context is empty, and the "
			"tokenizer has no begin token");
	check_pair(both, "ab", "", "", "'' has no token of its own behind the context");
	lu_tok_free(both);
	lu_tok_free(end);
	lu_tok_free(none);
}

static void test_trim(void **state)
{
	static const struct {
		const char *text, *end, *both;
	} cases[] = { { "", "", "" }, { " \t\r\n", "", "" }, { " a ", " a", "a" },
		{ "\xC2\xA0"
		  "a\xE2\x80\x89\xE3\x80\x80",
				"\xC2\xA0"
				"a",
				"a" },
		/* A zero-width space is no white space. */
		{ "a\xE2\x80\x8B", "a\xE2\x80\x8B", "a\xE2\x80\x8B" },
		{ "\xC3\xA9 ", "\xC3\xA9", "\xC3\xA9" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(lu_str_is(lt_trim_end(lu_str_of(cases[i].text)), cases[i].end));
		assert_true(lu_str_is(lt_trim(lu_str_of(cases[i].text)), cases[i].both));
	}
}

/* A scorer whose log p of a label follows from its token, its place and the one before it in its own
 * sequence: what a wrong row, place or label changes. */
struct fake {
	size_t calls, again, sequences;
	double *sums; /* of the ranks before this one */
};

static int fake_score(void *ctx, const struct lt_batch *b, size_t sequences, lk_real *log_p,
		bool *here, struct lu_err *err)
{
	struct fake *f = ctx;

	(void)err;
	f->calls++;
	f->sequences = sequences;
	for (size_t i = 0; i < sequences * 32; i++) {
		uint32_t before = b->places[i] ? b->ids[i - 1] : 0;

		assert_true(b->places[i] == 0 || (i % 32 && b->places[i] == b->places[i - 1] + 1));
		log_p[i] = (lk_real)(-(double)(b->labels[i] * 64 + b->places[i] * 8 + before % 8) /
				1024);
	}
	*here = true;
	return 0;
}

static int fake_again(
		void *ctx, const struct lt_batch *b, lk_real *log_p, bool *here, struct lu_err *err)
{
	struct fake *f = ctx;

	f->again++;
	f->calls--;
	return fake_score(ctx, b, f->sequences, log_p, here, err);
}

static int fake_combine(void *ctx, double *x, size_t n, struct lu_err *err)
{
	struct fake *f = ctx;

	(void)err;
	for (size_t i = 0; i < n; i++)
		x[i] = f->sums[i] += x[i];
	return 0;
}

#define REQUESTS 57

static void make_requests(
		struct lt_request *r, uint32_t ids[REQUESTS][33], double *want, bool letters)
{
	for (size_t i = 0; i < REQUESTS; i++) {
		size_t n = i < 2 ? 33 : 2 + (letters ? i / 4 : i) * 13 % 31;

		/* With `letters`, three of each four are the one before them with another end. */
		for (size_t k = 0; k < n; k++)
			ids[i][k] = (uint32_t)((i * 7 + k * 5) % 31);
		for (size_t k = 0; letters && i > 3 && i % 4 && k + 1 < n; k++)
			ids[i][k] = ids[i - 1][k];
		r[i] = (struct lt_request){
			.ids = ids[i], .n = n, .scored = 1 + (letters ? i / 4 : i) % (n - 1)
		};
		want[i] = 0;
		for (size_t k = n - 1 - r[i].scored; k + 1 < n; k++)
			want[i] -= (double)(ids[i][k + 1] * 64 + k * 8 +
						   (k ? ids[i][k - 1] % 8 : 0)) /
					1024;
	}
}

static void check_rows(bool letters)
{
	uint32_t ids[REQUESTS][33];
	struct lt_request r[REQUESTS];
	double want[REQUESTS], sums[REQUESTS];
	struct lu_err err;

	make_requests(r, ids, want, letters);
	for (size_t batch = 1; batch < 9; batch++) {
		for (size_t shares = 1; shares <= 3; shares++) {
			struct fake f = { .sums = sums };

			memset(sums, 0, sizeof(sums));
			for (size_t share = 0; share < shares; share++) {
				const struct lt_scorer s = { .batch = batch,
					.context = 32,
					.ctx = &f,
					.score = fake_score,
					.again = letters ? fake_again : NULL,
					.share = share,
					.shares = shares,
					.combine = fake_combine };

				ok(lt_likelihood(&s, r, REQUESTS, NULL, NULL, NULL, &err), &err);
			}
			for (size_t i = 0; i < REQUESTS; i++)
				assert_true(r[i].log_p == want[i]);
			/* Rows are shared: 57 requests fit into fewer. */
			assert_true(f.calls * batch < REQUESTS);
			assert_true(letters == (f.again > 0));
		}
	}
}

static void test_rows(void **state)
{
	(void)state;
	check_rows(false);
	check_rows(true);
	assert_int_equal(lt_likelihood_row(10, 4096), 256);
	assert_int_equal(lt_likelihood_row(257, 4096), 512);
	assert_int_equal(lt_likelihood_row(4097, 4096), 4096);
	assert_int_equal(lt_likelihood_row(10, 64), 64);
}

/* Each token but the first is predicted once, in order, by windows that have as much before them as the
 * context and the document allow. */
static void test_alone(void **state)
{
	struct lt_alone_window w;

	(void)state;
	for (size_t context = 1; context <= 9; context++) {
		for (size_t n = 0; n <= 40; n++) {
			size_t next = 1, i = 0;

			for (; lt_alone_window(n, context, i, &w); i++) {
				assert_int_equal(w.from, next);
				assert_true(w.to > w.from && w.to <= n && w.start < w.from);
				assert_true(w.to - w.start <= context + 1);
				assert_true(w.start == 0 || w.to - w.start == context + 1);
				next = w.to;
			}
			assert_int_equal(next, n < 2 ? 1 : n);
		}
	}
}

static void test_choices(void **state)
{
	const struct lt_choice_score c[] = { { -4, 2, 8 }, { -3, 1, 1 }, { -3, 1, 1 },
		{ -9, 9, 9 } };

	(void)state;
	/* The first of equal ones. */
	assert_int_equal(lt_best_choice(c, 4, LT_NORM_NONE), 1);
	assert_int_equal(lt_best_choice(c, 4, LT_NORM_CHARACTERS), 3);
	assert_int_equal(lt_best_choice(c, 4, LT_NORM_BYTES), 0);
}

static void test_statistics(void **state)
{
	const double log_p[] = { -1, -2, -4 };
	struct lt_task_result r = { 0 };

	(void)state;
	lt_result_share(&r, "acc", 3, 10);
	assert_true(fabs(r.metric[0].value - 0.3) < 1e-15);
	/* Sample deviation 0.4830459 over sqrt(10); Wilson's interval. */
	assert_true(fabs(r.metric[0].error - 0.152752523165195) < 1e-12);
	assert_true(fabs(r.metric[0].low - 0.1077913) < 1e-6);
	assert_true(fabs(r.metric[0].high - 0.6032219) < 1e-6);
	lt_result_perplexity(&r, log_p, 3);
	assert_true(fabs(r.metric[1].value - exp(7.0 / 3)) < 1e-12);
	assert_true(fabs(r.metric[1].error - exp(7.0 / 3) * sqrt(7.0 / 3) / sqrt(3)) < 1e-12);
	r.metrics = 0;
	lt_result_share(&r, "acc", 1, 1);
	assert_true(isnan(r.metric[0].error) && r.metric[0].high == 1);
}

static void check_answer(const char *answer, const char *text, bool ignore_case,
		bool ignore_punctuation, bool want)
{
	const struct lu_str answers[] = { LU_STR("never"), lu_str_of(answer) };
	const struct lt_task_item item = { .choice = answers,
		.choices = 2,
		.ignore_case = ignore_case,
		.ignore_punctuation = ignore_punctuation };
	struct lu_err err;
	bool matches;

	ok(lt_answer_matches(&item, lu_str_of(text), &matches, &err), &err);
	assert_true(matches == want);
}

static void test_answers(void **state)
{
	(void)state;
	check_answer("56", " 56\n", false, false, true);
	check_answer("56", "56.", false, false, false);
	check_answer("56", "56.", false, true, true);
	check_answer("56", "5 6", false, true, false);
	check_answer("\xC3\x89t\xC3\xA9", "\xC3\xA9t\xC3\x89", true, false, true);
	check_answer("\xC3\x89t\xC3\xA9", "\xC3\xA9t\xC3\x89", false, false, false);
	check_answer("a", "", false, false, false);
}

/* The text of the last sample, whose length includes a blank and seven digits. */
static void check_sample(const struct lu_tok *tok, struct lt_needle *n, uint64_t length)
{
	struct lu_buf text = { 0 };
	const char *at, *question;
	struct lu_err err;

	for (size_t i = 0; i < n->ids.n; i++)
		lu_buf_str(&text, lu_tok_piece(tok, n->ids.p[i]));
	ok(lu_buf_check(&text, &err), &err);
	assert_int_equal(n->ids.n + 8, length);
	assert_int_equal(strncmp(text.p, "<s>", 3), 0);
	at = strstr(text.p, "\nbad cab ");
	question = strrchr(text.p, '\n');
	assert_non_null(at);
	assert_string_equal(question, "\nbad cab");
	/* Half of the hay, 61 tokens, or less, moved back to the end of a sentence. */
	assert_int_equal(strspn(at + 9, "0123456789"), 7);
	assert_int_equal(at[16], '.');
	assert_int_equal(at[17], '\n');
	assert_int_equal(at[-1], '.');
	assert_in_range(at - text.p - 3, 28, 31);
	lu_buf_release(&text);
}

static void test_needle(void **state)
{
	static const uint64_t length[] = { 60, 96 }, depth[] = { 100, 50 };
	struct lu_tok *tok = characters("<s>", "</s>");
	struct lt_needle n = { .sentence = "bad cab {}.",
		.length = length,
		.depth = depth,
		.lengths = 2,
		.depths = 2,
		.samples = 2,
		.seed = 1 };
	struct lt_task_result result[2];
	struct lu_arena names = { 0 };
	struct lt_corpus *hay;
	uint32_t ids[50];
	struct tiny t;
	struct lu_err err;

	(void)state;
	/* Sentences of three characters. */
	for (uint32_t i = 0; i < 50; i++)
		ids[i] = i % 3 == 2 ? 21 : 3 + i % 7;
	tiny_open(&t, 0, false);
	ok(lt_corpus_memory(&hay, ids, 50, 96, &err), &err);
	ok(lt_needle_init(&n, tok, hay, 96, &err), &err);
	ok(lt_needle_run(&n, t.w, NULL, NULL, &err), &err);
	check_sample(tok, &n, 96);
	ok(lt_needle_results(&n, result, &names, &err), &err);
	assert_true(lu_str_is(result[1].name, "needle_96"));
	assert_int_equal(result[1].items, 4);
	lt_needle_release(&n);
	lt_corpus_close(hay);
	tiny_close(&t);
	lu_arena_release(&names);
	lu_tok_free(tok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begin_tokens),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_needle),
	};

	return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
