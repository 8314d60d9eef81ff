#include "libcommon/dedup/sources.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcommon/base/text_table.h"
#include "libcommon/hash/hash.h"

/* Names in a message; the others are counted. */
#define NAMED 5

static uint64_t source_hash(const void *items, uint32_t i)
{
	const struct lu_source *source = items;

	return lu_hash64(source[i].name.p, source[i].name.n, 0);
}

static bool source_is(const void *items, uint32_t i, const void *key)
{
	const struct lu_source *source = items;

	return lu_str_eq(source[i].name, *(const struct lu_str *)key);
}

static int find(struct lu_sources *s, struct lu_str name, uint32_t *tag, struct lu_err *err)
{
	struct lu_source new = { .name = name };
	uint64_t hash;

	if (s->source.n >= LU_SOURCES_MAX)
		new.name = name = LU_STR("(other sources)");
	hash = lu_hash64(name.p, name.n, 0);
	*tag = lu_map_find(&s->index, hash, s->source.p, source_is, &name);
	if (*tag != LU_MAP_NONE)
		return 0;
	new.name = lu_arena_str(&s->names, name);
	if (!new.name.p || !lu_map_reserve(&s->index, s->source.p, source_hash) ||
			!lu_vec_push(&s->source, new))
		return lu_err_nomem(err);
	*tag = lu_map_add(&s->index, hash);
	return 0;
}

int lu_sources_count(
		struct lu_sources *s, const struct lu_doc *doc, uint32_t *tag, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, "source");
	struct lu_str name = { doc->file, strlen(doc->file) }, raw = name;

	if (m && m->type == LU_JSON_STRING) {
		raw = m->value;
		if (lu_json_decode_known(raw, m->escaped, doc->arena, &name) < 0)
			return lu_err_nomem(err);
	}
	/* Documents of a source mostly follow each other. */
	if (s->source.n == 0 || !lu_str_eq(raw, lu_buf_slice(&s->value))) {
		if (find(s, name, &s->last, err) < 0)
			return -1;
		lu_buf_clear(&s->value);
		lu_buf_str(&s->value, raw);
		if (lu_buf_check(&s->value, err) < 0)
			return -1;
	}
	*tag = s->last;
	s->source.p[*tag].in++;
	return 0;
}

void lu_sources_removed(struct lu_sources *s, uint32_t tag, enum lu_removed_kind kind)
{
	s->source.p[tag].removed[kind]++;
}

static uint64_t removed_of(const struct lu_source *source)
{
	uint64_t n = 0;

	for (int k = 0; k < LU_REMOVED_KINDS; k++)
		n += source->removed[k];
	return n;
}

static double share_of(const struct lu_source *source)
{
	return (double)removed_of(source) / (double)source->in;
}

/* List the sources that lost more than `most`: "a 76.0%, b 52.1% and 3 more". Returns their number. */
static size_t losers(const struct lu_sources *s, double most, struct lu_buf *list)
{
	size_t n = 0;

	for (size_t i = 0; i < s->source.n; i++) {
		const struct lu_source *source = &s->source.p[i];
		char share[32];

		if (!(share_of(source) > most) || n++ >= NAMED)
			continue;
		snprintf(share, sizeof(share), " %.1f%%", 100 * share_of(source));
		lu_buf_puts(list, list->n ? ", " : "");
		lu_buf_str(list, source->name);
		lu_buf_puts(list, share);
	}
	if (n > NAMED) {
		char more[32];

		snprintf(more, sizeof(more), " and %zu more", n - NAMED);
		lu_buf_puts(list, more);
	}
	return n;
}

int lu_sources_check(const struct lu_sources *s, double most, struct lu_err *err)
{
	struct lu_buf list = { 0 };
	size_t n = losers(s, most, &list);
	int rc = lu_buf_check(&list, err);

	if (rc == 0 && n)
		rc = lu_err_set(err,
				"more than %g%% of a source would be removed: " LU_STR_FMT
				"; --yes allows it",
				100 * most, LU_STR_ARG(lu_buf_slice(&list)));
	lu_buf_release(&list);
	return rc;
}

static int print_table(const struct lu_sources *s, struct lu_err *err)
{
	static const char *const heads[] = { "source", "documents", "exact", "near", "kept",
		"removed" };
	struct lu_table t = { .head = heads, .columns = 6, .left = 1 };
	struct lu_buf text = { 0 };
	int rc;

	for (size_t i = 0; i < s->source.n; i++) {
		const struct lu_source *source = &s->source.p[i];

		lu_table_str(&t, source->name);
		lu_table_u64(&t, source->in);
		lu_table_u64(&t, source->removed[LU_REMOVED_EXACT]);
		lu_table_u64(&t, source->removed[LU_REMOVED_NEAR]);
		lu_table_u64(&t, source->in - removed_of(source));
		lu_table_fixed(&t, 100 * share_of(source), 1, "%");
	}
	rc = lu_table_put(&t, &text, err);
	for (const char *line = text.p, *end; rc == 0 && line < text.p + text.n; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text.p + text.n - line));
		lu_detail("%.*s", (int)(end - line), line);
	}
	lu_table_release(&t);
	lu_buf_release(&text);
	return rc;
}

int lu_sources_note(const struct lu_sources *s, struct lu_err *err)
{
	struct lu_buf list = { 0 };
	size_t n = losers(s, 0.5, &list);
	int rc = lu_buf_check(&list, err);

	if (rc == 0 && n)
		lu_note("%zu of %zu source%s lost more than half: " LU_STR_FMT, n, s->source.n,
				s->source.n == 1 ? "" : "s", LU_STR_ARG(lu_buf_slice(&list)));
	lu_buf_release(&list);
	return rc == 0 && s->source.n ? print_table(s, err) : rc;
}

void lu_sources_release(struct lu_sources *s)
{
	lu_vec_release(&s->source);
	lu_map_release(&s->index);
	lu_arena_release(&s->names);
	lu_buf_release(&s->value);
	*s = (struct lu_sources){ 0 };
}
