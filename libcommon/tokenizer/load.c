/* Reads a tokenizer.json. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/sys/file.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

#define FILE_MAX ((size_t)1 << 30)
/* Larger ids are refused, and so are ids so sparse that tables by id would be mostly air. */
#define ID_MAX ((uint32_t)1 << 24)

int lu_ids_reserve(struct lu_ids *ids, size_t more, struct lu_err *err)
{
	size_t cap;
	uint32_t *p;

	if (ids->cap - ids->n >= more)
		return 0;
	cap = ids->cap * 2 > ids->n + more ? ids->cap * 2 : ids->n + more + 64;
	p = realloc(ids->p, cap * sizeof(*p));
	if (!p)
		return lu_err_nomem(err);
	ids->p = p;
	ids->cap = cap;
	return 0;
}

void lu_ids_release(struct lu_ids *ids)
{
	free(ids->p);
	*ids = (struct lu_ids){ 0 };
}

/* --- model -------------------------------------------------------------------------------- */

static bool is_null(const struct lu_json_member *m)
{
	return !m || m->type == LU_JSON_NULL;
}

static int read_id(const struct lu_tj *j, struct lu_json_iter *it, uint32_t *id)
{
	struct lu_json_member m = { .value = it->value, .type = it->type };
	uint64_t v;

	if (!lu_json_u64(&m, &v) || v >= ID_MAX)
		return lu_tj_fail(j, "vocab: the id of " LU_STR_FMT " is not a number below %u",
				LU_STR_ARG(it->key), ID_MAX);
	*id = (uint32_t)v;
	return 0;
}

static int read_vocab(struct lu_tok *t, const struct lu_tj *j, const struct lu_json_obj *model)
{
	const struct lu_json_member *m = lu_json_get(model, "vocab");
	struct lu_json_iter it;
	uint32_t largest = 0, id;
	size_t n = 0;

	if (!m || m->type != LU_JSON_OBJECT)
		return lu_tj_fail(j, "no \"vocab\" object");
	for (it = lu_json_iter(m->value); lu_json_next(&it); n++) {
		if (read_id(j, &it, &id) < 0)
			return -1;
		largest = id > largest ? id : largest;
	}
	if (n == 0)
		return lu_tj_fail(j, "\"vocab\" is empty");
	if (largest / 16 > n + 4096)
		return lu_tj_fail(j, "vocab: id %u is too large for %zu pieces", largest, n);
	if (lu_bpe_start(&t->bpe, &t->arena, largest + 1, j->err) < 0)
		return -1;
	for (it = lu_json_iter(m->value); lu_json_next(&it);) {
		struct lu_str piece;

		if (read_id(j, &it, &id) < 0)
			return -1;
		if (lu_json_decode(it.key, &t->arena, &piece) < 0)
			return lu_err_nomem(j->err);
		if (!lu_bpe_piece(&t->bpe, id, piece))
			return lu_tj_fail(j,
					t->bpe.piece[id].p
							? "vocab: two pieces have the id %u"
							: "vocab: the piece of id %u occurs twice",
					id);
	}
	return 0;
}

/* The two parts of a merge: ["a", "b"], or "a b" with one space. */
static int read_pair(
		const struct lu_tj *j, struct lu_json_iter *it, size_t line, struct lu_str part[2])
{
	struct lu_json_iter el;
	struct lu_str whole;
	const char *space;
	int n = 0;

	if (it->type == LU_JSON_ARRAY) {
		for (el = lu_json_iter(it->value); lu_json_next(&el); n++) {
			if (n == 2 || el.type != LU_JSON_STRING)
				return lu_tj_fail(j, "merges: entry %zu is not a pair", line);
			if (lu_json_decode(el.value, j->arena, &part[n]) < 0)
				return lu_err_nomem(j->err);
		}
		return n == 2 ? 0 : lu_tj_fail(j, "merges: entry %zu is not a pair", line);
	}
	if (it->type != LU_JSON_STRING)
		return lu_tj_fail(j, "merges: entry %zu is not a pair", line);
	if (lu_json_decode(it->value, j->arena, &whole) < 0)
		return lu_err_nomem(j->err);
	space = memchr(whole.p, ' ', whole.n);
	if (!space || memchr(space + 1, ' ', (size_t)(whole.p + whole.n - space - 1)))
		return lu_tj_fail(j, "merges: entry %zu is not two pieces with one space", line);
	part[0] = (struct lu_str){ whole.p, (size_t)(space - whole.p) };
	part[1] = (struct lu_str){ space + 1, (size_t)(whole.p + whole.n - space - 1) };
	return 0;
}

