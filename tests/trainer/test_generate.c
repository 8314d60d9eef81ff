#include "tests/trainer/tiny.h"

#include "libcommon/base/utf8.h"
#include "libcommon/schema/schema.h"
#include "tests/trainer/byte_tokenizer.h"
#include "tests/unit/plain_schema.h"
#include "trainer/generate/generate.h"
#include "trainer/generate/stop_text.h"

enum { EOS = BYTE_TOKENIZER_EOS, VOCAB = 264, CONTEXT = 48, MOST = 12 };

static struct tiny model;
static struct lu_tok *tok;

static int set_up(void **state)
{
	const struct lt_holding holding = { .dp_size = 1, .packed = true };
	struct lt_shape shape = tiny_shape(false);

	(void)state;
	shape.vocab = VOCAB;
	tiny_open_part(&model, &shape, NULL, &holding, NULL);
	tok = byte_tokenizer();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lu_tok_free(tok);
	tiny_close(&model);
	return 0;
}

static struct lt_generation random_way(void)
{
	static const uint32_t eos[] = { EOS };

	return (struct lt_generation){
		.sampling = { .temperature = 1, .top_p = 0.95, .top_k = 200 },
		.repetition = 1.2,
		.tokens = 20,
		.eos = eos,
		.n_eos = 1,
		.log_p = true,
		.batch = 1,
		.context = CONTEXT
	};
}

/* What came, by the number of the prompt. */
struct came {
	size_t n, limit;
	uint32_t ids[MOST][CONTEXT + 1];
	double log_p[MOST][CONTEXT + 1];
	size_t tokens[MOST];
	char text[MOST][600], streamed[MOST][600];
	enum lt_end end[MOST];
	bool complete[MOST];
	volatile sig_atomic_t interrupted;
};

static int done(void *ctx, size_t i, const struct lt_continuation *c, struct lu_err *err)
{
	struct came *came = ctx;

	(void)err;
	assert_int_equal(i, came->n);
	came->n++;
	came->tokens[i] = c->n;
	assert_true(c->n <= CONTEXT && c->text.n < 600);
	memcpy(came->ids[i], c->ids, c->n * sizeof(*c->ids));
	if (c->log_p)
		memcpy(came->log_p[i], c->log_p, c->n * sizeof(*c->log_p));
	memcpy(came->text[i], c->text.p, c->text.n);
	came->text[i][c->text.n] = '\0';
	came->end[i] = c->end;
	came->complete[i] = c->complete;
	assert_string_equal(came->text[i], came->streamed[i]);
	return 0;
}

static int text(void *ctx, size_t i, struct lu_str more, struct lu_err *err)
{
	struct came *came = ctx;

	(void)err;
	assert_true(more.n > 0);
	assert_int_equal(lu_utf8_valid(more.p, more.n), more.n);
	strncat(came->streamed[i], more.p, more.n);
	if (came->limit && strlen(came->streamed[i]) >= came->limit)
		came->interrupted = 1;
	return 0;
}

static void generate(const struct lt_generation *how, const struct lt_prompt *p, size_t n,
		struct came *came)
{
	const struct lt_generate_calls calls = {
		.ctx = came, .done = done, .text = text, .interrupted = &came->interrupted
	};
	struct lt_generator *g;
	struct lu_err err;

	ok(lt_generator_open(&g, model.w, tok, how, &err), &err);
	ok(lt_generate(g, p, n, &calls, &err), &err);
	lt_generator_close(g);
}

static const uint32_t words[] = { 'T', 'h', 'e', ' ', 's', 'e', 'a', ' ', 'i', 's', ' ', 'b', 'i',
	'g' };

/* Prompts of different lengths, of which some are the same. */
static void make_prompts(struct lt_prompt *p)
{
	for (size_t i = 0; i < MOST; i++)
		p[i] = (struct lt_prompt){ words + i / 3, 1 + i * 7 % 10, i };
	for (size_t i = 5; i < 8; i++)
		p[i] = (struct lt_prompt){ words, 9, i };
}

