/* Methods of strings and objects, as Python has them. */
#include <limits.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/chat/chat_ast.h"
#include "libcommon/text/unicode.h"

/* --- white space -------------------------------------------------------------------------- */

/* Python's str.isspace(): White_Space and the four separators of ASCII. */
static bool is_space(uint32_t c)
{
	if (c < 128)
		return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
	return lu_unicode_is_space(c);
}

static bool in_set(uint32_t c, const struct lu_cv *chars)
{
	const char *p, *end;

	if (!chars)
		return is_space(c);
	for (p = chars->s.p, end = p + chars->s.n; p < end;) {
		if (lu_utf8_next(&p) == c)
			return true;
	}
	return false;
}

static const char *before(const char *p)
{
	do
		p--;
	while (((unsigned char)*p & 0xC0) == 0x80);
	return p;
}

int lu_ce_strip(struct lu_ce *e, const struct lu_cv *s, const struct lu_cv *chars, unsigned sides,
		struct lu_cv *out)
{
	const char *p = s->s.p, *end = p + s->s.n, *q;

	if (chars && chars->type == LU_CV_NONE)
		chars = NULL;
	if (chars && chars->type != LU_CV_STRING)
		return lu_cv_fail(&e->x, "characters to strip are %s", lu_cv_type_name(chars));
	while ((sides & LU_CE_LEFT) && p < end) {
		q = p;
		if (!in_set(lu_utf8_next(&q), chars))
			break;
		p = q;
	}
	while ((sides & LU_CE_RIGHT) && end > p) {
		const char *at = before(end);

		q = at;
		if (!in_set(lu_utf8_next(&q), chars))
			break;
		end = at;
	}
	*out = lu_cv_slice(s, (size_t)(p - s->s.p), (size_t)(end - s->s.p));
	return lu_cv_step(&e->x, (s->s.n - out->s.n) / 16);
}

/* --- search ------------------------------------------------------------------------------- */

/* The next occurrence of `needle`, which is not empty, at or after byte `at`; SIZE_MAX: none. */
static size_t find_from(const struct lu_cv *s, const struct lu_cv *needle, size_t at)
{
	const char *p = memmem(s->s.p + at, s->s.n - at, needle->s.p, needle->s.n);

	return p ? (size_t)(p - s->s.p) : SIZE_MAX;
}

/* Between all characters, as Python replaces an empty string. */
static int replace_empty(struct lu_ce *e, const struct lu_cv *s, const struct lu_cv *by,
		int64_t count, struct lu_cv *out)
{
	struct lu_cv_list chars, l = { 0 };

	if (lu_cv_elements(&e->x, s, &chars) < 0)
		return -1;
	for (size_t i = 0; i <= chars.n; i++) {
		if (count-- > 0 && lu_cv_list_add(&e->x, &l, *by) < 0)
			return -1;
		if (i < chars.n && lu_cv_list_add(&e->x, &l, chars.p[i]) < 0)
			return -1;
	}
	return lu_cv_join(&e->x, l.p, l.n, out);
}

int lu_ce_replace(struct lu_ce *e, const struct lu_cv *s, const struct lu_cv *old,
		const struct lu_cv *by, int64_t count, struct lu_cv *out)
{
	struct lu_cv_list l = { 0 };
	size_t at = 0, next;

	if (count < 0)
		count = INT64_MAX;
	if (lu_cv_step(&e->x, s->s.n / 64) < 0)
		return -1;
	if (old->s.n == 0)
		return replace_empty(e, s, by, count, out);
	while (count-- > 0 && (next = find_from(s, old, at)) != SIZE_MAX) {
		if (lu_cv_step(&e->x, 1) < 0 ||
				lu_cv_list_add(&e->x, &l, lu_cv_slice(s, at, next)) < 0 ||
				lu_cv_list_add(&e->x, &l, *by) < 0)
			return -1;
		at = next + old->s.n;
	}
	if (lu_cv_list_add(&e->x, &l, lu_cv_slice(s, at, s->s.n)) < 0)
		return -1;
	return lu_cv_join(&e->x, l.p, l.n, out);
}

static int split_at(struct lu_ce *e, const struct lu_cv *s, const struct lu_cv *by, int64_t most,
		struct lu_cv_list *l)
{
	size_t at = 0, next;

