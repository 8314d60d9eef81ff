/* Read a tokenizer.json. */
#include <stdlib.h>

#include "libcommon/io/magic.h"
#include "libcommon/sys/file.h"
#include "libcommon/tokenizer/metaspace_first.h"
#include "libcommon/tokenizer/post_processor.h"
#include "libcommon/tokenizer/pretokenizer.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

#define MAX_FILE ((size_t)1 << 30)

/* --- model -------------------------------------------------------------------------------- */

static bool is_null(const struct lu_json_member *m)
{
	return !m || m->type == LU_JSON_NULL;
}

static int read_id(const struct lu_component_reader *r, struct lu_json_iter *it, uint32_t *id)
{
	struct lu_json_member m = { .value = it->value, .type = it->type };
	uint64_t v;

	if (!lu_json_u64(&m, &v) || v > LU_TOK_MAX_ID)
		return lu_component_fail(r,
				"vocab: the id of " LU_STR_FMT " is not a number below %u",
				LU_STR_ARG(it->key), LU_TOK_MAX_ID + 1);
	*id = (uint32_t)v;
	return 0;
}

static int read_vocab(struct lu_tok *tok, const struct lu_component_reader *r,
		const struct lu_json_obj *model)
{
	const struct lu_json_member *m = lu_json_get(model, "vocab");
	struct lu_json_iter it;
	uint32_t largest = 0, id;
	size_t n = 0;

	if (!m || m->type != LU_JSON_OBJECT)
		return lu_component_fail(r, "no \"vocab\" object");
	for (it = lu_json_iter(m->value); lu_json_next(&it); n++) {
		if (read_id(r, &it, &id) < 0)
			return -1;
		largest = id > largest ? id : largest;
	}
	if (n == 0)
		return lu_component_fail(r, "\"vocab\" is empty");
	if (largest / 16 > n + 4096)
		return lu_component_fail(r, "vocab: id %u is too large for %zu pieces", largest, n);
	if (lu_bpe_begin(&tok->bpe, &tok->arena, largest + 1, r->err) < 0)
		return -1;
	for (it = lu_json_iter(m->value); lu_json_next(&it);) {
		struct lu_str piece;

		if (read_id(r, &it, &id) < 0)
			return -1;
		if (lu_json_decode(it.key, &tok->arena, &piece) < 0)
			return lu_err_nomem(r->err);
		if (lu_bpe_add_piece(&tok->bpe, id, piece))
			continue;
		if (tok->bpe.piece[id].p)
			return lu_component_fail(r, "vocab: two pieces have the id %u", id);
		return lu_component_fail(
				r, "vocab: " LU_STR_FMT " occurs twice", LU_STR_ARG(it.key));
	}
	return 0;
}

/* True for an entry that Hugging Face passes over: the header of a merges.txt, or what looks like
 * it. */
static bool is_header(const struct lu_json_iter *it)
{
	return it->type == LU_JSON_STRING && it->value.n > 8 &&
			memcmp(it->value.p, "\"#version", 9) == 0;
}

/* Read a merge, ["a", "b"] or "a b" with one space; `index` is for messages. */
static int read_pair(const struct lu_component_reader *r, struct lu_json_iter *it, size_t index,
		struct lu_str part[2])
{
	struct lu_json_iter el;
	struct lu_str whole;
	const char *space;
	int n = 0;

	if (it->type == LU_JSON_ARRAY) {
		for (el = lu_json_iter(it->value); lu_json_next(&el); n++) {
			if (n == 2 || el.type != LU_JSON_STRING)
				return lu_component_fail(
						r, "merges: entry %zu is not a pair", index);
			if (lu_json_decode(el.value, r->arena, &part[n]) < 0)
				return lu_err_nomem(r->err);
		}
		return n == 2 ? 0 : lu_component_fail(r, "merges: entry %zu is not a pair", index);
	}
	if (it->type != LU_JSON_STRING)
		return lu_component_fail(r, "merges: entry %zu is not a pair", index);
	if (lu_json_decode(it->value, r->arena, &whole) < 0)
		return lu_err_nomem(r->err);
	space = memchr(whole.p, ' ', whole.n);
	if (!space || memchr(space + 1, ' ', (size_t)(whole.p + whole.n - space - 1)))
		return lu_component_fail(
				r, "merges: entry %zu is not two pieces with one space", index);
	part[0] = (struct lu_str){ whole.p, (size_t)(space - whole.p) };
	part[1] = (struct lu_str){ space + 1, (size_t)(whole.p + whole.n - space - 1) };
	return 0;
}

static int read_merge(struct lu_tok *tok, const struct lu_component_reader *r,
		struct lu_json_iter *it, size_t index, struct lu_buf *both)
{
	struct lu_bpe_merge m = { .rank = (uint32_t)index };
	struct lu_str part[2];

