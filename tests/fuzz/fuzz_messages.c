/* Any bytes as a record of a conversation or a preference: a reason, or messages that are JSON, with
 * known roles, and that a template renders. */
#include "libcommon/chat/chat.h"
#include "libcommon/chat/messages.h"
#include "tests/fuzz/fuzz.h"

static const char template[] = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";

static void check(const struct lu_chat_record *r)
{
	struct lu_chat_input in = { .messages = r->messages, .tools = r->tools };
	struct lu_chat *c;
	struct lu_chat_text t = { 0 };
	struct lu_json_fault fault;
	enum lu_json_type type;
	struct lu_err err = { 0 };

	if (lu_json_check(r->messages, &type, &fault) < 0 || type != LU_JSON_ARRAY)
		abort();
	if (lu_chat_open(&c, "t", LU_STR(template), &err) < 0)
		abort();
	/* Numbers beyond 64 bits are refused when they are read. */
	if (lu_chat_render(c, &in, &t, &err) < 0 && !err.msg[0])
		abort();
	lu_chat_text_release(&t);
	lu_chat_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_arena arena = { 0 };
	struct lu_json_obj obj;
	struct lu_json_fault fault;
	struct lu_chat_record r[2];
	struct lu_err err = { 0 };
	struct lu_str value;
	const char *reason = NULL;
	int rc;

	if (lu_json_object((struct lu_str){ (const char *)data, size }, &arena, &obj, &fault) ==
			0) {
		rc = lu_chat_record_read(&obj, &arena, &r[0], &reason, &value, &err);
		if (rc == 0)
			check(&r[0]);
		else if (rc < 0 || !reason)
			abort();
		rc = lu_chat_preference_read(&obj, &arena, &r[0], &r[1], &reason, &value, &err);
		if (rc < 0 || (rc > 0 && !reason))
			abort();
		for (size_t i = 0; rc == 0 && i < 2; i++) {
			if (r[i].prompt == 0 || r[i].prompt >= r[i].n)
				abort();
			check(&r[i]);
		}
	}
	lu_arena_release(&arena);
	return 0;
}
