#include "libcommon/entries/notebook.h"

#include "libcommon/base/json_writer.h"
#include "libcommon/io/json.h"

struct notebook {
	struct lu_arena *arena;
	struct lu_buf *text;
	struct lu_buf cell; /* source of a cell */
	struct lu_str lang;
	bool outputs;
	bool failed; /* memory is out */
};

/* The member of a checked object; .p NULL: there is none. */
static struct lu_str get(struct lu_str object, const char *key, enum lu_json_type *type)
{
	struct lu_json_iter it = lu_json_iter(object);
	size_t n = strlen(key);

	*type = LU_JSON_NULL;
	while (object.n && object.p[0] == '{' && lu_json_next(&it)) {
		if (it.key.n == n + 2 && memcmp(it.key.p + 1, key, n) == 0) {
			*type = it.type;
			return it.value;
		}
	}
	return (struct lu_str){ 0 };
}

/* Append a string, or the strings of an array: how notebooks write lines. */
static void put_source(struct notebook *nb, struct lu_str value, enum lu_json_type type,
		struct lu_buf *out)
{
	struct lu_json_iter it;
	struct lu_str s;

	if (type == LU_JSON_STRING) {
		if (lu_json_decode(value, nb->arena, &s) < 0)
			nb->failed = true;
		else
			lu_buf_str(out, s);
	} else if (type == LU_JSON_ARRAY) {
		it = lu_json_iter(value);
		while (lu_json_next(&it)) {
			if (it.type != LU_JSON_STRING)
				continue;
			if (lu_json_decode(it.value, nb->arena, &s) < 0)
				nb->failed = true;
			else
				lu_buf_str(out, s);
		}
	}
}

/* Set nb->cell to the member of a cell or output; false if that is blank. */
static bool read_source(struct notebook *nb, struct lu_str object, const char *key)
{
	enum lu_json_type type;
	struct lu_str value = get(object, key, &type);

	lu_buf_clear(&nb->cell);
	put_source(nb, value, type, &nb->cell);
	while (nb->cell.n && strchr(" \t\r\n", nb->cell.p[nb->cell.n - 1]) &&
			nb->cell.p[nb->cell.n - 1])
		nb->cell.n--;
	return nb->cell.n > 0;
}

static void put_gap(struct notebook *nb)
{
	if (nb->text->n)
		lu_buf_putc(nb->text, '\n');
}

/* Append nb->cell between fences longer than any run of backquotes in it. */
static void put_fenced(struct notebook *nb, struct lu_str lang)
{
	size_t run = 0, most = 2;

	for (size_t i = 0; i < nb->cell.n; i++) {
		run = nb->cell.p[i] == '`' ? run + 1 : 0;
		most = run > most ? run : most;
	}
	put_gap(nb);
	for (size_t i = 0; i <= most; i++)
		lu_buf_putc(nb->text, '`');
	lu_buf_str(nb->text, lang);
	lu_buf_putc(nb->text, '\n');
	lu_buf_str(nb->text, lu_buf_slice(&nb->cell));
	lu_buf_putc(nb->text, '\n');
	for (size_t i = 0; i <= most; i++)
		lu_buf_putc(nb->text, '`');
	lu_buf_putc(nb->text, '\n');
}

static void put_outputs(struct notebook *nb, struct lu_str cell)
{
	enum lu_json_type type;
	struct lu_json_iter it = lu_json_iter(get(cell, "outputs", &type));

	while (type == LU_JSON_ARRAY && lu_json_next(&it)) {
		enum lu_json_type inner;
		struct lu_str data = get(it.value, "data", &inner);

		/* A stream, or a result of version 3; a result of version 4. */
		if (read_source(nb, it.value, "text") ||
				(inner == LU_JSON_OBJECT && read_source(nb, data, "text/plain")))
			put_fenced(nb, LU_STR(""));
	}
}

/* A name of a language that may stand behind a fence, from a string of JSON; .n 0: none. */
static struct lu_str lang_name(struct lu_str v, enum lu_json_type type)
{
	struct lu_str s;

	if (type != LU_JSON_STRING || v.n >= 40)
		return (struct lu_str){ 0 };
	s = (struct lu_str){ v.p + 1, v.n - 2 };
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] <= ' ' || strchr("`\"\\", s.p[i]))
			return (struct lu_str){ 0 };
	}
	return s;
}

