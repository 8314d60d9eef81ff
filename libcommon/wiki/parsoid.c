/*
 * Parsoid's HTML is well-formed: every element is closed, attributes stand in double quotes. So what is
 * beside the text is cut out by its tags.
 */
#include "libcommon/wiki/enterprise.h"
#include "libcommon/wiki/wiki_template.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Attributes of elements that are no text of the article. Values are words of the attribute. */
static const struct {
	const char *attribute, *word;
	bool reference;
} left_out[] = {
	{ "class", "reference", true },
	{ "class", "mw-ref", true },
	{ "typeof", "mw:Extension/ref", true },
	{ "class", "mw-references-wrap", false },
	{ "class", "references", false },
	{ "class", "reflist", false },
	{ "typeof", "mw:Extension/references", false },
	{ "class", "mw-editsection", false },
	{ "class", "navbox", false },
	{ "class", "vertical-navbox", false },
	{ "class", "navbox-styles", false },
	{ "class", "sidebar", false },
	{ "class", "infobox", false },
	{ "class", "infobox_v2", false },
	{ "class", "infobox_v3", false },
	{ "class", "hatnote", false },
	{ "class", "noprint", false },
	{ "class", "metadata", false },
	{ "class", "ambox", false },
	{ "class", "bandeau-container", false },
	{ "class", "bandeau-portail", false },
	{ "class", "homonymie", false },
	{ "class", "toc", false },
	{ "class", "gallery", false },
	{ "class", "thumb", false },
	{ "class", "geo-nondefault", false },
	{ "class", "geo-multi-punct", false },
	{ "class", "shortdescription", false },
	{ "class", "sistersitebox", false },
	{ "class", "portalbox", false },
	{ "class", "catlinks", false },
	{ "class", "mw-empty-elt", false },
	{ "class", "indicateur-langue", false },
	{ "id", "coordinates", false },
	{ "role", "navigation", false },
	{ "role", "note", false },
	{ "typeof", "mw:File", false },
	{ "typeof", "mw:File/Thumb", false },
	{ "typeof", "mw:File/Frame", false },
	{ "typeof", "mw:File/Frameless", false },
	{ "typeof", "mw:Image", false },
	{ "typeof", "mw:Image/Thumb", false },
	{ "rel", "mw:PageProp/Category", false },
	{ "rel", "mw:PageProp/Language", false },
};

/* Elements that have no end. */
static const char *const void_elements[] = { "area", "base", "br", "col", "embed", "hr", "img",
	"input", "link", "meta", "source", "track", "wbr" };

struct tag {
	struct lu_str name, attributes;
	bool closing, empty;
	const char *end; /* behind '>' */
};

static bool is_void(struct lu_str name)
{
	for (size_t i = 0; i < COUNT(void_elements); i++) {
		if (lu_str_is(name, void_elements[i]))
			return true;
	}
	return false;
}

/* The tag at p, "<" behind which stands a letter or a slash. A '>' in quotes does not end it. */
static bool read_tag(const char *p, const char *end, struct tag *t)
{
	const char *q = p + 1;
	char quote = 0;

	t->closing = q < end && *q == '/';
	q += t->closing;
	t->name = (struct lu_str){ q, 0 };
	while (q < end && ((*q | 32) >= 'a' ? (*q | 32) <= 'z' : *q >= '0' && *q <= '9'))
		q++;
	t->name.n = (size_t)(q - t->name.p);
	t->attributes.p = q;
	for (; q < end && (quote || *q != '>'); q++) {
		if (quote)
			quote = *q == quote ? 0 : quote;
		else if (*q == '"' || *q == '\'')
			quote = *q;
	}
	if (q == end || t->name.n == 0)
		return false;
	t->attributes.n = (size_t)(q - t->attributes.p);
	t->empty = q[-1] == '/' || is_void(t->name);
	t->end = q + 1;
	return true;
}

/* The value of an attribute, .p NULL: absent. */
static struct lu_str attribute(const struct tag *t, const char *name)
{
	const char *p = t->attributes.p, *end = p + t->attributes.n;
	size_t n = strlen(name);

	while (p < end) {
		const char *key, *to;
		char quote;
		size_t k;

		while (p < end && strchr(" \t\r\n/", *p) && *p)
			p++;
		key = p;
		while (p < end && *p != '=' && *p != ' ' && *p != '>')
			p++;
		k = (size_t)(p - key);
		if (k == 0 && (p >= end || *p != '='))
			break;
		if (p >= end || *p != '=')
			continue;
		p++;
		quote = p < end && (*p == '"' || *p == '\'') ? *p : 0;
		p += quote != 0;
		to = p;
		while (to < end && (quote ? *to != quote : *to != ' '))
			to++;
		if (k == n && memcmp(key, name, n) == 0)
			return (struct lu_str){ p, (size_t)(to - p) };
		p = to + (quote && to < end);
	}
	return (struct lu_str){ NULL, 0 };
}

static bool has_word(struct lu_str value, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= value.n; i++) {
		if ((i == 0 || value.p[i - 1] == ' ') && memcmp(value.p + i, word, n) == 0 &&
				(i + n == value.n || value.p[i + n] == ' '))
			return true;
	}
	return false;
}

/* True if the section whose tag ends at p has a heading that says that it has no running text. */
static bool is_apparatus(const char *p, const char *end)
{
	/* Its heading is the first element, inside a division at most. */
	const char *limit = end - p > 400 ? p + 400 : end, *h = p, *close;
	struct tag t = { .end = p };
	char text[128];
	size_t n = 0;

	for (; h < limit &&
			!(*h == '<' && limit - h > 3 && h[1] == 'h' && h[2] >= '1' && h[2] <= '6');
			h++)
		;
	if (h >= limit || !read_tag(h, end, &t))
		return false;
	close = lu_str_find(t.end, end - t.end > 400 ? t.end + 400 : end, LU_STR("</h"));
	for (p = t.end; close && p < close && n < sizeof(text); p++) {
		if (*p == '<') {
			/* What follows the text are edit links. */
			if (n > 0)
				break;
			p = memchr(p, '>', (size_t)(close - p));
			if (!p)
				return false;
		} else {
			text[n++] = *p;
		}
	}
	return n < sizeof(text) && lu_wiki_is_apparatus((struct lu_str){ text, n });
}