static int read_merge(struct lu_tok *t, const struct lu_tj *j, struct lu_json_iter *it, size_t line,
		struct lu_buf *both)
{
	struct lu_bpe_merge m = { .rank = (uint32_t)line };
	struct lu_str part[2];

	if (read_pair(j, it, line, part) < 0)
		return -1;
	lu_buf_clear(both);
	lu_buf_str(both, part[0]);
	lu_buf_str(both, part[1]);
	if (lu_buf_check(both, j->err) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (!lu_bpe_find(&t->bpe, part[i], i ? &m.right : &m.left))
			return lu_tj_fail(j,
					"merges: entry %zu: \"" LU_STR_FMT
					"\" is not in the vocabulary",
					line, LU_STR_ARG(part[i]));
	}
	if (!lu_bpe_find(&t->bpe, lu_buf_slice(both), &m.id))
		return lu_tj_fail(j,
				"merges: entry %zu makes \"" LU_STR_FMT
				"\", which is not in the vocabulary",
				line, LU_STR_ARG(lu_buf_slice(both)));
	lu_bpe_merge_add(&t->bpe, &m);
	return 0;
}

static int read_merges(struct lu_tok *t, const struct lu_tj *j, const struct lu_json_obj *model)
{
	struct lu_json_iter it;
	struct lu_buf both = { 0 };
	size_t n = 0;
	int rc = 0;

	if (lu_tj_array(j, model, "merges", &it) < 0)
		return -1;
	while (lu_json_next(&it))
		n++;
	if (n >= LU_BPE_NONE)
		return lu_tj_fail(j, "too many merges");
	if (lu_bpe_merges_start(&t->bpe, &t->arena, n, j->err) < 0 ||
			lu_tj_array(j, model, "merges", &it) < 0)
		return -1;
	for (n = 0; rc == 0 && lu_json_next(&it); n++)
		rc = read_merge(t, j, &it, n, &both);
	lu_buf_release(&both);
	return rc;
}

/* Settings that change ids in a way we do not follow must have their neutral value. */
static int refuse_settings(const struct lu_tj *j, const struct lu_json_obj *model)
{
	static const char *const affix[] = { "continuing_subword_prefix", "end_of_word_suffix" };
	const struct lu_json_member *dropout = lu_json_get(model, "dropout");
	double d = 0;

	if (!is_null(dropout) && (!lu_json_double(dropout, &d) || d != 0))
		return lu_tj_fail(j, "\"dropout\" is not supported");
	for (int i = 0; i < 2; i++) {
		struct lu_str s = { "", 0 };

		if (lu_tj_opt_str(j, model, affix[i], &s) < 0)
			return -1;
		if (s.n)
			return lu_tj_fail(j, "\"%s\" is not supported", affix[i]);
	}
	return 0;
}

static int read_model(struct lu_tok *t, const struct lu_tj *j, struct lu_str raw)
{
	struct lu_json_obj model;
	struct lu_str type, unk = { NULL, 0 };

	if (*raw.p != '{')
		return lu_tj_fail(j, "no model object");
	if (lu_tj_object(j, raw, &model, &type) < 0)
		return -1;
	if (type.n ? !lu_str_is(type, "BPE") : !lu_json_get(&model, "merges"))
		return lu_tj_fail(j, "\"" LU_STR_FMT "\" is not supported, only BPE",
				LU_STR_ARG(type));
	if (lu_tj_only(j, &model,
			    "dropout|unk_token|continuing_subword_prefix|end_of_word_suffix|fuse_"
			    "unk|"
			    "byte_fallback|ignore_merges|vocab|merges") < 0 ||
			refuse_settings(j, &model) < 0 ||
			lu_tj_opt_str(j, &model, "unk_token", &unk) < 0 ||
			lu_tj_bool(j, &model, "fuse_unk", &t->bpe.fuse_unk) < 0 ||
			lu_tj_bool(j, &model, "byte_fallback", &t->bpe.byte_fallback) < 0 ||
			lu_tj_bool(j, &model, "ignore_merges", &t->bpe.ignore_merges) < 0)
		return -1;
	t->bpe.byte_level = t->parts.byte_level;
	if (read_vocab(t, j, &model) < 0 || read_merges(t, j, &model) < 0)
		return -1;
	t->bpe.unk = LU_BPE_NONE;
	if (unk.p && !lu_bpe_find(&t->bpe, unk, &t->bpe.unk))
		return lu_tj_fail(j, "unk_token \"" LU_STR_FMT "\" is not in the vocabulary",
				LU_STR_ARG(unk));
	return lu_bpe_end(&t->bpe, &t->arena, j->err);
}

