#include "libcommon/chat/messages.h"

#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/chat/chat.h"

/* What a reading shares. */
struct reading {
	struct lu_arena *arena;
	struct lu_buf out; /* the messages as they are written */
	size_t n, answers;
	bool empty; /* an answer is */
	const char *reason;
	struct lu_str value;
	struct lu_err *err;
};

/* Set the reason; returns 1. */
static int refuse(struct reading *r, const char *reason, struct lu_str value)
{
	r->reason = reason;
	r->value = value;
	return 1;
}

/* --- roles -------------------------------------------------------------------------------- */

static const char *const known_role[] = { "system", "developer", "user", "assistant", "tool",
	"function", "ipython", "context", NULL };

bool lu_chat_role_known(struct lu_str role)
{
	const char *const *known = known_role;

	while (*known && !lu_str_is(role, *known))
		known++;
	return *known != NULL;
}

/* The role by another name of it; the name itself where there is none. */
static struct lu_str usual_role(struct lu_str role)
{
	static const char *const other[][2] = { { "human", "user" }, { "prompter", "user" },
		{ "gpt", "assistant" }, { "bot", "assistant" }, { "model", "assistant" },
		{ "chatbot", "assistant" }, { "chatgpt", "assistant" }, { "observation", "tool" } };

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		if (lu_str_is(role, other[i][0]))
			return lu_str_of(other[i][1]);
	}
	return role;
}

/* --- one message -------------------------------------------------------------------------- */

/* Append the text of the parts of a content that is a list. */
static int join_parts(struct reading *r, struct lu_str raw, struct lu_buf *text)
{
	struct lu_json_iter it = lu_json_iter(raw);

	while (lu_json_next(&it)) {
		const struct lu_json_member *type, *part;
		struct lu_json_fault fault;
		struct lu_json_obj obj;
		struct lu_str s = { NULL, 0 };

		if (it.type != LU_JSON_OBJECT)
			return refuse(r, "a part of \"content\" is not an object", it.value);
		if (lu_json_object(it.value, r->arena, &obj, &fault) < 0)
			return fault.kind == LU_JSON_NO_MEMORY
					? lu_err_nomem(r->err)
					: refuse(r, "a part of \"content\" has a member twice",
							  it.value);
		type = lu_json_get(&obj, "type");
		part = lu_json_get(&obj, "text");
		if (!type || type->type != LU_JSON_STRING || !lu_str_is(type->value, "\"text\"") ||
				!part || part->type != LU_JSON_STRING)
			return refuse(r, "a part of \"content\" is no text", it.value);
		if (lu_json_decode(part->value, r->arena, &s) < 0)
			return lu_err_nomem(r->err);
		lu_buf_str(text, s);
	}
	return lu_buf_check(text, r->err);
}

static bool is_blank(struct lu_str s)
{
	return lu_str_only(s, " \t\r\n");
}

/* Write "content". */
static int put_content(struct reading *r, const struct lu_json_member *m, bool answer, bool calls)
{
	struct lu_buf text = { 0 };
	struct lu_str s = { "", 0 };
	int rc = 0;

	if (!m || m->type == LU_JSON_NULL) {
		if (!calls)
			return refuse(r, "a message has no \"content\"",
					m ? m->value : (struct lu_str){ NULL, 0 });
		if (m)
			lu_json_put_null(&r->out, "content");
		return 0;
	}
	if (m->type == LU_JSON_ARRAY) {
		rc = join_parts(r, m->value, &text);
		s = lu_buf_slice(&text);
		if (rc == 0)
			lu_json_put_str(&r->out, "content", s);
	} else if (m->type == LU_JSON_STRING) {
		rc = lu_json_decode(m->value, r->arena, &s) < 0 ? lu_err_nomem(r->err) : 0;
		lu_json_put_raw(&r->out, "content", m->value);
	} else {
		rc = refuse(r, "\"content\" is neither text nor a list of parts", m->value);
	}
	if (rc == 0 && answer && !calls && is_blank(s))
		r->empty = true;
	lu_buf_release(&text);
	return rc;
}

