#include "libcommon/tokenizer/post_processor.h"

#include "libcommon/tokenizer/tokenizer_internal.h"

/* Append the ids of a special token, by name, from "special_tokens". */
static int read_special_token(struct lu_tok *tok, const struct lu_component_reader *r,
		const struct lu_json_obj *post, struct lu_str name, struct lu_ids *ids)
{
	const struct lu_json_member *m = lu_json_get(post, "special_tokens");
	struct lu_json_obj tokens, token;
	struct lu_json_iter it;
	struct lu_str type;
	size_t i = 0;

	if (!m || m->type != LU_JSON_OBJECT)
		return lu_component_fail(r, "TemplateProcessing: no \"special_tokens\" object");
	if (lu_component_object(r, m->value, &tokens, &type) < 0)
		return -1;
	while (i < tokens.members && !lu_str_eq(tokens.member[i].key, name))
		i++;
	if (i == tokens.members)
		return lu_component_fail(r,
				"TemplateProcessing: \"" LU_STR_FMT "\" is not in special_tokens",
				LU_STR_ARG(name));
	if (tokens.member[i].type != LU_JSON_OBJECT ||
			lu_component_object(r, tokens.member[i].value, &token, &type) < 0 ||
			lu_component_array(r, &token, "ids", &it) < 0)
		return lu_component_fail(r, "TemplateProcessing: \"" LU_STR_FMT "\" has no ids",
				LU_STR_ARG(name));
	while (lu_json_next(&it)) {
		struct lu_json_member v = { .value = it.value, .type = it.type };
		uint64_t id;

		if (!lu_json_u64(&v, &id) || id >= tok->size)
			return lu_component_fail(r,
					"TemplateProcessing: an id of \"" LU_STR_FMT
					"\" is not in the vocabulary",
					LU_STR_ARG(name));
		if (!lu_vec_push(ids, (uint32_t)id))
			return lu_err_nomem(r->err);
	}
	return 0;
}

/* Read "single": special tokens around one Sequence A. *before is the number of ids before it. */
static int read_single(struct lu_tok *tok, const struct lu_component_reader *r,
		const struct lu_json_obj *post, struct lu_ids *ids, size_t *before)
{
	struct lu_json_iter it;
	bool seen = false;

	if (lu_component_array(r, post, "single", &it) < 0)
		return -1;
	while (lu_json_next(&it)) {
		const struct lu_json_member *m;
		struct lu_json_obj item, inner;
		struct lu_str type, name;

		if (it.type != LU_JSON_OBJECT ||
				lu_component_object(r, it.value, &item, &type) < 0 ||
				item.members != 1 || item.member[0].type != LU_JSON_OBJECT)
			return lu_component_fail(r, "TemplateProcessing: \"single\" is malformed");
		m = &item.member[0];
		if (lu_component_object(r, m->value, &inner, &type) < 0 ||
				lu_component_str(r, &inner, "id", &name) < 0)
			return -1;
		if (lu_str_is(m->key, "SpecialToken")) {
			if (read_special_token(tok, r, post, name, ids) < 0)
				return -1;
		} else if (lu_str_is(m->key, "Sequence") && lu_str_is(name, "A") && !seen) {
			seen = true;
			*before = ids->n;
		} else {
			return lu_component_fail(r, "TemplateProcessing: \"single\" is malformed");
		}
	}
	return seen ? 0 : lu_component_fail(r, "TemplateProcessing: \"single\" has no Sequence A");
}

static int read_template(struct lu_tok *tok, const struct lu_component_reader *r,
		const struct lu_json_obj *post)
{
	struct lu_ids ids = { 0 };
	size_t before = 0;
	uint32_t *kept;
	int rc = -1;

	if (lu_component_check_keys(r, post, "single|pair|special_tokens") < 0)
		return -1;
	if (tok->post.n_before || tok->post.n_after)
		return lu_component_fail(r, "two TemplateProcessing steps");
	if (read_single(tok, r, post, &ids, &before) < 0)
		goto out;
	kept = lu_arena_alloc(&tok->arena, (ids.n + 1) * sizeof(*kept));
	if (!kept) {
		lu_err_nomem(r->err);
		goto out;
	}
	if (ids.n)
		memcpy(kept, ids.p, ids.n * sizeof(*kept));
	tok->post = (struct lu_tok_template){ kept, kept + before, before, ids.n - before };
	rc = 0;
out:
	lu_ids_release(&ids);
	return rc;
}

static int read_step(struct lu_tok *tok, const struct lu_component_reader *r, struct lu_str raw,
		bool nested)
{
	struct lu_json_obj post;
	struct lu_json_iter it;
	struct lu_str type;

	if (*raw.p != '{')
		return lu_component_fail(r, "a component is not an object");
	if (lu_component_object(r, raw, &post, &type) < 0)
		return -1;
	/* ByteLevel only changes offsets, which this library does not give. */
	if (lu_str_is(type, "ByteLevel"))
		return lu_component_check_keys(r, &post, "add_prefix_space|trim_offsets|use_regex");
	if (lu_str_is(type, "TemplateProcessing"))
		return read_template(tok, r, &post);
	if (!lu_str_is(type, "Sequence") || nested)
		return lu_component_fail(
				r, "\"" LU_STR_FMT "\" is not supported", LU_STR_ARG(type));
	if (lu_component_check_keys(r, &post, "processors") < 0 ||
			lu_component_array(r, &post, "processors", &it) < 0)
		return -1;
	while (lu_json_next(&it)) {
		if (read_step(tok, r, it.value, true) < 0)
			return -1;
	}
	return 0;
}

int lu_post_processor_read(
		struct lu_tok *tok, const struct lu_component_reader *r, struct lu_str raw)
{
	return lu_str_is(raw, "null") ? 0 : read_step(tok, r, raw, false);
}