/* --- added tokens ------------------------------------------------------------------------- */

static int read_added(struct lu_tok *t, const struct lu_tj *j, struct lu_str raw)
{
	struct lu_added *a = &t->added[t->n_added];
	struct lu_json_obj obj;
	struct lu_str type;
	uint64_t id;

	if (*raw.p != '{')
		return lu_tj_fail(j, "an entry is not an object");
	*a = (struct lu_added){ .normalized = true };
	if (lu_tj_object(j, raw, &obj, &type) < 0 ||
			lu_tj_only(j, &obj,
					"id|content|single_word|lstrip|rstrip|normalized|special") <
					0 ||
			lu_tj_u64(j, &obj, "id", ID_MAX - 1, &id) < 0 ||
			lu_tj_str(j, &obj, "content", &a->content) < 0 ||
			lu_tj_bool(j, &obj, "special", &a->special) < 0 ||
			lu_tj_bool(j, &obj, "single_word", &a->single_word) < 0 ||
			lu_tj_bool(j, &obj, "lstrip", &a->lstrip) < 0 ||
			lu_tj_bool(j, &obj, "rstrip", &a->rstrip) < 0)
		return -1;
	a->normalized = !a->special;
	if (lu_tj_bool(j, &obj, "normalized", &a->normalized) < 0)
		return -1;
	if (a->content.n == 0)
		return 0;
	a->id = (uint32_t)id;
	t->n_added++;
	return 0;
}

static int by_content(const void *x, const void *y)
{
	return lu_str_cmp(*(const struct lu_str *)x, *(const struct lu_str *)y);
}

static int refuse_twice(struct lu_tok *t, const struct lu_tj *j)
{
	struct lu_str *sorted = lu_arena_alloc(&t->arena, (t->n_added + 1) * sizeof(*sorted));

	if (!sorted)
		return lu_err_nomem(j->err);
	for (size_t i = 0; i < t->n_added; i++)
		sorted[i] = t->added[i].content;
	qsort(sorted, t->n_added, sizeof(*sorted), by_content);
	for (size_t i = 1; i < t->n_added; i++) {
		if (lu_str_eq(sorted[i], sorted[i - 1]))
			return lu_tj_fail(j, "\"" LU_STR_FMT "\" occurs twice",
					LU_STR_ARG(sorted[i]));
	}
	return 0;
}

/* Ids of contents that the model has not: the next free one each, as Hugging Face gives them. A
 * file that says otherwise would get other ids there than it asks for. */
static int check_added_ids(struct lu_tok *t, const struct lu_tj *j)
{
	uint32_t next = t->bpe.pieces, largest = 0;
	bool any = false;

	for (size_t i = 0; i < t->n_added; i++) {
		const struct lu_added *a = &t->added[i];
		uint32_t id;

		if (!lu_bpe_find(&t->bpe, a->content, &id))
			id = any && largest + 1 > next ? largest + 1 : next;
		if (id != a->id)
			return lu_tj_fail(j, "\"" LU_STR_FMT "\" has the id %u and would get %u",
					LU_STR_ARG(a->content), a->id, id);
		largest = id > largest || !any ? id : largest;
		any = true;
	}
	if (any && largest + 1 > t->size)
		t->size = largest + 1;
	return 0;
}

