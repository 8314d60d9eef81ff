#include "libcommon/chat/answers.h"

#include <stdlib.h>

#include "libcommon/chat/chat_ast.h"

/* What the search for answers shares. */
struct search {
	const struct lu_chat *chat;
	struct lu_chat_input in; /* of renderings of a beginning */
	const struct lu_chat_special *special;
	const struct lu_chat_text *whole;
	struct lu_chat_text before, up_to; /* the answer */
	struct lu_cv_ctx x;		   /* of the messages */
	struct lu_cv messages, none;
	uint64_t steps;
	struct lu_err *err;
};

static struct lu_str tail_of(const struct lu_buf *b, size_t from)
{
	return (struct lu_str){ lu_buf_slice(b).p + from, b->n - from };
}

/* True if the text goes on with s at `at`. */
static bool goes_on(const struct lu_chat_text *t, size_t at, struct lu_str s)
{
	return s.n <= t->bytes.n - at && (s.n == 0 || memcmp(t->bytes.p + at, s.p, s.n) == 0);
}

/* Length of the longest special token that the template has written and that ends at `end`; 0: none. */
static size_t special_before(const struct search *s, const struct lu_chat_text *t, size_t end)
{
	size_t longest = 0;

	for (size_t i = 0; i < s->special->n; i++) {
		struct lu_str mark = s->special->mark[i];

		if (mark.n > longest && mark.n <= end &&
				memcmp(t->bytes.p + end - mark.n, mark.p, mark.n) == 0 &&
				lu_chat_origin(t, end - mark.n) == 0)
			longest = mark.n;
	}
	return longest;
}

/* The end of the last special token within from .. to - 1; `to`: there is none. */
static size_t after_last_special(
		const struct search *s, const struct lu_chat_text *t, size_t from, size_t to)
{
	for (size_t end = to; end > from; end--) {
		size_t n = special_before(s, t, end);

		if (n && n <= end - from)
			return end;
	}
	return to;
}

/* The end of the last byte that is message i's; `from`: it has none behind that. */
static size_t last_byte(const struct lu_chat_text *t, size_t i, size_t from)
{
	for (size_t k = t->run.n; k-- > 0 && t->run.p[k].to > from;) {
		if (t->run.p[k].origin == i + 1)
			return t->run.p[k].to;
	}
	return from;
}

/* The first byte of answer i, whose prompt has been rendered into s->before. */
static int find_begin(const struct search *s, size_t i, size_t *from)
{
	const struct lu_buf *prompt = &s->before.bytes;
	size_t end = prompt->n;

	if (!goes_on(s->whole, 0, lu_buf_slice(prompt)))
		return lu_err_set(s->err,
				"the template renders what comes before message %zu otherwise when "
				"the conversation goes on, so that its answer cannot be told "
				"apart; a "
				"template with {%% generation %%} can say where it is",
				i);
	while (end && strchr(" \t\r\n\v\f", prompt->p[end - 1]))
		end--;
	*from = special_before(s, &s->before, end) ? end : prompt->n;
	return 0;
}

/* The end of answer i, which begins at `from`; the messages up to it have been rendered into
 * s->up_to. */
static int find_end(const struct search *s, size_t i, size_t from, size_t *to)
{
	const struct lu_chat_text *e = &s->up_to;
	size_t own = last_byte(e, i, 0), end = last_byte(s->whole, i, from);
	struct lu_str tail = tail_of(&e->bytes, own);
	size_t same = 0;

	/* Nothing of the message is left in an empty one: all that the template writes for it. */
	if (own == 0 && e->bytes.n >= from) {
		end = from;
		tail = tail_of(&e->bytes, from);
	} else if (end == from) {
		return lu_err_set(s->err,
				"the template leaves message %zu out, or renders it otherwise when "
				"the conversation goes on",
				i);
	}
	/* What closes the whole text, as Phi's end of text, is not there when it goes on. */
	while (same < tail.n && end + same < s->whole->bytes.n &&
			tail.p[same] == s->whole->bytes.p[end + same])
		same++;
	*to = after_last_special(s, s->whole, end, end + same);
	if (same == tail.n || special_before(s, s->whole, *to) > 0)
		return 0;
	return lu_err_set(s->err,
			"the template ends message %zu otherwise when the conversation goes on", i);
}

static int find_answer(struct search *s, size_t i, struct lu_chat_spans *spans)
{
	struct lu_chat_span span;

	s->in.first_messages = i;
	s->in.generation_prompt = true;
	s->in.parsed = i ? &s->messages : &s->none;
	if (lu_chat_render(s->chat, &s->in, &s->before, s->err) < 0)
		return -1;
	s->in.parsed = &s->messages;
	if (find_begin(s, i, &span.from) < 0)
		return -1;
	s->in.first_messages = i + 1;
	s->in.generation_prompt = false;
	if (lu_chat_render(s->chat, &s->in, &s->up_to, s->err) < 0 ||
			find_end(s, i, span.from, &span.to) < 0)
		return -1;
	s->steps += s->before.steps + s->up_to.steps + s->up_to.bytes.n / 16;
	if (s->steps > LU_CHAT_ANSWER_STEPS)
		return lu_err_set(s->err,
				"%s: the conversation is too long for its answers to be told apart "
				"one "
				"by one; a template with {%% generation %%} can say where they are",
				s->chat->file);
	if (spans->n && spans->p[spans->n - 1].to > span.from)
		span.from = spans->p[spans->n - 1].to;
	if (span.from >= span.to)
		return 0;
	return lu_vec_push(spans, span) ? 0 : lu_err_nomem(s->err);
}

/* True if the message is the assistant's. */
static bool is_answer(struct lu_str raw)
{
	struct lu_json_iter it = lu_json_iter(raw);

	while (lu_json_next(&it)) {
		if (lu_str_is(it.key, "\"role\""))
			return lu_str_is(it.value, "\"assistant\"");
	}
	return false;
}

static int find_all(struct search *s, struct lu_str messages, struct lu_chat_spans *spans)
{
	struct lu_json_iter it = lu_json_iter(messages);

	if (lu_ce_messages(&s->x, messages, &s->messages) < 0 ||
			lu_ce_messages(&s->x, LU_STR("[]"), &s->none) < 0)
		return -1;
	for (size_t i = 0; lu_json_next(&it); i++) {
		if (it.type != LU_JSON_OBJECT || !is_answer(it.value))
			continue;
		if (find_answer(s, i, spans) < 0)
			return -1;
	}
	return 0;
}

int lu_chat_answers(const struct lu_chat *c, const struct lu_chat_input *in,
		const struct lu_chat_special *special, struct lu_chat_text *out,
		struct lu_chat_spans *spans, struct lu_err *err)
{
	struct search s = { .chat = c, .in = *in, .special = special, .whole = out, .err = err };
	int rc = lu_chat_render(c, in, out, err);

	spans->n = 0;
	/* The rendering has kept to the limit with the same messages. */
	s.x = (struct lu_cv_ctx){ .name = c->file, .err = err, .limit = SIZE_MAX };
	if (rc == 0 && lu_chat_marks_answers(c)) {
		for (size_t i = 0; i < out->generation.n; i++) {
			if (!lu_vec_push(spans, out->generation.p[i]))
				return lu_err_nomem(err);
		}
		return 0;
	}
	if (rc == 0)
		rc = find_all(&s, in->messages, spans);
	lu_chat_text_release(&s.before);
	lu_chat_text_release(&s.up_to);
	lu_cv_release(&s.x);
	return rc;
}
