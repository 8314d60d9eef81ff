#include "trainer/model/tensor_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/vec.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

#define INDEX_MAX ((size_t)64 << 20)
#define COMPARED ((size_t)1 << 20) /* bytes of two tensors at once */

static const char embedding[] = "model.embed_tokens.weight", head[] = "lm_head.weight";

/* The files of a folder. */
struct source {
	const char *dir;
	char *index; /* path; NULL: one file with everything */
	char *text;
	struct lu_json_obj map;
	struct LU_VEC(char *) path;
	struct LU_VEC(struct lu_str)
			raw; /* the file's name as the index spells it; with an index */
	struct lu_arena arena;
	const struct lt_pad *pad;
};

/* --- the index -------------------------------------------------------------------------------- */

/* True for a tensor that is not needed: older versions of transformers saved the angles. */
static bool is_spare(const char *name)
{
	static const char angles[] = ".rotary_emb.inv_freq";
	size_t n = strlen(name), k = sizeof(angles) - 1;

	return n > k && memcmp(name + n - k, angles, k) == 0;
}

/* True for the head in a file where the embedding is the head. */
static bool is_second_head(const struct lt_table *t, const char *name)
{
	return t->shape.tied && strcmp(name, head) == 0;
}

static int add_file(struct source *s, struct lu_str raw, struct lu_err *err)
{
	struct lu_str name;
	char *path;

	for (size_t i = 0; i < s->raw.n; i++) {
		if (lu_str_eq(s->raw.p[i], raw))
			return 0;
	}
	if (lu_json_decode(raw, &s->arena, &name) < 0)
		return lu_err_nomem(err);
	if (!name.n || name.p[0] == '.' || memchr(name.p, '/', name.n) ||
			memchr(name.p, '\\', name.n) || memchr(name.p, '\0', name.n))
		return lu_err_set(err,
				"%s: weight_map has %.*s, not the name of a file in the folder",
				s->index, (int)(raw.n < 80 ? raw.n : 80), raw.p);
	if (asprintf(&path, "%s/%.*s", s->dir, (int)name.n, name.p) < 0)
		return lu_err_nomem(err);
	if (!lu_vec_push(&s->path, path)) {
		free(path);
		return lu_err_nomem(err);
	}
	return lu_vec_push(&s->raw, raw) ? 0 : lu_err_nomem(err);
}

/* Check the names of the weight_map, and collect its files. */
static int read_map(struct source *s, const struct lt_table *t, struct lu_err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!lu_json_get(&s->map, t->param[i].name))
			return lu_err_set(err, "%s: tensor %s is missing", s->index,
					t->param[i].name);
	}
	for (size_t i = 0; i < s->map.members; i++) {
		const struct lu_json_member *m = &s->map.member[i];
		struct lu_str key = lu_arena_str(&s->arena, m->key);

		if (!key.p)
			return lu_err_nomem(err);
		if (m->type != LU_JSON_STRING)
			return lu_err_set(err, "%s: the file of tensor %s is no text", s->index,
					key.p);
		if (!lt_table_find(t, key.p) && !is_spare(key.p) && !is_second_head(t, key.p))
			return lu_err_set(err,
					"%s: the model has no tensor %s, which would be left "
					"unread",
					s->index, key.p);
		if (add_file(s, m->value, err) < 0)
			return -1;
	}
	return 0;
}

static int open_index(struct source *s, const struct lt_table *t, struct lu_err *err)
{
	const struct lu_json_member *m;
	struct lu_json_obj index;
	struct lu_json_fault fault;
	size_t n;

	if (lu_read_file(s->index, INDEX_MAX, &s->text, &n, err) < 0)
		return -1;
	if (lu_json_object((struct lu_str){ s->text, n }, &s->arena, &index, &fault) < 0) {
		lu_json_fail(&fault, err);
		return lu_err_wrap(err, "%s", s->index);
	}
	m = lu_json_get(&index, "weight_map");
	if (!m || m->type != LU_JSON_OBJECT)
		return lu_err_set(err, "%s: no object \"weight_map\"", s->index);
	if (lu_json_object(m->value, &s->arena, &s->map, &fault) < 0) {
		lu_json_fail(&fault, err);
		return lu_err_wrap(err, "%s: weight_map", s->index);
	}
	return read_map(s, t, err);
}

