/* A rendering: what the template sees, and the text with the origin of its bytes. */
#include <stdlib.h>

#include "libcommon/chat/chat_ast.h"
#include "libcommon/chat/messages.h"

/* A checked JSON value of one of two types; None where it is empty. */
static int from_json(struct lu_ce *e, struct lu_str raw, enum lu_json_type want, const char *what,
		struct lu_cv *out)
{
	struct lu_json_fault fault;
	enum lu_json_type type;

	*out = lu_cv_none();
	if (raw.n == 0)
		return 0;
	if (lu_json_check(raw, &type, &fault) < 0)
		return lu_cv_fail(&e->x, "%s: %s", what, lu_json_fault_text(fault.kind));
	if (type == LU_JSON_NULL)
		return 0;
	if (type != want)
		return lu_cv_fail(&e->x, "%s are not an %s", what,
				want == LU_JSON_ARRAY ? "array" : "object");
	return lu_cv_json(&e->x, raw, type, LU_CHAT_OTHER, out);
}

/* A known role counts as the template's. */
static void free_role(struct lu_cv *message)
{
	size_t n = message->type == LU_CV_DICT ? message->dict->n : 0;

	for (size_t i = 0; i < n; i++) {
		struct lu_cv_pair *p = &message->dict->p[i];

		if (lu_str_is(lu_cv_text(&p->key), "role") && p->value.type == LU_CV_STRING &&
				lu_chat_role_known(lu_cv_text(&p->value)))
			p->value.s.origin = 0;
	}
}

int lu_ce_messages(struct lu_cv_ctx *x, struct lu_str messages, struct lu_cv *out)
{
	struct lu_json_fault fault;
	enum lu_json_type type;
	struct lu_json_iter it;
	struct lu_cv v;

	if (lu_json_check(messages, &type, &fault) < 0)
		return lu_cv_fail(x, "messages: %s", lu_json_fault_text(fault.kind));
	if (type != LU_JSON_ARRAY)
		return lu_cv_fail(x, "messages are not an array");
	*out = (struct lu_cv){ .type = LU_CV_LIST };
	out->list = lu_cv_list_new(x);
	it = lu_json_iter(messages);
	while (out->list && lu_json_next(&it)) {
		if (out->list->n == LU_CHAT_MESSAGES)
			return lu_cv_fail(x, "a conversation of more than %d messages",
					LU_CHAT_MESSAGES);
		if (lu_cv_json(x, it.value, it.type, (uint16_t)(out->list->n + 1), &v) < 0)
			return -1;
		free_role(&v);
		if (lu_cv_list_add(x, out->list, v) < 0)
			return -1;
	}
	return out->list ? 0 : -1;
}

/* The messages that are rendered. */
static int set_messages(struct lu_ce *e, const struct lu_chat_input *in)
{
	struct lu_cv v;
	struct lu_cv_list *first;

	if (in->parsed)
		v = *in->parsed;
	else if (lu_ce_messages(&e->x, in->messages, &v) < 0)
		return -1;
	if (in->first_messages && in->first_messages < v.list->n) {
		first = lu_cv_list_new(&e->x);
		if (!first)
			return -1;
		first->p = v.list->p;
		first->n = first->cap = in->first_messages;
		v.list = first;
	}
	return lu_ce_set(e, LU_STR("messages"), v);
}

