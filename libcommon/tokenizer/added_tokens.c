#include "libcommon/tokenizer/added_tokens.h"

#include <stdlib.h>

#include "libcommon/tokenizer/normalizer.h"
#include "libcommon/tokenizer/tokenizer_internal.h"

static int read_token(struct lu_tok *tok, const struct lu_component_reader *r, struct lu_str raw)
{
	struct lu_added_token *a = &tok->added[tok->n_added];
	struct lu_json_obj obj;
	struct lu_str type;
	uint64_t id;

	if (*raw.p != '{')
		return lu_component_fail(r, "an entry is not an object");
	*a = (struct lu_added_token){ 0 };
	if (lu_component_object(r, raw, &obj, &type) < 0 ||
			lu_component_check_keys(r, &obj,
					"id|content|single_word|lstrip|rstrip|normalized|special") <
					0 ||
			lu_component_u64(r, &obj, "id", LU_TOK_MAX_ID, &id) < 0 ||
			lu_component_str(r, &obj, "content", &a->content) < 0 ||
			lu_component_bool(r, &obj, "special", &a->special) < 0 ||
			lu_component_bool(r, &obj, "single_word", &a->single_word) < 0 ||
			lu_component_bool(r, &obj, "lstrip", &a->lstrip) < 0 ||
			lu_component_bool(r, &obj, "rstrip", &a->rstrip) < 0)
		return -1;
	a->normalized = !a->special;
	if (lu_component_bool(r, &obj, "normalized", &a->normalized) < 0)
		return -1;
	if (a->content.n == 0)
		return 0;
	a->id = (uint32_t)id;
	tok->n_added++;
	return 0;
}

/* --- ids ---------------------------------------------------------------------------------- */

static int by_bytes(const void *x, const void *y)
{
	return lu_str_cmp(*(const struct lu_str *)x, *(const struct lu_str *)y);
}

static int refuse_duplicates(struct lu_tok *tok, const struct lu_component_reader *r)
{
	struct lu_str *sorted = lu_arena_alloc(&tok->arena, (tok->n_added + 1) * sizeof(*sorted));

	if (!sorted)
		return lu_err_nomem(r->err);
	for (size_t i = 0; i < tok->n_added; i++)
		sorted[i] = tok->added[i].content;
	qsort(sorted, tok->n_added, sizeof(*sorted), by_bytes);
	for (size_t i = 1; i < tok->n_added; i++) {
		if (lu_str_eq(sorted[i], sorted[i - 1]))
			return lu_component_fail(r, "\"" LU_STR_FMT "\" occurs twice",
					LU_STR_ARG(sorted[i]));
	}
	return 0;
}

/* Hugging Face ignores the id of a token that is not in the vocabulary and gives it the next free
 * one. Refuse files that say otherwise. */
static int check_ids(struct lu_tok *tok, const struct lu_component_reader *r)
{
	uint32_t next = tok->bpe.pieces, largest = 0;
	bool any = false;

	for (size_t i = 0; i < tok->n_added; i++) {
		const struct lu_added_token *a = &tok->added[i];
		uint32_t id;

		if (!lu_bpe_find(&tok->bpe, a->content, &id))
			id = any && largest + 1 > next ? largest + 1 : next;
		if (id != a->id)
			return lu_component_fail(r,
					"\"" LU_STR_FMT "\" has the id %u and would get %u",
					LU_STR_ARG(a->content), a->id, id);
		largest = id > largest || !any ? id : largest;
		any = true;
	}
	if (any && largest + 1 > tok->size)
		tok->size = largest + 1;
	return 0;
}

static int assign_ids(struct lu_tok *tok, const struct lu_component_reader *r)
{
	size_t extra;

	tok->size = tok->bpe.size;
	if (refuse_duplicates(tok, r) < 0 || check_ids(tok, r) < 0)
		return -1;
	extra = tok->size - tok->bpe.size + 1;
	tok->extra_piece = lu_arena_alloc(&tok->arena, extra * sizeof(*tok->extra_piece));
	tok->id_flags = lu_arena_alloc(&tok->arena, tok->size);
	if (!tok->extra_piece || !tok->id_flags)
		return lu_err_nomem(r->err);
	memset(tok->extra_piece, 0, extra * sizeof(*tok->extra_piece));
	memset(tok->id_flags, 0, tok->size);
	for (size_t i = 0; i < tok->n_added; i++) {
		struct lu_added_token *a = &tok->added[i];

		if (a->id >= tok->bpe.size)
			tok->extra_piece[a->id - tok->bpe.size] = a->content;
		else if (!tok->bpe.piece[a->id].p)
			tok->bpe.piece[a->id] = a->content;
		tok->id_flags[a->id] |= (uint8_t)((a->special ? LU_ID_SPECIAL : 0) |
				(a->normalized ? LU_ID_NORMALIZED : 0));
	}
	return 0;
}