/* Beside others, in any number, a continuation is the one it is alone, to the bit. */
static void test_batch(void **state)
{
	static struct came alone, beside;
	struct lt_prompt p[MOST];
	struct lt_generation how = random_way();
	size_t different = 0;

	(void)state;
	make_prompts(p);
	generate(&how, p, MOST, &alone);
	assert_int_equal(alone.n, MOST);
	for (size_t batch = 2; batch <= MOST; batch += 3) {
		memset(&beside, 0, sizeof(beside));
		how.batch = batch;
		generate(&how, p, MOST, &beside);
		assert_memory_equal(&alone, &beside, sizeof(alone));
	}
	/* Streams of random numbers of their own, log p as it is in its prompt. */
	for (size_t i = 6; i < 8; i++)
		different += strcmp(alone.text[5], alone.text[i]) != 0;
	assert_int_equal(different, 2);
	memset(&beside, 0, sizeof(beside));
	how.batch = 1;
	generate(&how, p + 7, 1, &beside);
	assert_string_equal(beside.text[0], alone.text[7]);
	assert_memory_equal(beside.log_p[0], alone.log_p[7], sizeof(beside.log_p[0]));
	how.seed = 1;
	memset(&beside, 0, sizeof(beside));
	generate(&how, p + 7, 1, &beside);
	assert_string_not_equal(beside.text[0], alone.text[7]);
}

/* The ends: tokens, the context, the end token, an interruption. */
static void test_ends(void **state)
{
	static struct came came, shorter;
	struct lt_generation how = random_way();
	const struct lt_prompt p[] = { { words, 5, 0 }, { words, 14, 1 } };
	uint32_t eos[2] = { EOS };
	size_t at;

	(void)state;
	how.tokens = 5;
	generate(&how, p, 2, &came);
	assert_int_equal(came.end[0], LT_END_TOKENS);
	assert_int_equal(came.tokens[0], 5);
	memset(&came, 0, sizeof(came));
	how.tokens = 1000;
	how.n_eos = 0;
	generate(&how, p, 2, &came);
	assert_int_equal(came.end[1], LT_END_CONTEXT);
	/* The last token has no place in the context, since nothing comes after it. */
	assert_int_equal(came.tokens[1], CONTEXT - 14 + 1);
	for (at = 1; at < came.tokens[0]; at++) {
		for (size_t i = 0; i < at && came.ids[0][i] != came.ids[0][at]; i++)
			if (i + 1 == at)
				goto found;
	}
found:
	/* The same, with a token that came late as an end token: it is left out. */
	eos[1] = came.ids[0][at];
	how.eos = eos;
	how.n_eos = 2;
	generate(&how, p, 1, &shorter);
	assert_int_equal(shorter.end[0], LT_END_EOS);
	assert_int_equal(shorter.tokens[0], at);
	assert_memory_equal(shorter.ids[0], came.ids[0], at * sizeof(came.ids[0][0]));
	memset(&shorter, 0, sizeof(shorter));
	shorter.limit = 4;
	how.n_eos = 0;
	generate(&how, p, 2, &shorter);
	assert_int_equal(shorter.n, 1);
	assert_int_equal(shorter.end[0], LT_END_INTERRUPTED);
	assert_memory_equal(shorter.text[0], came.text[0], 4);
	memset(&shorter, 0, sizeof(shorter));
	how.tokens = 0;
	generate(&how, p, 2, &shorter);
	assert_int_equal(shorter.n, 2);
	assert_int_equal(shorter.tokens[1], 0);
}