static int set_variables(struct lu_ce *e, const struct lu_chat_input *in)
{
	const struct {
		const char *name;
		struct lu_str value;
	} token[] = { { "bos_token", in->bos }, { "eos_token", in->eos }, { "unk_token", in->unk },
		{ "pad_token", in->pad } };
	struct lu_cv v;

	for (size_t i = 0; i < sizeof(token) / sizeof(token[0]); i++) {
		if (token[i].value.n &&
				lu_ce_set(e, lu_str_of(token[i].name),
						lu_cv_str(token[i].value, 0)) < 0)
			return -1;
	}
	if (from_json(e, in->variables, LU_JSON_OBJECT, "variables", &v) < 0)
		return -1;
	for (size_t i = 0; v.type == LU_CV_DICT && i < v.dict->n; i++) {
		struct lu_str name = lu_cv_text(&v.dict->p[i].key);

		if (lu_ce_set(e, name, v.dict->p[i].value) < 0)
			return -1;
	}
	if (set_messages(e, in) < 0 || from_json(e, in->tools, LU_JSON_ARRAY, "tools", &v) < 0 ||
			lu_ce_set(e, LU_STR("tools"), v) < 0 ||
			from_json(e, in->documents, LU_JSON_ARRAY, "documents", &v) < 0 ||
			lu_ce_set(e, LU_STR("documents"), v) < 0)
		return -1;
	return lu_ce_set(e, LU_STR("add_generation_prompt"), lu_cv_bool(in->generation_prompt));
}

/* --- the text ----------------------------------------------------------------------------- */

static int add_run(struct lu_chat_text *t, size_t to, uint16_t origin, struct lu_err *err)
{
	struct lu_chat_run run = { to, origin };

	if (t->run.n && t->run.p[t->run.n - 1].origin == origin) {
		t->run.p[t->run.n - 1].to = to;
		return 0;
	}
	return lu_vec_push(&t->run, run) ? 0 : lu_err_nomem(err);
}

static int flatten(const struct lu_cv_list *l, struct lu_chat_text *t, struct lu_err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct lu_cv_string *s = &l->p[i].s;
		size_t at = t->bytes.n;

		lu_buf_append(&t->bytes, s->p, s->n);
		if (!s->from && add_run(t, at + s->n, s->origin, err) < 0)
			return -1;
		for (size_t k = 0; s->from && k < s->n; k++) {
			if (add_run(t, at + k + 1, s->from[k], err) < 0)
				return -1;
		}
	}
	/* An empty text is a string too. */
	lu_buf_append(&t->bytes, "", 0);
	return lu_buf_check(&t->bytes, err);
}

int lu_chat_render(const struct lu_chat *c, const struct lu_chat_input *in,
		struct lu_chat_text *out, struct lu_err *err)
{
	struct lu_ce_scope root = { 0 };
	struct lu_ce e = {
		.chat = c, .scope = &root, .root = &root, .text = out, .date = in->date
	};
	size_t data = in->messages.n + in->tools.n + in->documents.n + in->variables.n;
	int rc;

	lu_buf_clear(&out->bytes);
	out->run.n = out->generation.n = 0;
	e.out = &e.main;
	e.x = (struct lu_cv_ctx){ .name = c->file, .err = err, .limit = LU_CHAT_MEMORY };
	if (data > (SIZE_MAX - LU_CHAT_MEMORY) / LU_CHAT_COPIES)
		return lu_err_set(
				err, "%s: a conversation of %zu bytes is too long", c->file, data);
	e.x.limit += data * LU_CHAT_COPIES;
	rc = set_variables(&e, in);
	if (rc == 0)
		rc = lu_ce_run(&e, c->body);
	if (rc == 0)
		rc = flatten(&e.main, out, err);
	out->steps = e.x.steps;
	lu_cv_release(&e.x);
	return rc;
}

void lu_chat_text_release(struct lu_chat_text *t)
{
	lu_buf_release(&t->bytes);
	lu_vec_release(&t->run);
	lu_vec_release(&t->generation);
}

/* The run of byte `at`; the number of runs where there is none. */
static size_t run_of(const struct lu_chat_text *t, size_t at)
{
	size_t low = 0, high = t->run.n;

	/* The first run that ends behind `at`. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->run.p[middle].to > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

uint16_t lu_chat_origin(const struct lu_chat_text *t, size_t at)
{
	size_t i = run_of(t, at);

	return i < t->run.n ? t->run.p[i].origin : 0;
}

bool lu_chat_has_data(const struct lu_chat_text *t, size_t from, size_t to)
{
	for (size_t i = run_of(t, from); i < t->run.n && from < to; i++) {
		if (t->run.p[i].origin)
			return true;
		from = t->run.p[i].to;
	}
	return false;
}
