#include "libcommon/shard/encoded.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/chat/messages.h"
#include "libcommon/shard/format.h"
#include "libcommon/shard/from_doc.h"

/* --- setting up --------------------------------------------------------------------------- */

static int load_tokenizer(struct lu_encoded *e, struct lu_shard_format *f, struct lu_err *err)
{
	const struct lu_encoded_how *how = &e->how;

	if (lu_tok_load(&e->tok, how->tokenizer, err) < 0)
		return -1;
	if (!f->vocab)
		f->vocab = lu_tok_size(e->tok);
	if (f->vocab < lu_tok_size(e->tok))
		return lu_err_set(err, "%s: has %u ids, more than --vocab-size", how->tokenizer,
				lu_tok_size(e->tok));
	f->has_tokenizer = true;
	f->tokenizer = lu_tok_hash(e->tok);
	if (how->add && lu_marks_parse(&e->marks, e->tok, how->add, false, err) < 0)
		return lu_err_wrap(err, "%s: --add %s", how->tokenizer, how->add);
	f->has_bos = e->marks.before.n > 0;
	f->has_eos = e->marks.after.n > 0;
	if (f->has_bos)
		f->bos = e->marks.before.p[0];
	if (f->has_eos)
		f->eos = e->marks.after.p[0];
	return 0;
}

/* Where tokenizer_config.json adds tokens that tokenizer.json does not have, the template's control
 * tokens would be encoded as text. */
static int check_added(const struct lu_encoded *e, struct lu_err *err)
{
	for (size_t i = 0; i < e->chat.added.n; i++) {
		const struct lu_chat_added *a = &e->chat.added.p[i];
		uint32_t id;

		if (lu_tok_id(e->tok, a->content, &id) && id == a->id &&
				lu_tok_is_special(e->tok, id) == a->special)
			continue;
		return lu_err_set(err,
				"%s: adds the token '" LU_STR_FMT "' as %" PRIu32
				", and %s does not have it as such; both must be of one tokenizer",
				e->chat.config_file, LU_STR_ARG(a->content), a->id,
				e->how.tokenizer);
	}
	return 0;
}

/* Nor must what a template writes for bos_token be letters. */
static int check_named(const struct lu_encoded *e, struct lu_err *err)
{
	const struct {
		const char *name;
		struct lu_str token;
	} named[] = { { "bos_token", e->chat.bos }, { "eos_token", e->chat.eos },
		{ "unk_token", e->chat.unk }, { "pad_token", e->chat.pad } };

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		uint32_t id;

		if (named[i].token.n && !lu_tok_id(e->tok, named[i].token, &id))
			return lu_err_set(err,
					"%s: %s is '" LU_STR_FMT "', which %s does not have; both "
					"must be of one tokenizer",
					e->chat.config_file, named[i].name,
					LU_STR_ARG(named[i].token), e->how.tokenizer);
	}
	return 0;
}

static int load_chat(struct lu_encoded *e, struct lu_shard_format *f, struct lu_err *err)
{
	f->kind = e->how.preference ? "preference" : "chat";
	for (uint32_t id = 0; id < lu_tok_size(e->tok); id++) {
		if (lu_tok_is_special(e->tok, id) &&
				!lu_vec_push(&e->special, lu_tok_piece(e->tok, id)))
			return lu_err_nomem(err);
	}
	if (lu_chat_config_read(&e->chat, e->how.tokenizer, e->how.chat_template, err) < 0)
		return -1;
	return check_added(e, err) < 0 ? -1 : check_named(e, err);
}

int lu_encoded_open(struct lu_encoded *e, const struct lu_encoded_how *how,
		struct lu_shard_format *f, struct lu_err *err)
{
	*e = (struct lu_encoded){ .how = *how };
	if (how->tokenizer && load_tokenizer(e, f, err) < 0)
		return -1;
	if ((how->chat || how->preference) && load_chat(e, f, err) < 0)
		return -1;
	e->vocab = f->vocab;
	e->width = lu_idx_width_for(f->vocab);
	return 0;
}