enum what { KEEP, LEAVE_OUT, REFERENCE, FORMULA };

static enum what judge(const struct tag *t)
{
	struct lu_str class, typeof_, id, role, rel;

	if (t->closing || t->attributes.n == 0)
		return KEEP;
	class = attribute(t, "class");
	typeof_ = attribute(t, "typeof");
	id = attribute(t, "id");
	role = attribute(t, "role");
	rel = attribute(t, "rel");
	if (has_word(typeof_, "mw:Extension/math") || has_word(class, "mwe-math-element"))
		return FORMULA;
	for (size_t i = 0; i < COUNT(left_out); i++) {
		const char *a = left_out[i].attribute;
		struct lu_str v = *a == 'c'   ? class
				: *a == 't'   ? typeof_
				: *a == 'i'   ? id
				: a[1] == 'o' ? role
					      : rel;

		if (v.n && has_word(v, left_out[i].word))
			return left_out[i].reference ? REFERENCE : LEAVE_OUT;
	}
	return KEEP;
}

/* Tags that do not end and elements that are not closed are looked for to the end of the page: so
 * often. Behind that the rest stays as it is. */
#define UNCLOSED_MAX 16

/* Behind the end of the element that the tag opens, by the depth of its name; NULL: it has none. */
static const char *end_of_element(const struct tag *t, const char *end, unsigned *unclosed)
{
	const char *p = t->end;
	size_t depth = 1;

	if (t->empty)
		return t->end;
	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		struct tag u;

		if (!read_tag(p, end, &u)) {
			p++;
			if (u.name.n && ++*unclosed >= UNCLOSED_MAX)
				break;
			continue;
		}
		p = u.end;
		if (!lu_str_eq(u.name, t->name) || u.empty)
			continue;
		depth = u.closing ? depth - 1 : depth + 1;
		if (depth == 0)
			return p;
	}
	++*unclosed;
	return NULL;
}

/* The TeX of a formula, from its annotation or from the text that stands for its image. */
static void formula(struct lu_str element, struct lu_buf *out)
{
	static const char open[] = "encoding=\"application/x-tex\">", alt[] = "alt=\"";
	const char *end = element.p + element.n;
	const char *p = lu_str_find(element.p, end, lu_str_of(open)), *to;
	struct lu_str tex;
	size_t n;
	bool image = !p;

	if (image)
		p = lu_str_find(element.p, end, lu_str_of(alt));
	if (!p)
		return;
	p += image ? strlen(alt) : strlen(open);
	to = memchr(p, image ? '"' : '<', (size_t)(end - p));
	if (!to)
		return;
	tex = lu_wiki_trim((struct lu_str){ p, (size_t)(to - p) });
	/* "{\displaystyle x}" is x: texvc puts it around each. */
	n = strlen("{\\displaystyle ");
	if (tex.n > n && memcmp(tex.p, "{\\displaystyle ", n) == 0 && tex.p[tex.n - 1] == '}')
		tex = lu_wiki_trim((struct lu_str){ tex.p + n, tex.n - n - 1 });
	lu_buf_putc(out, '$');
	lu_buf_str(out, tex);
	lu_buf_putc(out, '$');
}

/* <sup>2</sup> as a character. Returns the position behind it, or NULL. */
static const char *superscript(const struct tag *t, const char *end, struct lu_buf *out)
{
	const char *lt = memchr(t->end, '<', (size_t)(end - t->end));

	if (!lt || end - lt < 6 || memcmp(lt, "</sup>", 6) != 0 || lt - t->end > 16 ||
			!lu_wiki_superscript((struct lu_str){ t->end, (size_t)(lt - t->end) }, out))
		return NULL;
	return lt + 6;
}

uint64_t lu_parsoid_strip(struct lu_str html, const struct lu_wiki_options *o, struct lu_buf *out)
{
	const char *p = html.p, *end = html.p + html.n, *lt;
	uint64_t n = 0;
	unsigned unclosed = 0;

	while (p < end && unclosed < UNCLOSED_MAX &&
			(lt = memchr(p, '<', (size_t)(end - p))) != NULL) {
		struct tag t;
		enum what what;
		const char *after = NULL;

		lu_buf_append(out, p, (size_t)(lt - p));
		if (!read_tag(lt, end, &t)) {
			unclosed += t.name.n > 0;
			lu_buf_putc(out, '<');
			p = lt + 1;
			continue;
		}
		p = t.end;
		what = judge(&t);
		n += what == REFERENCE;
		if (what == REFERENCE && o && o->references)
			what = KEEP;
		if (what == KEEP && !t.closing && lu_str_is(t.name, "section") &&
				!(o && o->sections) && is_apparatus(t.end, end))
			what = LEAVE_OUT;
		if (what != KEEP)
			after = end_of_element(&t, end, &unclosed);
		else if (!t.closing && lu_str_is(t.name, "sup"))
			after = superscript(&t, end, out);
		if (after && what == FORMULA)
			formula((struct lu_str){ lt, (size_t)(after - lt) }, out);
		if (after)
			p = after;
		else
			lu_buf_append(out, lt, (size_t)(t.end - lt));
	}
	if (p < end)
		lu_buf_append(out, p, (size_t)(end - p));
	return n;
}
