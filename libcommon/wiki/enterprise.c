#include "libcommon/wiki/enterprise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/entries/line_blocks.h"
#include "libcommon/io/json.h"
#include "libcommon/wiki/wikitext.h"

struct work {
	const struct lu_wiki_options *o;
	struct lu_arena arena;
	struct lu_buf html, license, more;
};

/* The members with which each line begins, in this order or another, before the body. */
bool lu_enterprise_begins(struct lu_str head)
{
	const char *end = head.p + head.n;
	struct lu_str line = head;
	const char *nl = head.n ? memchr(head.p, '\n', head.n) : NULL;

	if (nl)
		line.n = (size_t)(nl - head.p);
	end = line.p + line.n;
	return line.n && line.p[0] == '{' && lu_str_find(line.p, end, LU_STR("\"identifier\":")) &&
			lu_str_find(line.p, end, LU_STR("\"name\":")) &&
			(lu_str_find(line.p, end, LU_STR("\"article_body\":")) ||
					(lu_str_find(line.p, end, LU_STR("\"in_language\":")) &&
							lu_str_find(line.p, end,
									LU_STR("\"is_part_"
									       "of\":"))) ||
					(lu_str_find(line.p, end, LU_STR("\"date_modified\":")) &&
							lu_str_find(line.p, end,
									LU_STR("\"version\":"))));
}

/* The member of an object inside, raw; .n 0: absent. */
static struct lu_str inside(struct lu_str object, const char *key, enum lu_json_type *type)
{
	struct lu_json_iter it = lu_json_iter(object);

	while (it.object && lu_json_next(&it)) {
		if (it.key.n == strlen(key) + 2 && memcmp(it.key.p + 1, key, it.key.n - 2) == 0) {
			*type = it.type;
			return it.value;
		}
	}
	*type = LU_JSON_NULL;
	return (struct lu_str){ "", 0 };
}

/* Decode a string: a member "a", or "a.b" of the object in it. .p NULL: there is none. -1: memory. */
static int get(struct work *k, const struct lu_json_obj *obj, const char *key, const char *in,
		struct lu_str *s, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);
	enum lu_json_type type;
	struct lu_str raw;

	*s = (struct lu_str){ NULL, 0 };
	if (!m)
		return 0;
	type = m->type;
	raw = m->value;
	if (in && type == LU_JSON_OBJECT)
		raw = inside(raw, in, &type);
	else if (in)
		return 0;
	if (type != LU_JSON_STRING)
		return 0;
	return lu_json_decode(raw, &k->arena, s) < 0 ? lu_err_nomem(err) : 0;
}

/* The number of a namespace; absent: an article. */
static int32_t space_of(const struct lu_json_obj *obj)
{
	const struct lu_json_member *m = lu_json_get(obj, "namespace");
	enum lu_json_type type = LU_JSON_NULL;
	struct lu_str raw = { "", 0 };
	char digits[12] = "";

	if (m && m->type == LU_JSON_OBJECT)
		raw = inside(m->value, "identifier", &type);
	if (type != LU_JSON_NUMBER || raw.n >= sizeof(digits))
		return 0;
	memcpy(digits, raw.p, raw.n);
	return (int32_t)strtol(digits, NULL, 10);
}

/* Licences by identifier, else address, else name; several with ", " between them. */
static int licenses(struct work *k, const struct lu_json_obj *obj, struct lu_err *err)
{
	static const char *const keys[] = { "identifier", "url", "name" };
	const struct lu_json_member *m = lu_json_get(obj, "license");
	struct lu_json_iter it;

	lu_buf_clear(&k->license);
	if (!m || m->type != LU_JSON_ARRAY)
		return 0;
	it = lu_json_iter(m->value);
	while (lu_json_next(&it)) {
		for (size_t i = 0; it.type == LU_JSON_OBJECT && i < 3; i++) {
			enum lu_json_type type;
			struct lu_str raw = inside(it.value, keys[i], &type), s;

			if (type != LU_JSON_STRING || raw.n <= 2)
				continue;
			if (lu_json_decode(raw, &k->arena, &s) < 0)
				return lu_err_nomem(err);
			lu_buf_puts(&k->license, k->license.n ? ", " : "");
			lu_buf_str(&k->license, s);
			break;
		}
	}
	return lu_buf_check(&k->license, err);
}