static int place_added(struct lu_tok *t, const struct lu_tj *j)
{
	t->size = t->bpe.size;
	if (refuse_twice(t, j) < 0 || check_added_ids(t, j) < 0)
		return -1;
	t->extra = lu_arena_alloc(&t->arena, (t->size - t->bpe.size + 1) * sizeof(*t->extra));
	t->special = lu_arena_alloc(&t->arena, t->size);
	if (!t->extra || !t->special)
		return lu_err_nomem(j->err);
	memset(t->extra, 0, (t->size - t->bpe.size + 1) * sizeof(*t->extra));
	memset(t->special, 0, t->size);
	for (size_t i = 0; i < t->n_added; i++) {
		struct lu_added *a = &t->added[i];

		if (a->id >= t->bpe.size)
			t->extra[a->id - t->bpe.size] = a->content;
		else if (!t->bpe.piece[a->id].p)
			t->bpe.piece[a->id] = a->content;
		t->special[a->id] |= (uint8_t)(a->special | a->normalized << 1);
	}
	return 0;
}

static int by_lead_and_length(const void *x, const void *y, void *ctx)
{
	const struct lu_added *added = ctx;
	const struct lu_str a = added[*(const uint32_t *)x].find;
	const struct lu_str b = added[*(const uint32_t *)y].find;

	if ((unsigned char)*a.p != (unsigned char)*b.p)
		return (unsigned char)*a.p < (unsigned char)*b.p ? -1 : 1;
	if (a.n != b.n)
		return a.n > b.n ? -1 : 1;
	return memcmp(a.p, b.p, a.n);
}

static int index_added(
		struct lu_tok *t, const struct lu_tj *j, bool normalized, struct lu_added_index *ix)
{
	uint32_t n = 0;

	ix->by_lead = lu_arena_alloc(&t->arena, (t->n_added + 1) * sizeof(*ix->by_lead));
	if (!ix->by_lead)
		return lu_err_nomem(j->err);
	for (size_t i = 0; i < t->n_added; i++) {
		if (t->added[i].normalized != normalized || !t->added[i].find.n)
			continue;
		ix->by_lead[n++] = (uint32_t)i;
		if (t->added[i].find.n > ix->longest)
			ix->longest = t->added[i].find.n;
		ix->any_plain |= !t->added[i].special;
		ix->looks_around |=
				t->added[i].single_word || t->added[i].lstrip || t->added[i].rstrip;
	}
	qsort_r(ix->by_lead, n, sizeof(*ix->by_lead), by_lead_and_length, t->added);
	/* Which of the two Hugging Face finds is random. */
	for (uint32_t i = 1; i < n; i++) {
		const struct lu_added *x = &t->added[ix->by_lead[i - 1]];
		const struct lu_added *y = &t->added[ix->by_lead[i]];

		if (lu_str_eq(x->find, y->find))
			return lu_tj_fail(j,
					"\"" LU_STR_FMT "\" and \"" LU_STR_FMT
					"\" are the same when normalized",
					LU_STR_ARG(x->content), LU_STR_ARG(y->content));
	}
	for (uint32_t b = 0, i = 0; b < 256; b++) {
		ix->start[b] = i;
		while (i < n && (unsigned char)*t->added[ix->by_lead[i]].find.p == b)
			i++;
		ix->start[b + 1] = i;
	}
	ix->any = n > 0;
	return 0;
}

static int read_added_tokens(struct lu_tok *t, const struct lu_tj *j, const struct lu_json_obj *top)
{
	const struct lu_json_member *m = lu_json_get(top, "added_tokens");
	struct lu_json_iter it;
	struct lu_work w = { 0 };
	size_t n = 0;
	int rc = 0;

	if (!is_null(m)) {
		if (m->type != LU_JSON_ARRAY)
			return lu_tj_fail(j, "not an array");
		for (it = lu_json_iter(m->value); lu_json_next(&it);)
			n++;
	}
	t->added = lu_arena_alloc(&t->arena, (n + 1) * sizeof(*t->added));
	if (!t->added)
		return lu_err_nomem(j->err);
	if (n) {
		for (it = lu_json_iter(m->value); rc == 0 && lu_json_next(&it);)
			rc = read_added(t, j, it.value);
	}
	if (rc < 0 || place_added(t, j) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < t->n_added; i++) {
		struct lu_added *a = &t->added[i];

		a->find = a->content;
		if (!a->normalized)
			continue;
		rc = lu_norm_run(&t->parts, t->uni, &w, a->content, &a->find, j->err);
		/* Hugging Face finds nothing between any two characters, and cuts there. */
		if (rc == 0 && a->find.n == 0)
			rc = lu_tj_fail(j, "\"" LU_STR_FMT "\" is normalized to nothing",
					LU_STR_ARG(a->content));
		if (rc == 0) {
			a->find = lu_arena_str(&t->arena, a->find);
			rc = a->find.p ? 0 : lu_err_nomem(j->err);
		}
	}
	lu_work_release(&w);
	if (rc < 0 || index_added(t, j, false, &t->raw) < 0)
		return -1;
	return index_added(t, j, true, &t->normal);
}

