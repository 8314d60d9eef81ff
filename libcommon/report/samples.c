#include "libcommon/report/samples.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/hash/hash.h"
#include "libcommon/report/each_object.h"

uint64_t lu_sample_hash(struct lu_str id, struct lu_str text)
{
	struct lu_str s = id.n ? id : text;

	return lu_hash64(s.p, s.n, 0);
}

struct lu_str lu_sample_cut(struct lu_str text)
{
	if (text.n <= LU_SAMPLE_TEXT)
		return text;
	text.n = LU_SAMPLE_TEXT;
	while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xc0) == 0x80)
		text.n--;
	return text;
}

/* --- choosing ----------------------------------------------------------------------------- */

static struct lu_samples_group *find_or_add_group(
		struct lu_samples *s, struct lu_str name, struct lu_err *err)
{
	struct lu_samples_group g = { .docs = 0 };

	for (size_t i = 0; i < s->group.n; i++) {
		if (lu_str_is(name, s->group.p[i].name))
			return &s->group.p[i];
	}
	g.name = strndup(name.p, name.n);
	if (!g.name || !lu_vec_push(&s->group, g)) {
		free(g.name);
		lu_err_nomem(err);
		return NULL;
	}
	return &s->group.p[s->group.n - 1];
}

/* Move a slice into `to`. */
static void take(struct lu_str *s, char **to)
{
	if (s->n)
		memcpy(*to, s->p, s->n);
	s->p = *to;
	*to += s->n;
}

static int copy(struct lu_sample *to, const struct lu_sample *from, struct lu_err *err)
{
	struct lu_str *field[] = { &to->id, &to->source, &to->license, &to->lang, &to->value,
		&to->text };
	char *p;
	size_t n = 1;

	*to = *from;
	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		*field[i] = lu_sample_cut(*field[i]);
		n += field[i]->n;
	}
	to->bytes = p = malloc(n);
	if (!p)
		return lu_err_nomem(err);
	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		take(field[i], &p);
	return 0;
}

int lu_samples_add(struct lu_samples *s, struct lu_str group, const struct lu_sample *sample,
		struct lu_err *err)
{
	struct lu_samples_group *g;
	struct lu_sample new;
	size_t at = 0;

	if (group.n == 0)
		group = LU_STR("none");
	if (s->group.n >= LU_SAMPLES_GROUPS || s->each == 0)
		return 0;
	g = find_or_add_group(s, group, err);
	if (!g)
		return -1;
	g->docs++;
	while (at < g->n && g->sample[at].hash < sample->hash)
		at++;
	/* A document that is repeated is shown once. */
	if (at == s->each || (at < g->n && g->sample[at].hash == sample->hash))
		return 0;
	if (copy(&new, sample, err) < 0)
		return -1;
	if (g->n == s->each)
		free(g->sample[--g->n].bytes);
	memmove(&g->sample[at + 1], &g->sample[at], (g->n - at) * sizeof(new));
	g->sample[at] = new;
	g->n++;
	return 0;
}

static int by_docs(const void *a, const void *b)
{
	const struct lu_samples_group *p = a, *q = b;

	if (p->docs != q->docs)
		return p->docs > q->docs ? -1 : 1;
	return strcmp(p->name, q->name);
}

void lu_samples_sort(struct lu_samples *s)
{
	if (s->group.n)
		qsort(s->group.p, s->group.n, sizeof(*s->group.p), by_docs);
}

void lu_samples_release(struct lu_samples *s)
{
	for (size_t i = 0; i < s->group.n; i++) {
		for (size_t k = 0; k < s->group.p[i].n; k++)
			free(s->group.p[i].sample[k].bytes);
		free(s->group.p[i].name);
	}
	lu_vec_release(&s->group);
}

/* --- reject files ------------------------------------------------------------------------- */

/* The members of the rejected record; one that is no object has none. */
static int read_record(struct lu_str record, struct lu_arena *arena, struct lu_sample *s,
		struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	if (lu_json_object(record, arena, &obj, &fault) < 0)
		return fault.kind == LU_JSON_NO_MEMORY ? lu_err_nomem(err) : 0;
	if (lu_object_string(&obj, "id", arena, &s->id, err) < 0 ||
			lu_object_string(&obj, "source", arena, &s->source, err) < 0 ||
			lu_object_string(&obj, "license", arena, &s->license, err) < 0 ||
			lu_object_string(&obj, "lang", arena, &s->lang, err) < 0 ||
			lu_object_string(&obj, "text", arena, &s->text, err) < 0)
		return -1;
	return 0;
}

static int add_reject(void *ctx, const struct lu_json_obj *obj, const struct lu_place *at,
		struct lu_arena *scan, struct lu_err *err)
{
	const struct lu_json_member *record = lu_json_get(obj, "record");
	const struct lu_json_member *value = lu_json_get(obj, "value");
	struct lu_sample sample = { .hash = 0 };
	struct lu_str reason;

	(void)at;
	if (lu_object_string(obj, "reason", scan, &reason, err) < 0)
		return -1;
	if (reason.n == 0)
		return lu_err_set(err, "not a line of a reject file: no string \"reason\"");
	if (record && read_record(record->value, scan, &sample, err) < 0)
		return -1;
	if (value && value->type != LU_JSON_NULL)
		sample.value = value->value;
	sample.characters = lu_utf8_count(sample.text.p, sample.text.n);
	sample.hash = lu_sample_hash(sample.id, record ? record->value : obj->line);
	return lu_samples_add(ctx, reason, &sample, err);
}

int lu_samples_read_rejects(struct lu_samples *s, const struct lu_list *file, uint64_t max_line,
		struct lu_err *err)
{
	return lu_each_object_listed(file, max_line, add_reject, s, err);
}