	if (by->s.n == 0)
		return lu_cv_fail(&e->x, "split() at an empty string");
	while (most-- > 0 && (next = find_from(s, by, at)) != SIZE_MAX) {
		if (lu_cv_step(&e->x, 1) < 0 ||
				lu_cv_list_add(&e->x, l, lu_cv_slice(s, at, next)) < 0)
			return -1;
		at = next + by->s.n;
	}
	return lu_cv_list_add(&e->x, l, lu_cv_slice(s, at, s->s.n));
}

/* Without a separator, at runs of white space. */
static int split_words(struct lu_ce *e, const struct lu_cv *s, int64_t most, struct lu_cv_list *l)
{
	const char *p = s->s.p, *end = p + s->s.n, *word = NULL, *q;

	for (; p < end; p = q) {
		bool space;

		q = p;
		space = is_space(lu_utf8_next(&q));
		if (!space && !word && most-- == 0)
			return lu_cv_list_add(
					&e->x, l, lu_cv_slice(s, (size_t)(p - s->s.p), s->s.n));
		if (!space && !word)
			word = p;
		if (!space || !word)
			continue;
		if (lu_cv_list_add(&e->x, l,
				    lu_cv_slice(s, (size_t)(word - s->s.p), (size_t)(p - s->s.p))) <
				0)
			return -1;
		word = NULL;
	}
	return word ? lu_cv_list_add(&e->x, l, lu_cv_slice(s, (size_t)(word - s->s.p), s->s.n)) : 0;
}

static int split(struct lu_ce *e, const struct lu_cv *s, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	static const char *const keyword[] = { "sep", "maxsplit", NULL };
	const struct lu_cv *by = lu_ce_arg(a, 0, "sep"), *most = lu_ce_arg(a, 1, "maxsplit");
	int64_t n = -1;
	int rc;

	if (lu_ce_check_args(e, a, 2, "split()", keyword) < 0)
		return -1;
	if (most && !lu_cv_integer(most, &n))
		return lu_cv_fail(&e->x, "split() at most %s times", lu_cv_type_name(most));
	if (by && by->type != LU_CV_NONE && by->type != LU_CV_STRING)
		return lu_cv_fail(&e->x, "split() at %s", lu_cv_type_name(by));
	*out = (struct lu_cv){ .type = LU_CV_LIST };
	out->list = lu_cv_list_new(&e->x);
	if (!out->list || lu_cv_step(&e->x, s->s.n / 64) < 0)
		return -1;
	n = n < 0 ? INT64_MAX : n;
	rc = by && by->type == LU_CV_STRING ? split_at(e, s, by, n, out->list)
					    : split_words(e, s, n, out->list);
	return rc;
}

