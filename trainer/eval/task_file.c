#include "trainer/eval/task_file.h"

#include <inttypes.h>
#include <string.h>

#include "libcommon/report/each_object.h"

#define MAX_LINE ((uint64_t)1 << 26)
#define MAX_GENERATED ((uint64_t)1 << 20)

/* A file as it is read. */
struct reader {
	struct lt_tasks *t;
	struct lu_str name; /* of the tasks; from the file's name if `named` is false */
	bool named;
	size_t before; /* tasks of earlier files */
	uint64_t items;
};

/* --- members ---------------------------------------------------------------------------------- */

static int keep(struct lt_tasks *t, struct lu_str raw, struct lu_str *out, struct lu_err *err)
{
	struct lu_str s;

	/* Lines are read into a buffer that is used again. */
	if (lu_json_decode(raw, &t->arena, &s) < 0)
		return lu_err_nomem(err);
	*out = lu_arena_str(&t->arena, s);
	return out->p ? 0 : lu_err_nomem(err);
}

/* The string of this name; *has tells whether there is one. */
static int get_string(struct lt_tasks *t, const struct lu_json_obj *obj, const char *key,
		struct lu_str *out, bool *has, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	*has = m != NULL;
	if (!m)
		return 0;
	if (m->type != LU_JSON_STRING)
		return lu_err_set(err, "\"%s\" is not a string", key);
	return keep(t, m->value, out, err);
}

/* The strings of an array, or a single string as an array of one. */
static int get_strings(struct lt_tasks *t, const struct lu_json_member *m, const char *key,
		const struct lu_str **out, size_t *n, struct lu_err *err)
{
	struct LU_VEC(struct lu_str) list = { 0 };
	struct lu_json_iter it = lu_json_iter(m->value);
	struct lu_str *kept = NULL, s;
	int rc = 0;

	if (m->type == LU_JSON_STRING) {
		rc = keep(t, m->value, &s, err);
		if (rc == 0 && !lu_vec_push(&list, s))
			rc = lu_err_nomem(err);
	} else if (m->type != LU_JSON_ARRAY) {
		rc = lu_err_set(err, "\"%s\" is not an array of strings", key);
	}
	while (rc == 0 && m->type == LU_JSON_ARRAY && lu_json_next(&it)) {
		if (it.type != LU_JSON_STRING)
			rc = lu_err_set(err, "\"%s\" has an element that is not a string", key);
		else
			rc = keep(t, it.value, &s, err);
		if (rc == 0 && !lu_vec_push(&list, s))
			rc = lu_err_nomem(err);
	}
	if (rc == 0) {
		kept = lu_arena_alloc(&t->arena, list.n * sizeof(*kept));
		rc = kept ? 0 : lu_err_nomem(err);
	}
	if (rc == 0 && list.n)
		memcpy(kept, list.p, list.n * sizeof(*kept));
	*out = kept;
	*n = list.n;
	lu_vec_release(&list);
	return rc;
}

static int get_flag(const struct lu_json_obj *obj, const char *key, bool *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	if (!m)
		return 0;
	if (m->type != LU_JSON_TRUE && m->type != LU_JSON_FALSE)
		return lu_err_set(err, "\"%s\" is neither true nor false", key);
	*out = m->type == LU_JSON_TRUE;
	return 0;
}

/* Members that only a text that is generated has. */
static int refuse_for_choices(const struct lu_json_obj *obj, struct lu_err *err)
{
	static const char *const keys[] = { "until", "max_tokens", "ignore_case",
		"ignore_punctuation" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (lu_json_get(obj, keys[i]))
			return lu_err_set(err,
					"\"%s\" has no effect on choices, which are scored by "
					"likelihood",
					keys[i]);
	}
	return 0;
}

