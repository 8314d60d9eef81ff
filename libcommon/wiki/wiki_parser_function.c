/*
 * Parser functions and variables of MediaWiki, as far as a page alone decides them.
 */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/wiki/wiki_template.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A call {{name:first|...}}: `first` is the first argument, the rest are those of the call. */
typedef enum lu_wiki_outcome parser_function(const struct lu_wiki_call *c, struct lu_str first);

/* An argument as it is written: "a=b" is not a name and a value here. */
static struct lu_str raw(const struct lu_wiki_call *c, size_t i)
{
	const struct lu_wiki_arg *a;
	const char *from;

	if (i >= c->args)
		return (struct lu_str){ "", 0 };
	a = &c->arg[i];
	from = a->name.p ? a->name.p : a->value.p;
	return lu_wiki_trim((struct lu_str){ from, (size_t)(a->value.p + a->value.n - from) });
}

/* A condition in which something is missing decides nothing. */
static bool is_unsure(struct lu_str s)
{
	return memchr(s.p, '\4', s.n) != NULL;
}

static enum lu_wiki_outcome give(const struct lu_wiki_call *c, struct lu_str s)
{
	lu_buf_str(&c->w->result, s);
	return LU_WIKI_EXPANDED;
}

static enum lu_wiki_outcome if_given(const struct lu_wiki_call *c, struct lu_str first)
{
	if (is_unsure(first))
		return LU_WIKI_UNKNOWN;
	return give(c, raw(c, first.n ? 0 : 1));
}

static enum lu_wiki_outcome if_equal(const struct lu_wiki_call *c, struct lu_str first)
{
	struct lu_str other = raw(c, 0);

	if (is_unsure(first) || is_unsure(other))
		return LU_WIKI_UNKNOWN;
	return give(c, raw(c, lu_str_eq(first, other) ? 1 : 2));
}

/* {{#switch: value | a | b = for both | #default = else}} */
static enum lu_wiki_outcome choose(const struct lu_wiki_call *c, struct lu_str first)
{
	bool falls = false;
	struct lu_str otherwise = { NULL, 0 };

	if (is_unsure(first))
		return LU_WIKI_UNKNOWN;
	for (size_t i = 0; i < c->args; i++) {
		const struct lu_wiki_arg *a = &c->arg[i];
		struct lu_str name = a->name.p ? a->name : lu_wiki_trim(a->value);

		falls |= lu_str_eq(name, first);
		if (a->name.p && falls)
			return give(c, a->value);
		if (lu_str_is(name, "#default"))
			otherwise = a->value;
		else if (!a->name.p && i + 1 == c->args)
			otherwise = name;
	}
	return otherwise.p ? give(c, otherwise) : LU_WIKI_EXPANDED;
}

static enum lu_wiki_outcome number(const struct lu_wiki_call *c, struct lu_str first)
{
	if (lu_str_is(raw(c, 0), "R") || lu_str_is(raw(c, 0), "NOSEP"))
		return give(c, first);
	lu_wiki_number(c->w, first, LU_STR("\xE2\x80\xAF"), &c->w->result);
	return LU_WIKI_EXPANDED;
}

static enum lu_wiki_outcome lower(const struct lu_wiki_call *c, struct lu_str first)
{
	lu_wiki_fold(first, &c->w->result);
	return LU_WIKI_EXPANDED;
}

/* Capitals of ASCII and Latin-1, all of them or the first. */
static enum lu_wiki_outcome raise(const struct lu_wiki_call *c, struct lu_str s, bool all)
{
	struct lu_buf *out = &c->w->result;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if ((i == 0 || all) && b >= 'a' && b <= 'z') {
			b -= 32;
		} else if ((i == 0 || all) && b == 0xC3 && i + 1 < s.n) {
			unsigned char d = (unsigned char)s.p[++i];

			lu_buf_putc(out, (char)b);
			b = d >= 0xA0 && d <= 0xBE && d != 0xB7 ? d - 0x20 : d;
		}
		lu_buf_putc(out, (char)b);
	}
	return LU_WIKI_EXPANDED;
}

static enum lu_wiki_outcome upper(const struct lu_wiki_call *c, struct lu_str first)
{
	return raise(c, first, true);
}

static enum lu_wiki_outcome upper_first(const struct lu_wiki_call *c, struct lu_str first)
{
	return raise(c, first, false);
}

static enum lu_wiki_outcome lower_first(const struct lu_wiki_call *c, struct lu_str first)
{
	size_t n = first.n ? lu_utf8_seq(first.p, first.n) : 0;

	lu_wiki_fold((struct lu_str){ first.p, n }, &c->w->result);
	return give(c, (struct lu_str){ first.p + n, first.n - n });
}

static enum lu_wiki_outcome leave_out(const struct lu_wiki_call *c, struct lu_str first)
{
	(void)c, (void)first;
	return LU_WIKI_LEFT_OUT;
}

