/* Chat templates: byte for byte what transformers renders (tests/data/chat, made by
 * make_chat_golden.py), refusals by name and line, limits, answers. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "libcommon/chat/answers.h"
#include "libcommon/chat/messages.h"
#include "libcommon/io/json.h"

static const struct lu_json_member *member(const struct lu_json_obj *o, const char *key)
{
	return lu_json_get(o, key);
}

static struct lu_str raw(const struct lu_json_obj *o, const char *key)
{
	const struct lu_json_member *m = member(o, key);

	return m ? m->value : LU_STR("");
}

static struct lu_str text(const struct lu_json_obj *o, const char *key, struct lu_arena *a)
{
	struct lu_str s = LU_STR("");

	if (member(o, key))
		assert_int_equal(lu_json_decode(member(o, key)->value, a, &s), 0);
	return s;
}

/* --- golden ------------------------------------------------------------------------------- */

/* The template of a case: its own, or a file of the folder. */
static struct lu_str template_of(const struct lu_json_obj *o, struct lu_arena *a)
{
	struct lu_str file = text(o, "file", a), s;
	char path[256], *p;
	size_t n;

	if (file.n == 0)
		return text(o, "template", a);
	snprintf(path, sizeof(path), "chat/" LU_STR_FMT, LU_STR_ARG(file));
	p = get_data(path, &n);
	s = lu_arena_str(a, (struct lu_str){ p, n });
	free(p);
	return s;
}

static void check_spans(const struct lu_chat_text *t, struct lu_str want, const char *line)
{
	struct lu_buf b = { 0 };

	for (size_t i = 0; i < t->generation.n; i++)
		lu_buf_printf(&b, "%s[%zu, %zu]", i ? ", " : "", t->generation.p[i].from,
				t->generation.p[i].to);
	if (want.n != b.n + 2 || (b.n && memcmp(want.p + 1, b.p, b.n) != 0))
		fail_msg("generation blocks of %s: %s", line, b.p ? b.p : "none");
	lu_buf_release(&b);
}

/* Every byte of the text has a place of origin, and bytes of messages are those of messages. */
static void check_origins(const struct lu_chat_text *t)
{
	if (t->bytes.n) {
		assert_true(t->run.n > 0);
		assert_int_equal(t->run.p[t->run.n - 1].to, t->bytes.n);
	}
	for (size_t i = 1; i < t->run.n; i++)
		assert_true(t->run.p[i].to > t->run.p[i - 1].to);
}

/* Returns 1 if the case is one that is refused. */
static int check_case(struct lu_str line)
{
	struct lu_arena a = { 0 };
	struct lu_json_obj o;
	struct lu_json_fault fault;
	struct lu_chat_text t = { 0 };
	struct lu_chat *c = NULL;
	struct lu_err err = { 0 };
	struct lu_chat_input in = {
		.bos = LU_STR("<s>"), .eos = LU_STR("</s>"), .date = LU_STR("2026-11-30")
	};
	bool refused;
	int rc;

	assert_int_equal(lu_json_object(line, &a, &o, &fault), 0);
	refused = member(&o, "refused") != NULL;
	in.messages = raw(&o, "messages");
	in.tools = raw(&o, "tools");
	in.documents = raw(&o, "documents");
	in.variables = raw(&o, "variables");
	in.generation_prompt = member(&o, "prompt")->type == LU_JSON_TRUE;
	rc = lu_chat_open(&c, "golden", template_of(&o, &a), &err);
	if (rc == 0)
		rc = lu_chat_render(c, &in, &t, &err);
	if (rc < 0 && !refused)
		fail_msg("%s: " LU_STR_FMT, err.msg, LU_STR_ARG(line));
	if (rc == 0 && refused)
		fail_msg("not refused: " LU_STR_FMT " gives '%s'", LU_STR_ARG(line), t.bytes.p);
	if (rc == 0 && !lu_str_eq(lu_buf_slice(&t.bytes), text(&o, "text", &a)))
		fail_msg("'%s' of " LU_STR_FMT, t.bytes.p, LU_STR_ARG(line));
	if (rc == 0) {
		check_spans(&t, raw(&o, "generation"), line.p);
		check_origins(&t);
	} else if (!strstr(err.msg, "golden:")) {
		fail_msg("the message names no line: %s", err.msg);
	}
	lu_chat_close(c);
	lu_chat_text_release(&t);
	lu_arena_release(&a);
	return refused;
}

static void test_golden(void **state)
{
	size_t n, cases = 0, refused = 0;
	char *p = get_data("chat/golden.jsonl", &n), *at;

	(void)state;
	for (at = p; at < p + n;) {
		char *end = memchr(at, '\n', (size_t)(p + n - at));

		assert_non_null(end);
		*end = '\0';
		refused += (size_t)check_case((struct lu_str){ at, (size_t)(end - at) });
		cases++;
		at = end + 1;
	}
	free(p);
	assert_true(cases > 300 && refused > 20 && refused < 60);
}

