#include "libcommon/report/clusters.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/report/each_object.h"

static void release(struct lu_cluster *c)
{
	free(c->kind);
	free(c->kept);
	free(c->place);
	for (size_t i = 0; i < c->examples; i++)
		free(c->example[i]);
}

/* A document's id, which may be any JSON, or FILE:LINE; NULL when memory is out. */
static char *name_of(const struct lu_json_obj *obj, const char *id, const char *file,
		const char *line, struct lu_arena *scan)
{
	const struct lu_json_member *m = lu_json_get(obj, id);
	const struct lu_json_member *number = lu_json_get(obj, line);
	struct lu_str s = LU_STR("");
	struct lu_err err;
	char *p;

	if (m && m->type == LU_JSON_STRING &&
			lu_json_decode_known(m->value, m->escaped, scan, &s) < 0)
		return NULL;
	if (m && m->type != LU_JSON_STRING && m->type != LU_JSON_NULL)
		s = m->value;
	if (s.n)
		return strndup(s.p, s.n);
	if (lu_object_string(obj, file, scan, &s, &err) < 0 ||
			asprintf(&p, LU_STR_FMT ":" LU_STR_FMT, LU_STR_ARG(s),
					LU_STR_ARG(number ? number->value : LU_STR("?"))) < 0)
		return NULL;
	return p;
}

/* The cluster of this place, or c->n. */
static size_t find(const struct lu_clusters *c, const char *kind, const char *place)
{
	size_t i = 0;

	while (i < c->n &&
			(strcmp(c->top[i].place, place) != 0 || strcmp(c->top[i].kind, kind) != 0))
		i++;
	return i;
}

/* Put a cluster in its place, which the smallest one leaves. It is large enough. */
static size_t insert(struct lu_clusters *c, const struct lu_cluster *new)
{
	size_t at = 0;

	while (at < c->n && c->top[at].size >= new->size)
		at++;
	if (c->n == LU_CLUSTERS)
		release(&c->top[--c->n]);
	memmove(&c->top[at + 1], &c->top[at], (c->n - at) * sizeof(*new));
	c->top[at] = *new;
	c->n++;
	return at;
}

static int add_example(struct lu_cluster *c, const struct lu_json_obj *obj, struct lu_arena *scan,
		struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, "similarity");
	double similarity;

	if (m && lu_json_double(m, &similarity)) {
		c->least = fmin(c->least, similarity);
		c->most = fmax(c->most, similarity);
	}
	if (c->examples == LU_CLUSTER_EXAMPLES)
		return 0;
	c->example[c->examples] = name_of(obj, "id", "file", "line", scan);
	return c->example[c->examples++] ? 0 : lu_err_nomem(err);
}

static int add(void *ctx, const struct lu_json_obj *obj, const struct lu_place *at,
		struct lu_arena *scan, struct lu_err *err)
{
	const struct lu_json_member *size = lu_json_get(obj, "cluster_size");
	const struct lu_json_member *line = lu_json_get(obj, "kept_line");
	struct lu_cluster new = { .least = 1, .most = 0 };
	struct lu_clusters *c = ctx;
	struct lu_str kind, file;
	size_t i;

	if (!size || !lu_json_u64(size, &new.size) || !line)
		return lu_err_set(err, "not a line of a removal log: no count \"cluster_size\"");
	c->removed++;
	if (c->n == LU_CLUSTERS && new.size < c->top[c->n - 1].size)
		return 0;
	if (lu_object_string(obj, "kind", scan, &kind, err) < 0 ||
			lu_object_string(obj, "kept_file", scan, &file, err) < 0)
		return -1;
	new.kind = strndup(kind.p, kind.n);
	if (!new.kind ||
			asprintf(&new.place, "%s:" LU_STR_FMT ":" LU_STR_FMT, at->file,
					LU_STR_ARG(file), LU_STR_ARG(line->value)) < 0) {
		free(new.kind);
		return lu_err_nomem(err);
	}
	i = find(c, new.kind, new.place);
	if (i < c->n || (c->n == LU_CLUSTERS && new.size == c->top[c->n - 1].size)) {
		release(&new);
		return i < c->n ? add_example(&c->top[i], obj, scan, err) : 0;
	}
	new.kept = name_of(obj, "kept_id", "kept_file", "kept_line", scan);
	if (!new.kept) {
		release(&new);
		return lu_err_nomem(err);
	}
	return add_example(&c->top[insert(c, &new)], obj, scan, err);
}

int lu_clusters_read(struct lu_clusters *c, const struct lu_list *file, uint64_t max_line,
		struct lu_err *err)
{
	return lu_each_object_listed(file, max_line, add, c, err);
}

void lu_clusters_release(struct lu_clusters *c)
{
	for (size_t i = 0; i < c->n; i++)
		release(&c->top[i]);
	c->n = 0;
}
