#include "libcommon/report/jtable.h"

#include <stdlib.h>

#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

#define MAX_FILE ((size_t)1 << 28)

static int find_or_add_column(
		struct lu_jtable *t, struct lu_str key, size_t *column, struct lu_err *err)
{
	for (size_t i = 0; i < t->columns; i++) {
		if (lu_str_eq(t->column[i], key)) {
			*column = i;
			return 0;
		}
	}
	if (t->columns == LU_JTABLE_COLUMNS)
		return lu_err_set(err, "more than %d columns", LU_JTABLE_COLUMNS);
	*column = t->columns;
	t->number[t->columns] = true;
	t->column[t->columns] = lu_arena_str(&t->arena, key);
	return t->column[t->columns++].p ? 0 : lu_err_nomem(err);
}

/* Append an empty row; NULL when memory is out. */
static struct lu_jtable_row *push_row(struct lu_jtable *t)
{
	struct lu_jtable_row *row;

	if (!lu_vec_reserve(&t->row, 1))
		return NULL;
	row = &t->row.p[t->row.n++];
	for (size_t i = 0; i < LU_JTABLE_COLUMNS; i++)
		row->cell[i] = LU_STR("");
	return row;
}

static int set_cell(struct lu_jtable *t, struct lu_jtable_row *row, const struct lu_json_member *m,
		struct lu_err *err)
{
	size_t column = 0;

	if (m->type == LU_JSON_ARRAY || m->type == LU_JSON_OBJECT)
		return 0;
	if (find_or_add_column(t, m->key, &column, err) < 0)
		return -1;
	if (m->type == LU_JSON_NULL)
		return 0;
	if (m->type != LU_JSON_NUMBER)
		t->number[column] = false;
	row->cell[column] = m->value;
	if (m->type == LU_JSON_STRING &&
			lu_json_decode_known(m->value, m->escaped, &t->arena, &row->cell[column]) <
					0)
		return lu_err_nomem(err);
	return 0;
}

/* Add an object as a row. Unless `title` is NULL, the column of that title gets `name`. */
static int add_named(struct lu_jtable *t, struct lu_str raw, const struct lu_str *title,
		struct lu_str name, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	struct lu_jtable_row *row;

	if (lu_json_object(raw, &t->arena, &obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	row = push_row(t);
	if (!row)
		return lu_err_nomem(err);
	if (title) {
		size_t column = 0;

		if (find_or_add_column(t, *title, &column, err) < 0)
			return -1;
		t->number[column] = false;
		row->cell[column] = name;
	}
	for (size_t i = 0; i < obj.members; i++) {
		if (set_cell(t, row, &obj.member[i], err) < 0)
			return -1;
	}
	return 0;
}

static int add_row(struct lu_jtable *t, struct lu_str raw, struct lu_err *err)
{
	return add_named(t, raw, NULL, LU_STR(""), err);
}

/* True for an array or object whose first element is an object. */
static bool holds_objects(struct lu_str raw)
{
	struct lu_json_iter it = lu_json_iter(raw);

	return lu_json_next(&it) && it.type == LU_JSON_OBJECT;
}

/* Add the objects of an array. */
static int add_rows(struct lu_jtable *t, struct lu_str raw, struct lu_err *err)
{
	struct lu_json_iter it = lu_json_iter(raw);

	while (lu_json_next(&it)) {
		if (add_row(t, it.value, err) < 0)
			return -1;
	}
	return 0;
}

static int add_lines(struct lu_jtable *t, struct lu_str text, struct lu_err *err)
{
	const char *end = text.p + text.n, *next;
	size_t number = 0;

	for (const char *p = text.p; p < end; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (!next)
			next = end;
		number++;
		if (next > p && add_row(t, (struct lu_str){ p, (size_t)(next - p) }, err) < 0)
			return lu_err_wrap(err, "line %zu", number);
	}
	return 0;
}

/* Add the members of member `which` with their names, then the other members that are objects. */
static int add_members(struct lu_jtable *t, const struct lu_json_obj *obj, size_t which,
		struct lu_err *err)
{
	const struct lu_json_member *rows = &obj->member[which];
	struct lu_json_iter it = lu_json_iter(rows->value);
	struct lu_str name;

	while (lu_json_next(&it)) {
		if (it.type != LU_JSON_OBJECT)
			continue;
		if (lu_json_decode(it.key, &t->arena, &name) < 0)
			return lu_err_nomem(err);
		if (add_named(t, it.value, &rows->key, name, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < obj->members; i++) {
		const struct lu_json_member *m = &obj->member[i];

		if (m->type == LU_JSON_OBJECT && !holds_objects(m->value) &&
				add_named(t, m->value, &rows->key, m->key, err) < 0)
			return -1;
	}
	return 0;
}

/* Find the rows in a file, as the header says. */
static int add_text(struct lu_jtable *t, struct lu_str text, struct lu_err *err)
{
	struct lu_json_fault fault;
	enum lu_json_type type;
	struct lu_json_obj obj;

	if (lu_json_check(text, &type, &fault) < 0)
		return add_lines(t, text, err);
	if (type == LU_JSON_ARRAY)
		return add_rows(t, text, err);
	if (type != LU_JSON_OBJECT)
		return lu_err_set(err, "not a table: neither an object nor an array");
	if (lu_json_object(text, &t->arena, &obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	for (size_t i = 0; i < obj.members; i++) {
		const struct lu_json_member *m = &obj.member[i];

		if (m->type == LU_JSON_ARRAY && holds_objects(m->value))
			return add_rows(t, m->value, err);
		if (m->type == LU_JSON_OBJECT && holds_objects(m->value))
			return add_members(t, &obj, i, err);
	}
	return add_row(t, text, err);
}

int lu_jtable_read(struct lu_jtable *t, const char *path, struct lu_err *err)
{
	struct lu_str copy;
	char *text = NULL;
	size_t n;
	int rc;

	if (lu_read_input(path, MAX_FILE, &text, &n, err) < 0)
		return -1;
	/* Cells are slices of the copy. */
	copy = lu_arena_str(&t->arena, (struct lu_str){ text, n });
	free(text);
	if (!copy.p)
		return lu_err_nomem(err);
	rc = add_text(t, copy, err);
	return rc < 0 ? lu_err_wrap(err, "%s", path) : 0;
}

void lu_jtable_release(struct lu_jtable *t)
{
	lu_vec_release(&t->row);
	lu_arena_release(&t->arena);
	*t = (struct lu_jtable){ 0 };
}
