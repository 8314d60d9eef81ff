#ifndef LUCIE_CHAT_MESSAGES_H
#define LUCIE_CHAT_MESSAGES_H
/*
 * Conversations as they are found in data sets, in one form: a JSON array of messages, objects with
 * "role" and "content", as chat templates take it.
 *
 *	{"messages":[{"role":"user","content":"..."},{"role":"assistant","content":"..."}]}
 *	{"conversations":[{"from":"human","value":"..."},{"from":"gpt","value":"..."}]}	ShareGPT
 *	{"conversation":[...]}, {"dialogue":[...]}, {"chat":[...]}	either form of message
 *	{"instruction":"...","input":"...","output":"..."}	Alpaca; "input" may be absent or empty
 *	{"prompt":"...","response":"..."}	also "completion", "answer"; "question" for "prompt"
 * "system" beside any of them, a string, becomes the first message unless there is one.
 *
 * Roles are system, developer, user, assistant, tool, function, ipython and context; human, gpt, bot,
 * model, chatbot, chatgpt, prompter and observation are other names of user, assistant and tool.
 * "content" is a string; null or absent where the message has "tool_calls"; or a list of parts
 * {"type":"text","text":"..."}, which are joined. The other members of a message stay.
 *
 * Preferences: {"prompt", "chosen", "rejected"}: each a string, a message or an array of messages;
 * without "prompt", the messages that chosen and rejected begin with alike are the prompt.
 */
#include "libcommon/base/arena.h"
#include "libcommon/io/json.h"

struct lu_chat_record {
	struct lu_str messages; /* raw JSON */
	struct lu_str tools;	/* raw JSON array, or empty */
	size_t n;		/* messages */
	size_t answers;		/* of the role assistant */
	bool empty;		/* one of them is, and calls no tool */
	size_t prompt;		/* of a preference: messages before the answers that are compared */
	const char *form;	/* the spelling: "messages", "ShareGPT", "Alpaca", "prompt" */
};

/* Read a record. 0; 1 if it is none, with *reason, a static sentence, and the value it is about, raw
 * JSON or .p NULL; -1 when memory is out. Slices point into the record or the arena. */
int lu_chat_record_read(const struct lu_json_obj *obj, struct lu_arena *arena,
		struct lu_chat_record *out, const char **reason, struct lu_str *value,
		struct lu_err *err) LU_CHECKED;
/* A preference: two conversations that begin with the same prompt. */
int lu_chat_preference_read(const struct lu_json_obj *obj, struct lu_arena *arena,
		struct lu_chat_record *chosen, struct lu_chat_record *rejected, const char **reason,
		struct lu_str *value, struct lu_err *err) LU_CHECKED;
/* True for the roles above that need no other name. */
bool lu_chat_role_known(struct lu_str role);

#endif