static int get_choices(struct lt_tasks *t, const struct lu_json_obj *obj,
		const struct lu_json_member *answer, struct lt_task_item *item, struct lu_err *err)
{
	uint64_t right = 0;

	if (refuse_for_choices(obj, err) < 0 ||
			get_strings(t, lu_json_get(obj, "choices"), "choices", &item->choice,
					&item->choices, err) < 0)
		return -1;
	if (item->choices < 2)
		return lu_err_set(
				err, "\"choices\" has %zu choices, fewer than two", item->choices);
	for (size_t i = 0; i < item->choices; i++) {
		if (item->choice[i].n == 0)
			return lu_err_set(err, "choice %zu is empty", i);
	}
	if (!lu_json_u64(answer, &right))
		return lu_err_set(err,
				"\"answer\" is not the index of a choice, a whole number from 0");
	if (right >= item->choices)
		return lu_err_set(err, "\"answer\" is %" PRIu64 ", and the choices are 0 to %zu",
				right, item->choices - 1);
	item->answer = (size_t)right;
	return 0;
}

static int get_text(struct lt_tasks *t, const struct lu_json_obj *obj,
		const struct lu_json_member *answer, struct lt_task_item *item, struct lu_err *err)
{
	const struct lu_json_member *until = lu_json_get(obj, "until");
	const struct lu_json_member *max = lu_json_get(obj, "max_tokens");

	if (answer->type != LU_JSON_STRING && answer->type != LU_JSON_ARRAY)
		return lu_err_set(err,
				"\"answer\" is neither a text nor an array of texts; with an index "
				"there are \"choices\"");
	if (get_strings(t, answer, "answer", &item->choice, &item->choices, err) < 0)
		return -1;
	if (item->choices == 0)
		return lu_err_set(err, "\"answer\" has no text");
	for (size_t i = 0; i < item->choices; i++) {
		if (lu_str_only(item->choice[i], " \t\r\n"))
			return lu_err_set(err, "\"answer\" is empty");
	}
	if (until && get_strings(t, until, "until", &item->until, &item->untils, err) < 0)
		return -1;
	for (size_t i = 0; i < item->untils; i++) {
		if (item->until[i].n == 0)
			return lu_err_set(err, "\"until\" has an empty string");
	}
	item->max_tokens = LT_TASK_MAX_TOKENS;
	if (max &&
			(!lu_json_u64(max, &item->max_tokens) || item->max_tokens == 0 ||
					item->max_tokens > MAX_GENERATED))
		return lu_err_set(err, "\"max_tokens\" is not a whole number from 1 to %" PRIu64,
				MAX_GENERATED);
	return get_flag(obj, "ignore_case", &item->ignore_case, err) < 0
			? -1
			: get_flag(obj, "ignore_punctuation", &item->ignore_punctuation, err);
}

/* --- items ------------------------------------------------------------------------------------ */

/* Find the task of this name, or begin it. */
static int find_task(struct reader *r, struct lu_str name, const struct lt_task_item *item,
		enum lt_task_kind kind, struct lt_task **out, struct lu_err *err)
{
	struct lt_tasks *t = r->t;
	struct lt_task *task = NULL;

	for (size_t i = 0; i < t->task.n && !task; i++) {
		if (lu_str_eq(t->task.p[i].name, name))
			task = &t->task.p[i];
	}
	*out = task;
	if (task && (size_t)(task - t->task.p) < r->before)
		return lu_err_set(err,
				"task '" LU_STR_FMT "' is in %s already; NAME=FILE gives it "
				"another name",
				LU_STR_ARG(name), task->file);
	if (task && task->kind != kind)
		return lu_err_set(err,
				"task '" LU_STR_FMT "' has items with and without \"choices\": "
				"give them different \"task\" names",
				LU_STR_ARG(name));
	if (task)
		return 0;
	if (!lu_vec_push(&t->task,
			    (struct lt_task){ .name = name, .file = item->file, .kind = kind }))
		return lu_err_nomem(err);
	*out = &t->task.p[t->task.n - 1];
	return 0;
}

static int name_of(struct reader *r, const struct lu_json_obj *obj, struct lu_str *name,
		struct lu_err *err)
{
	struct lu_str own;
	bool has;

