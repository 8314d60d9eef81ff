#ifndef LUCIE_CHAT_CHAT_ENCODE_H
#define LUCIE_CHAT_CHAT_ENCODE_H
/*
 * A rendered conversation as token ids, and which of them are trained.
 *
 *	struct lu_chat_encoder e = { .tok = tok, .st = lu_tok_state_new(tok) };
 *	lu_chat_encode(&e, &text, spans.p, spans.n, &ids, &mask, &err);
 *
 * The ids are those of the whole text, as transformers encodes it, but for one thing: a special token
 * counts as one only where the template has written it. The characters of one in a message, a tool or
 * a variable are ordinary text, as in documents (LU_TOK_SPECIAL_TEXT), also where a template has
 * joined them from several strings.
 *
 * A token is a target if it has a byte of an answer: a token that spans the border of an answer is
 * one, as in transformers' assistant masks.
 *
 * No beginning or end token is added: the template writes them.
 */
#include "libcommon/chat/chat.h"
#include "libcommon/tokenizer/tokenizer.h"

struct lu_chat_mask LU_VEC(uint8_t);

struct lu_chat_encoder {
	const struct lu_tok *tok;
	struct lu_tok_state *st;
	/* Private. */
	struct lu_ids part;
	struct lu_buf text;
};

/* Append to ids, and to mask, a byte for each id; mask may be NULL. */
int lu_chat_encode(struct lu_chat_encoder *e, const struct lu_chat_text *text,
		const struct lu_chat_span *answer, size_t answers, struct lu_ids *ids,
		struct lu_chat_mask *mask, struct lu_err *err) LU_CHECKED;
void lu_chat_encoder_release(struct lu_chat_encoder *e); /* not tok and st */

#endif