/* In version 3. */
static struct lu_str lang_of_cell(struct lu_str cell)
{
	enum lu_json_type type;
	struct lu_str v = get(cell, "language", &type);

	return lang_name(v, type);
}

static void put_cell(struct notebook *nb, struct lu_str cell)
{
	enum lu_json_type type, level_type;
	struct lu_str kind = get(cell, "cell_type", &type);
	struct lu_str level = get(cell, "level", &level_type);

	if (lu_str_is(kind, "\"code\"")) {
		if (read_source(nb, cell, "source") || read_source(nb, cell, "input"))
			put_fenced(nb, nb->lang.n ? nb->lang : lang_of_cell(cell));
		if (nb->outputs)
			put_outputs(nb, cell);
	} else if (read_source(nb, cell, "source")) {
		put_gap(nb);
		if (lu_str_is(kind, "\"heading\"")) {
			int n = level_type == LU_JSON_NUMBER && level.n == 1 ? level.p[0] - '0' : 1;

			for (int i = 0; i < n; i++)
				lu_buf_putc(nb->text, '#');
			lu_buf_putc(nb->text, ' ');
		}
		lu_buf_str(nb->text, lu_buf_slice(&nb->cell));
		lu_buf_putc(nb->text, '\n');
	}
}

static void put_cells(struct notebook *nb, struct lu_str cells)
{
	struct lu_json_iter it = lu_json_iter(cells);

	while (lu_json_next(&it)) {
		if (it.type == LU_JSON_OBJECT)
			put_cell(nb, it.value);
		lu_arena_reset(nb->arena);
	}
}

/* The language that the metadata name, a slice; .n 0: none. */
static struct lu_str find_lang(struct lu_str metadata)
{
	static const char *const at[][2] = { { "language_info", "name" },
		{ "kernelspec", "language" }, { "language", NULL } };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		enum lu_json_type type;
		struct lu_str v = get(metadata, at[i][0], &type);

		if (at[i][1])
			v = type == LU_JSON_OBJECT ? get(v, at[i][1], &type) : (struct lu_str){ 0 };
		v = lang_name(v, type);
		if (v.n)
			return v;
	}
	return (struct lu_str){ 0 };
}

int lu_notebook_text(struct lu_str json, bool outputs, struct lu_arena *arena, struct lu_buf *text,
		struct lu_buf *title, struct lu_buf *more, const char **reason, struct lu_err *err)
{
	struct notebook nb = { .arena = arena, .text = text, .outputs = outputs };
	enum lu_json_type type, sheets_type;
	struct lu_json_fault fault;
	struct lu_str cells, sheets, metadata;
	int rc = -1;

	if (lu_json_check(json, &type, &fault) < 0 || type != LU_JSON_OBJECT) {
		*reason = "no notebook";
		return 1;
	}
	while (json.n && json.p[0] != '{') {
		json.p++;
		json.n--;
	}
	metadata = get(json, "metadata", &type);
	nb.lang = find_lang(metadata);
	cells = get(metadata, "title", &type);
	put_source(&nb, cells, type, title);
	lu_arena_reset(arena);
	cells = get(json, "cells", &type);
	sheets = get(json, "worksheets", &sheets_type);
	if (type == LU_JSON_ARRAY) {
		put_cells(&nb, cells);
	} else if (sheets_type == LU_JSON_ARRAY) {
		struct lu_json_iter it = lu_json_iter(sheets);

		while (lu_json_next(&it)) {
			cells = get(it.value, "cells", &type);
			if (type == LU_JSON_ARRAY)
				put_cells(&nb, cells);
		}
	} else {
		*reason = "no notebook";
		rc = 1;
		goto out;
	}
	if (nb.lang.n)
		lu_json_put_str(more, "programming_language", nb.lang);
	if (nb.failed || lu_buf_check(&nb.cell, err) < 0 || lu_buf_check(text, err) < 0 ||
			lu_buf_check(title, err) < 0 || lu_buf_check(more, err) < 0)
		rc = lu_err_nomem(err);
	else
		rc = 0;
out:
	lu_buf_release(&nb.cell);
	return rc;
}