/* --- searching ---------------------------------------------------------------------------- */

static int find_needles(struct lu_tok *tok, const struct lu_component_reader *r)
{
	struct lu_step_buffers w = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < tok->n_added; i++) {
		struct lu_added_token *a = &tok->added[i];

		a->needle = a->content;
		if (!a->normalized)
			continue;
		rc = lu_norm_run(
				&tok->components, tok->unicode, &w, a->content, &a->needle, r->err);
		/* Hugging Face would find it between any two characters and split there. */
		if (rc == 0 && a->needle.n == 0)
			rc = lu_component_fail(r, "\"" LU_STR_FMT "\" is normalized to nothing",
					LU_STR_ARG(a->content));
		if (rc == 0) {
			a->needle = lu_arena_str(&tok->arena, a->needle);
			rc = a->needle.p ? 0 : lu_err_nomem(r->err);
		}
	}
	lu_step_buffers_release(&w);
	return rc;
}

static int by_lead_and_length(const void *x, const void *y, void *ctx)
{
	const struct lu_added_token *added = ctx;
	const struct lu_str a = added[*(const uint32_t *)x].needle;
	const struct lu_str b = added[*(const uint32_t *)y].needle;

	if ((unsigned char)*a.p != (unsigned char)*b.p)
		return (unsigned char)*a.p < (unsigned char)*b.p ? -1 : 1;
	if (a.n != b.n)
		return a.n > b.n ? -1 : 1;
	return memcmp(a.p, b.p, a.n);
}

static int build_index(struct lu_tok *tok, const struct lu_component_reader *r, bool normalized,
		struct lu_added_index *ix)
{
	uint32_t n = 0;

	ix->by_lead = lu_arena_alloc(&tok->arena, (tok->n_added + 1) * sizeof(*ix->by_lead));
	if (!ix->by_lead)
		return lu_err_nomem(r->err);
	for (size_t i = 0; i < tok->n_added; i++) {
		const struct lu_added_token *a = &tok->added[i];

		if (a->normalized != normalized)
			continue;
		ix->by_lead[n++] = (uint32_t)i;
		if (a->needle.n > ix->longest)
			ix->longest = a->needle.n;
		ix->any_ordinary |= !a->special;
		ix->depends_on_context |= a->single_word || a->lstrip || a->rstrip;
	}
	qsort_r(ix->by_lead, n, sizeof(*ix->by_lead), by_lead_and_length, tok->added);
	/* Hugging Face would find either of two such tokens, at random. */
	for (uint32_t i = 1; i < n; i++) {
		const struct lu_added_token *x = &tok->added[ix->by_lead[i - 1]];
		const struct lu_added_token *y = &tok->added[ix->by_lead[i]];

		if (lu_str_eq(x->needle, y->needle))
			return lu_component_fail(r,
					"\"" LU_STR_FMT "\" and \"" LU_STR_FMT
					"\" are the same when normalized",
					LU_STR_ARG(x->content), LU_STR_ARG(y->content));
	}
	for (uint32_t lead = 0, i = 0; lead < 256; lead++) {
		ix->start[lead] = i;
		while (i < n && (unsigned char)*tok->added[ix->by_lead[i]].needle.p == lead)
			i++;
		ix->start[lead + 1] = i;
	}
	ix->any = n > 0;
	return 0;
}

int lu_added_tokens_read(struct lu_tok *tok, const struct lu_component_reader *r,
		const struct lu_json_obj *file)
{
	const struct lu_json_member *m = lu_json_get(file, "added_tokens");
	struct lu_json_iter it = { 0 };
	size_t n = 0;

	if (m && m->type != LU_JSON_NULL) {
		if (m->type != LU_JSON_ARRAY)
			return lu_component_fail(r, "not an array");
		for (it = lu_json_iter(m->value); lu_json_next(&it);)
			n++;
		it = lu_json_iter(m->value);
	}
	tok->added = lu_arena_alloc(&tok->arena, (n + 1) * sizeof(*tok->added));
	if (!tok->added)
		return lu_err_nomem(r->err);
	while (n && lu_json_next(&it)) {
		if (read_token(tok, r, it.value) < 0)
			return -1;
	}
	if (assign_ids(tok, r) < 0 || find_needles(tok, r) < 0 ||
			build_index(tok, r, false, &tok->raw_index) < 0)
		return -1;
	return build_index(tok, r, true, &tok->normalized_index);
}
