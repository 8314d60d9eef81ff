#ifndef LUCIE_TRAINER_EVAL_TASK_FILE_H
#define LUCIE_TRAINER_EVAL_TASK_FILE_H
/*
 * Task files (lucie-task(5)): the questions that a model is asked, one JSON object a line.
 *
 *	struct lt_tasks t = { 0 };
 *	lt_tasks_read(&t, "capitals=capitals.jsonl", &err)	as often as there are files
 *	t.task.p[i].item.p[k] ...
 *	lt_tasks_release(&t);
 *
 * A task is of one kind: every item has choices, or none has. Tasks are in the order of their first
 * items. All memory is the tasks'.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/err.h"
#include "libcommon/base/vec.h"

/* The right one of several choices, by log-likelihood; or a text that the model must write. */
enum lt_task_kind { LT_TASK_CHOICE, LT_TASK_TEXT };

struct lt_task_item {
	struct lu_str context;
	struct lu_str delimiter; /* between the context and a choice or an answer */
	const struct lu_str
			*choice; /* CHOICE: the choices; TEXT: the answers that count as right */
	size_t choices;
	size_t answer;		    /* CHOICE: index of the right one; TEXT: 0 */
	const struct lu_str *until; /* TEXT: strings that end the answer */
	size_t untils;
	uint64_t max_tokens; /* TEXT: that are generated at most */
	bool ignore_case, ignore_punctuation;
	const char *file;
	uint64_t line;
};

struct lt_task {
	struct lu_str name;
	const char *file; /* of the first item */
	enum lt_task_kind kind;
	struct LU_VEC(struct lt_task_item) item;
};

struct lt_tasks {
	struct LU_VEC(struct lt_task) task;
	struct lu_arena arena;
};

/* Tokens that an answer has at most, where the file does not say. */
#define LT_TASK_MAX_TOKENS 64

/*
 * Read a file, FILE or NAME=FILE, compressed or not. An item belongs to the task that its member
 * "task" names, without one to NAME, without that to the file's name without folders and endings. With
 * NAME another name in "task" is an error. A task that an earlier file has begun, and a file without
 * items, are errors too.
 */
int lt_tasks_read(struct lt_tasks *t, const char *spec, struct lu_err *err) LU_CHECKED;
void lt_tasks_release(struct lt_tasks *t);

#endif
