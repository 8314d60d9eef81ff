/*
 * io/json.c and json_value.c against jansson, an independent strict reader: both accept the same
 * texts and read them as the same strings and numbers.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/io/json.h"

#define FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

static json_t *oracle(struct lu_str text, size_t flags)
{
	return json_loadb(text.p, text.n, FLAGS | flags, NULL);
}

static bool same_string(struct lu_str raw, const json_t *j, struct lu_arena *arena)
{
	struct lu_str s;

	assert_int_equal(lu_json_decode(raw, arena, &s), 0);
	return s.n == json_string_length(j) && memcmp(s.p, json_string_value(j), s.n) == 0;
}

/* Compare a value with jansson's, recursively through the iterator. */
static void compare(struct lu_str raw, enum lu_json_type type, json_t *j, struct lu_arena *arena)
{
	struct lu_json_iter it = lu_json_iter(raw);
	struct lu_json_member m = { .value = raw, .type = type };
	size_t n = 0;
	double v;

	switch (type) {
	case LU_JSON_NULL: assert_true(json_is_null(j)); return;
	case LU_JSON_TRUE: assert_true(json_is_true(j)); return;
	case LU_JSON_FALSE: assert_true(json_is_false(j)); return;
	case LU_JSON_STRING:
		assert_true(json_is_string(j));
		assert_true(same_string(raw, j, arena));
		return;
	case LU_JSON_NUMBER:
		assert_true(json_is_real(j));
		assert_true(lu_json_double(&m, &v));
		assert_true(v == json_real_value(j));
		return;
	case LU_JSON_ARRAY:
		assert_true(json_is_array(j));
		for (; lu_json_next(&it); n++)
			compare(it.value, it.type, json_array_get(j, n), arena);
		assert_int_equal(n, json_array_size(j));
		return;
	case LU_JSON_OBJECT:
		assert_true(json_is_object(j));
		while (lu_json_next(&it)) {
			struct lu_str key;

			assert_int_equal(lu_json_decode(it.key, arena, &key), 0);
			/* jansson 2.14 looks keys up as C strings. */
			if (!memchr(key.p, '\0', key.n)) {
				char *name = strndup(key.p, key.n);

				assert_non_null(json_object_get(j, name));
				free(name);
			}
			n++;
		}
		assert_true(n >= json_object_size(j));
		return;
	}
}

/* Limits of jansson's own: numbers beyond double, keys with NUL, depth 2048. */
static bool beyond_oracle(struct lu_str text)
{
	json_error_t error;
	json_t *j = json_loadb(text.p, text.n, FLAGS, &error);

	if (j) {
		json_decref(j);
		return false;
	}
	return json_error_code(&error) == json_error_numeric_overflow ||
			json_error_code(&error) == json_error_null_byte_in_key ||
			json_error_code(&error) == json_error_null_character;
}

static void agree(struct lu_str text, struct lu_arena *arena)
{
	struct lu_json_fault fault;
	enum lu_json_type type = LU_JSON_NULL;
	json_t *j = oracle(text, 0);
	bool ours = lu_json_check(text, &type, &fault) == 0;

	lu_arena_reset(arena);
	if (ours != (j != NULL) && !beyond_oracle(text))
		fail_msg("we %s, jansson %s: %.*s", ours ? "accept" : "refuse",
				j ? "accepts" : "refuses", (int)text.n, text.p);
	if (ours && j) {
		while (strchr(" \t\r\n", *text.p)) {
			text.p++;
			text.n--;
		}
		while (strchr(" \t\r\n", text.p[text.n - 1]))
			text.n--;
		compare(text, type, j, arena);
	}
	if (!ours)
		assert_true(fault.at <= text.n);
	json_decref(j);
}

/* Lines of tests/data/json-valid.txt and json-invalid.txt. */
static struct texts {
	struct lu_str line[64];
	size_t n;
	char *bytes;
} valid, invalid;

static void load(struct texts *t, const char *name)
{
	size_t n;
	char *p = t->bytes = get_data(name, &n);

	for (char *nl; (nl = strchr(p, '\n')); p = nl + 1) {
		assert_true(t->n < sizeof(t->line) / sizeof(*t->line));
		t->line[t->n++] = (struct lu_str){ p, (size_t)(nl - p) };
	}
}

static int set_up(void **state)
{
	(void)state;
	load(&valid, "json-valid.txt");
	load(&invalid, "json-invalid.txt");
	return valid.n && invalid.n ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(valid.bytes);
	free(invalid.bytes);
	return 0;
}