static void close_source(struct source *s)
{
	for (size_t i = 0; i < s->path.n; i++)
		free(s->path.p[i]);
	lu_vec_release(&s->path);
	lu_vec_release(&s->raw);
	lu_arena_release(&s->arena);
	free(s->text);
	free(s->index);
}

static int open_source(struct source *s, const struct lt_table *t, const char *dir,
		const struct lt_pad *pad, struct lu_err *err)
{
	static const char *const names[] = { "weights.safetensors", "model.safetensors",
		"model.safetensors.index.json" };

	*s = (struct source){ .dir = dir, .pad = pad };
	for (int i = 0; i < 3; i++) {
		char *path = lu_concat(dir, "/", names[i]);

		if (!path)
			return lu_err_nomem(err);
		if (access(path, F_OK) < 0) {
			free(path);
			continue;
		}
		if (i == 2) {
			s->index = path;
			return open_index(s, t, err);
		}
		if (lu_vec_push(&s->path, path))
			return 0;
		free(path);
		return lu_err_nomem(err);
	}
	return lu_err_set(err,
			"%s: no weights: neither model.safetensors nor "
			"model.safetensors.index.json",
			dir);
}

/* True if the tensor is to come from file number `file`. */
static bool assigned(const struct source *s, const char *name, size_t file)
{
	const struct lu_json_member *m = s->index ? lu_json_get(&s->map, name) : NULL;

	return !s->index || (m && lu_str_eq(m->value, s->raw.p[file]));
}

static int open_tensors(struct source *s, size_t file, struct lu_st *st, struct lu_err *err)
{
	if (lu_st_open(st, s->path.p[file], err) == 0)
		return 0;
	return s->index && access(s->path.p[file], F_OK) < 0
			? lu_err_wrap(err, "%s lists a file that is missing", s->index)
			: -1;
}

/* --- checks ----------------------------------------------------------------------------------- */

static const struct lt_pad *pad_of(const struct source *s, const struct lt_param *p)
{
	return strcmp(p->name, embedding) == 0 || strcmp(p->name, head) == 0 ? s->pad : NULL;
}

/* Each tensor of the file is one of the model, and is to come from this file. */
static int check_names(const struct source *s, const struct lt_table *t, size_t file,
		const struct lu_st *st, struct lu_err *err)
{
	for (size_t i = 0; i < st->n; i++) {
		const char *name = st->tensor[i].name.p;

		if (is_spare(name))
			continue;
		if (!lt_table_find(t, name) && !is_second_head(t, name))
			return lu_err_set(err,
					"%s: the model has no tensor %s, which would be left "
					"unread",
					st->path, name);
		if (assigned(s, name, file))
			continue;
		if (lu_json_get(&s->map, name))
			return lu_err_set(err,
					"%s: tensor %s is here, but %s has it in another file",
					st->path, name, s->index);
		return lu_err_set(err, "%s: tensor %s is not in %s", st->path, name, s->index);
	}
	return 0;
}

static int check_file(struct source *s, const struct lt_table *t, size_t file, struct lu_err *err)
{
	struct lu_st st;
	int rc;

	if (open_tensors(s, file, &st, err) < 0)
		return -1;
	rc = check_names(s, t, file, &st, err);
	for (size_t i = 0; i < t->n && rc == 0; i++) {
		const struct lt_param *p = &t->param[i];

		if (assigned(s, p->name, file))
			rc = lt_tensor_check(&st, lu_st_find(&st, p->name), p, pad_of(s, p), err);
	}
	lu_st_close(&st);
	return rc;
}

static int check_all(struct source *s, const struct lt_table *t, struct lu_err *err)
{
	for (size_t i = 0; i < s->path.n; i++) {
		if (check_file(s, t, i, err) < 0)
			return -1;
	}
	return 0;
}

