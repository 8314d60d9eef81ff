#include "libcommon/html/html_meta.h"

#include <string.h>
#include <strings.h>

#include "libcommon/html/html_flow.h"
#include "libcommon/io/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const lu_html_meta_names[LU_META_COUNT] = { "title", "author", "date", "lang", "url",
	"description" };

/* Names and properties of meta elements, and of itemprop and rel attributes, with the field and the
 * rank: the highest wins, of equals the first. JSON-LD has rank 5, except as a description. */
static const struct source {
	const char *name;
	unsigned char field, rank;
} sources[] = {
	{ "og:title", LU_META_TITLE, 4 },
	{ "author", LU_META_AUTHOR, 4 },
	{ "article:author", LU_META_AUTHOR, 3 },
	{ "dc.creator", LU_META_AUTHOR, 3 },
	{ "citation_author", LU_META_AUTHOR, 3 },
	{ "article:published_time", LU_META_DATE, 4 },
	{ "date", LU_META_DATE, 3 },
	{ "pubdate", LU_META_DATE, 3 },
	{ "dc.date", LU_META_DATE, 3 },
	{ "dc.date.issued", LU_META_DATE, 3 },
	{ "dcterms.date", LU_META_DATE, 3 },
	{ "dcterms.issued", LU_META_DATE, 3 },
	{ "citation_publication_date", LU_META_DATE, 3 },
	{ "datepublished", LU_META_DATE, 2 },
	{ "og:url", LU_META_URL, 3 },
	{ "description", LU_META_DESCRIPTION, 4 },
	{ "og:description", LU_META_DESCRIPTION, 3 },
};

void lu_html_meta_clear(struct lu_html_meta *m)
{
	for (size_t i = 0; i < LU_META_COUNT; i++) {
		lu_buf_clear(&m->value[i]);
		m->rank[i] = 0;
	}
}

void lu_html_meta_release(struct lu_html_meta *m)
{
	for (size_t i = 0; i < LU_META_COUNT; i++)
		lu_buf_release(&m->value[i]);
}