static void test_texts(void **state)
{
	/* Texts with bytes that an editor would not keep. */
	static const char *const more[] = { "", " ", "\"a\nb\"", "\"\x7f\"", "\"\t\"",
		"\xEF\xBB\xBF{}", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
		"\"\xE2\x82\"", "[1]\f", "\f1" };
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	enum lu_json_type type;

	(void)state;
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
		agree(lu_str_of(more[i]), &arena);
	for (size_t i = 0; i < invalid.n; i++) {
		agree(invalid.line[i], &arena);
		assert_int_equal(lu_json_check(invalid.line[i], &type, &fault), -1);
	}
	for (size_t i = 0; i < valid.n; i++) {
		assert_int_equal(lu_json_check(valid.line[i], &type, &fault), 0);
		for (size_t n = 0; n <= valid.line[i].n; n++)
			agree((struct lu_str){ valid.line[i].p, n }, &arena);
	}
	lu_arena_release(&arena);
}

/* One to three random changes: a byte replaced or removed, a piece of another text inserted. */
static size_t mutate(char *p, size_t n, size_t room, uint64_t *r)
{
	static const char alphabet[] =
			"{}[]\",:\\u0eE+-.x1dD8bfnrt \n\x01\x7f\x80\xBF\xC3\xE2\xED\xF0\xFF";

	for (uint64_t changes = 1 + unit_random(r) % 3; changes > 0; changes--) {
		size_t at = n ? unit_random(r) % n : 0;
		struct lu_str piece = valid.line[unit_random(r) % valid.n];
		size_t from = unit_random(r) % piece.n, len = unit_random(r) % 8;

		switch (unit_random(r) % 4) {
		case 0:
			if (n)
				p[at] = alphabet[unit_random(r) % (sizeof(alphabet) - 1)];
			break;
		case 1:
			if (n) {
				memmove(p + at, p + at + 1, n - at - 1);
				n--;
			}
			break;
		default:
			len = len > piece.n - from ? piece.n - from : len;
			if (n + len > room)
				break;
			memmove(p + at + len, p + at, n - at);
			memcpy(p + at, piece.p + from, len);
			n += len;
		}
	}
	return n;
}

static void test_mutations(void **state)
{
	struct lu_arena arena = { 0 };
	uint64_t r = 20261125;

	(void)state;
	for (int i = 0; i < 60000; i++) {
		struct lu_str seed = valid.line[unit_random(&r) % valid.n];
		size_t n = seed.n;
		/* As large as the text, so that the sanitizer sees a read beyond it. */
		char work[512], *exact;

		memcpy(work, seed.p, n);
		n = mutate(work, n, sizeof(work), &r);
		exact = malloc(n ? n : 1);
		assert_non_null(exact);
		memcpy(exact, work, n);
		agree((struct lu_str){ exact, n }, &arena);
		free(exact);
	}
	lu_arena_release(&arena);
}

static void test_object(void **state)
{
	struct lu_str line = LU_STR(" {\"id\":\"x\",\"n\":17,\"t\\u0065xt\":\"a\\tb\",\"o\":{\"a\":"
				    "1,\"a\":2},\"f\":1.5} \r");
	const struct lu_json_member *m;
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_str s;
	uint64_t u;
	double d;

	(void)state;
	assert_int_equal(lu_json_object(line, &arena, &obj, &fault), 0);
	assert_int_equal(obj.members, 5);
	assert_int_equal(line.p[obj.end], '}');
	m = lu_json_get(&obj, "text");
	assert_non_null(m);
	assert_true(m->escaped);
	assert_int_equal(lu_json_decode(m->value, &arena, &s), 0);
	assert_true(lu_str_is(s, "a\tb"));
	m = lu_json_get(&obj, "n");
	assert_true(lu_json_u64(m, &u) && u == 17);
	m = lu_json_get(&obj, "f");
	assert_false(lu_json_u64(m, &u));
	assert_true(lu_json_double(m, &d) && d == 1.5);
	assert_true(lu_str_is(lu_json_get(&obj, "o")->value, "{\"a\":1,\"a\":2}"));
	assert_null(lu_json_get(&obj, "a"));
	assert_false(lu_json_double(lu_json_get(&obj, "id"), &d));
	lu_arena_release(&arena);
}

