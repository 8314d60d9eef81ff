#include "libcommon/chat/chat_config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

#define CONFIG_LIMIT ((size_t)64 << 20)

/* The file `name` in the folder of `path`, in the arena. */
static const char *beside(
		struct lu_chat_config *c, const char *path, const char *name, struct lu_err *err)
{
	const char *slash = strrchr(path, '/');
	struct lu_buf b = { 0 };
	struct lu_str s = { NULL, 0 };

	lu_buf_append(&b, path, slash ? (size_t)(slash + 1 - path) : 0);
	lu_buf_puts(&b, name);
	if (lu_buf_ok(&b))
		s = lu_arena_str(&c->arena, lu_buf_slice(&b));
	lu_buf_release(&b);
	if (!s.p)
		(void)lu_err_nomem(err);
	return s.p;
}

/* A file into the arena. */
static int read_text(struct lu_chat_config *c, const char *path, size_t limit, struct lu_str *out,
		struct lu_err *err)
{
	char *p;
	size_t n;

	if (lu_read_file(path, limit, &p, &n, err) < 0)
		return -1;
	*out = lu_arena_str(&c->arena, (struct lu_str){ p, n });
	free(p);
	return out->p ? 0 : lu_err_nomem(err);
}

/* A token of tokenizer_config.json: a string, or an object with "content". */
static int read_token(struct lu_chat_config *c, const struct lu_json_obj *obj, const char *key,
		struct lu_str *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);
	struct lu_json_fault fault;
	struct lu_json_obj inner;

	if (m && m->type == LU_JSON_OBJECT) {
		if (lu_json_object(m->value, &c->arena, &inner, &fault) < 0)
			return lu_json_fail(&fault, err);
		m = lu_json_get(&inner, "content");
	}
	if (!m || m->type != LU_JSON_STRING)
		return 0;
	return lu_json_decode(m->value, &c->arena, out) < 0 ? lu_err_nomem(err) : 0;
}

static int read_added(struct lu_chat_config *c, const struct lu_json_obj *obj, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, "added_tokens_decoder");
	struct lu_json_iter it = lu_json_iter(m ? m->value : LU_STR("{}"));

	while (lu_json_next(&it)) {
		struct lu_json_member id = { .type = LU_JSON_NUMBER };
		const struct lu_json_member *content, *special;
		struct lu_chat_added added = { 0 };
		struct lu_json_fault fault;
		struct lu_json_obj token;
		uint64_t n;

		if (it.type != LU_JSON_OBJECT || it.key.n < 3)
			continue;
		if (lu_json_object(it.value, &c->arena, &token, &fault) < 0)
			return lu_json_fail(&fault, err);
		id.value = (struct lu_str){ it.key.p + 1, it.key.n - 2 };
		content = lu_json_get(&token, "content");
		special = lu_json_get(&token, "special");
		if (!lu_json_u64(&id, &n) || n > UINT32_MAX || !content ||
				content->type != LU_JSON_STRING)
			return lu_err_set(err, "\"added_tokens_decoder\" is damaged");
		if (lu_json_decode(content->value, &c->arena, &added.content) < 0)
			return lu_err_nomem(err);
		added.id = (uint32_t)n;
		added.special = special && special->type == LU_JSON_TRUE;
		if (!lu_vec_push(&c->added, added))
			return lu_err_nomem(err);
	}
	return 0;
}

/* Of a list of named templates, that named "default". */
static int read_named(struct lu_chat_config *c, struct lu_str list, struct lu_err *err)
{
	struct lu_json_iter it = lu_json_iter(list);

	while (lu_json_next(&it)) {
		const struct lu_json_member *name, *text;
		struct lu_json_fault fault;
		struct lu_json_obj obj;

		if (it.type != LU_JSON_OBJECT)
			continue;
		if (lu_json_object(it.value, &c->arena, &obj, &fault) < 0)
			return lu_json_fail(&fault, err);
		name = lu_json_get(&obj, "name");
		text = lu_json_get(&obj, "template");
		if (name && lu_str_is(name->value, "\"default\"") && text &&
				text->type == LU_JSON_STRING)
			return lu_json_decode(text->value, &c->arena, &c->text) < 0
					? lu_err_nomem(err)
					: 0;
	}
	return lu_err_set(err, "\"chat_template\" has no template named \"default\"");
}