static bool is_word(struct lu_str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static bool is_digits(struct lu_str s, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

bool lu_html_is_date(struct lu_str s)
{
	unsigned month, day;

	if (s.n < 10 || s.n > 35 || !is_digits(s, 0, 4) || s.p[4] != '-' || !is_digits(s, 5, 2) ||
			s.p[7] != '-' || !is_digits(s, 8, 2))
		return false;
	month = (unsigned)(s.p[5] - '0') * 10 + (unsigned)(s.p[6] - '0');
	day = (unsigned)(s.p[8] - '0') * 10 + (unsigned)(s.p[9] - '0');
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	if (s.n == 10)
		return true;
	if (s.n < 16 || (s.p[10] != 'T' && s.p[10] != ' ') || !is_digits(s, 11, 2) ||
			s.p[13] != ':' || !is_digits(s, 14, 2))
		return false;
	s = (struct lu_str){ s.p + 16, s.n - 16 };
	return lu_str_only(s, "0123456789:.+-Z");
}

static bool is_address(struct lu_str s)
{
	return (s.n > 8 && strncasecmp(s.p, "https://", 8) == 0) ||
			(s.n > 7 && strncasecmp(s.p, "http://", 7) == 0);
}

/* A language tag of BCP 47 as far as its letters tell. */
static bool is_language(struct lu_str s)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] | 32) >= 'a' && (s.p[n] | 32) <= 'z')
		n++;
	if (n < 2 || n > 3 || s.n > 35)
		return false;
	for (size_t i = n; i < s.n; i++) {
		char c = s.p[i];

		if (c != '-' && !(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z'))
			return false;
	}
	return true;
}

static bool is_value(enum lu_html_meta_field field, struct lu_str s)
{
	if (s.n == 0 || s.n > LU_META_BYTES || memchr(s.p, '\0', s.n))
		return false;
	switch (field) {
	case LU_META_DATE: return lu_html_is_date(s);
	case LU_META_URL: return is_address(s);
	case LU_META_LANG: return is_language(s);
	case LU_META_AUTHOR: return !is_address(s);
	default: return true;
	}
}

/* Set a field, unless something of that rank has. */
static void offer(struct lu_html_meta *m, enum lu_html_meta_field field, unsigned rank,
		struct lu_str s)
{
	struct lu_html_flow line = { 0 };

	if (m->rank[field] >= rank || s.n == 0)
		return;
	lu_flow_text(&line, s);
	if (!lu_buf_ok(&line.block)) {
		m->value[field].failed = true;
	} else if (is_value(field, lu_buf_slice(&line.block))) {
		lu_buf_clear(&m->value[field]);
		lu_buf_str(&m->value[field], lu_buf_slice(&line.block));
		m->rank[field] = (unsigned char)rank;
	}
	lu_flow_release(&line);
}

static void offer_named(struct lu_html_meta *m, struct lu_str name, struct lu_str value)
{
	for (size_t i = 0; name.n && i < COUNT(sources); i++) {
		if (is_word(name, sources[i].name))
			offer(m, sources[i].field, sources[i].rank, value);
	}
}

/* --- JSON-LD -------------------------------------------------------------------------------- */

static bool ends_with(struct lu_str s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && memcmp(s.p + s.n - n, end, n) == 0;
}

/* `raw` is a string with its quotes, or a list of such. */
static bool is_article_type(struct lu_str raw)
{
	static const char *const types[] = { "Article\"", "Posting\"", "\"Report\"", "\"Recipe\"",
		"\"Review\"", "\"WebPage\"" };
	struct lu_json_iter it;

	for (size_t i = 0; i < COUNT(types); i++) {
		if (ends_with(raw, types[i]))
			return true;
	}
	if (raw.p[0] != '[')
		return false;
	for (it = lu_json_iter(raw); lu_json_next(&it);) {
		for (size_t i = 0; it.type == LU_JSON_STRING && i < COUNT(types); i++) {
			if (ends_with(it.value, types[i]))
				return true;
		}
	}
	return false;
}

struct linked {
	struct lu_html_meta *meta;
	struct lu_arena *arena;
	bool failed;
};

static void offer_json(struct linked *l, enum lu_html_meta_field field, unsigned rank,
		const struct lu_json_iter *it)
{
	struct lu_str s;

	if (it->type != LU_JSON_STRING)
		return;
	if (lu_json_decode(it->value, l->arena, &s) < 0)
		l->failed = true;
	else
		offer(l->meta, field, rank, s);
}

/* A name, an object with a name, or a list of these, of which the first counts. */
static void read_author(struct linked *l, struct lu_json_iter author)
{
	if (author.type == LU_JSON_ARRAY) {
		struct lu_json_iter list = lu_json_iter(author.value);

		if (!lu_json_next(&list))
			return;
		author = list;
	}
	if (author.type == LU_JSON_OBJECT) {
		struct lu_json_iter it = lu_json_iter(author.value);

		while (lu_json_next(&it)) {
			if (lu_str_is(it.key, "\"name\""))
				offer_json(l, LU_META_AUTHOR, 5, &it);
		}
	} else {
		offer_json(l, LU_META_AUTHOR, 5, &author);
	}
}

static void read_object(struct linked *l, struct lu_str raw)
{
	struct lu_json_iter it;
	bool article = false;

	for (it = lu_json_iter(raw); lu_json_next(&it);)
		article |= lu_str_is(it.key, "\"@type\"") && is_article_type(it.value);
	if (!article)
		return;
	for (it = lu_json_iter(raw); lu_json_next(&it);) {
		if (lu_str_is(it.key, "\"author\""))
			read_author(l, it);
		else if (lu_str_is(it.key, "\"datePublished\""))
			offer_json(l, LU_META_DATE, 5, &it);
		else if (lu_str_is(it.key, "\"headline\""))
			offer_json(l, LU_META_TITLE, 3, &it);
		else if (lu_str_is(it.key, "\"description\""))
			offer_json(l, LU_META_DESCRIPTION, 2, &it);
	}
}

static void read_objects(struct linked *l, struct lu_str raw, enum lu_json_type type)
{
	struct lu_json_iter it;

	if (type == LU_JSON_OBJECT)
		read_object(l, raw);
	if (type != LU_JSON_OBJECT && type != LU_JSON_ARRAY)
		return;
	for (it = lu_json_iter(raw); lu_json_next(&it);) {
		struct lu_json_iter graph = lu_json_iter(it.value);

		if (type == LU_JSON_ARRAY && it.type == LU_JSON_OBJECT)
			read_object(l, it.value);
		else if (lu_str_is(it.key, "\"@graph\"") && it.type == LU_JSON_ARRAY)
			while (lu_json_next(&graph)) {
				if (graph.type == LU_JSON_OBJECT)
					read_object(l, graph.value);
			}
	}
}

static void read_script(struct linked *l, const struct lu_html_node *script)
{
	enum lu_json_type type;
	struct lu_json_fault fault;
	struct lu_str raw;

	/* A script is one text. */
	if (!is_word(lu_html_attribute(script, LU_ATTRIBUTE_TYPE), "application/ld+json") ||
			!script->first)
		return;
	raw = script->first->text;
	while (raw.n && strchr(" \t\r\n", raw.p[0])) {
		raw.p++;
		raw.n--;
	}
	if (raw.n && lu_json_check(raw, &type, &fault) == 0)
		read_objects(l, raw, type);
}

/* --- elements ------------------------------------------------------------------------------- */

static void offer_content(struct lu_html_meta *m, enum lu_html_meta_field field, unsigned rank,
		const struct lu_html_node *n)
{
	struct lu_buf text = { 0 };

	if (m->rank[field] >= rank)
		return;
	for (const struct lu_html_node *c = n; c; c = lu_html_next(c, n, true)) {
		if (c->tag == LU_TAG_NONE)
			lu_buf_str(&text, c->text);
		if (text.n > LU_META_BYTES)
			break;
	}
	if (lu_buf_ok(&text))
		offer(m, field, rank, lu_buf_slice(&text));
	else
		m->value[field].failed = true;
	lu_buf_release(&text);
}

static void read_head(struct lu_html_meta *m, const struct lu_html_node *n)
{
	struct lu_str content = lu_html_attribute(n, LU_ATTRIBUTE_CONTENT);

	if (n->tag == LU_TAG_META) {
		offer_named(m, lu_html_attribute(n, LU_ATTRIBUTE_NAME), content);
		offer_named(m, lu_html_attribute(n, LU_ATTRIBUTE_PROPERTY), content);
		offer_named(m, lu_html_attribute(n, LU_ATTRIBUTE_ITEMPROP), content);
		if (is_word(lu_html_attribute(n, LU_ATTRIBUTE_HTTP_EQUIV), "content-language"))
			offer(m, LU_META_LANG, 3, content);
	} else if (n->tag == LU_TAG_LINK &&
			is_word(lu_html_attribute(n, LU_ATTRIBUTE_REL), "canonical")) {
		offer(m, LU_META_URL, 5, lu_html_attribute(n, LU_ATTRIBUTE_HREF));
	} else if (n->tag == LU_TAG_HTML) {
		offer(m, LU_META_LANG, 5, lu_html_attribute(n, LU_ATTRIBUTE_LANG));
		offer(m, LU_META_LANG, 4, lu_html_attribute(n, LU_ATTRIBUTE_XML_LANG));
	}
}

static void read_body(struct lu_html_meta *m, const struct lu_html_node *n)
{
	struct lu_str item = lu_html_attribute(n, LU_ATTRIBUTE_ITEMPROP);

	if (n->tag == LU_TAG_TIME && is_word(item, "datePublished"))
		offer(m, LU_META_DATE, 2, lu_html_attribute(n, LU_ATTRIBUTE_DATETIME));
	else if (n->tag == LU_TAG_A && is_word(lu_html_attribute(n, LU_ATTRIBUTE_REL), "author"))
		offer_content(m, LU_META_AUTHOR, 1, n);
	else if (n->tag != LU_TAG_META && n->tag != LU_TAG_LINK && is_word(item, "author"))
		offer_content(m, LU_META_AUTHOR, 2, n);
}

int lu_html_meta(const struct lu_html_node *root, struct lu_arena *arena, struct lu_html_meta *m,
		struct lu_err *err)
{
	struct linked l = { .meta = m, .arena = arena };

	lu_html_meta_clear(m);
	for (const struct lu_html_node *n = root; n; n = lu_html_next(n, root, true)) {
		if (n->tag == LU_TAG_TITLE && n->space == LU_SPACE_HTML)
			offer_content(m, LU_META_TITLE, 5, n);
		else if (n->tag == LU_TAG_SCRIPT)
			read_script(&l, n);
		else if (n->attributes) {
			read_head(m, n);
			read_body(m, n);
		}
	}
	for (size_t i = 0; i < LU_META_COUNT; i++) {
		if (lu_buf_check(&m->value[i], err) < 0)
			return -1;
	}
	return l.failed ? lu_err_nomem(err) : 0;
}