static void test_faults(void **state)
{
	static const struct {
		const char *text;
		enum lu_json_fault_kind kind;
		size_t at;
	} t[] = {
		{ "", LU_JSON_TRUNCATED, 0 },
		{ "{\"a\":1", LU_JSON_TRUNCATED, 6 },
		{ "{\"a\":x}", LU_JSON_SYNTAX, 5 },
		{ "[1]", LU_JSON_NOT_OBJECT, 0 },
		{ " 12", LU_JSON_NOT_OBJECT, 1 },
		{ "[1", LU_JSON_TRUNCATED, 2 },
		{ "{\"a\":\"\xFF\"}", LU_JSON_BAD_UTF8, 6 },
		{ "{\"a\":\"\\udc00\"}", LU_JSON_LONE_SURROGATE, 6 },
		{ "{\"a\":\"\x02\"}", LU_JSON_CONTROL, 6 },
		{ "{\"a\":1,\"b\":2,\"a\":3}", LU_JSON_DUPLICATE, 17 },
		{ "{\"a\":1,\"\\u0061\":3}", LU_JSON_DUPLICATE, 16 },
		{ "{\"a\":1}x", LU_JSON_SYNTAX, 7 },
	};
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(lu_json_object(lu_str_of(t[i].text), &arena, &obj, &fault), -1);
		assert_int_equal(fault.kind, t[i].kind);
		assert_int_equal(fault.at, t[i].at);
		assert_int_equal(lu_json_fail(&fault, &err), -1);
		assert_string_equal(err.msg, lu_json_fault_text(t[i].kind));
		assert_int_equal(err.errnum, 0);
	}
	lu_arena_release(&arena);
}

static void test_no_memory(void **state)
{
	const struct lu_json_fault fault = { .kind = LU_JSON_NO_MEMORY };
	struct lu_err err;

	(void)state;
	assert_int_equal(lu_json_fail(&fault, &err), -1);
	assert_string_equal(err.msg, "out of memory");
	assert_int_equal(err.errnum, ENOMEM);
}

/* Scalars have no elements, and empty text is no value. */
static void test_iterate_nothing(void **state)
{
	static const char *const t[] = { "[]", "{ }", "\"ab\"", "12", "[", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct lu_json_iter it = lu_json_iter(lu_str_of(t[i]));

		assert_false(lu_json_next(&it));
	}
}

/* Duplicate names at the top level, few and many, against jansson's own check. */
static void test_duplicates(void **state)
{
	struct lu_arena arena = { 0 };
	uint64_t r = 7;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		uint64_t members = unit_random(&r) % 60, names = 1 + unit_random(&r) % 4000;
		struct lu_buf b = { 0 };
		struct lu_json_fault fault;
		struct lu_json_obj obj;
		json_t *j;
		int rc;

		lu_buf_putc(&b, '{');
		for (uint64_t k = 0; k < members; k++)
			lu_buf_printf(&b, "%s\"%" PRIu64 "\":0", k ? "," : "",
					unit_random(&r) % names);
		lu_buf_putc(&b, '}');
		j = oracle(lu_buf_slice(&b), JSON_REJECT_DUPLICATES);
		rc = lu_json_object(lu_buf_slice(&b), &arena, &obj, &fault);
		assert_int_equal(rc == 0, j != NULL);
		if (rc < 0)
			assert_int_equal(fault.kind, LU_JSON_DUPLICATE);
		json_decref(j);
		lu_arena_reset(&arena);
		lu_buf_release(&b);
	}
	lu_arena_release(&arena);
}

static void test_depth(void **state)
{
	char text[2 * LU_JSON_DEPTH + 4];
	struct lu_json_fault fault;
	enum lu_json_type type;

	(void)state;
	memset(text, '[', LU_JSON_DEPTH);
	memset(text + LU_JSON_DEPTH, ']', LU_JSON_DEPTH);
	assert_int_equal(lu_json_check((struct lu_str){ text, 2 * LU_JSON_DEPTH }, &type, &fault),
			0);
	memset(text, '[', LU_JSON_DEPTH + 1);
	memset(text + LU_JSON_DEPTH + 1, ']', LU_JSON_DEPTH + 1);
	assert_int_equal(lu_json_check((struct lu_str){ text, 2 * LU_JSON_DEPTH + 2 }, &type,
					 &fault),
			-1);
	assert_int_equal(fault.kind, LU_JSON_TOO_DEEP);
}

static void test_numbers(void **state)
{
	struct lu_json_member m = { .type = LU_JSON_NUMBER };
	char many[200];
	uint64_t u;
	double d;

	(void)state;
	m.value = LU_STR("18446744073709551615");
	assert_true(lu_json_u64(&m, &u) && u == UINT64_MAX);
	m.value = LU_STR("18446744073709551616");
	assert_false(lu_json_u64(&m, &u));
	m.value = LU_STR("-1");
	assert_false(lu_json_u64(&m, &u));
	/* A number may have more digits than a double can hold. */
	memset(many, '0', sizeof(many));
	memcpy(many, "0.5", 3);
	m.value = (struct lu_str){ many, sizeof(many) };
	assert_true(lu_json_double(&m, &d) && d == 0.5);
	m.value = LU_STR("1e999");
	assert_true(lu_json_double(&m, &d) && isinf(d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_iterate_nothing),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests_name("json", tests, set_up, tear_down);
}