int lt_import_check(const struct lt_shape *shape, const char *dir, const struct lt_pad *pad,
		struct lu_err *err)
{
	struct source s = { 0 };
	struct lt_table t;
	int rc;

	if (lt_table_build(&t, shape, NULL, err) < 0)
		return -1;
	rc = open_source(&s, &t, dir, pad, err);
	if (rc == 0)
		rc = check_all(&s, &t, err);
	close_source(&s);
	lt_table_release(&t);
	return rc;
}

/* --- a second head ---------------------------------------------------------------------------- */

static bool same_bytes(const struct lu_st *a, const struct lu_st_tensor *x, const struct lu_st *b,
		const struct lu_st_tensor *y, struct lu_err *err, int *rc)
{
	char *p = malloc(2 * COMPARED);
	bool same = x->type == y->type && lu_st_bytes(x) == lu_st_bytes(y);

	*rc = p ? 0 : lu_err_nomem(err);
	for (uint64_t at = 0, n; *rc == 0 && same && at < lu_st_bytes(x); at += n) {
		n = lu_st_bytes(x) - at < COMPARED ? lu_st_bytes(x) - at : COMPARED;
		if (lu_st_read(a, x, at, p, (size_t)n, err) < 0 ||
				lu_st_read(b, y, at, p + COMPARED, (size_t)n, err) < 0)
			*rc = -1;
		else
			same = memcmp(p, p + COMPARED, (size_t)n) == 0;
	}
	free(p);
	return same;
}

/* Where the embedding is the head, a head of its own must be the same. */
static int check_second_head(struct source *s, const struct lt_table *t, struct lu_err *err)
{
	struct lu_st st[2] = { { .fd = -1 }, { .fd = -1 } };
	const struct lu_st_tensor *found[2] = { NULL, NULL };
	int rc = 0;

	for (size_t i = 0; t->shape.tied && i < s->path.n && rc == 0; i++) {
		for (int k = 0; k < 2 && rc == 0; k++) {
			struct lu_st one;

			if (found[k])
				continue;
			rc = open_tensors(s, i, &one, err);
			if (rc == 0 && (found[k] = lu_st_find(&one, k ? head : embedding)))
				st[k] = one;
			else if (rc == 0)
				lu_st_close(&one);
		}
	}
	if (rc == 0 && found[0] && found[1] &&
			!same_bytes(&st[0], found[0], &st[1], found[1], err, &rc) && rc == 0)
		rc = lu_err_set(err,
				"%s: %s is not the embedding, though the configuration says so "
				"(tie_word_embeddings)",
				st[1].path, head);
	lu_st_close(&st[0]);
	lu_st_close(&st[1]);
	return rc;
}

/* --- reading ---------------------------------------------------------------------------------- */

static int read_file(struct lt_weights *w, struct source *s, size_t file,
		struct lt_tensor_reader *r, struct lu_err *err)
{
	struct lu_st st;
	int rc = 0;

	if (open_tensors(s, file, &st, err) < 0)
		return -1;
	for (size_t i = 0; i < w->table.n && rc == 0; i++) {
		const struct lt_param *p = &w->table.param[i];

		if (p->offset == LT_ELSEWHERE || !assigned(s, p->name, file))
			continue;
		r->pad = pad_of(s, p);
		rc = lt_tensor_read(w, LT_VECTOR_P, &st, i, r, err);
	}
	lu_st_close(&st);
	return rc;
}

int lt_tensors_import(
		struct lt_weights *w, const char *dir, const struct lt_pad *pad, struct lu_err *err)
{
	struct lt_tensor_reader r = { .finite = true };
	struct source s = { 0 };
	int rc = open_source(&s, &w->table, dir, pad, err);

	if (rc == 0)
		rc = check_all(&s, &w->table, err);
	if (rc == 0)
		rc = check_second_head(&s, &w->table, err);
	if (rc == 0)
		rc = lt_tensor_reader_open(&r, err);
	for (size_t i = 0; i < s.path.n && rc == 0; i++)
		rc = read_file(w, &s, i, &r, err);
	lt_tensor_reader_close(&r);
	close_source(&s);
	return rc < 0 ? -1 : lt_weights_refresh(w, err);
}
