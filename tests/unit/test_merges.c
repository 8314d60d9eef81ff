/* The merges of a tokenizer.json: strings where they can hold them, which is the one form that
 * tokenizers before 0.20 read, pairs otherwise; both are read, with the same result. */
#include <stdlib.h>
#include <string.h>

#include "libcommon/bpetrain/preset_json.h"
#include "tests/unit/unit_tokenizer.h"

/* Write a file whose pieces after the seeds are a, b and their merge. */
static void write_file(const char *a, const char *b, struct lu_buf *json)
{
	struct lu_str piece[7] = { lu_str_of("<s>"), lu_str_of("</s>"), lu_str_of("<unk>"),
		lu_str_of("<pad>"), lu_str_of(a), lu_str_of(b) };
	struct lu_bpe_pair merge = { .left = 4, .right = 5 };
	struct lu_bpe_trained tr = { .piece = piece, .pieces = 7, .merge = &merge, .merges = 1 };
	struct lu_preset p;
	struct lu_buf both = { 0 };
	struct lu_err err = { 0 };
	uint32_t merges;

	lu_buf_puts(&both, a);
	lu_buf_puts(&both, b);
	piece[6] = lu_buf_slice(&both);
	lu_preset_defaults(&p, LU_PRESET_METASPACE);
	assert_int_equal(lu_preset_write(json, &p, &tr, &merges, &err), 0);
	assert_int_equal(merges, 1);
	lu_buf_putc(json, '\0');
	assert_true(lu_buf_ok(json));
	lu_buf_release(&both);
}

static void assert_written(const char *a, const char *b, const char *want)
{
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	uint32_t id;

	write_file(a, b, &json);
	if (!strstr(json.p, want))
		fail_msg("no %s in %s", want, json.p);
	tok = parse_tokenizer(lu_str_of(json.p));
	assert_true(lu_tok_id(tok, lu_str_of(b), &id));
	lu_tok_free(tok);
	lu_buf_release(&json);
}

static void written_as_strings(void **state)
{
	(void)state;
	assert_written("a", "b", "\"merges\": [\n      \"a b\"\n    ]");
	assert_written("\"", "\\", "\"merges\": [\n      \"\\\" \\\\\"\n    ]");
	assert_written("x#version", "s", "\"x#version s\"");
}

/* A string could not be taken apart, or would be passed over as the header of a merges.txt. */
static void written_as_pairs(void **state)
{
	(void)state;
	assert_written("a b", "c", "\"a b\",\n        \"c\"\n      ]");
	assert_written("a", " b", "\"a\",\n        \" b\"\n      ]");
	assert_written("#version", "s", "\"#version\",\n        \"s\"\n      ]");
}

/* As Hugging Face reads them: a string that begins with "#version" is no merge and takes no rank. */
static void headers_are_passed_over(void **state)
{
	static const char head[] =
			"{\"version\":\"1.0\",\"model\":{\"type\":\"BPE\",\"vocab\":"
			"{\"#\":0,\"v\":1,\"e\":2,\"r\":3,\"s\":4,\"i\":5,\"o\":6,"
			"\"n\":7,\"#v\":8,\"#ve\":9,\"#ver\":10,\"#vers\":11,\"#versi\":"
			"12,\"#versio\":13,\"#version\":14,\"#versions\":15},\"merges\":[";
	static const char merges[] = "\"# v\",\"#v e\",\"#ve r\",\"#ver s\",\"#vers i\","
				     "\"#versi o\",\"#versio n\"";
	static const struct {
		const char *before, *after;
		size_t ids; /* of "#versions" */
	} c[] = {
		{ "", "]}}", 2 },
		{ "", ",[\"#version\",\"s\"]]}}", 1 },
		{ "", ",\"#version s\"]}}", 2 },
		{ "\"#version: 0.2\",", "]}}", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct lu_buf json = { 0 };
		struct lu_ids ids = { 0 };
		struct lu_err err = { 0 };
		struct lu_tok_state *st;
		struct lu_tok *tok;

		lu_buf_puts(&json, head);
		lu_buf_puts(&json, c[i].before);
		lu_buf_puts(&json, merges);
		lu_buf_puts(&json, c[i].after);
		tok = parse_tokenizer(lu_buf_slice(&json));
		st = lu_tok_state_new(tok);
		assert_int_equal(lu_tok_encode(tok, st, LU_STR("#versions"), LU_TOK_SPECIAL_TEXT,
						 &ids, &err),
				0);
		assert_int_equal(ids.n, c[i].ids);
		lu_ids_release(&ids);
		lu_tok_state_free(st);
		lu_tok_free(tok);
		lu_buf_release(&json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_as_strings),
		cmocka_unit_test(written_as_pairs),
		cmocka_unit_test(headers_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
