/* Any bytes as a chat template: refused by name and line, or it renders a conversation, within its
 * limits, to UTF-8 of which each byte has an origin; and answers are found or refused. */
#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/chat/answers.h"
#include "tests/fuzz/fuzz.h"

static const char talk[] =
		"[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":"
		"\"q\\u00e9\"},"
		"{\"role\":\"assistant\",\"content\":\"a <|e|>\",\"tool_calls\":[{\"function\":"
		"{\"name\":\"f\",\"arguments\":{\"x\":[1,2.5,null]}}}]},{\"role\":\"user\","
		"\"content\":\"r\"},{\"role\":\"assistant\",\"content\":\" b\"}]";

static void check_text(const struct lu_chat_text *t)
{
	size_t end = 0;

	if (lu_utf8_valid(t->bytes.p, t->bytes.n) != t->bytes.n)
		abort();
	for (size_t i = 0; i < t->run.n; i++) {
		if (t->run.p[i].to <= end)
			abort();
		end = t->run.p[i].to;
	}
	if (end != t->bytes.n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lu_str mark = LU_STR("<|e|>");
	const struct lu_chat_special special = { &mark, 1 };
	struct lu_chat_input in = { .messages = LU_STR(talk),
		.tools = LU_STR("[{\"function\":{\"name\":\"f\"}}]"),
		.bos = LU_STR("<s>") };
	struct lu_chat *c;
	struct lu_chat_text t = { 0 };
	struct lu_chat_spans spans = { 0 };
	struct lu_err err = { 0 };

	if (lu_chat_open(&c, "t", (struct lu_str){ (const char *)data, size }, &err) < 0) {
		if (strncmp(err.msg, "t:", 2) != 0)
			abort();
		return 0;
	}
	if (lu_chat_answers(c, &in, &special, &t, &spans, &err) == 0) {
		check_text(&t);
		for (size_t i = 0, end = 0; i < spans.n; i++) {
			if (spans.p[i].from < end || spans.p[i].to <= spans.p[i].from ||
					spans.p[i].to > t.bytes.n)
				abort();
			end = spans.p[i].to;
		}
	} else if (!err.msg[0] || err.errnum) {
		abort();
	}
	lu_chat_text_release(&t);
	lu_vec_release(&spans);
	lu_chat_close(c);
	return 0;
}