static int read_members(struct lu_chat_config *c, struct lu_str text, struct lu_err *err)
{
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	if (lu_json_object(text, &c->arena, &obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	if (read_token(c, &obj, "bos_token", &c->bos, err) < 0 ||
			read_token(c, &obj, "eos_token", &c->eos, err) < 0 ||
			read_token(c, &obj, "unk_token", &c->unk, err) < 0 ||
			read_token(c, &obj, "pad_token", &c->pad, err) < 0 ||
			read_added(c, &obj, err) < 0)
		return -1;
	m = lu_json_get(&obj, "chat_template");
	if (c->text.p || !m || m->type == LU_JSON_NULL)
		return 0;
	if (m->type == LU_JSON_ARRAY)
		return read_named(c, m->value, err);
	if (m->type != LU_JSON_STRING)
		return lu_err_set(err, "\"chat_template\" is neither text nor a list");
	return lu_json_decode(m->value, &c->arena, &c->text) < 0 ? lu_err_nomem(err) : 0;
}

/* The files beside the tokenizer. */
static int read_folder(struct lu_chat_config *c, const char *tokenizer, struct lu_err *err)
{
	const char *jinja = beside(c, tokenizer, "chat_template.jinja", err),
		   *config = jinja ? beside(c, tokenizer, "tokenizer_config.json", err) : NULL;
	struct lu_str text;

	if (!config)
		return -1;
	if (!c->text.p && access(jinja, F_OK) == 0) {
		c->file = jinja;
		if (read_text(c, jinja, LU_CHAT_TEMPLATE_LIMIT, &c->text, err) < 0)
			return -1;
	}
	if (access(config, F_OK) == 0) {
		bool found = c->text.p != NULL;

		if (read_text(c, config, CONFIG_LIMIT, &text, err) < 0)
			return -1;
		c->config_file = config;
		if (read_members(c, text, err) < 0)
			return lu_err_wrap(err, "%s", config);
		if (!found)
			c->file = config;
	}
	if (c->text.p)
		return 0;
	return lu_err_set(err,
			"%s: there is no chat template beside it, neither chat_template.jinja nor "
			"in "
			"tokenizer_config.json; --chat-template FILE names one",
			tokenizer);
}

/* A whole tokenizer_config.json would pass as a template without any tag. */
static int refuse_json(struct lu_chat_config *c, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	if (lu_json_object(c->text, &c->arena, &obj, &fault) < 0)
		return 0;
	return lu_err_set(err,
			"%s: is JSON, not a template: leave out --chat-template for a "
			"tokenizer_config.json beside tokenizer.json, or give its chat_template alone",
			c->file);
}

int lu_chat_config_read(struct lu_chat_config *c, const char *tokenizer, const char *template_file,
		struct lu_err *err)
{
	int rc = 0;

	*c = (struct lu_chat_config){ .file = template_file };
	if (template_file)
		rc = read_text(c, template_file, LU_CHAT_TEMPLATE_LIMIT, &c->text, err);
	if (template_file && rc == 0)
		rc = refuse_json(c, err);
	if (rc == 0)
		rc = read_folder(c, tokenizer, err);
	if (rc == 0)
		rc = lu_chat_open(&c->chat, c->file, c->text, err);
	if (rc < 0)
		lu_chat_config_release(c);
	return rc;
}

void lu_chat_config_fill(const struct lu_chat_config *c, struct lu_chat_input *in)
{
	in->bos = c->bos;
	in->eos = c->eos;
	in->unk = c->unk;
	in->pad = c->pad;
}

void lu_chat_config_release(struct lu_chat_config *c)
{
	lu_chat_close(c->chat);
	lu_vec_release(&c->added);
	lu_arena_release(&c->arena);
	*c = (struct lu_chat_config){ 0 };
}
