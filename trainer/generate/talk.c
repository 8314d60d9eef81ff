#include "trainer/generate/talk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/sys/tool.h"
#include "trainer/generate/continuation_json.h"

/* Written as it comes. A failed write shows when the stream is closed. */
static int text(void *ctx, size_t i, struct lu_str more, struct lu_err *err)
{
	const struct lt_talk *t = ctx;

	(void)i, (void)err;
	fwrite(more.p, 1, more.n, t->out);
	fflush(t->out);
	return 0;
}

static int answer_json(const struct lt_talk *t, const struct lt_continuation *c, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	lu_json_open_object(&b, NULL);
	lt_continuation_json(c, t->how->schema != NULL, true, &b);
	lu_json_close_object(&b);
	rc = lu_buf_check(&b, err);
	if (rc == 0)
		fwrite(b.p, 1, b.n, t->out);
	lu_buf_release(&b);
	return rc;
}

static int done(void *ctx, size_t i, const struct lt_continuation *c, struct lu_err *err)
{
	struct lt_talk *t = ctx;

	(void)i;
	if (t->json && answer_json(t, c, err) < 0)
		return -1;
	fputc('\n', t->out);
	fflush(t->out);
	if (c->end == LT_END_TOKENS)
		lu_note("the answer was cut after %" PRIu64 " tokens (-n)", t->how->tokens);
	if (c->end == LT_END_CONTEXT)
		lu_note("the answer was cut: the context of %zu tokens is full", t->how->context);
	t->incomplete |= t->how->schema && !c->complete;
	return lt_dialogue_add(t->dialogue, "assistant", c->text, err);
}

/* A call of lt_generate() with the threads of -j. */
struct call {
	struct lt_talk *t;
	struct lt_prompt prompt;
	struct lu_err *err;
};

static int generate(void *ctx)
{
	struct call *c = ctx;
	const struct lt_generate_calls calls = { .ctx = c->t,
		.done = done,
		.text = c->t->json ? NULL : text,
		.interrupted = c->t->interrupted };

	return lt_generate(c->t->generator, &c->prompt, 1, &calls, c->err);
}

int lt_talk_answer(struct lt_talk *t, struct lu_str message, struct lu_err *err)
{
	size_t context = t->how->context, left_out;
	/* Room for the answer, but at most half of the context. */
	size_t room = t->how->tokens < context / 2 ? (size_t)t->how->tokens : context / 2;
	struct call c = { .t = t, .err = err };
	struct lu_ids ids = { 0 };
	int rc = lt_dialogue_add(t->dialogue, "user", message, err);

	if (rc == 0)
		rc = lt_dialogue_prompt(t->dialogue, context - room, &ids, &left_out, err);
	if (rc == 0 && left_out == 1)
		lu_note("the conversation is too long: its oldest turn is left out");
	else if (rc == 0 && left_out)
		lu_note("the conversation is too long: its %zu oldest turns are left out",
				left_out);
	if (rc == 0) {
		c.prompt = (struct lt_prompt){ .ids = ids.p, .n = ids.n };
		rc = lk_cpu_team(t->threads, generate, &c);
	}
	lu_ids_release(&ids);
	return rc;
}

/* One line of input. Returns 1 at "/quit". */
static int take(struct lt_talk *t, struct lu_str line, uint64_t number, struct lu_err *err)
{
	if (line.n == 0)
		return 0;
	if (lu_str_is(line, "/quit"))
		return 1;
	if (lu_str_is(line, "/reset")) {
		lt_dialogue_clear(t->dialogue);
		return 0;
	}
	/* Somebody who asks for a command that is none; in a file it is a message. */
	if (t->prompt && line.p[0] == '/' && !memchr(line.p, ' ', line.n) &&
			!memchr(line.p + 1, '/', line.n - 1)) {
		lu_note("/reset forgets what was said, /quit ends; Ctrl-C ends an answer");
		return 0;
	}
	if (lu_utf8_valid(line.p, line.n) != line.n)
		return lu_err_set(err, "line %" PRIu64 ": invalid UTF-8", number);
	if (lt_talk_answer(t, line, err) < 0) {
		if (!t->prompt || err->errnum)
			return lu_err_wrap(err, "line %" PRIu64, number);
		/* Somebody is there to say it otherwise. */
		lu_warn("%s", err->msg);
		lt_dialogue_drop_last(t->dialogue);
	}
	*t->interrupted = 0;
	return 0;
}

int lt_talk(struct lt_talk *t, struct lu_err *err)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = 0;
	int rc = 0;

	for (uint64_t number = 1; rc == 0; number++) {
		if (t->prompt) {
			fputs("> ", t->out);
			fflush(t->out);
		}
		errno = 0;
		n = getline(&line, &cap, t->in);
		if (n < 0)
			break;
		n -= n > 0 && line[n - 1] == '\n';
		n -= n > 0 && line[n - 1] == '\r';
		rc = take(t, (struct lu_str){ line, (size_t)n }, number, err);
	}
	if (n < 0 && ferror(t->in) && !*t->interrupted)
		rc = lu_err_sys(err, errno, "standard input");
	if (t->prompt && n < 0)
		fputc('\n', t->out);
	free(line);
	return rc < 0 ? -1 : 0;
}
