/* Fields: foreign members under the names that the toolkit knows. */
#include "tests/unit/unit.h"

#include "libcommon/par/fields.h"

/* Parse "NAME=MEMBER,..." or fail with the sentence in `err`. */
static int parse(struct lu_fields *f, const char *text_field, const char *map, struct lu_err *err)
{
	const char *item[] = { map };
	struct lu_list list = { map ? item : NULL, map != NULL };

	return lu_fields_parse(f, text_field, &list, err);
}

/* Assert what becomes of a record: NULL if it stays as it is, "!" and a reason if it is bad. */
static void assert_once(const char *map, const char *record, const char *wanted)
{
	struct lu_arena arena = { 0 };
	struct lu_buf out = { 0 };
	struct lu_json_obj obj;
	struct lu_json_fault fault;
	struct lu_fields f;
	struct lu_err err;
	const char *reason = NULL;
	int rc;

	assert_int_equal(parse(&f, NULL, map, &err), 0);
	assert_int_equal(lu_json_object(lu_str_of(record), &arena, &obj, &fault), 0);
	rc = lu_fields_apply(&f, &obj, &arena, &out, &reason);
	if (!wanted) {
		assert_int_equal(rc, 0);
		assert_int_equal(out.n, 0);
	} else if (*wanted == '!') {
		assert_int_equal(rc, -1);
		assert_string_equal(reason, wanted + 1);
	} else {
		assert_int_equal(rc, 1);
		assert_string_equal(out.p, wanted);
	}
	lu_buf_release(&out);
	lu_arena_release(&arena);
}

/* The same, and what was rewritten stays as it is the second time. */
static void assert_fields(const char *map, const char *record, const char *wanted)
{
	assert_once(map, record, wanted);
	if (wanted && *wanted != '!')
		assert_once(map, wanted, NULL);
}

static void test_renames_in_place(void **state)
{
	(void)state;
	assert_fields("text=content", "{\"content\":\"a\",\"x\":1}", "{\"text\":\"a\",\"x\":1}");
	assert_fields("text=content,id=doc", " { \"doc\" : 7 , \"content\" : \"a\" } ",
			" { \"id\" : 7 , \"text\" : \"a\" } ");
	assert_fields("text=co\xC3\xA9", "{\"co\\u00e9\":\"\\\"}\",\"y\":[]}",
			"{\"text\":\"\\\"}\",\"y\":[]}");
	assert_fields("text=a\"b", "{\"a\\\"b\":\"t\"}", "{\"text\":\"t\"}");
	assert_fields("text=content", "{\"text\":\"a\",\"contents\":1}", NULL);
	assert_fields("text=text,id=id", "{\"text\":\"a\",\"id\":1}", NULL);
	assert_fields("text=content", "{}", NULL);
}

static void test_passes_names_on(void **state)
{
	(void)state;
	assert_once("id=source,source=id", "{\"id\":1,\"source\":\"s\"}",
			"{\"source\":1,\"id\":\"s\"}");
	assert_once("id=source,source=x", "{\"id\":1,\"source\":1,\"x\":2}",
			"{\"id\":1,\"source\":2}");
	assert_once("source=x,id=source", "{\"id\":1,\"source\":1,\"x\":2}",
			"{\"id\":1,\"source\":2}");
}

static void test_copies_nested_members(void **state)
{
	(void)state;
	assert_fields("lang=meta.lang", "{\"text\":\"a\",\"meta\":{\"lang\":\"fr\"}}",
			"{\"text\":\"a\",\"meta\":{\"lang\":\"fr\"},\"lang\":\"fr\"}");
	assert_fields("lang=m.a.b,id=m.i", "{\"m\": {\"i\": 1, \"a\": {\"b\": null}}}",
			"{\"m\": {\"i\": 1, \"a\": {\"b\": null}}, \"lang\": null, \"id\": 1}");
	assert_fields("lang=m.a", "{\"m\":[{\"a\":1}]}", NULL);
	assert_fields("lang=m.a", "{\"m\":{\"b\":1}}", NULL);
	assert_fields("lang=m.", "{\"m\":{\"b\":1}}", NULL);
	assert_fields("lang=m.a", "{\"m\":{\"\\u0061\":\"x\"}}",
			"{\"m\":{\"\\u0061\":\"x\"},\"lang\":\"x\"}");
	assert_fields("lang=m.a", "{\"m\":{\"a\":1,\"a\":2}}", "!two members of the same name");
}

static void test_prefers_a_name_with_dots(void **state)
{
	(void)state;
	assert_fields("lang=meta.lang", "{\"meta\":{},\"meta.lang\":\"it\"}",
			"{\"meta\":{},\"lang\":\"it\"}");
	assert_fields("lang=m.a.b", "{\"m\":{\"a\":{\"b\":1},\"a.b\":2}}",
			"{\"m\":{\"a\":{\"b\":1},\"a.b\":2},\"lang\":2}");
	assert_fields("lang=m.a.b", "{\"m\":{\"a\":{\"b\":1}},\"m.a\":{\"c\":2}}",
			"{\"m\":{\"a\":{\"b\":1}},\"m.a\":{\"c\":2},\"lang\":1}");
}