static const struct lu_json_member *either(
		const struct lu_json_obj *obj, const char *one, const char *other)
{
	const struct lu_json_member *m = lu_json_get(obj, one);

	return m ? m : lu_json_get(obj, other);
}

static int put_message(struct reading *r, struct lu_str raw, enum lu_json_type type)
{
	const struct lu_json_member *role, *content, *calls;
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_str name;
	bool answer;
	int rc;

	if (type != LU_JSON_OBJECT)
		return refuse(r, "a message is not an object", raw);
	if (lu_json_object(raw, r->arena, &obj, &fault) < 0)
		return fault.kind == LU_JSON_NO_MEMORY
				? lu_err_nomem(r->err)
				: refuse(r, "a message has a member twice", raw);
	role = either(&obj, "role", "from");
	content = either(&obj, "content", "value");
	calls = lu_json_get(&obj, "tool_calls");
	if (!role || role->type != LU_JSON_STRING)
		return refuse(r, "a message has no \"role\"", raw);
	if (lu_json_decode(role->value, r->arena, &name) < 0)
		return lu_err_nomem(r->err);
	name = usual_role(name);
	if (!lu_chat_role_known(name))
		return refuse(r, "a message has a role that is not known", role->value);
	answer = lu_str_is(name, "assistant");
	lu_json_open_object(&r->out, NULL);
	lu_json_put_str(&r->out, "role", name);
	rc = put_content(r, content, answer,
			calls && calls->type == LU_JSON_ARRAY && !lu_str_is(calls->value, "[]"));
	for (size_t i = 0; rc == 0 && i < obj.members; i++) {
		const struct lu_json_member *m = &obj.member[i];

		if (m == role || m == content)
			continue;
		lu_json_key(&r->out, m->key);
		lu_json_put_raw(&r->out, NULL, m->value);
	}
	lu_json_close_object(&r->out);
	r->n++;
	r->answers += answer;
	return rc;
}

static int put_messages(struct reading *r, struct lu_str raw)
{
	struct lu_json_iter it = lu_json_iter(raw);

	while (lu_json_next(&it)) {
		int rc = put_message(r, it.value, it.type);

		if (rc)
			return rc;
		if (r->n > LU_CHAT_MESSAGES)
			return refuse(r, "too many messages", (struct lu_str){ NULL, 0 });
	}
	return 0;
}

/* A message of text. */
static void put_text(struct reading *r, const char *role, struct lu_str text)
{
	lu_json_open_object(&r->out, NULL);
	lu_json_put_cstr(&r->out, "role", role);
	lu_json_put_str(&r->out, "content", text);
	lu_json_close_object(&r->out);
	r->n++;
	if (strcmp(role, "assistant") == 0) {
		r->answers++;
		r->empty = r->empty || is_blank(text);
	}
}

/* The string of a member, empty where it is absent or null. */
static int get_text(struct reading *r, const struct lu_json_obj *obj, const char *key,
		struct lu_str *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	*out = LU_STR("");
	if (!m || m->type == LU_JSON_NULL)
		return 0;
	if (m->type != LU_JSON_STRING)
		return refuse(r, "a member of the conversation is not text", m->value);
	return lu_json_decode(m->value, r->arena, out) < 0 ? lu_err_nomem(r->err) : 0;
}

/* --- records ------------------------------------------------------------------------------ */

/* "system" beside the messages, unless they begin with one. */
static int put_system(struct reading *r, const struct lu_json_obj *obj, struct lu_str messages)
{
	struct lu_json_iter it = lu_json_iter(messages);
	struct lu_str text;
	int rc = get_text(r, obj, "system", &text);

	if (rc || text.n == 0)
		return rc;
	if (lu_json_next(&it) && it.type == LU_JSON_OBJECT) {
		const struct lu_json_member *role;
		struct lu_json_fault fault;
		struct lu_json_obj first;

		if (lu_json_object(it.value, r->arena, &first, &fault) < 0)
			return fault.kind == LU_JSON_NO_MEMORY ? lu_err_nomem(r->err) : 0;
		role = either(&first, "role", "from");
		if (role && lu_str_is(role->value, "\"system\""))
			return 0;
	}
	put_text(r, "system", text);
	return 0;
}

