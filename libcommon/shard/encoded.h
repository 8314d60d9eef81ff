#ifndef LUCIE_SHARD_ENCODED_H
#define LUCIE_SHARD_ENCODED_H
/*
 * From documents to what a shard holds of them: ids of a text, ids that the record has, a conversation
 * with its mask, or a preference, which makes two documents.
 *
 *	struct lu_encoded_how how = { .tokenizer = "tokenizer.json", .add = "bos,eos" };
 *	struct lu_encoded e;
 *	struct lu_shard_format f = { .vocab = 0 };
 *	lu_encoded_open(&e, &how, &f, &err);		sets tokenizer, vocabulary, marks and kind of f
 *	lu_encoded_state_init(&e, &state, &err);	for each thread
 *	lu_encoded_doc(&e, &state, doc, item, &n, &err);	unless doc->verdict is set then
 *	lu_encoded_state_release(&state);
 *	lu_encoded_close(&e);
 *
 * Conversations and preferences are read by chat/messages.h, rendered by the tokenizer's chat template
 * and encoded by chat/chat_encode.h. Dropped, and counted by reason: conversations without an answer
 * or with an empty one, those that the template refuses, those whose answers cannot be told apart.
 */
#include "libcommon/chat/answers.h"
#include "libcommon/chat/chat_config.h"
#include "libcommon/chat/chat_encode.h"
#include "libcommon/par/docstream.h"
#include "libcommon/shard/writer.h"
#include "libcommon/tokenizer/marks.h"

struct lu_encoded_how {
	const char *tokenizer;	   /* NULL: only with `ids` */
	const char *chat_template; /* file; NULL: the tokenizer's */
	const char *chat_date;	   /* for strftime_now(); NULL: it is not there */
	const char *add;	   /* of lu_marks_parse(); NULL: nothing */
	bool ids, chat, preference;
	bool keep_empty, allow_doubled;
};

struct lu_encoded {
	struct lu_encoded_how how;
	struct lu_tok *tok;
	struct lu_marks marks;
	uint64_t vocab;
	unsigned width;
	struct lu_chat_config chat;
	struct LU_VEC(struct lu_str) special; /* spellings of the special tokens */
};

struct lu_encoded_state {
	struct lu_tok_state *tok;
	struct lu_ids ids;
	struct lu_chat_encoder encoder;
	struct lu_chat_text text;
	struct lu_chat_spans answers;
	struct lu_chat_mask mask;
};

/* A document of the shard; all of it lives as long as the record. */
struct lu_encoded_item {
	struct lu_ledger_doc entry;
	void *packed;
	const uint8_t *mask; /* NULL: text */
};

/* f->vocab is the least size of the vocabulary, or 0. */
int lu_encoded_open(struct lu_encoded *e, const struct lu_encoded_how *how,
		struct lu_shard_format *f, struct lu_err *err) LU_CHECKED;
void lu_encoded_close(struct lu_encoded *e);
int lu_encoded_state_init(const struct lu_encoded *e, struct lu_encoded_state *s,
		struct lu_err *err) LU_CHECKED;
void lu_encoded_state_release(struct lu_encoded_state *s);

/* Sets item[0], of a preference item[1] too, and their number; or the document's verdict. */
int lu_encoded_doc(const struct lu_encoded *e, struct lu_encoded_state *s, struct lu_doc *doc,
		struct lu_encoded_item item[2], size_t *n, struct lu_err *err) LU_CHECKED;

/* The first <|name|> that the chat template spells out and that is no special token, so that it is
 * encoded as ordinary text; NULL: there is none. */
struct lu_str lu_encoded_plain_control(const struct lu_encoded *e);

/* XXH3-128 of the chat template, for the manifest. */
void lu_encoded_template_hash(const struct lu_encoded *e, char out[33]);

#endif