/* --- post_processor ----------------------------------------------------------------------- */

static int special_ids(struct lu_tok *t, const struct lu_tj *j, const struct lu_json_obj *post,
		struct lu_str name, struct lu_ids *ids)
{
	const struct lu_json_member *m = lu_json_get(post, "special_tokens");
	struct lu_json_obj all, one;
	struct lu_json_iter it;
	struct lu_str type;

	if (!m || m->type != LU_JSON_OBJECT)
		return lu_tj_fail(j, "TemplateProcessing: no \"special_tokens\" object");
	if (lu_tj_object(j, m->value, &all, &type) < 0)
		return -1;
	for (size_t i = 0; i < all.members; i++) {
		if (!lu_str_eq(all.member[i].key, name))
			continue;
		if (all.member[i].type != LU_JSON_OBJECT ||
				lu_tj_object(j, all.member[i].value, &one, &type) < 0 ||
				lu_tj_array(j, &one, "ids", &it) < 0)
			return lu_tj_fail(j, "TemplateProcessing: \"" LU_STR_FMT "\" has no ids",
					LU_STR_ARG(name));
		while (lu_json_next(&it)) {
			struct lu_json_member v = { .value = it.value, .type = it.type };
			uint64_t id;

			if (!lu_json_u64(&v, &id) || id >= t->size)
				return lu_tj_fail(j,
						"TemplateProcessing: an id of \"" LU_STR_FMT
						"\" is not in the vocabulary",
						LU_STR_ARG(name));
			if (lu_ids_reserve(ids, 1, j->err) < 0)
				return -1;
			ids->p[ids->n++] = (uint32_t)id;
		}
		return 0;
	}
	return lu_tj_fail(j, "TemplateProcessing: \"" LU_STR_FMT "\" is not in special_tokens",
			LU_STR_ARG(name));
}

/* "single": special tokens around one Sequence A. *split: how many ids stand before it. */
static int read_single(struct lu_tok *t, const struct lu_tj *j, const struct lu_json_obj *post,
		struct lu_ids *ids, size_t *split)
{
	struct lu_json_iter it;
	bool seen = false;

	if (lu_tj_array(j, post, "single", &it) < 0)
		return -1;
	while (lu_json_next(&it)) {
		const struct lu_json_member *m;
		struct lu_json_obj item, inner;
		struct lu_str type, name;

		if (it.type != LU_JSON_OBJECT || lu_tj_object(j, it.value, &item, &type) < 0 ||
				item.members != 1 || item.member[0].type != LU_JSON_OBJECT)
			return lu_tj_fail(j, "TemplateProcessing: \"single\" is malformed");
		m = &item.member[0];
		if (lu_tj_object(j, m->value, &inner, &type) < 0 ||
				lu_tj_str(j, &inner, "id", &name) < 0)
			return -1;
		if (lu_str_is(m->key, "SpecialToken")) {
			if (special_ids(t, j, post, name, ids) < 0)
				return -1;
		} else if (lu_str_is(m->key, "Sequence") && lu_str_is(name, "A") && !seen) {
			seen = true;
			*split = ids->n;
		} else {
			return lu_tj_fail(j, "TemplateProcessing: \"single\" is malformed");
		}
	}
	return seen ? 0 : lu_tj_fail(j, "TemplateProcessing: \"single\" has no Sequence A");
}