	*name = r->name;
	if (get_string(r->t, obj, "task", &own, &has, err) < 0)
		return -1;
	if (!has)
		return 0;
	if (own.n == 0)
		return lu_err_set(err, "\"task\" is empty");
	if (r->named && !lu_str_eq(own, r->name))
		return lu_err_set(err,
				"of task '" LU_STR_FMT "', not '" LU_STR_FMT
				"' as given; leave the "
				"name out",
				LU_STR_ARG(own), LU_STR_ARG(r->name));
	*name = own;
	return 0;
}

/* Add a line, a lu_each_object_fn. */
static int add_item(void *ctx, const struct lu_json_obj *obj, const struct lu_place *at,
		struct lu_arena *scan, struct lu_err *err)
{
	struct reader *r = ctx;
	struct lt_task_item item = { .delimiter = LU_STR(" "), .line = at->line };
	const struct lu_json_member *answer = lu_json_get(obj, "answer");
	bool choices = lu_json_get(obj, "choices") != NULL, has;
	struct lt_task *task;
	struct lu_str name;

	(void)scan;
	item.file = lu_arena_str(&r->t->arena, lu_str_of(at->file)).p;
	if (!item.file)
		return lu_err_nomem(err);
	if (get_string(r->t, obj, "context", &item.context, &has, err) < 0)
		return -1;
	if (!has)
		return lu_err_set(err, "no \"context\" member");
	if (!answer)
		return lu_err_set(err, "no \"answer\" member");
	if (get_string(r->t, obj, "delimiter", &item.delimiter, &has, err) < 0 ||
			(choices ? get_choices(r->t, obj, answer, &item, err)
				 : get_text(r->t, obj, answer, &item, err)) < 0 ||
			name_of(r, obj, &name, err) < 0 ||
			find_task(r, name, &item, choices ? LT_TASK_CHOICE : LT_TASK_TEXT, &task,
					err) < 0)
		return -1;
	r->items++;
	return lu_vec_push(&task->item, item) ? 0 : lu_err_nomem(err);
}

/* --- files ------------------------------------------------------------------------------------ */

/* The file's name without folders and endings: "capitals.jsonl.zst" is capitals. */
static struct lu_str stem(const char *file)
{
	const char *slash = strrchr(file, '/'), *p = slash ? slash + 1 : file;
	const char *dot = *p ? strchr(p + 1, '.') : NULL;

	return (struct lu_str){ p, dot ? (size_t)(dot - p) : strlen(p) };
}

int lt_tasks_read(struct lt_tasks *t, const char *spec, struct lu_err *err)
{
	const char *equals = strchr(spec, '=');
	/* A path may have the sign, too. */
	bool named = equals && !memchr(spec, '/', (size_t)(equals - spec));
	struct reader r = { .t = t, .named = named, .before = t->task.n };
	struct lu_str name, file = lu_str_of(named ? equals + 1 : spec);
	char *path;
	int rc;

	file = lu_arena_str(&t->arena, file);
	if (!file.p)
		return lu_err_nomem(err);
	name = named ? (struct lu_str){ spec, (size_t)(equals - spec) } : stem(file.p);
	r.name = lu_arena_str(&t->arena, name);
	if (!r.name.p)
		return lu_err_nomem(err);
	if (file.n == 0 || r.name.n == 0)
		return lu_err_set(err, "'%s' is not a task file, FILE or NAME=FILE", spec);
	path = strdup(file.p);
	if (!path)
		return lu_err_nomem(err);
	rc = lu_each_object(&path, 1, MAX_LINE, add_item, &r, err);
	if (rc == 0 && r.items == 0)
		rc = lu_err_set(err, "%s: no items", path);
	free(path);
	return rc;
}

void lt_tasks_release(struct lt_tasks *t)
{
	for (size_t i = 0; i < t->task.n; i++)
		lu_vec_release(&t->task.p[i].item);
	lu_vec_release(&t->task);
	lu_arena_release(&t->arena);
}