	if (read_pair(r, it, index, part) < 0)
		return -1;
	lu_buf_clear(both);
	lu_buf_str(both, part[0]);
	lu_buf_str(both, part[1]);
	if (lu_buf_check(both, r->err) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (!lu_bpe_find(&tok->bpe, part[i], i ? &m.right : &m.left))
			return lu_component_fail(r,
					"merges: entry %zu: \"" LU_STR_FMT
					"\" is not in the vocabulary",
					index, LU_STR_ARG(part[i]));
	}
	if (!lu_bpe_find(&tok->bpe, lu_buf_slice(both), &m.id))
		return lu_component_fail(r,
				"merges: entry %zu makes \"" LU_STR_FMT
				"\", which is not in the vocabulary",
				index, LU_STR_ARG(lu_buf_slice(both)));
	lu_bpe_add_merge(&tok->bpe, &m);
	return 0;
}

static int read_merges(struct lu_tok *tok, const struct lu_component_reader *r,
		const struct lu_json_obj *model)
{
	struct lu_json_iter it;
	struct lu_buf both = { 0 };
	size_t n = 0;
	int rc = 0;

	if (lu_component_array(r, model, "merges", &it) < 0)
		return -1;
	while (lu_json_next(&it))
		n++;
	if (n >= LU_BPE_NONE)
		return lu_component_fail(r, "too many merges");
	if (lu_bpe_begin_merges(&tok->bpe, &tok->arena, n, r->err) < 0 ||
			lu_component_array(r, model, "merges", &it) < 0)
		return -1;
	for (n = 0; rc == 0 && lu_json_next(&it);) {
		if (!is_header(&it))
			rc = read_merge(tok, r, &it, n++, &both);
	}
	lu_buf_release(&both);
	return rc;
}

/* Settings that change ids and are not supported must have their neutral value. */
static int refuse_settings(const struct lu_component_reader *r, const struct lu_json_obj *model)
{
	static const char *const affix[] = { "continuing_subword_prefix", "end_of_word_suffix" };
	const struct lu_json_member *dropout = lu_json_get(model, "dropout");
	double d = 0;

	if (!is_null(dropout) && (!lu_json_double(dropout, &d) || d != 0))
		return lu_component_fail(r, "\"dropout\" is not supported");
	for (int i = 0; i < 2; i++) {
		struct lu_str s = { "", 0 };

		if (lu_component_opt_str(r, model, affix[i], &s) < 0)
			return -1;
		if (s.n)
			return lu_component_fail(r, "\"%s\" is not supported", affix[i]);
	}
	return 0;
}

static int read_model(struct lu_tok *tok, const struct lu_component_reader *r, struct lu_str raw)
{
	struct lu_json_obj model;
	struct lu_str type, unk = { NULL, 0 };

	if (*raw.p != '{')
		return lu_component_fail(r, "no model object");
	if (lu_component_object(r, raw, &model, &type) < 0)
		return -1;
	if (type.n ? !lu_str_is(type, "BPE") : !lu_json_get(&model, "merges"))
		return lu_component_fail(r, "\"" LU_STR_FMT "\" is not supported, only BPE",
				LU_STR_ARG(type));
	if (lu_component_check_keys(r, &model,
			    "dropout|unk_token|continuing_subword_prefix|end_of_word_suffix|"
			    "fuse_unk|byte_fallback|ignore_merges|vocab|merges") < 0 ||
			refuse_settings(r, &model) < 0 ||
			lu_component_opt_str(r, &model, "unk_token", &unk) < 0 ||
			lu_component_bool(r, &model, "fuse_unk", &tok->bpe.fuse_unk) < 0 ||
			lu_component_bool(r, &model, "byte_fallback", &tok->bpe.byte_fallback) <
					0 ||
			lu_component_bool(r, &model, "ignore_merges", &tok->bpe.ignore_merges) < 0)
		return -1;
	tok->bpe.byte_level = tok->components.byte_level;
	if (read_vocab(tok, r, &model) < 0 || read_merges(tok, r, &model) < 0)
		return -1;
	tok->bpe.unk = LU_BPE_NONE;
	if (unk.p && !lu_bpe_find(&tok->bpe, unk, &tok->bpe.unk))
		return lu_component_fail(r, "unk_token \"" LU_STR_FMT "\" is not in the vocabulary",
				LU_STR_ARG(unk));
	return lu_bpe_finish(&tok->bpe, &tok->arena, r->err);
}

/* --- the file ----------------------------------------------------------------------------- */

static void find_roles(struct lu_tok *tok)
{
	static const char *const names[LU_TOK_ROLES][8] = {
		[LU_TOK_BOS] = { "<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "[BOS]",
				"<|bos|>" },
		[LU_TOK_EOS] = { "</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>", "[EOS]",
				"<|eos|>" },
		[LU_TOK_UNK] = { "<unk>", "[UNK]", "<|unk|>" },
		[LU_TOK_PAD] = { "<pad>", "[PAD]", "<|pad|>", "<|finetune_right_pad_id|>" },
	};

	for (int role = 0; role < LU_TOK_ROLES; role++) {
		tok->role[role] = LU_BPE_NONE;
		for (int k = 0; names[role][k] && tok->role[role] == LU_BPE_NONE; k++) {
			struct lu_str name = lu_str_of(names[role][k]);
			uint32_t id;

			if (lu_tok_id(tok, name, &id) && lu_tok_is_special(tok, id))
				tok->role[role] = id;
		}
	}
}

