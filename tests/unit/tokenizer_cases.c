#include "tests/unit/tokenizer_cases.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/io/json.h"
#include "libcommon/tokenizer/byte_piece.h"
#include "libcommon/tokenizer/components.h"
#include "tests/unit/unit.h"

static struct lu_str raw_member(const struct lu_json_obj *o, const char *key)
{
	const struct lu_json_member *m = lu_json_get(o, key);

	return m ? m->value : (struct lu_str){ NULL, 0 };
}

static struct lu_str string_member(
		const struct lu_json_obj *o, const char *key, struct lu_arena *arena)
{
	struct lu_str s = raw_member(o, key);

	if (s.p)
		assert_int_equal(lu_json_decode(s, arena, &s), 0);
	return s;
}

void tok_cases_read(struct tok_cases *c, const char *file)
{
	size_t n;
	const char *p, *end;

	*c = (struct tok_cases){ .text = get_data(file, &n) };
	for (p = c->text; *p; p = end + 1) {
		struct lu_json_fault fault;
		struct lu_json_obj o;
		struct tok_case t;

		end = strchr(p, '\n');
		assert_non_null(end);
		if (lu_json_object((struct lu_str){ p, (size_t)(end - p) }, &c->arena, &o, &fault) <
				0)
			fail_msg("%s: %s: %.40s", file, lu_json_fault_text(fault.kind), p);
		t = (struct tok_case){ .name = string_member(&o, "name", &c->arena),
			.dead = string_member(&o, "dead", &c->arena),
			.normalizer = raw_member(&o, "normalizer"),
			.pre_tokenizer = raw_member(&o, "pre_tokenizer"),
			.decoder = raw_member(&o, "decoder"),
			.model = raw_member(&o, "model") };
		assert_true(lu_vec_push(&c->line, t));
	}
}

void tok_cases_release(struct tok_cases *c)
{
	lu_vec_release(&c->line);
	lu_arena_release(&c->arena);
	free(c->text);
}

const struct tok_case *tok_case(const struct tok_cases *c, const char *name)
{
	for (size_t i = 0; i < c->line.n; i++) {
		if (lu_str_is(c->line.p[i].name, name))
			return &c->line.p[i];
	}
	fail_msg("no tokenizer is called %s", name);
	return NULL;
}

void tok_put_bytes(struct lu_buf *json)
{
	for (unsigned b = 0; b < 256; b++) {
		char utf8[4];

		lu_json_key(json,
				(struct lu_str){ utf8, lu_utf8_put(lu_byte_level_char(b), utf8) });
		lu_json_put_u64(json, NULL, b);
	}
}

static void put_member(struct lu_buf *json, const char *key, struct lu_str value)
{
	if (value.p)
		lu_json_put_raw(json, key, value);
	else
		lu_json_put_null(json, key);
}

static void put_byte_model(struct lu_buf *json)
{
	lu_json_open_object(json, "model");
	lu_json_put_cstr(json, "type", "BPE");
	lu_json_open_object(json, "vocab");
	tok_put_bytes(json);
	lu_json_close_object(json);
	lu_json_open_array(json, "merges");
	lu_json_close_array(json);
	lu_json_close_object(json);
}

struct lu_tok *tok_make(const struct tok_case *t)
{
	struct lu_buf json = { 0 };
	struct lu_tok *tok;
	struct lu_err err;

	lu_json_open_object(&json, NULL);
	lu_json_put_cstr(&json, "version", "1.0");
	lu_json_open_array(&json, "added_tokens");
	lu_json_close_array(&json);
	put_member(&json, "normalizer", t->normalizer);
	put_member(&json, "pre_tokenizer", t->pre_tokenizer);
	lu_json_put_null(&json, "post_processor");
	put_member(&json, "decoder", t->decoder);
	if (t->model.p)
		lu_json_put_raw(&json, "model", t->model);
	else
		put_byte_model(&json);
	lu_json_close_object(&json);
	if (lu_tok_parse(&tok, "x.json", lu_buf_slice(&json), &err) < 0)
		fail_msg("%s in %s", err.msg, json.p);
	lu_buf_release(&json);
	return tok;
}
