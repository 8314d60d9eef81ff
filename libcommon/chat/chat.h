#ifndef LUCIE_CHAT_CHAT_H
#define LUCIE_CHAT_CHAT_H
/*
 * Chat templates: from the messages of a conversation to the text that a model reads, byte for byte
 * as transformers' apply_chat_template() renders it, for the subset of Jinja that lucie-chat(7)
 * states. A template outside the subset is refused by the name and line of what it uses.
 *
 *	struct lu_chat *chat;
 *	struct lu_chat_text text = { 0 };
 *	struct lu_chat_input in = { .messages = LU_STR("[{\"role\":\"user\",\"content\":\"Hi\"}]"),
 *		.generation_prompt = true, .bos = LU_STR("<s>") };
 *
 *	lu_chat_open(&chat, "tokenizer_config.json", template, &err);
 *	lu_chat_render(chat, &in, &text, &err);		any number of times, by any threads
 *	... text.bytes ...
 *	lu_chat_text_release(&text);
 *	lu_chat_close(chat);
 *
 * config.h finds the template and the special tokens of a tokenizer; messages.h reads the spellings
 * of conversations that are in use; encode.h makes ids and masks.
 *
 * A template is a program of someone else: it can loop and copy. A rendering ends with an error
 * after LU_CHAT_STEPS steps, at LU_CHAT_MEMORY bytes beside LU_CHAT_COPIES times the size of the
 * messages, and at a depth of LU_CHAT_DEPTH expressions, blocks and macros within one another.
 * Nothing of the machine, of the time or of chance is visible to it.
 *
 * Every byte of the text knows where it comes from: the template, or the message of that number. So
 * control tokens that the template writes can be told from the same characters in a message, however
 * the template has cut and joined them.
 *
 * An error of the template or of the conversation has errnum 0; memory out has ENOMEM.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

#define LU_CHAT_STEPS 20000000
#define LU_CHAT_MEMORY ((size_t)256 << 20)
#define LU_CHAT_COPIES 64
#define LU_CHAT_DEPTH 1000
#define LU_CHAT_MESSAGES 65000
/* Longest template, in bytes. */
#define LU_CHAT_TEMPLATE_LIMIT ((size_t)1 << 20)

struct lu_chat;
struct lu_cv;

/* Compile; `name` stands for the file in messages. Neither is kept. */
int lu_chat_open(struct lu_chat **c, const char *name, struct lu_str text,
		struct lu_err *err) LU_CHECKED;
void lu_chat_close(struct lu_chat *c); /* NULL is fine */
/* True if the template marks answers by {% generation %}. */
bool lu_chat_marks_answers(const struct lu_chat *c);

/* True for a date that exists, of the form 2026-11-30. */
bool lu_chat_date_is(struct lu_str date);

/* What a template sees. JSON values are raw text that has been checked (io/json.h); an empty slice is
 * None. */
struct lu_chat_input {
	struct lu_str messages;	 /* array of objects with "role" */
	struct lu_str tools;	 /* array of objects */
	struct lu_str documents; /* array of objects */
	struct lu_str variables; /* object: further variables, such as enable_thinking */
	bool generation_prompt;	 /* add_generation_prompt: end where an answer begins */
	/* bos_token and the like; empty: not defined. */
	struct lu_str bos, eos, unk, pad;
	/* Date for strftime_now(), "2026-11-30"; empty: the function is not defined, so that no text
	 * depends on the day on which it is rendered. */
	struct lu_str date;
	/* Messages that are rendered, from the first; 0: all. */
	size_t first_messages;
	const struct lu_cv *parsed; /* private: the messages, where they have been read before */
};

/* Bytes from .. to - 1 of the text. */
struct lu_chat_span {
	size_t from, to;
};
struct lu_chat_spans LU_VEC(struct lu_chat_span);

/* Bytes up to `to`, and from the last run on, come from one place: 0 is the template, i the message of
 * number i - 1, LU_CHAT_OTHER tools, documents and variables. The role of a message counts as the
 * template's: it is one of a few words (messages.h). */
struct lu_chat_run {
	size_t to;
	uint16_t origin;
};
#define LU_CHAT_OTHER UINT16_MAX

struct lu_chat_text {
	struct lu_buf bytes;
	struct LU_VEC(struct lu_chat_run) run;
	struct lu_chat_spans generation; /* of {% generation %} blocks */
	uint64_t steps;			 /* that the rendering took */
};

/* Replaces what is in `out`. */
int lu_chat_render(const struct lu_chat *c, const struct lu_chat_input *in,
		struct lu_chat_text *out, struct lu_err *err) LU_CHECKED;
void lu_chat_text_release(struct lu_chat_text *t);
/* Where byte `at` of the text comes from. */
uint16_t lu_chat_origin(const struct lu_chat_text *t, size_t at);
/* True if one of the bytes from .. to - 1 is not the template's. */
bool lu_chat_has_data(const struct lu_chat_text *t, size_t from, size_t to);

#endif