static void test_moves_a_nested_text(void **state)
{
	(void)state;
	assert_fields("text=m.t", "{\"m\":{\"t\":\"a\"}}", "{\"m\":{},\"text\":\"a\"}");
	assert_fields("text=m.t", "{\"m\":{\"t\":\"a\",\"u\":1}}",
			"{\"m\":{\"u\":1},\"text\":\"a\"}");
	assert_fields("text=m.t", "{\"m\":{ \"s\" : 0 , \"t\" : \"a\" , \"u\" : 1 } }",
			"{\"m\":{ \"s\" : 0 , \"u\" : 1 } ,\"text\":\"a\"}");
	assert_fields("text=m.t,lang=m.l", "{\"m\":{\"l\":\"fr\",\"t\":\"a\"}}",
			"{\"m\":{\"l\":\"fr\"},\"text\":\"a\",\"lang\":\"fr\"}");
	assert_fields("text=text.t", "{\"text\":{\"t\":\"a\",\"u\":1}}",
			"{\"text_original\":{\"u\":1},\"text\":\"a\"}");
}

static void test_keeps_what_is_in_the_way(void **state)
{
	(void)state;
	assert_fields("text=content", "{\"text\":\"old\",\"content\":\"new\"}",
			"{\"text_original\":\"old\",\"text\":\"new\"}");
	assert_fields("text=content", "{\"text\":null,\"content\":\"new\"}", "{\"text\":\"new\"}");
	assert_fields("text=content", "{\"content\":\"new\",\"text\":null}", "{\"text\":\"new\"}");
	assert_fields("text=content", "{\"text\":\"a\",\"content\":\"a\"}", "{\"text\":\"a\"}");
	assert_fields("lang=m.l", "{\"lang\":\"fr\",\"m\":{\"l\":\"fr\"}}", NULL);
	assert_fields("text=m.t", "{\"text\":\"a\",\"m\":{\"t\":\"a\"}}",
			"{\"text\":\"a\",\"m\":{}}");
	assert_fields("text=content", "{\"text\":1,\"content\":\"a\",\"text_original\":2}",
			"!a mapped member and its \"_original\" are both there");
}

static void assert_refused(const char *text_field, const char *map, const char *sentence)
{
	struct lu_fields f;
	struct lu_err err;

	assert_int_equal(parse(&f, text_field, map, &err), -1);
	assert_string_equal(err.msg, sentence);
}

static void test_refuses_options(void **state)
{
	(void)state;
	assert_refused(NULL, "foo=x",
			"--map: 'foo' is not one of text, id, source, lang, "
			"lang_score, license, url, date, category");
	assert_refused(NULL, "language=x",
			"--map: 'language' is not one of text, id, source, lang, lang_score, "
			"license, url, date, category, did you mean 'lang'");
	assert_refused(NULL, "id=a,lang", "--map: 'lang' is not NAME=MEMBER");
	assert_refused(NULL, "", "--map: '' is not NAME=MEMBER");
	assert_refused(NULL, "id=", "--map: 'id' needs the name of a member");
	assert_refused("", NULL, "--text-field: 'text' needs the name of a member");
	assert_refused("a", "text=b", "--map: 'text' is mapped twice, to 'a' and 'b'");
	assert_refused(NULL, "id=a.b,lang=a", "--map: 'id' and 'lang' cannot both come from 'a'");
}

static void assert_suggestion(const char *record, const char *wanted)
{
	struct lu_arena arena = { 0 };
	struct lu_buf out = { 0 };
	struct lu_json_obj obj;
	struct lu_json_fault fault;

	assert_int_equal(lu_json_object(lu_str_of(record), &arena, &obj, &fault), 0);
	lu_fields_suggest(&obj, &out);
	assert_string_equal(out.p, wanted);
	lu_buf_release(&out);
	lu_arena_release(&arena);
}

static void test_suggests_the_longest_string(void **state)
{
	(void)state;
	assert_suggestion("{\"id\":\"a\",\"content\":\"abc\",\"n\":123456}",
			"it has \"id\", \"content\", \"n\": try --text-field content");
	assert_suggestion("{\"id\":\"a\",\"doc\":{\"the body\":\"abc\"}}",
			"it has \"id\", \"doc\": try --text-field 'doc.the body'");
	assert_suggestion("{\"n\":1,\"l\":[\"long\"]}", "it has \"n\", \"l\"");
	assert_suggestion("{\"url\":\"http://a.example\",\"t\":\"a\"}",
			"it has \"url\", \"t\": try --text-field t");
	assert_suggestion("{}", "it is empty");
	assert_suggestion(
			"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}",
			"it has \"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\" and 1 more");
	assert_suggestion("{\"it's\":\"abc\"}", "it has \"it's\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renames_in_place),
		cmocka_unit_test(test_passes_names_on),
		cmocka_unit_test(test_copies_nested_members),
		cmocka_unit_test(test_prefers_a_name_with_dots),
		cmocka_unit_test(test_moves_a_nested_text),
		cmocka_unit_test(test_keeps_what_is_in_the_way),
		cmocka_unit_test(test_refuses_options),
		cmocka_unit_test(test_suggests_the_longest_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