/* --- refusals ----------------------------------------------------------------------------- */

static void refuses(const char *template, const char *why)
{
	struct lu_chat *c = NULL;
	struct lu_chat_text t = { 0 };
	struct lu_err err = { 0 };
	struct lu_chat_input in = { .messages = LU_STR("[{\"role\":\"user\",\"content\":\"x\"}]") };
	int rc = lu_chat_open(&c, "t", lu_str_of(template), &err);

	if (rc == 0)
		rc = lu_chat_render(c, &in, &t, &err);
	if (rc == 0)
		fail_msg("'%s' is not refused: '%s'", template, t.bytes.p);
	if (!strstr(err.msg, why))
		fail_msg("'%s': expected '%s', got: %s", template, why, err.msg);
	lu_chat_close(c);
	lu_chat_text_release(&t);
}

static void test_refusals(void **state)
{
	static const char *const wrong[][2] = {
		{ "a\n{% include 'x' %}", "t:2: the statement 'include' is not supported" },
		{ "{% raw %}", "t:1: the statement 'raw'" },
		{ "{% call x() %}", "the statement 'call'" },
		{ "{{ x | escape }}", "t:1: the filter 'escape' is not supported" },
		{ "\n\n{{ x is sameas y }}", "t:3: the test 'sameas' is not supported" },
		{ "{{ x.encode() }}", "the method 'encode' is not supported" },
		{ "{{ f(1) }}", "the function 'f' is not supported" },
		{ "{{ x.__class__ }}", "the attribute '__class__'" },
		{ "{{ caller() }}", "'caller' is not supported" },
		{ "{{ 2 ** 3 }}", "'**' is not supported" },
		{ "{{ f(*x) }}", "'*' before an argument" },
		{ "{% for x in y recursive %}{% endfor %}", "'recursive' is not supported" },
		{ "{{", "t:1: the tag is not closed by '}}'" },
		{ "{{ 'x }}", "the string is not closed" },
		{ "{# x", "the comment is not closed" },
		{ "{% if x %}a", "t:1: the block is not closed by '{% endif %}'" },
		{ "{% endif %}", "'endif' closes nothing" },
		{ "{% if %}{% endif %}", "a value is expected before '%}'" },
		{ "{% %}", "the name of a statement is expected" },
		{ "{{ }}", "a value is expected before '}}'" },
		{ "{{ 1 2 }}", "'}}' is expected before '2'" },
		{ "{{ (1 }}", "'}' stands where ')' is expected" },
		{ "{{ 1) }}", "')' closes nothing" },
		{ "{{ a ! b }}", "the character '!' has no place in a tag" },
		{ "{{ \xC3\xA9 }}", "other letters than ASCII's" },
		{ "{% break %}", "'break' outside of a loop" },
		{ "{% set a.b = 1 %}", "no namespace" },
		{ "{% set x | trim %}{% endset %}", "filters of a 'set' block" },
		{ "{% macro f() %}{% generation %}{% endgeneration %}{% endmacro %}",
				"'generation' inside of a macro" },
		{ "{{ 9223372036854775808 }}", "does not fit 64 bits" },
		{ "{{ '\\ud800' }}", "is no character" },
		{ "{{ x.y }}", "t:1: 'x' is undefined" },
		{ "{{ raise_exception('no ' ~ 1) }}", "the template refuses it: no 1" },
		{ "{{ strftime_now('%Y') }}", "needs a date" },
		{ "\xFF", "not UTF-8" },
		/* Without limits these would not end, or fill the memory. */
		{ "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "more than 1000 deep" },
		{ "{% set r = range(9999) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor "
		  "%}",
				"more than 20000000 steps" },
		{ "{% set n = namespace(s='0123456789abcdef') %}{% for i in range(99) %}"
		  "{% set n.s = n.s + n.s %}{% endfor %}",
				"more memory than is allowed" },
		{ "{{ 'x' * 9999999999 }}", "t:1: the template" },
		{ "{{ [1] < [2] }}", "a list and a list have no order" },
		{ "{{ {1: 2} }}", "an integer as a key is not supported" },
		{ "{{ range(100001) }}", "more than 100000 numbers" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refuses(wrong[i][0], wrong[i][1]);
}

/* Nesting in the text of a template is limited too. */
static void test_deep(void **state)
{
	static const char *const deep[] = { "(", "[", "not ", "-", "{% if x %}", "1+", "x.y|trim|",
		"a." };

	(void)state;
	for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
		struct lu_buf b = { 0 };
		struct lu_chat *c = NULL;
		struct lu_err err = { 0 };

		lu_buf_puts(&b, *deep[i] == '{' ? "" : "{{ ");
		for (int k = 0; k < 20000; k++)
			lu_buf_puts(&b, i == 6 ? (k ? "|trim" : "x") : deep[i]);
		lu_buf_puts(&b, *deep[i] == '{' ? "" : "1 }}");
		assert_int_equal(lu_chat_open(&c, "t", lu_buf_slice(&b), &err), -1);
		assert_null(c);
		lu_buf_release(&b);
	}
}

/* --- answers ------------------------------------------------------------------------------ */

/* The answers of a talk, with "[" and "]" around each; NULL: the reason is in err. */
static char *answers(const char *template, const char *messages, struct lu_err *err)
{
	const struct lu_str mark[] = { LU_STR("<|e|>"), LU_STR("<|h|>"), LU_STR("</s>") };
	struct lu_chat_special special = { mark, 3 };
	struct lu_chat_input in = { .messages = lu_str_of(messages), .eos = LU_STR("</s>") };
	struct lu_chat_text t = { 0 };
	struct lu_chat_spans spans = { 0 };
	struct lu_buf b = { 0 };
	struct lu_chat *c;
	size_t at = 0;
	int rc;

	assert_int_equal(lu_chat_open(&c, "t", lu_str_of(template), err), 0);
	rc = lu_chat_answers(c, &in, &special, &t, &spans, err);
	for (size_t i = 0; rc == 0 && i < spans.n; i++) {
		lu_buf_append(&b, t.bytes.p + at, spans.p[i].from - at);
		lu_buf_putc(&b, '[');
		lu_buf_append(&b, t.bytes.p + spans.p[i].from, spans.p[i].to - spans.p[i].from);
		lu_buf_putc(&b, ']');
		at = spans.p[i].to;
	}
	if (rc == 0)
		lu_buf_append(&b, t.bytes.p + at, t.bytes.n - at);
	lu_chat_close(c);
	lu_chat_text_release(&t);
	lu_vec_release(&spans);
	if (rc < 0)
		lu_buf_release(&b);
	return b.p;
}

#define TALK                                                                                       \
	"[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\" a \"},"     \
	"{\"role\":\"user\",\"content\":\"<|e|>\"},{\"role\":\"assistant\",\"content\":\"<|h|>\"}" \
	"]"
#define IM(content)                                                                      \
	"{% for m in messages %}<|h|>{{ m.role }}\n{{ " content " }}<|e|>\n{% endfor %}" \
	"{% if add_generation_prompt %}<|h|>assistant\n{% endif %}"

static void test_answers(void **state)
{
	static const struct {
		const char *template, *want;
	} good[] = {
		/* ChatML: the role is the prompt's, the line feed at the end is not the answer's. */
		{ IM("m.content"),
				"<|h|>user\nq<|e|>\n<|h|>assistant\n[ a <|e|>]\n"
				"<|h|>user\n<|e|><|e|>\n<|h|>assistant\n[<|h|><|e|>]\n" },
		/* Llama's: white space behind the last special token belongs to the answer. */
		{ "{% for m in messages %}{{ m.role }}<|h|>\n\n{{ m.content | trim }}<|e|>{% "
		  "endfor %}"
		  "{% if add_generation_prompt %}assistant<|h|>\n\n{% endif %}",
				"user<|h|>\n\nq<|e|>assistant<|h|>[\n\na<|e|>]"
				"user<|h|>\n\n<|e|><|e|>assistant<|h|>[\n\n<|h|><|e|>]" },
		/* Without a generation prompt and without special tokens around. */
		{ "{% for m in messages %}{{ '(U)' + m.content + '(/U)' if m.role == 'user' else ' "
		  "' + "
		  "m.content + eos_token }}{% endfor %}",
				"(U)q(/U)[  a </s>](U)<|e|>(/U)[ <|h|></s>]" },
		/* Phi's: the whole text is closed once more. */
		{ "{% for m in messages %}({{ m.role }}){{ m.content }}<|e|>\n{% endfor %}"
		  "{% if add_generation_prompt %}(assistant){% else %}{{ eos_token }}{% endif %}",
				"(user)q<|e|>\n(assistant)[ a "
				"<|e|>]\n(user)<|e|><|e|>\n(assistant)["
				"<|h|><|e|>\n</s>]" },
		/* What an answer thinks is shown in the last one only. */
		{ "{% for m in messages %}{{ m.role }}:{{ '<t></t>' if loop.last and m.role == "
		  "'assistant' }}{{ m.content }}<|e|>{% endfor %}"
		  "{% if add_generation_prompt %}assistant:{% endif %}",
				"user:q<|e|>assistant:[ a "
				"<|e|>]user:<|e|><|e|>assistant:[<t></t><|h|>"
				"<|e|>]" },
		{ "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% else %}"
		  "{% generation %}{{ m.content }}!{% endgeneration %}{% endif %}{% endfor %}",
				"q[ a !]<|e|>[<|h|>!]" },
	};
	static const struct {
		const char *template, *why;
	} bad[] = {
		{ "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}",
				"renders what comes before message 1 otherwise" },
		{ "{% for m in messages %}{% if loop.index0 > 1 or messages | length < 3 %}"
		  "{{ m.content }}{% endif %}{% endfor %}",
				"message 1" },
		{ "{% for m in messages %}{{ m.content }}{% if loop.last %}#{% endif %}{% endfor "
		  "%}",
				"otherwise when the conversation goes on" },
	};
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *got = answers(good[i].template, TALK, &err);

		if (!got)
			fail_msg("%zu: %s", i, err.msg);
		assert_string_equal(got, good[i].want);
		free(got);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (answers(bad[i].template, TALK, &err))
			fail_msg("%zu is not refused", i);
		if (!strstr(err.msg, bad[i].why))
			fail_msg("%s", err.msg);
		assert_int_equal(err.errnum, 0);
	}
}

/* --- records ------------------------------------------------------------------------------ */

static void test_records(void **state)
{
	static const char *const record[][2] = {
		{ "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
				"[{\"role\":\"user\",\"content\":\"a\"}]" },
		{ "{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\","
		  "\"value\":\"b\",\"w\":1}],\"system\":\"s\"}",
				"[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
				"\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\","
				"\"w\":1}]" },
		{ "{\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"a\\n\"},{\"type\":"
		  "\"text\",\"text\":\"b\"}],\"role\":\"user\"}]}",
				"[{\"role\":\"user\",\"content\":\"a\\nb\"}]" },
		{ "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{}]}]}",
				"[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{}]}]" },
		{ "{\"instruction\":\"i\",\"input\":\"\",\"output\":\"o\"}",
				"[{\"role\":\"user\",\"content\":\"i\"},{\"role\":\"assistant\","
				"\"content\":\"o\"}]" },
		{ "{\"instruction\":\"i\",\"input\":\"n\",\"output\":\"o\"}",
				"[{\"role\":\"user\",\"content\":\"i\\nn\"},{\"role\":"
				"\"assistant\","
				"\"content\":\"o\"}]" },
		{ "{\"question\":\"i\",\"answer\":\"o\"}",
				"[{\"role\":\"user\",\"content\":\"i\"},{\"role\":\"assistant\","
				"\"content\":\"o\"}]" },
		{ "{\"text\":\"a\"}", "!no \"messages\", and no other form of a conversation" },
		{ "{\"messages\":{}}", "!the messages are not an array" },
		{ "{\"messages\":[1]}", "!a message is not an object" },
		{ "{\"messages\":[{\"content\":\"a\"}]}", "!a message has no \"role\"" },
		{ "{\"messages\":[{\"role\":1,\"content\":\"a\"}]}", "!a message has no \"role\"" },
		{ "{\"messages\":[{\"role\":\"eot_id|><|x\",\"content\":\"a\"}]}",
				"!a message has a role that is not known" },
		{ "{\"messages\":[{\"role\":\"user\"}]}", "!a message has no \"content\"" },
		{ "{\"messages\":[{\"role\":\"user\",\"content\":null}]}",
				"!a message has no \"content\"" },
		{ "{\"messages\":[{\"role\":\"user\",\"content\":3}]}",
				"!\"content\" is neither text nor a list of parts" },
		{ "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]}",
				"!a part of \"content\" is no text" },
		{ "{\"messages\":[{\"role\":\"user\",\"role\":\"user\",\"content\":\"\"}]}",
				"!a message has a member twice" },
		{ "{\"prompt\":1,\"response\":\"o\"}",
				"!a member of the conversation is not text" },
		{ "{\"messages\":[],\"tools\":3}", "!\"tools\" is not an array" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(record) / sizeof(record[0]); i++) {
		struct lu_arena a = { 0 };
		struct lu_json_obj o;
		struct lu_json_fault fault;
		struct lu_chat_record r;
		struct lu_str value;
		struct lu_err err;
		const char *reason;
		int rc;

		assert_int_equal(lu_json_object(lu_str_of(record[i][0]), &a, &o, &fault), 0);
		rc = lu_chat_record_read(&o, &a, &r, &reason, &value, &err);
		assert_int_equal(rc, *record[i][1] == '!');
		if (rc)
			assert_string_equal(reason, record[i][1] + 1);
		else if (!lu_str_is(r.messages, record[i][1]))
			fail_msg("%s", r.messages.p);
		lu_arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_golden),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_deep),
		cmocka_unit_test(test_answers), cmocka_unit_test(test_records) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
