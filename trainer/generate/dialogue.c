#include "trainer/generate/dialogue.h"

#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/vec.h"
#include "libcommon/chat/chat_encode.h"

struct message {
	char *json; /* an object */
	bool user;
};

struct lt_dialogue {
	const struct lu_tok *tok;
	const struct lu_chat_config *config;
	struct lu_str tools;
	bool system; /* the first message is the system's */
	struct LU_VEC(struct message) message;
	struct lu_chat_encoder encoder;
	struct lu_chat_text text;
};

int lt_dialogue_open(struct lt_dialogue **out, const struct lu_tok *tok,
		const struct lu_chat_config *config, const char *system, struct lu_str tools,
		struct lu_err *err)
{
	struct lt_dialogue *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (!d)
		return lu_err_nomem(err);
	d->tok = tok;
	d->config = config;
	d->tools = tools;
	d->encoder.tok = tok;
	d->encoder.st = lu_tok_state_new(tok);
	d->system = system != NULL;
	if (!d->encoder.st) {
		lt_dialogue_close(d);
		return lu_err_nomem(err);
	}
	if (system && lt_dialogue_add(d, "system", lu_str_of(system), err) < 0) {
		lt_dialogue_close(d);
		return -1;
	}
	*out = d;
	return 0;
}

static void forget(struct lt_dialogue *d, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		free(d->message.p[i].json);
	memmove(d->message.p + from, d->message.p + to,
			(d->message.n - to) * sizeof(*d->message.p));
	d->message.n -= to - from;
}

void lt_dialogue_close(struct lt_dialogue *d)
{
	if (!d)
		return;
	if (d->message.n)
		forget(d, 0, d->message.n);
	lu_vec_release(&d->message);
	lu_tok_state_free(d->encoder.st);
	lu_chat_encoder_release(&d->encoder);
	lu_chat_text_release(&d->text);
	free(d);
}

int lt_dialogue_add(
		struct lt_dialogue *d, const char *role, struct lu_str content, struct lu_err *err)
{
	struct lu_buf b = { 0 };

	lu_json_open_object(&b, NULL);
	lu_json_put_cstr(&b, "role", role);
	lu_json_put_str(&b, "content", content);
	lu_json_close_object(&b);
	if (lu_buf_check(&b, err) < 0 ||
			!lu_vec_push(&d->message,
					(struct message){ b.p, strcmp(role, "user") == 0 })) {
		lu_buf_release(&b);
		return lu_err_nomem(err);
	}
	return 0;
}

void lt_dialogue_drop_last(struct lt_dialogue *d)
{
	if (d->message.n)
		forget(d, d->message.n - 1, d->message.n);
}

void lt_dialogue_clear(struct lt_dialogue *d)
{
	if (d->message.n > d->system)
		forget(d, d->system, d->message.n);
}

/* Render messages, an array, into d->text. */
static int render(struct lt_dialogue *d, struct lu_str messages, bool generation_prompt,
		struct lu_err *err)
{
	struct lu_chat_input in = {
		.messages = messages, .tools = d->tools, .generation_prompt = generation_prompt
	};

	lu_chat_config_fill(d->config, &in);
	return lu_chat_render(d->config->chat, &in, &d->text, err);
}

static int encode(struct lt_dialogue *d, struct lu_ids *ids, struct lu_err *err)
{
	struct lu_buf all = { 0 };
	int rc;

	lu_json_open_array(&all, NULL);
	for (size_t i = 0; i < d->message.n; i++)
		lu_json_put_raw(&all, NULL, lu_str_of(d->message.p[i].json));
	lu_json_close_array(&all);
	rc = lu_buf_check(&all, err);
	if (rc == 0)
		rc = render(d, lu_buf_slice(&all), true, err);
	ids->n = 0;
	if (rc == 0)
		rc = lu_chat_encode(&d->encoder, &d->text, NULL, 0, ids, NULL, err);
	lu_buf_release(&all);
	return rc;
}

int lt_dialogue_shows_tools(struct lt_dialogue *d, struct lu_err *err)
{
	const struct lu_str tools = d->tools,
			    hello = LU_STR("[{\"role\":\"user\",\"content\":\"Hi\"}]");
	struct lu_buf with = { 0 };
	struct lu_err without;
	int rc = render(d, hello, true, err);

	if (rc == 0) {
		lu_buf_str(&with, lu_buf_slice(&d->text.bytes));
		rc = lu_buf_check(&with, err);
	}
	d->tools = (struct lu_str){ "", 0 };
	/* A template that fails without tools asks for them. */
	if (rc == 0)
		rc = render(d, hello, true, &without) < 0 ||
				!lu_str_eq(lu_buf_slice(&with), lu_buf_slice(&d->text.bytes));
	d->tools = tools;
	lu_buf_release(&with);
	return rc;
}

/* The first message of the second turn, or 0 if there is one turn only. */
static size_t second_turn(const struct lt_dialogue *d)
{
	for (size_t i = d->system + 1; i < d->message.n; i++) {
		if (d->message.p[i].user)
			return i;
	}
	return 0;
}

int lt_dialogue_prompt(struct lt_dialogue *d, size_t most, struct lu_ids *ids, size_t *left_out,
		struct lu_err *err)
{
	*left_out = 0;
	for (;;) {
		size_t next;

		if (encode(d, ids, err) < 0)
			return -1;
		if (ids->n && ids->n <= most)
			return 0;
		if (ids->n == 0)
			return lu_err_set(err, "the chat template gives an empty prompt");
		next = second_turn(d);
		if (next == 0)
			return lu_err_set(err,
					"the message makes a prompt of %zu tokens, more than the "
					"%zu "
					"for which there is room in the context",
					ids->n, most);
		forget(d, d->system, next);
		++*left_out;
	}
}

/* The answer of a short conversation: its last byte that comes from message 2. */
static size_t answer_end(const struct lu_chat_text *t)
{
	size_t end = 0;

	for (size_t i = 0; i < t->run.n; i++) {
		if (t->run.p[i].origin == 2)
			end = t->run.p[i].to;
	}
	return end;
}

int lt_dialogue_end(struct lt_dialogue *d, uint32_t *id, struct lu_err *err)
{
	struct lu_str messages = LU_STR("[{\"role\":\"user\",\"content\":\"Hi\"},"
					"{\"role\":\"assistant\",\"content\":\"Hello\"}]");
	struct lu_chat_mask mask = { 0 };
	struct lu_ids ids = { 0 };
	struct lu_chat_span answer = { 0, 0 };
	int rc = render(d, messages, false, err);
	size_t i;

	if (rc == 0) {
		answer.to = answer_end(&d->text);
		rc = lu_chat_encode(
				&d->encoder, &d->text, &answer, answer.to > 0, &ids, &mask, err);
	}
	i = mask.n;
	/* Behind the last token of the answer. */
	while (rc == 0 && i > 0 && !mask.p[i - 1])
		i--;
	while (rc == 0 && i > 0 && i < ids.n && !lu_tok_is_special(d->tok, ids.p[i]))
		i++;
	if (rc == 0 && i > 0 && i < ids.n) {
		*id = ids.p[i];
		rc = 1;
	}
	lu_ids_release(&ids);
	lu_vec_release(&mask);
	return rc;
}