void lu_encoded_close(struct lu_encoded *e)
{
	lu_chat_config_release(&e->chat);
	lu_vec_release(&e->special);
	lu_marks_release(&e->marks);
	lu_tok_free(e->tok);
	e->tok = NULL;
}

int lu_encoded_state_init(
		const struct lu_encoded *e, struct lu_encoded_state *s, struct lu_err *err)
{
	if (!e->tok)
		return 0;
	s->tok = lu_tok_state_new(e->tok);
	s->encoder.tok = e->tok;
	s->encoder.st = s->tok;
	return s->tok ? 0 : lu_err_nomem(err);
}

void lu_encoded_state_release(struct lu_encoded_state *s)
{
	lu_chat_encoder_release(&s->encoder);
	lu_chat_text_release(&s->text);
	lu_vec_release(&s->answers);
	lu_vec_release(&s->mask);
	lu_ids_release(&s->ids);
	lu_tok_state_free(s->tok);
}

void lu_encoded_template_hash(const struct lu_encoded *e, char out[33])
{
	lu_hash128_text(lu_hash128(e->chat.text.p, e->chat.text.n), out);
}

/* --- texts -------------------------------------------------------------------------------- */

/* The ids of the document, without those that begin and end it, unless the record is bad. */
static int collect_ids(const struct lu_encoded *e, struct lu_encoded_state *s, struct lu_doc *doc,
		struct lu_err *err)
{
	struct lu_ids *ids = &s->ids;
	const char *doubled = NULL;
	uint32_t id;
	int rc;

	ids->n = 0;
	rc = e->how.ids ? lu_from_doc_ids(doc, e->vocab, ids, err)
			: lu_tok_encode(e->tok, s->tok, doc->text, LU_TOK_SPECIAL_TEXT, ids, err);
	if (rc < 0 || doc->verdict == LU_BAD)
		return rc;
	if (ids->n && !e->how.allow_doubled)
		doubled = lu_marks_doubled(&e->marks, ids->p[0], ids->p[ids->n - 1], &id);
	return doubled ? lu_doc_bad_value(doc, doubled, lu_doc_printf(doc, "%" PRIu32, id)) : 0;
}

/* Pack the ids, with the marks around them, and name them in the ledger. */
static int make_item(const struct lu_encoded *e, struct lu_encoded_state *s, struct lu_doc *doc,
		uint64_t bytes, struct lu_encoded_item *item, struct lu_err *err)
{
	const struct lu_ids *run[] = { &e->marks.before, &s->ids, &e->marks.after };
	size_t tokens = e->marks.before.n + s->ids.n + e->marks.after.n;

	if (tokens > LU_IDX_MAX_LENGTH)
		return lu_doc_bad(doc, "more than 2147483647 tokens");
	*item = (struct lu_encoded_item){ .entry = { .tokens = tokens, .bytes = bytes } };
	if (lu_from_doc_pack(doc, e->width, run, 3, &item->packed, err) < 0)
		return -1;
	return lu_from_doc_members(&item->entry, doc, err);
}

/* --- conversations ------------------------------------------------------------------------ */

/* True if the answer has a byte of a message behind the prompt. */
static bool is_compared(const struct lu_chat_text *t, const struct lu_chat_span *s, size_t prompt)
{
	for (size_t i = 0; i < t->run.n; i++) {
		size_t from = i ? t->run.p[i - 1].to : 0;

		if (t->run.p[i].to > s->from && from < s->to && t->run.p[i].origin > prompt)
			return true;
	}
	return false;
}

/* Of a preference only the answers that are compared are trained: those behind the prompt. */
static void keep_compared(struct lu_encoded_state *s, size_t prompt)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->answers.n; i++) {
		if (is_compared(&s->text, &s->answers.p[i], prompt))
			s->answers.p[kept++] = s->answers.p[i];
	}
	s->answers.n = kept;
}