static bool is_wanted(const struct lu_wiki_options *o, int32_t space)
{
	bool any = !o || o->spaces.n == 0;

	for (size_t i = 0; o && i < o->spaces.n; i++) {
		if (o->spaces.p[i] == space)
			return true;
	}
	return any && space == 0;
}

static void put_more(struct work *k, const struct lu_json_obj *obj, uint64_t references)
{
	const struct lu_json_member *m = lu_json_get(obj, "identifier");
	enum lu_json_type type = LU_JSON_NULL;
	struct lu_str revision = { "", 0 };
	const struct lu_json_member *version = lu_json_get(obj, "version");

	lu_buf_clear(&k->more);
	if (m && m->type == LU_JSON_NUMBER)
		lu_json_put_raw(&k->more, "pageid", m->value);
	if (version && version->type == LU_JSON_OBJECT)
		revision = inside(version->value, "identifier", &type);
	if (type == LU_JSON_NUMBER)
		lu_json_put_raw(&k->more, "revid", revision);
	if (references)
		lu_json_put_u64(&k->more, "references", references);
}

/* Fill the entry of a line. */
static int convert_line(struct work *k, struct lu_str line, struct lu_entry *e, struct lu_err *err)
{
	struct lu_json_obj obj;
	struct lu_json_fault fault;
	struct lu_str html;

	if (lu_json_object(line, &k->arena, &obj, &fault) < 0) {
		if (fault.kind == LU_JSON_NO_MEMORY)
			return lu_err_nomem(err);
		e->drop = "damaged";
		e->bad = true;
		e->detail = lu_str_of(lu_json_fault_text(fault.kind));
		return 0;
	}
	if (get(k, &obj, "name", NULL, &e->title, err) < 0 ||
			get(k, &obj, "url", NULL, &e->url, err) < 0 ||
			get(k, &obj, "date_modified", NULL, &e->date, err) < 0 ||
			get(k, &obj, "in_language", "identifier", &e->lang, err) < 0 ||
			get(k, &obj, "article_body", "html", &html, err) < 0 ||
			licenses(k, &obj, err) < 0)
		return -1;
	e->drop = !is_wanted(k->o, space_of(&obj)) ? "namespace"
			: html.n == 0		   ? "no article body"
						   : NULL;
	if (e->drop)
		return 0;
	lu_buf_clear(&k->html);
	e->references = lu_parsoid_strip(html, k->o, &k->html);
	put_more(k, &obj, e->references);
	if (k->license.n)
		e->license = lu_buf_slice(&k->license);
	e->bytes = lu_buf_slice(&k->html);
	e->more = lu_buf_slice(&k->more);
	if (lu_buf_check(&k->html, err) < 0)
		return -1;
	return lu_buf_check(&k->more, err);
}

static int convert(const struct lu_entries_options *o, struct lu_str block, lu_entry_fn *emit,
		void *ctx, struct lu_err *err)
{
	struct lu_block_lines it = lu_block_lines(block, o->limit);
	struct work k = { .o = o->wiki };
	char name[24];
	int rc = -1;

	while (lu_block_line(&it)) {
		struct lu_entry e = { .content = LU_ENTRY_ARTICLE };

		if (!it.too_long && lu_str_only(it.text, " \t\r"))
			continue;
		snprintf(name, sizeof(name), "%" PRIu64, it.number);
		e.name = lu_str_of(name);
		e.line = it.number;
		e.size = it.size;
		lu_arena_reset(&k.arena);
		if (it.too_long)
			e.drop = "too large";
		else if (convert_line(&k, it.text, &e, err) < 0)
			goto out;
		if (emit(ctx, &e, err) < 0)
			goto out;
	}
	rc = 0;
out:
	lu_arena_release(&k.arena);
	lu_buf_release(&k.html);
	lu_buf_release(&k.license);
	lu_buf_release(&k.more);
	return rc;
}

const struct lu_entries_type lu_enterprise = {
	.name = "Wikimedia Enterprise dump",
	.distinct = true,
	.open = lu_line_blocks_open,
	.block = lu_line_blocks_block,
	.convert = convert,
	.close = lu_line_blocks_close,
};
