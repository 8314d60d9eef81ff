#include "tests/trainer/tiny.h"

#include "tests/trainer/byte_tokenizer.h"
#include "trainer/generate/call_schema.h"
#include "trainer/generate/dialogue.h"
#include "trainer/generate/end_tokens.h"

static const char plain[] = "{% for m in messages %}{{ m.role[0] ~ m.content }}"
			    "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
			    "{% if add_generation_prompt %}a{% endif %}";

static struct lu_tok *tok;
static struct lu_chat_config config;

static int set_up(void **state)
{
	(void)state;
	tok = byte_tokenizer();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lu_tok_free(tok);
	return 0;
}

static struct lt_dialogue *open_dialogue(const char *template, const char *system)
{
	struct lt_dialogue *d;
	struct lu_err err;

	config = (struct lu_chat_config){ .eos = LU_STR("</s>") };
	ok(lu_chat_open(&config.chat, "test", lu_str_of(template), &err), &err);
	ok(lt_dialogue_open(&d, tok, &config, system, (struct lu_str){ "", 0 }, &err), &err);
	return d;
}

static void close_dialogue(struct lt_dialogue *d)
{
	lt_dialogue_close(d);
	lu_chat_close(config.chat);
}

static void say(struct lt_dialogue *d, const char *role, const char *text)
{
	struct lu_err err;

	ok(lt_dialogue_add(d, role, lu_str_of(text), &err), &err);
}

/* The prompt of at most `most` tokens is this text, which leaves out so many turns. */
static void prompt_is(struct lt_dialogue *d, size_t most, const char *want, size_t want_out)
{
	struct lu_tok_state *state = lu_tok_state_new(tok);
	struct lu_ids ids = { 0 };
	struct lu_buf text = { 0 };
	struct lu_err err;
	size_t out;

	ok(lt_dialogue_prompt(d, most, &ids, &out, &err), &err);
	assert_int_equal(out, want_out);
	ok(lu_tok_decode(tok, state, ids.p, ids.n, 0, &text, NULL, &err), &err);
	assert_string_equal(text.p, want);
	lu_ids_release(&ids);
	lu_buf_release(&text);
	lu_tok_state_free(state);
}

static void test_turns(void **state)
{
	struct lt_dialogue *d = open_dialogue(plain, "be");
	struct lu_ids ids = { 0 };
	struct lu_err err;
	size_t out;

	(void)state;
	say(d, "user", "one");
	prompt_is(d, 100, "sbeuonea", 0);
	/* The name of a special token in a message is text: four tokens. */
	say(d, "assistant", "1</s>");
	say(d, "user", "two");
	say(d, "assistant", "2");
	say(d, "user", "three");
	prompt_is(d, 28, "sbeuonea1</s></s>utwoa2</s>uthreea", 0);
	prompt_is(d, 27, "sbeutwoa2</s>uthreea", 1);
	/* What was left out stays out. */
	prompt_is(d, 29, "sbeutwoa2</s>uthreea", 0);
	prompt_is(d, 10, "sbeuthreea", 1);
	assert_int_equal(lt_dialogue_prompt(d, 9, &ids, &out, &err), -1);
	assert_non_null(strstr(err.msg, "10 tokens, more than the 9"));
	lt_dialogue_drop_last(d);
	say(d, "user", "x");
	prompt_is(d, 9, "sbeuxa", 0);
	lt_dialogue_clear(d);
	say(d, "user", "y");
	prompt_is(d, 9, "sbeuya", 0);
	lu_ids_release(&ids);
	close_dialogue(d);
}

static void test_end(void **state)
{
	struct lt_dialogue *d = open_dialogue(plain, NULL);
	struct lu_err err;
	uint32_t id = 0;

	(void)state;
	assert_int_equal(lt_dialogue_end(d, &id, &err), 1);
	assert_int_equal(id, BYTE_TOKENIZER_EOS);
	close_dialogue(d);
	/* The end token comes in front of answers only. */
	d = open_dialogue("{% for m in messages %}{{ eos_token ~ m.content }}{% endfor %}", NULL);
	assert_int_equal(lt_dialogue_end(d, &id, &err), 0);
	close_dialogue(d);
}

static void test_end_tokens(void **state)
{
	static const struct {
		const char *json;
		size_t n;
	} cases[] = { { "", 1 }, { "null", 1 }, { "7", 2 }, { "[7, 256, 9, 7]", 3 },
		{ "[-1]", 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lu_ids ids = { 0 };
		struct lu_err err;

		ok(lt_end_tokens(tok, lu_str_of(cases[i].json), &ids, &err), &err);
		assert_int_equal(ids.n, cases[i].n);
		lu_ids_release(&ids);
	}
}

static void test_call_schema(void **state)
{
	struct lu_str tools = LU_STR("[{\"type\":\"function\",\"function\":{\"name\":\"f\","
				     "\"parameters\":{\"type\":\"null\"}}},{\"name\":\"g\"}]");
	struct lu_buf out = { 0 };
	struct lu_err err;

	(void)state;
	ok(lt_tools_check("t", tools, &err), &err);
	ok(lt_call_schema(tools, &out, &err), &err);
	assert_string_equal(out.p,
			"{\"anyOf\":[{\"type\":\"object\",\"properties\":{\"name\":{\"const\":"
			"\"f\"},"
			"\"arguments\":{\"type\":\"null\"}},\"required\":[\"name\",\"arguments\"]},"
			"{\"type\":\"object\",\"properties\":{\"name\":{\"const\":\"g\"},"
			"\"arguments\":{\"type\":\"object\",\"properties\":{}}},"
			"\"required\":[\"name\",\"arguments\"]}]}");
	lu_buf_release(&out);
	assert_int_equal(lt_tools_check("t", LU_STR("[]"), &err), -1);
	assert_int_equal(lt_tools_check("t", LU_STR("[1]"), &err), -1);
	assert_int_equal(lt_tools_check("t", LU_STR("{}"), &err), -1);
	assert_int_equal(lt_tools_check("t", LU_STR("[{\"function\":1}]"), &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_tokens),
		cmocka_unit_test(test_call_schema),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