/* A stop string that begins and ends inside tokens. */
static void test_stop(void **state)
{
	static struct came free_text, came;
	struct lt_generation how = random_way();
	const struct lt_prompt p = { words, 5, 0 };
	char stop[16];
	struct lu_str stops[2] = { { "not here", 8 }, { stop, 0 } };
	size_t at;

	(void)state;
	how.n_eos = 0;
	/* Letters only, so that pieces of text are easily cut out. */
	how.sampling.top_k = 0;
	generate(&how, &p, 1, &free_text);
	at = strlen(free_text.text[0]) / 2;
	while ((free_text.text[0][at] & 0xC0) == 0x80)
		at++;
	snprintf(stop, sizeof(stop), "%.9s", free_text.text[0] + at);
	stops[1].n = lu_utf8_valid(stop, strlen(stop));
	assert_true(stops[1].n >= 3);
	how.stop = stops;
	how.stops = 2;
	generate(&how, &p, 1, &came);
	assert_int_equal(came.end[0], LT_END_STOP);
	at = (size_t)((char *)memmem(free_text.text[0], strlen(free_text.text[0]), stop,
				      stops[1].n) -
			free_text.text[0]);
	assert_int_equal(strlen(came.text[0]), at);
	assert_memory_equal(came.text[0], free_text.text[0], at);
}

/* Texts in pieces, and what is sure of them. */
static void test_stop_text(void **state)
{
	const struct lu_str stop[] = { { "abab!", 5 }, { "\n\n", 2 }, { "b", 1 } };
	struct lt_stop_text t = { .stop = stop, .stops = 2 };

	(void)state;
	lu_buf_puts(&t.text, "xab");
	assert_false(lt_stop_text_look(&t, false));
	assert_int_equal(t.sure, 1);
	lu_buf_puts(&t.text, "abab");
	assert_false(lt_stop_text_look(&t, false));
	assert_int_equal(t.sure, 3);
	lu_buf_puts(&t.text, "!z");
	assert_true(lt_stop_text_look(&t, false));
	assert_int_equal(t.text.n, 3);
	assert_int_equal(t.sure, 3);
	lt_stop_text_clear(&t);
	lu_buf_puts(&t.text, "q\n");
	assert_false(lt_stop_text_look(&t, false));
	assert_int_equal(t.sure, 1);
	assert_false(lt_stop_text_look(&t, true));
	assert_int_equal(t.sure, 2);
	lt_stop_text_clear(&t);
	t.stops = 3;
	lu_buf_puts(&t.text, "xabab!");
	assert_true(lt_stop_text_look(&t, false));
	assert_int_equal(t.text.n, 2);
	lt_stop_text_release(&t);
}

/* Bound by a schema a model of random weights writes valid JSON, and says when it is cut off. */
static void test_schema(void **state)
{
	static const char *const schemas[] = {
		"{\"type\":\"object\",\"properties\":{\"abc\":{\"type\":\"integer\",\"minimum\":0,"
		"\"maximum\":1200},\"b\":{\"type\":\"string\",\"maxLength\":4}},\"required\":["
		"\"abc\"]}",
		"{\"type\":\"array\",\"items\":{\"enum\":[12,\"ab\",null]},\"maxItems\":3}",
		"{\"type\":\"integer\",\"minimum\":10,\"maximum\":12000}",
	};
	static struct came came;
	struct lt_generation how = random_way();
	struct lt_prompt p[MOST];
	size_t cut = 0;

	(void)state;
	make_prompts(p);
	how.batch = 5;
	how.sampling.temperature = 3;
	for (size_t i = 0; i < 3; i++) {
		struct lu_err err;

		ok(lu_schema_compile(&how.schema, "s", lu_str_of(schemas[i]), &err), &err);
		memset(&came, 0, sizeof(came));
		how.tokens = 60;
		generate(&how, p, MOST, &came);
		for (size_t k = 0; k < MOST; k++) {
			assert_int_equal(came.complete[k],
					plain_valid(lu_str_of(schemas[i]),
							lu_str_of(came.text[k])));
			cut += !came.complete[k];
			assert_true(came.complete[k] || came.end[k] == LT_END_CONTEXT);
		}
		memset(&came, 0, sizeof(came));
		how.tokens = 1;
		generate(&how, p, 1, &came);
		assert_int_equal(came.end[0], LT_END_TOKENS);
		assert_int_equal(came.complete[0], false);
		lu_schema_free(how.schema);
	}
	assert_true(cut < MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_text),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
