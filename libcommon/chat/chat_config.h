#ifndef LUCIE_CHAT_CHAT_CONFIG_H
#define LUCIE_CHAT_CHAT_CONFIG_H
/*
 * The chat template of a tokenizer, and the special tokens that it names.
 *
 *	struct lu_chat_config config = { 0 };
 *	lu_chat_config_read(&config, "model/tokenizer.json", NULL, &err);
 *	lu_chat_config_fill(&config, &in);		bos, eos, unk, pad of a struct lu_chat_input
 *	lu_chat_render(config.chat, &in, ...);
 *	lu_chat_config_release(&config);
 *
 * The template is that of the file given; else of chat_template.jinja beside tokenizer.json; else of
 * "chat_template" in tokenizer_config.json there: a string, or a list of {"name", "template"}, of
 * which "default" is taken. A tokenizer_config.json is read for bos_token, eos_token, unk_token and
 * pad_token in any case; a token is a string or an object with "content".
 */
#include "libcommon/base/arena.h"
#include "libcommon/chat/chat.h"

/* A token that tokenizer_config.json adds: its "added_tokens_decoder". */
struct lu_chat_added {
	uint32_t id;
	struct lu_str content;
	bool special;
};

struct lu_chat_config {
	struct lu_chat *chat;
	const char *file;   /* where the template was found */
	struct lu_str text; /* the template */
	struct lu_str bos, eos, unk, pad;
	struct LU_VEC(struct lu_chat_added) added;
	const char *config_file; /* tokenizer_config.json; NULL: there is none */
	struct lu_arena arena;
};

/* `template_file` NULL: the tokenizer's. Fails, and says where it looked, if there is none. */
int lu_chat_config_read(struct lu_chat_config *c, const char *tokenizer, const char *template_file,
		struct lu_err *err) LU_CHECKED;
void lu_chat_config_fill(const struct lu_chat_config *c, struct lu_chat_input *in);
void lu_chat_config_release(struct lu_chat_config *c);

#endif