static enum lu_wiki_outcome plural(const struct lu_wiki_call *c, struct lu_str first)
{
	bool one = lu_str_is(first, "1") ||
			(strcmp(c->w->site->lang, "fr") == 0 && lu_str_is(first, "0"));

	if (first.n == 0 || !lu_str_only(first, "0123456789"))
		return LU_WIKI_UNKNOWN;
	return give(c, raw(c, one || c->args < 2 ? 0 : 1));
}

/* {{#tag:ref|content|name=x}} */
static enum lu_wiki_outcome tag(const struct lu_wiki_call *c, struct lu_str first)
{
	struct lu_wikitext *w = c->w;

	if (lu_str_is(first, "ref")) {
		w->count.references++;
		if (!w->options->references)
			return LU_WIKI_LEFT_OUT;
		lu_buf_puts(&w->result, "<ref>");
		lu_buf_str(&w->result, raw(c, 0));
		lu_buf_puts(&w->result, "</ref>");
		return LU_WIKI_EXPANDED;
	}
	if (lu_str_is(first, "math")) {
		lu_buf_puts(&w->result, "\1m");
		lu_buf_str(&w->result, raw(c, 0));
		lu_buf_puts(&w->result, "\2");
		return LU_WIKI_EXPANDED;
	}
	if (lu_str_is(first, "references") || lu_str_is(first, "gallery") ||
			lu_str_is(first, "timeline"))
		return LU_WIKI_LEFT_OUT;
	return LU_WIKI_UNKNOWN;
}

static enum lu_wiki_outcome first_of(const struct lu_wiki_call *c, struct lu_str first)
{
	return give(c, first);
}

static const struct row {
	const char *name; /* folded, with its colon */
	parser_function *function;
} functions[] = {
	{ "#if:", if_given },
	{ "#ifeq:", if_equal },
	{ "#switch:", choose },
	{ "#tag:", tag },
	{ "#si:", if_given },
	{ "formatnum:", number },
	{ "lc:", lower },
	{ "uc:", upper },
	{ "ucfirst:", upper_first },
	{ "lcfirst:", lower_first },
	{ "plural:", plural },
	{ "displaytitle:", leave_out },
	{ "defaultsort:", leave_out },
	{ "defaultsortkey:", leave_out },
	{ "defaultcategorysort:", leave_out },
	{ "clefdetri:", leave_out },
	{ "clédetri:", leave_out },
	{ "noexternallanglinks:", leave_out },
	{ "#coordinates:", leave_out },
	{ "anchorencode:", first_of },
	{ "nowrap:", first_of },
};

static const char *const left_out[] = { "noexternallanglinks", "displaytitle", "defaultsort" };

/* Variables that the page itself decides. Those of the day or of the wiki's size are unknown. */
static bool variable(const struct lu_wiki_call *c)
{
	static const char *const titles[] = { "PAGENAME", "FULLPAGENAME", "BASEPAGENAME",
		"SUBPAGENAME", "ROOTPAGENAME", "NOMPAGE", "ARTICLEPAGENAME", "SUBJECTPAGENAME" };

	for (size_t i = 0; i < COUNT(titles); i++) {
		if (lu_str_is(c->name, titles[i])) {
			lu_buf_str(&c->w->result, c->w->title);
			return true;
		}
	}
	if (lu_str_is(c->name, "SITENAME") && c->w->site->name.n) {
		lu_buf_str(&c->w->result, lu_buf_slice(&c->w->site->name));
		return true;
	}
	return lu_str_is(c->name, "NAMESPACE") && c->args == 0; /* an article has none */
}

bool lu_wiki_parser_function(const struct lu_wiki_call *c, enum lu_wiki_outcome *outcome)
{
	const char *colon = memchr(c->name.p, ':', c->name.n);
	struct lu_buf *scratch = &c->w->scratch;
	struct lu_str first, key;

	*outcome = LU_WIKI_EXPANDED;
	if (c->args == 0 && variable(c))
		return true;
	lu_buf_clear(scratch);
	if (!colon) {
		lu_wiki_fold(c->name, scratch);
		key = lu_buf_slice(scratch);
		for (size_t i = 0; i < COUNT(left_out); i++) {
			if (lu_str_is(key, left_out[i])) {
				*outcome = LU_WIKI_LEFT_OUT;
				return true;
			}
		}
		return false;
	}
	if (colon - c->name.p > 40)
		return false;
	lu_wiki_fold((struct lu_str){ c->name.p, (size_t)(colon + 1 - c->name.p) }, scratch);
	key = lu_buf_slice(scratch);
	first = lu_wiki_trim(
			(struct lu_str){ colon + 1, (size_t)(c->name.p + c->name.n - colon - 1) });
	for (size_t i = 0; i < COUNT(functions); i++) {
		if (lu_str_is(key, functions[i].name)) {
			*outcome = functions[i].function(c, first);
			return true;
		}
	}
	if (key.n && key.p[0] == '#') {
		*outcome = LU_WIKI_UNKNOWN;
		return true;
	}
	return false;
}