/* Drop a document for what the template says. */
static int drop(struct lu_doc *doc, struct lu_err *err)
{
	struct lu_str why;

	if (err->errnum)
		return -1;
	why = lu_doc_quote(doc, lu_str_of(err->msg));
	return why.p ? lu_doc_drop(doc, "the chat template does not take it", &why)
		     : lu_err_nomem(err);
}

static int encode_chat(const struct lu_encoded *e, struct lu_encoded_state *s, struct lu_doc *doc,
		const struct lu_chat_record *r, struct lu_encoded_item *item, struct lu_err *err)
{
	struct lu_chat_input in = { .messages = r->messages, .tools = r->tools };
	struct lu_chat_special special = { e->special.p, e->special.n };
	struct lu_str mask;

	if (r->answers == 0)
		return lu_doc_drop(doc, "no answer of the assistant", NULL);
	if (r->empty)
		return lu_doc_drop(doc, "an answer is empty", NULL);
	lu_chat_config_fill(&e->chat, &in);
	if (e->how.chat_date)
		in.date = lu_str_of(e->how.chat_date);
	if (lu_chat_answers(e->chat.chat, &in, &special, &s->text, &s->answers, err) < 0)
		return drop(doc, err);
	if (e->how.preference)
		keep_compared(s, r->prompt);
	s->ids.n = s->mask.n = 0;
	if (lu_chat_encode(&s->encoder, &s->text, s->answers.p, s->answers.n, &s->ids, &s->mask,
			    err) < 0)
		return -1;
	if (!s->mask.n || !memchr(s->mask.p, 1, s->mask.n))
		return lu_doc_drop(doc, "no token of an answer", NULL);
	if (make_item(e, s, doc, s->text.bytes.n, item, err) < 0)
		return -1;
	mask = lu_arena_str(doc->arena, (struct lu_str){ (char *)s->mask.p, s->mask.n });
	item->mask = (const uint8_t *)mask.p;
	return mask.p ? 0 : lu_err_nomem(err);
}

static int encode_record(const struct lu_encoded *e, struct lu_encoded_state *s, struct lu_doc *doc,
		struct lu_encoded_item item[2], size_t *n, struct lu_err *err)
{
	struct lu_chat_record r[2];
	const char *reason;
	struct lu_str value;
	int rc;

	*n = e->how.preference ? 2 : 1;
	rc = e->how.preference
			? lu_chat_preference_read(
					  &doc->obj, doc->arena, &r[0], &r[1], &reason, &value, err)
			: lu_chat_record_read(&doc->obj, doc->arena, &r[0], &reason, &value, err);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return value.p ? lu_doc_bad_value(doc, reason, value) : lu_doc_bad(doc, reason);
	/* What it is held out by, where the record has no text. */
	doc->text = r[0].messages;
	for (size_t i = 0; i < *n && doc->verdict == LU_KEEP; i++) {
		if (encode_chat(e, s, doc, &r[i], &item[i], err) < 0)
			return -1;
	}
	return 0;
}

int lu_encoded_doc(const struct lu_encoded *e, struct lu_encoded_state *s, struct lu_doc *doc,
		struct lu_encoded_item item[2], size_t *n, struct lu_err *err)
{
	if (e->how.chat || e->how.preference)
		return encode_record(e, s, doc, item, n, err);
	*n = 1;
	if (collect_ids(e, s, doc, err) < 0)
		return -1;
	if (doc->verdict == LU_BAD)
		return 0;
	if (s->ids.n == 0 && !e->how.keep_empty)
		return lu_doc_drop(
				doc, doc->text.n || e->how.ids ? "no tokens" : "empty text", NULL);
	return make_item(e, s, doc, doc->text.n, item, err);
}