static int read_template(struct lu_tok *t, const struct lu_tj *j, const struct lu_json_obj *post)
{
	struct lu_ids ids = { 0 };
	size_t split = 0;
	uint32_t *kept;
	int rc = -1;

	if (lu_tj_only(j, post, "single|pair|special_tokens") < 0)
		return -1;
	if (t->post.n_before || t->post.n_after)
		return lu_tj_fail(j, "two TemplateProcessing steps");
	if (read_single(t, j, post, &ids, &split) < 0)
		goto out;
	kept = lu_arena_alloc(&t->arena, (ids.n + 1) * sizeof(*kept));
	if (!kept) {
		lu_err_nomem(j->err);
		goto out;
	}
	if (ids.n)
		memcpy(kept, ids.p, ids.n * sizeof(*kept));
	t->post = (struct lu_tok_template){ kept, kept + split, split, ids.n - split };
	rc = 0;
out:
	lu_ids_release(&ids);
	return rc;
}

static int read_post(struct lu_tok *t, const struct lu_tj *j, struct lu_str raw, int depth)
{
	struct lu_json_obj post;
	struct lu_json_iter it;
	struct lu_str type;

	if (*raw.p != '{')
		return lu_tj_fail(j, "a component is not an object");
	if (lu_tj_object(j, raw, &post, &type) < 0)
		return -1;
	/* ByteLevel only moves offsets, which nobody asks us for. */
	if (lu_str_is(type, "ByteLevel"))
		return lu_tj_only(j, &post, "add_prefix_space|trim_offsets|use_regex");
	if (lu_str_is(type, "TemplateProcessing"))
		return read_template(t, j, &post);
	if (!lu_str_is(type, "Sequence") || depth > 0)
		return lu_tj_fail(j, "\"" LU_STR_FMT "\" is not supported", LU_STR_ARG(type));
	if (lu_tj_only(j, &post, "processors") < 0 || lu_tj_array(j, &post, "processors", &it) < 0)
		return -1;
	while (lu_json_next(&it)) {
		if (read_post(t, j, it.value, depth + 1) < 0)
			return -1;
	}
	return 0;
}

/* --- the whole ---------------------------------------------------------------------------- */