static struct lu_str raw_member(const struct lu_json_obj *file, const char *key)
{
	const struct lu_json_member *m = lu_json_get(file, key);

	return m ? m->value : LU_STR("null");
}

static int check_file(const struct lu_component_reader *r, const struct lu_json_obj *file)
{
	struct lu_str version = { "", 0 };

	if (lu_component_str(r, file, "version", &version) < 0)
		return -1;
	if (!lu_str_is(version, "1.0"))
		return lu_component_fail(r, "version \"" LU_STR_FMT "\" is not supported",
				LU_STR_ARG(version));
	if (lu_component_check_keys(r, file,
			    "version|truncation|padding|added_tokens|normalizer|pre_tokenizer|"
			    "post_processor|decoder|model") < 0)
		return -1;
	/* Padding fills batches and does not change the ids of a text; truncation does. */
	if (!is_null(lu_json_get(file, "truncation")))
		return lu_component_fail(r, "\"truncation\" is not supported");
	return 0;
}

static int read_file(
		struct lu_tok *tok, const struct lu_json_obj *file, struct lu_component_reader *r)
{
	if (check_file(r, file) < 0)
		return -1;
	r->part = "normalizer";
	if (lu_components_read_normalizer(
			    r, raw_member(file, "normalizer"), tok->unicode, &tok->components) < 0)
		return -1;
	r->part = "pre_tokenizer";
	if (lu_components_read_pre_tokenizer(
			    r, raw_member(file, "pre_tokenizer"), &tok->components) < 0)
		return -1;
	for (size_t i = 0; i < tok->components.pres; i++) {
		if (tok->components.pre[i].regex == LU_SPLIT_O200K &&
				lu_frozen_load_case(tok->unicode, r->err) < 0)
			return -1;
	}
	r->part = "decoder";
	if (lu_components_read_decoder(r, raw_member(file, "decoder"), &tok->components) < 0)
		return -1;
	r->part = "model";
	if (read_model(tok, r, raw_member(file, "model")) < 0)
		return -1;
	r->part = "added_tokens";
	if (lu_added_tokens_read(tok, r, file) < 0)
		return -1;
	r->part = "pre_tokenizer";
	if (lu_metaspace_first_check(tok, r) < 0)
		return -1;
	r->part = "post_processor";
	if (lu_post_processor_read(tok, r, raw_member(file, "post_processor")) < 0)
		return -1;
	find_roles(tok);
	tok->splits_at_spaces = lu_pre_splits_at_spaces(&tok->components);
	tok->regex = lu_pre_only_regex(&tok->components);
	return lu_decode_table_build(&tok->decode_table, tok, &tok->arena, r->err);
}

int lu_tok_parse(struct lu_tok **out, const char *name, struct lu_str json, struct lu_err *err)
{
	struct lu_tok *tok = calloc(1, sizeof(*tok));
	struct lu_arena scratch = { 0 };
	struct lu_component_reader r = { .file = name, .part = "tokenizer", .err = err };
	struct lu_json_obj file;
	struct lu_json_fault fault;
	int rc = -1;

	*out = NULL;
	if (!tok)
		return lu_err_nomem(err);
	/* Components keep slices of the file, so the arena holds a copy of it. */
	r.arena = &tok->arena;
	tok->hash = lu_hash128(json.p, json.n);
	json = lu_arena_str(&tok->arena, json);
	if (!json.p) {
		lu_err_nomem(err);
		goto out;
	}
	if (lu_json_object(json, &scratch, &file, &fault) < 0) {
		const struct lu_format *f = lu_magic_find(json, LU_MAGIC_ALL);

		if (fault.kind == LU_JSON_NO_MEMORY)
			lu_err_nomem(err);
		else if (f)
			lu_err_set(err, "%s: not a tokenizer.json: %s", name, f->name);
		else
			lu_err_set(err, "%s: not a tokenizer.json: byte %zu: %s", name, fault.at,
					lu_json_fault_text(fault.kind));
		goto out;
	}
	if (!lu_json_get(&file, "version") && !lu_json_get(&file, "model")) {
		lu_err_set(err, "%s: not a tokenizer.json: it has no \"model\"", name);
		goto out;
	}
	if (lu_frozen_new(&tok->unicode, err) < 0)
		goto out;
	rc = read_file(tok, &file, &r);
out:
	lu_arena_release(&scratch);
	if (rc < 0)
		lu_tok_free(tok);
	else
		*out = tok;
	return rc;
}

int lu_tok_load(struct lu_tok **tok, const char *path, struct lu_err *err)
{
	char *text;
	size_t n;
	int rc;

	*tok = NULL;
	if (lu_read_input(path, MAX_FILE, &text, &n, err) < 0)
		return -1;
	rc = lu_tok_parse(tok, path, (struct lu_str){ text, n }, err);
	free(text);
	return rc;
}