/* instruction, input and output. */
static int put_alpaca(struct reading *r, const struct lu_json_obj *obj)
{
	struct lu_str instruction, input, output;
	struct lu_buf user = { 0 };
	int rc = get_text(r, obj, "instruction", &instruction);

	if (rc == 0)
		rc = get_text(r, obj, "input", &input);
	if (rc == 0)
		rc = get_text(r, obj, "output", &output);
	if (rc)
		return rc;
	lu_buf_str(&user, instruction);
	if (input.n) {
		lu_buf_putc(&user, '\n');
		lu_buf_str(&user, input);
	}
	rc = lu_buf_check(&user, r->err);
	if (rc == 0) {
		put_text(r, "user", lu_buf_slice(&user));
		put_text(r, "assistant", output);
	}
	lu_buf_release(&user);
	return rc;
}

/* The pair of members that are question and answer; false if there is none. */
static bool find_pair(const struct lu_json_obj *obj, const char **question, const char **answer)
{
	static const char *const ask[] = { "prompt", "question" },
				 *const say[] = { "response", "completion", "answer" };

	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 3; k++) {
			if (lu_json_get(obj, ask[i]) && lu_json_get(obj, say[k])) {
				*question = ask[i];
				*answer = say[k];
				return true;
			}
		}
	}
	return false;
}

/* prompt and response; each may be an array of messages. */
static int put_side(
		struct reading *r, const struct lu_json_obj *obj, const char *key, const char *role)
{
	const struct lu_json_member *m = lu_json_get(obj, key);
	struct lu_str text;
	int rc;

	if (m && m->type == LU_JSON_ARRAY)
		return put_messages(r, m->value);
	if (m && m->type == LU_JSON_OBJECT)
		return put_message(r, m->value, m->type);
	rc = get_text(r, obj, key, &text);
	if (rc == 0)
		put_text(r, role, text);
	return rc;
}

static int put_record(struct reading *r, const struct lu_json_obj *obj, const char **form)
{
	static const char *const list[] = { "messages", "conversations", "conversation", "dialogue",
		"chat" };
	const char *question, *answer;
	int rc;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const struct lu_json_member *m = lu_json_get(obj, list[i]);

		if (!m)
			continue;
		*form = i ? "ShareGPT" : "messages";
		if (m->type != LU_JSON_ARRAY)
			return refuse(r, "the messages are not an array", m->value);
		rc = put_system(r, obj, m->value);
		return rc ? rc : put_messages(r, m->value);
	}
	rc = put_system(r, obj, LU_STR("[]"));
	if (rc)
		return rc;
	if (lu_json_get(obj, "instruction") && lu_json_get(obj, "output")) {
		*form = "Alpaca";
		return put_alpaca(r, obj);
	}
	if (find_pair(obj, &question, &answer)) {
		*form = "prompt";
		rc = put_side(r, obj, question, "user");
		return rc ? rc : put_side(r, obj, answer, "assistant");
	}
	return refuse(r, "no \"messages\", and no other form of a conversation",
			(struct lu_str){ NULL, 0 });
}

/* What has been written as messages of the arena. */
static int finish(struct reading *r, struct lu_chat_record *out)
{
	lu_json_close_array(&r->out);
	if (lu_buf_check(&r->out, r->err) < 0)
		return -1;
	out->messages = lu_arena_str(r->arena, lu_buf_slice(&r->out));
	out->n = r->n;
	out->answers = r->answers;
	out->empty = r->empty;
	return out->messages.p ? 0 : lu_err_nomem(r->err);
}