/* Python's line ends. */
static int split_lines(struct lu_ce *e, const struct lu_cv *s, struct lu_cv *out)
{
	const char *p = s->s.p, *end = p + s->s.n, *line = p;

	*out = (struct lu_cv){ .type = LU_CV_LIST };
	out->list = lu_cv_list_new(&e->x);
	while (out->list && p < end) {
		const char *at = p;
		uint32_t c = lu_utf8_next(&p);

		if (!((c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 ||
				    c == 0x2029))
			continue;
		if (c == '\r' && p < end && *p == '\n')
			p++;
		if (lu_cv_list_add(&e->x, out->list,
				    lu_cv_slice(s, (size_t)(line - s->s.p),
						    (size_t)(at - s->s.p))) < 0)
			return -1;
		line = p;
	}
	if (out->list && line < end)
		return lu_cv_list_add(
				&e->x, out->list, lu_cv_slice(s, (size_t)(line - s->s.p), s->s.n));
	return out->list ? lu_cv_step(&e->x, s->s.n / 16) : -1;
}

/* startswith() and endswith(), of a string or one of a tuple. */
static int has_affix(struct lu_ce *e, const struct lu_cv *s, const struct lu_ce_args *a, bool end,
		struct lu_cv *out)
{
	const struct lu_cv *affix = a->n == 1 ? a->p : NULL;
	size_t n = 1;
	bool is = false;

	if (affix && affix->type == LU_CV_TUPLE) {
		n = affix->list->n;
		affix = affix->list->p;
	} else if (!affix) {
		return lu_cv_fail(
				&e->x, "%s() takes one argument", end ? "endswith" : "startswith");
	}
	for (size_t i = 0; i < n && !is; i++) {
		if (affix[i].type != LU_CV_STRING)
			return lu_cv_fail(&e->x, "%s() with %s", end ? "endswith" : "startswith",
					lu_cv_type_name(&affix[i]));
		is = affix[i].s.n <= s->s.n &&
				(affix[i].s.n == 0 ||
						memcmp(s->s.p + (end ? s->s.n - affix[i].s.n : 0),
								affix[i].s.p, affix[i].s.n) == 0);
	}
	*out = lu_cv_bool(is);
	return lu_cv_step(&e->x, n);
}

/* find(), rfind() and count(): numbers of characters. */
static int search(struct lu_ce *e, const struct lu_cv *s, const struct lu_cv *needle, char what,
		struct lu_cv *out)
{
	size_t at = 0, found = SIZE_MAX;
	int64_t n = 0;

	if (needle->s.n == 0)
		return lu_cv_fail(&e->x, "an empty string is looked for");
	while (at <= s->s.n && (at = find_from(s, needle, at)) != SIZE_MAX) {
		found = at;
		n++;
		if (what == 'f')
			break;
		at += what == 'c' ? needle->s.n : 1;
		if (lu_cv_step(&e->x, 1) < 0)
			return -1;
	}
	if (what != 'c')
		n = found == SIZE_MAX ? -1 : (int64_t)lu_utf8_count(s->s.p, found);
	*out = lu_cv_int(n);
	return lu_cv_step(&e->x, s->s.n / 64);
}

/* --- case --------------------------------------------------------------------------------- */

int lu_ce_change_case(
		struct lu_ce *e, const struct lu_cv *s, enum lu_ce_case how, struct lu_cv *out)
{
	struct lu_buf b = { 0 };
	const char *p = s->s.p;
	struct lu_str first, rest = { s->s.p, s->s.n };
	int rc = 0;

	if (how == LU_CE_UPPER) {
		rc = lu_unicode_upper(rest, &b, e->x.err);
	} else if (how == LU_CE_LOWER || s->s.n == 0) {
		rc = lu_unicode_lower(rest, &b, e->x.err);
	} else {
		lu_utf8_next(&p);
		first = (struct lu_str){ s->s.p, (size_t)(p - s->s.p) };
		rest = (struct lu_str){ p, s->s.n - first.n };
		rc = lu_unicode_upper(first, &b, e->x.err);
		if (rc == 0)
			rc = lu_unicode_lower(rest, &b, e->x.err);
	}
	if (rc == 0)
		rc = lu_cv_copy(&e->x, &b, lu_cv_origin(s), out);
	/* Letters mostly keep their length: then the origin of each byte is known. */
	if (rc == 0 && b.n == s->s.n)
		out->s.from = s->s.from;
	if (rc == 0)
		out->s.markup = s->s.markup;
	lu_buf_release(&b);
	return rc;
}

/* --- objects ------------------------------------------------------------------------------ */

static int dict_list(struct lu_ce *e, const struct lu_cv *v, char what, struct lu_cv *out)
{
	*out = (struct lu_cv){ .type = LU_CV_LIST };
	out->list = lu_cv_list_new(&e->x);
	for (size_t i = 0; out->list && i < v->dict->n; i++) {
		const struct lu_cv_pair *p = &v->dict->p[i];
		struct lu_cv one = what == 'k' ? p->key : p->value;

		if (what == 'i') {
			one = (struct lu_cv){ .type = LU_CV_TUPLE };
			one.list = lu_cv_list_new(&e->x);
			if (!one.list || lu_cv_list_add(&e->x, one.list, p->key) < 0 ||
					lu_cv_list_add(&e->x, one.list, p->value) < 0)
				return -1;
		}
		if (lu_cv_list_add(&e->x, out->list, one) < 0)
			return -1;
	}
	return out->list ? 0 : -1;
}

static int dict_get(struct lu_ce *e, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	const struct lu_cv *member = NULL;

	if (a->n < 1 || a->n > 2 || a->keywords)
		return lu_cv_fail(&e->x, "get() takes a key and a default");
	if (a->p[0].type == LU_CV_STRING)
		member = lu_cv_dict_get(v->dict, lu_cv_text(&a->p[0]));
	*out = member ? *member : a->n == 2 ? a->p[1] : lu_cv_none();
	return 0;
}

/* --- by name ------------------------------------------------------------------------------ */

enum {
	GET,
	ITEMS,
	KEYS,
	VALUES,
	STRIP,
	LSTRIP,
	RSTRIP,
	SPLIT,
	SPLITLINES,
	STARTSWITH,
	ENDSWITH,
	REPLACE,
	UPPER,
	LOWER,
	CAPITALIZE,
	FIND,
	RFIND,
	COUNT,
	JOIN,
	METHODS
};

static const char *const method_name[METHODS] = { "get", "items", "keys", "values", "strip",
	"lstrip", "rstrip", "split", "splitlines", "startswith", "endswith", "replace", "upper",
	"lower", "capitalize", "find", "rfind", "count", "join" };

int lu_cn_method(struct lu_str name)
{
	for (int i = 0; i < METHODS; i++) {
		if (lu_str_is(name, method_name[i]))
			return i;
	}
	return -1;
}

bool lu_ce_has_attribute(const struct lu_cv *v, struct lu_str name)
{
	/* Of Python 3.12, those that templates may ask for in vain included. */
	static const char dict[] =
			" clear copy fromkeys get items keys pop popitem setdefault update "
			"values ";
	static const char list[] =
			" append clear copy count extend index insert pop remove reverse "
			"sort ";
	static const char string[] =
			" capitalize casefold center count encode endswith expandtabs find format "
			"format_map index isalnum isalpha isascii isdecimal isdigit isidentifier "
			"islower isnumeric isprintable isspace istitle isupper join ljust lower "
			"lstrip maketrans partition removeprefix removesuffix replace rfind rindex "
			"rjust rpartition rsplit rstrip split splitlines startswith strip swapcase "
			"title translate upper zfill ";
	const char *all = v->type == LU_CV_DICT	  ? dict
			: v->type == LU_CV_LIST	  ? list
			: v->type == LU_CV_TUPLE  ? " count index "
			: v->type == LU_CV_STRING ? string
						  : "";
	char word[32];

	if (name.n == 0 || name.n > sizeof(word) - 3 || memchr(name.p, ' ', name.n))
		return false;
	word[0] = ' ';
	memcpy(word + 1, name.p, name.n);
	word[name.n + 1] = ' ';
	word[name.n + 2] = '\0';
	return strstr(all, word) != NULL;
}

static int string_method(struct lu_ce *e, unsigned which, const struct lu_cv *v,
		const struct lu_ce_args *a, struct lu_cv *out)
{
	const struct lu_cv *first = a->n ? &a->p[0] : NULL;
	int64_t count = -1;

	switch (which) {
	case STRIP:
	case LSTRIP:
	case RSTRIP:
		return lu_ce_strip(e, v, first,
				which == STRIP			  ? LU_CE_LEFT | LU_CE_RIGHT
						: which == LSTRIP ? LU_CE_LEFT
								  : LU_CE_RIGHT,
				out);
	case SPLIT: return split(e, v, a, out);
	case SPLITLINES: return split_lines(e, v, out);
	case STARTSWITH:
	case ENDSWITH: return has_affix(e, v, a, which == ENDSWITH, out);
	case UPPER:
	case LOWER:
	case CAPITALIZE:
		return lu_ce_change_case(e, v,
				which == UPPER			 ? LU_CE_UPPER
						: which == LOWER ? LU_CE_LOWER
								 : LU_CE_CAPITALIZE,
				out);
	default: break;
	}
	if (!first || (which != JOIN && first->type != LU_CV_STRING))
		return lu_cv_fail(&e->x, "%s() of %s", method_name[which],
				first ? lu_cv_type_name(first) : "nothing");
	if (which == JOIN)
		return lu_ce_join(e, first, v, out);
	if (which != REPLACE)
		return search(e, v, first, which == FIND ? 'f' : which == RFIND ? 'r' : 'c', out);
	if (a->n < 2 || a->p[1].type != LU_CV_STRING ||
			(a->n == 3 && !lu_cv_integer(&a->p[2], &count)))
		return lu_cv_fail(&e->x, "replace() takes two strings, and a number");
	return lu_ce_replace(e, v, first, &a->p[1], count, out);
}

int lu_ce_method(struct lu_ce *e, unsigned which, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	if (v->type == LU_CV_UNDEFINED)
		return lu_cv_fail(
				&e->x, "'" LU_STR_FMT "' is undefined", LU_STR_ARG(lu_cv_text(v)));
	if ((v->type == LU_CV_DICT && which <= VALUES) ||
			(v->type == LU_CV_STRING && which > VALUES)) {
		if (which != SPLIT && lu_ce_check_args(e, a, 3, method_name[which], NULL) < 0)
			return -1;
		if (which == GET)
			return dict_get(e, v, a, out);
		if (which <= VALUES)
			return dict_list(e, v, method_name[which][0], out);
		return string_method(e, which, v, a, out);
	}
	return lu_cv_fail(&e->x, "%s has no method '%s' that is supported", lu_cv_type_name(v),
			method_name[which]);
}