static void find_roles(struct lu_tok *t)
{
	static const char *const names[4][8] = {
		{ "<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "[BOS]", "<|bos|>" },
		{ "</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>", "[EOS]", "<|eos|>" },
		{ "<unk>", "[UNK]", "<|unk|>" },
		{ "<pad>", "[PAD]", "<|pad|>", "<|finetune_right_pad_id|>" },
	};

	for (int r = 0; r < 4; r++) {
		t->role[r] = LU_BPE_NONE;
		for (int k = 0; names[r][k] && t->role[r] == LU_BPE_NONE; k++) {
			uint32_t id;

			if (lu_tok_id(t, lu_str_of(names[r][k]), &id) && lu_tok_is_special(t, id))
				t->role[r] = id;
		}
	}
}

static struct lu_str raw_member(const struct lu_json_obj *top, const char *key)
{
	const struct lu_json_member *m = lu_json_get(top, key);

	return m ? m->value : LU_STR("null");
}

static int read_top(struct lu_tok *t, const struct lu_json_obj *top, struct lu_tj *j)
{
	struct lu_str version = { "", 0 }, post = raw_member(top, "post_processor");

	j->part = "tokenizer";
	if (lu_tj_str(j, top, "version", &version) < 0)
		return -1;
	if (!lu_str_is(version, "1.0"))
		return lu_tj_fail(j, "version \"" LU_STR_FMT "\" is not supported",
				LU_STR_ARG(version));
	if (lu_tj_only(j, top,
			    "version|truncation|padding|added_tokens|normalizer|pre_tokenizer|"
			    "post_processor|decoder|model") < 0)
		return -1;
	/* Padding fills batches and leaves the ids of a text alone; truncation does not. */
	if (!is_null(lu_json_get(top, "truncation")))
		return lu_tj_fail(j, "\"truncation\" is not supported");
	j->part = "normalizer";
	if (lu_parts_normalizer(j, raw_member(top, "normalizer"), t->uni, &t->parts) < 0)
		return -1;
	j->part = "pre_tokenizer";
	if (lu_parts_pre_tokenizer(j, raw_member(top, "pre_tokenizer"), &t->parts) < 0)
		return -1;
	for (size_t i = 0; i < t->parts.pres; i++) {
		if (t->parts.pre[i].regex == LU_SPLIT_O200K &&
				lu_frozen_load_case(t->uni, j->err) < 0)
			return -1;
	}
	j->part = "decoder";
	if (lu_parts_decoder(j, raw_member(top, "decoder"), &t->parts) < 0)
		return -1;
	j->part = "model";
	if (read_model(t, j, raw_member(top, "model")) < 0)
		return -1;
	j->part = "added_tokens";
	if (read_added_tokens(t, j, top) < 0)
		return -1;
	j->part = "pre_tokenizer";
	if (lu_tok_refuse_first(t, j) < 0)
		return -1;
	j->part = "post_processor";
	if (!lu_str_is(post, "null") && read_post(t, j, post, 0) < 0)
		return -1;
	find_roles(t);
	t->blocks = lu_pre_cuts_words(&t->parts);
	t->regex = lu_pre_only_regex(&t->parts);
	return lu_spell_make(&t->spell, t, &t->arena, j->err);
}

int lu_tok_parse(struct lu_tok **tok, const char *name, struct lu_str json, struct lu_err *err)
{
	struct lu_tok *t = calloc(1, sizeof(*t));
	struct lu_arena scratch = { 0 };
	struct lu_tj j = { .file = name, .part = "tokenizer", .err = err };
	struct lu_json_obj top;
	struct lu_json_fault fault;
	int rc = -1;

	*tok = NULL;
	if (!t)
		return lu_err_nomem(err);
	/* Steps keep strings of the file, so all that is read goes to the model's arena, and so
	 * does a copy of the text itself: it is what their slices point into. */
	j.arena = &t->arena;
	t->hash = lu_hash128(json.p, json.n);
	json = lu_arena_str(&t->arena, json);
	if (!json.p) {
		lu_err_nomem(err);
		goto out;
	}
	if (lu_json_object(json, &scratch, &top, &fault) < 0) {
		lu_err_set(err, "%s: byte %zu: %s", name, fault.at, lu_json_fault_text(fault.kind));
		goto out;
	}
	if (lu_frozen_new(&t->uni, err) < 0)
		goto out;
	rc = read_top(t, &top, &j);
out:
	lu_arena_release(&scratch);
	if (rc < 0)
		lu_tok_free(t);
	else
		*tok = t;
	return rc;
}

int lu_tok_load(struct lu_tok **tok, const char *path, struct lu_err *err)
{
	char *text;
	size_t n;
	int rc;

	*tok = NULL;
	if (lu_read_file(path, FILE_MAX, &text, &n, err) < 0)
		return -1;
	rc = lu_tok_parse(tok, path, (struct lu_str){ text, n }, err);
	free(text);
	return rc;
}

void lu_tok_free(struct lu_tok *t)
{
	if (!t)
		return;
	lu_frozen_free(t->uni);
	lu_bpe_release(&t->bpe);
	lu_arena_release(&t->arena);
	free(t);
}

uint32_t lu_tok_size(const struct lu_tok *t)
{
	return t->size;
}

bool lu_tok_id(const struct lu_tok *t, struct lu_str piece, uint32_t *id)
{
	if (lu_bpe_find(&t->bpe, piece, id))
		return true;
	for (size_t i = 0; i < t->n_added; i++) {
		if (lu_str_eq(t->added[i].content, piece)) {
			*id = t->added[i].id;
			return true;
		}
	}
	return false;
}

struct lu_str lu_tok_piece(const struct lu_tok *t, uint32_t id)
{
	if (id < t->bpe.size)
		return t->bpe.piece[id];
	return id < t->size ? t->extra[id - t->bpe.size] : (struct lu_str){ NULL, 0 };
}

bool lu_tok_is_special(const struct lu_tok *t, uint32_t id)
{
	return id < t->size && (t->special[id] & 1);
}

bool lu_tok_role(const struct lu_tok *t, enum lu_tok_role role, uint32_t *id)
{
	*id = t->role[role];
	return *id != LU_BPE_NONE;
}

struct lu_tok_template lu_tok_template(const struct lu_tok *t)
{
	return t->post;
}

struct lu_hash128 lu_tok_hash(const struct lu_tok *t)
{
	return t->hash;
}
