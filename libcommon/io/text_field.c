#include "libcommon/io/text_field.h"

#include <stdlib.h>

#include "libcommon/base/vec.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"

/* A longer line is passed over. */
#define MAX_LINE ((uint64_t)64 << 20)

/* Objects inside objects that are looked into. */
#define DEPTH 3

struct field {
	char *name;	/* with dots into nested objects */
	uint64_t bytes; /* of its values */
};

struct search {
	struct LU_VEC(struct field) fields;
	struct lu_buf path;
	size_t records;
	bool text; /* the first record has "text" */
};

/* Add the bytes of a string to the member of this path. */
static int count(struct search *s, struct lu_str path, size_t bytes, struct lu_err *err)
{
	struct field *f = NULL;

	for (size_t i = 0; i < s->fields.n && !f; i++) {
		if (lu_str_is(path, s->fields.p[i].name))
			f = &s->fields.p[i];
	}
	if (!f) {
		if (!lu_vec_push(&s->fields, (struct field){ 0 }))
			return lu_err_nomem(err);
		f = &s->fields.p[s->fields.n - 1];
		f->name = strndup(path.p, path.n);
		if (!f->name) {
			s->fields.n--;
			return lu_err_nomem(err);
		}
	}
	f->bytes += bytes;
	return 0;
}

/* Count the strings of an object in a record; `path` is that of the object. */
static int count_nested(struct search *s, struct lu_buf *path, struct lu_str object, int depth,
		struct lu_err *err)
{
	struct lu_json_iter it = lu_json_iter(object);
	size_t n = path->n;

	while (lu_json_next(&it)) {
		int rc = 0;

		path->n = n;
		lu_buf_putc(path, '.');
		lu_buf_append(path, it.key.p + 1, it.key.n - 2);
		if (lu_buf_check(path, err) < 0)
			return -1;
		if (it.type == LU_JSON_STRING)
			rc = count(s, lu_buf_slice(path), it.value.n, err);
		else if (it.type == LU_JSON_OBJECT && depth > 1)
			rc = count_nested(s, path, it.value, depth - 1, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int count_record(
		struct search *s, struct lu_str line, struct lu_arena *arena, struct lu_err *err)
{
	struct lu_json_obj obj;
	struct lu_json_fault fault;
	int rc = 0;

	lu_arena_reset(arena);
	if (lu_json_object(line, arena, &obj, &fault) < 0)
		return fault.kind == LU_JSON_NO_MEMORY ? lu_json_fail(&fault, err) : 0;
	s->records++;
	for (size_t i = 0; i < obj.members && rc == 0; i++) {
		const struct lu_json_member *m = &obj.member[i];

		lu_buf_clear(&s->path);
		lu_buf_str(&s->path, m->key);
		rc = lu_buf_check(&s->path, err);
		if (m->type == LU_JSON_STRING && s->records == 1 && lu_str_is(m->key, "text"))
			s->text = true;
		if (m->type == LU_JSON_STRING && rc == 0)
			rc = count(s, lu_buf_slice(&s->path), m->value.n, err);
		else if (m->type == LU_JSON_OBJECT && rc == 0)
			rc = count_nested(s, &s->path, m->value, DEPTH, err);
	}
	return rc;
}

static int search_file(struct search *s, char *path, struct lu_err *err)
{
	struct lu_slab slab = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_lines lines;
	struct lu_str line;
	int rc = lu_lines_open(&lines, &path, 1, MAX_LINE, err);

	if (rc < 0)
		return -1;
	while (s->records < LU_TEXT_FIELD_RECORDS && (rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc >= 0 && s->records < LU_TEXT_FIELD_RECORDS &&
				lu_slab_next(&slab, &line)) {
			if (!slab.too_long && count_record(s, line, &arena, err) < 0)
				rc = -1;
		}
		if (rc < 0)
			break;
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	lu_arena_release(&arena);
	return rc < 0 ? -1 : 0;
}

int lu_text_field(char *path, struct lu_buf *out, struct lu_err *err)
{
	struct search s = { 0 };
	const struct field *longest = NULL;
	int rc = search_file(&s, path, err);

	for (size_t i = 0; i < s.fields.n; i++) {
		if (!longest || s.fields.p[i].bytes > longest->bytes)
			longest = &s.fields.p[i];
	}
	if (rc == 0 && s.records == 0)
		rc = lu_err_set(err, "%s: no record of JSON Lines", path);
	else if (rc == 0 && !longest)
		rc = lu_err_set(err, "%s: no member of the records is a string", path);
	else if (rc == 0)
		lu_buf_puts(out, s.text ? "text" : longest->name);
	for (size_t i = 0; i < s.fields.n; i++)
		free(s.fields.p[i].name);
	lu_vec_release(&s.fields);
	lu_buf_release(&s.path);
	return rc;
}