static int get_tools(struct reading *r, const struct lu_json_obj *obj, struct lu_chat_record *out)
{
	const struct lu_json_member *m = lu_json_get(obj, "tools");
	struct lu_json_fault fault;
	enum lu_json_type type;
	struct lu_str s;

	if (!m || m->type == LU_JSON_NULL)
		return 0;
	out->tools = m->value;
	if (m->type == LU_JSON_ARRAY)
		return 0;
	/* Some data sets write the array as a text. */
	if (m->type != LU_JSON_STRING)
		return refuse(r, "\"tools\" is not an array", m->value);
	if (lu_json_decode(m->value, r->arena, &s) < 0)
		return lu_err_nomem(r->err);
	if (lu_json_check(s, &type, &fault) < 0 || type != LU_JSON_ARRAY)
		return refuse(r, "\"tools\" is not an array", m->value);
	out->tools = s;
	return 0;
}

int lu_chat_record_read(const struct lu_json_obj *obj, struct lu_arena *arena,
		struct lu_chat_record *out, const char **reason, struct lu_str *value,
		struct lu_err *err)
{
	struct reading r = { .arena = arena, .err = err };
	int rc;

	*out = (struct lu_chat_record){ 0 };
	lu_json_open_array(&r.out, NULL);
	rc = put_record(&r, obj, &out->form);
	if (rc == 0)
		rc = get_tools(&r, obj, out);
	if (rc == 0)
		rc = finish(&r, out);
	*reason = r.reason;
	*value = r.value;
	lu_buf_release(&r.out);
	return rc;
}

/* --- preferences -------------------------------------------------------------------------- */

/* Messages that two arrays begin with alike, as raw JSON; the last of each is an answer. */
static size_t common_prompt(struct lu_str a, struct lu_str b)
{
	struct lu_json_iter i = lu_json_iter(a), k = lu_json_iter(b);
	size_t n = 0;

	while (lu_json_next(&i) && lu_json_next(&k) && lu_str_eq(i.value, k.value))
		n++;
	return n;
}

/* The prompt and one of the two answers. */
static int read_side(const struct lu_json_obj *obj, const char *key, struct reading *r,
		struct lu_chat_record *out)
{
	const struct lu_json_member *prompt = lu_json_get(obj, "prompt");
	const struct lu_json_member *first = prompt ? prompt : lu_json_get(obj, key);
	int rc;

	*out = (struct lu_chat_record){ .form = "preference" };
	lu_buf_clear(&r->out);
	r->n = r->answers = 0;
	lu_json_open_array(&r->out, NULL);
	rc = put_system(r, obj, first->type == LU_JSON_ARRAY ? first->value : LU_STR("[]"));
	if (rc == 0 && prompt)
		rc = put_side(r, obj, "prompt", "user");
	out->prompt = r->n;
	/* Only what follows the prompt must not be empty. */
	r->empty = false;
	if (rc == 0)
		rc = put_side(r, obj, key, "assistant");
	if (rc == 0)
		rc = get_tools(r, obj, out);
	return rc ? rc : finish(r, out);
}

int lu_chat_preference_read(const struct lu_json_obj *obj, struct lu_arena *arena,
		struct lu_chat_record *chosen, struct lu_chat_record *rejected, const char **reason,
		struct lu_str *value, struct lu_err *err)
{
	struct reading r = { .arena = arena, .err = err };
	int rc;

	if (!lu_json_get(obj, "chosen") || !lu_json_get(obj, "rejected")) {
		*reason = "no \"chosen\" and \"rejected\"";
		*value = (struct lu_str){ NULL, 0 };
		return 1;
	}
	rc = read_side(obj, "chosen", &r, chosen);
	if (rc == 0)
		rc = read_side(obj, "rejected", &r, rejected);
	if (rc == 0) {
		size_t common = common_prompt(chosen->messages, rejected->messages);

		/* Sets that write the whole conversation twice have no prompt apart from it. */
		if (!lu_json_get(obj, "prompt") || common > chosen->prompt)
			chosen->prompt = rejected->prompt = common;
		if (chosen->prompt == 0 || chosen->prompt >= chosen->n ||
				rejected->prompt >= rejected->n)
			rc = refuse(&r,
					common >= chosen->n && common >= rejected->n
							? "chosen and rejected are the same"
							: "there is no prompt before chosen and "
							  "rejected",
					(struct lu_str){ NULL, 0 });
	}
	*reason = r.reason;
	*value = r.value;
	lu_buf_release(&r.out);
	return rc;
}
