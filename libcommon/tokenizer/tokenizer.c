/* The parts of tokenizer.h that loading, encoding and decoding share. */
#include "libcommon/tokenizer/tokenizer.h"

#include <stdlib.h>

#include "libcommon/tokenizer/tokenizer_internal.h"

int lu_ids_reserve(struct lu_ids *ids, size_t more, struct lu_err *err)
{
	return lu_vec_reserve(ids, more) ? 0 : lu_err_nomem(err);
}

void lu_ids_release(struct lu_ids *ids)
{
	lu_vec_release(ids);
}

void lu_tok_free(struct lu_tok *tok)
{
	if (!tok)
		return;
	lu_frozen_free(tok->unicode);
	lu_bpe_release(&tok->bpe);
	lu_arena_release(&tok->arena);
	free(tok);
}

uint32_t lu_tok_size(const struct lu_tok *tok)
{
	return tok->size;
}

bool lu_tok_id(const struct lu_tok *tok, struct lu_str piece, uint32_t *id)
{
	if (lu_bpe_find(&tok->bpe, piece, id))
		return true;
	for (size_t i = 0; i < tok->n_added; i++) {
		if (lu_str_eq(tok->added[i].content, piece)) {
			*id = tok->added[i].id;
			return true;
		}
	}
	return false;
}

struct lu_str lu_tok_piece(const struct lu_tok *tok, uint32_t id)
{
	if (id < tok->bpe.size)
		return tok->bpe.piece[id];
	return id < tok->size ? tok->extra_piece[id - tok->bpe.size] : (struct lu_str){ NULL, 0 };
}

struct lu_str lu_tok_spelling(const struct lu_tok *tok, uint32_t id)
{
	bool normalized = id < tok->size && (tok->id_flags[id] & LU_ID_NORMALIZED);

	for (size_t i = 0; normalized && i < tok->n_added; i++) {
		if (tok->added[i].id == id)
			return tok->added[i].needle;
	}
	return lu_tok_piece(tok, id);
}

bool lu_tok_is_special(const struct lu_tok *tok, uint32_t id)
{
	return id < tok->size && (tok->id_flags[id] & LU_ID_SPECIAL);
}

bool lu_tok_role(const struct lu_tok *tok, enum lu_tok_role role, uint32_t *id)
{
	*id = tok->role[role];
	return *id != LU_BPE_NONE;
}

struct lu_tok_template lu_tok_template(const struct lu_tok *tok)
{
	return tok->post;
}

struct lu_hash128 lu_tok_hash(const struct lu_tok *tok)
{
	return tok->hash;
}
