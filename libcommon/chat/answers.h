#ifndef LUCIE_CHAT_ANSWERS_H
#define LUCIE_CHAT_ANSWERS_H
/*
 * The answers of the assistant in a rendered conversation: what a model is trained to write.
 *
 *	struct lu_chat_special s = { .mark = spellings, .n = n };	the tokenizer's special tokens
 *	lu_chat_answers(chat, &in, &s, &text, &spans, &err);
 *
 * Where the template has {% generation %} blocks, these are the answers. Elsewhere the rule is, for
 * each message i of the role "assistant":
 *
 *	It begins where the rendering of the messages before it, with the generation prompt, ends. That
 *	rendering must be the beginning of the whole. If only white space stands between the last special
 *	token of that prompt and its end, it belongs to the answer: Llama's and Lucie's two line feeds
 *	after <|end_header_id|>.
 *
 *	It ends where its last byte and what the template writes behind it end. What that is, the
 *	rendering of the messages up to i tells; it must stand in the whole as well, or at least a part
 *	that ends with a special token, since some templates close the whole text. It is cut after its
 *	last special token: <|eot_id|> belongs to the answer, a line feed after <|im_end|> does not.
 *
 * A conversation for which that does not hold (a template that renders a message otherwise when others
 * follow) is an error with errnum 0, in a sentence that says which answer. The check is made for each
 * conversation: no answer is guessed.
 *
 * That takes two renderings for each answer. They end with an error after LU_CHAT_ANSWER_STEPS steps in
 * all, which is some thousand messages.
 */
#include "libcommon/chat/chat.h"

#define LU_CHAT_ANSWER_STEPS (5 * (uint64_t)LU_CHAT_STEPS)

struct lu_chat_special {
	const struct lu_str *mark; /* spellings of the special tokens */
	size_t n;
};

/* Render, and find the answers, in order and without overlap; none where there are none. */
int lu_chat_answers(const struct lu_chat *c, const struct lu_chat_input *in,
		const struct lu_chat_special *special, struct lu_chat_text *out,
		struct lu_chat_spans *spans, struct lu_err *err) LU_CHECKED;

#endif
