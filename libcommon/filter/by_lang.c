#include "libcommon/filter/by_lang.h"

#include <stdio.h>

#include "libcommon/text/unicode.h"

#define NAME_MAX_BYTES 64

static struct lu_by_lang_set *find(const struct lu_by_lang *b, struct lu_str lang)
{
	for (size_t i = 0; i < b->sets.n; i++) {
		struct lu_by_lang_set *set = &b->sets.p[i];

		if (lu_str_eq(set->lang, lang) || (*set->code && lu_str_is(lang, set->code)))
			return set;
	}
	return NULL;
}

/* Copy a slice of an option as a string; false if it is too long for any name. */
static bool copy(struct lu_str s, char name[NAME_MAX_BYTES])
{
	if (s.n >= NAME_MAX_BYTES)
		return false;
	memcpy(name, s.p, s.n);
	name[s.n] = '\0';
	return true;
}

/* The shorter code of a language: fr of fra, else "". */
static void shorten(struct lu_str lang, char code[LU_LANG_CODE_MAX])
{
	char tag[NAME_MAX_BYTES];

	if (lang.n != 3 || !copy(lang, tag) || !lu_unicode_language(tag, code, LU_LANG_CODE_MAX) ||
			lu_str_is(lang, code))
		*code = '\0';
}

/* The set of a language as an option names it. */
static struct lu_by_lang_set *find_named(const struct lu_by_lang *b, struct lu_str lang)
{
	struct lu_by_lang_set *set = find(b, lang);
	char code[LU_LANG_CODE_MAX];

	shorten(lang, code);
	return set || !*code ? set : find(b, lu_str_of(code));
}

static int check_lang(struct lu_str lang, struct lu_err *err)
{
	char code[NAME_MAX_BYTES];

	if (lu_str_is(lang, "*") || lu_str_is(lang, "code"))
		return 0;
	if (!copy(lang, code) || lang.n == 0)
		return lu_err_set(err, "'" LU_STR_FMT "' is no language", LU_STR_ARG(lang));
	return lu_lang_code_check(code, err);
}

static int add_preset(struct lu_rules *r, struct lu_str given, struct lu_err *err)
{
	char name[NAME_MAX_BYTES];

	if (!copy(given, name))
		return lu_err_set(err, "unknown preset '" LU_STR_FMT "'", LU_STR_ARG(given));
	return lu_rules_preset(r, name, err);
}

/* The slice up to `mark`; *rest is what follows it, with .p NULL at the end. */
static struct lu_str take(struct lu_str *rest, char mark)
{
	const char *at = memchr(rest->p, mark, rest->n);
	struct lu_str part = { rest->p, at ? (size_t)(at - rest->p) : rest->n };

	*rest = at ? (struct lu_str){ at + 1, rest->n - part.n - 1 } : (struct lu_str){ NULL, 0 };
	return part;
}

/* LANG=NAME+NAME... */
static int add_lang(
		struct lu_by_lang *b, struct lu_str lang, struct lu_str names, struct lu_err *err)
{
	struct lu_by_lang_set *set;

	if (check_lang(lang, err) < 0)
		return -1;
	if (find_named(b, lang))
		return lu_err_set(err,
				"'" LU_STR_FMT
				"' is given twice; several presets are joined by '+'",
				LU_STR_ARG(lang));
	if (!lu_vec_push(&b->sets, (struct lu_by_lang_set){ .lang = lang }))
		return lu_err_nomem(err);
	set = &b->sets.p[b->sets.n - 1];
	shorten(lang, set->code);
	if (lu_str_is(names, "none"))
		return 0;
	set->drop = lu_str_is(names, "drop");
	while (names.p && !set->drop) {
		if (add_preset(&set->rules, take(&names, '+'), err) < 0)
			return -1;
	}
	return 0;
}

int lu_by_lang_preset(struct lu_by_lang *b, const char *given, struct lu_err *err)
{
	struct lu_str rest = lu_str_of(given);

	while (rest.p) {
		struct lu_str names = take(&rest, ','), lang;

		if (!memchr(names.p, '=', names.n)) {
			if (add_preset(&b->every, names, err) < 0)
				return -1;
			continue;
		}
		lang = take(&names, '=');
		if (add_lang(b, lang, names, err) < 0)
			return -1;
	}
	return 0;
}

/* True if the rule of "NAME=..." is there. */
static bool has_rule(const struct lu_rules *r, const char *assignment)
{
	struct lu_str rule = { assignment, strcspn(assignment, "=") };
	char name[NAME_MAX_BYTES];

	for (size_t i = 0; i < r->n; i++) {
		if (r->p[i].measure == LU_MEASURES)
			snprintf(name, sizeof(name), "cut_lines");
		else
			snprintf(name, sizeof(name), "%s_%s", r->p[i].max ? "max" : "min",
					lu_measure_name(r->p[i].measure));
		if (lu_str_is(rule, name))
			return true;
	}
	return false;
}

int lu_by_lang_set(struct lu_by_lang *b, const char *assignment, struct lu_err *err)
{
	struct lu_str rest = lu_str_of(assignment), lang;
	bool found = false;

	if (strcspn(assignment, ":") < strcspn(assignment, "=")) {
		struct lu_by_lang_set *set;
		const char *colon = strrchr(assignment, ':');

		lang = (struct lu_str){ rest.p, (size_t)(colon - assignment) };
		set = find_named(b, lang);
		if (!set)
			return lu_err_set(err, "no --preset names the language '" LU_STR_FMT "'",
					LU_STR_ARG(lang));
		return lu_rules_set(&set->rules, colon + 1, err);
	}
	/* A rule that no preset has is for every document. */
	for (size_t i = 0; i < b->sets.n; i++) {
		struct lu_rules *r = &b->sets.p[i].rules;

		if (!has_rule(r, assignment))
			continue;
		found = true;
		if (lu_rules_set(r, assignment, err) < 0)
			return -1;
	}
	if (found && !has_rule(&b->every, assignment))
		return 0;
	return lu_rules_set(&b->every, assignment, err);
}

void lu_by_lang_release(struct lu_by_lang *b)
{
	lu_rules_release(&b->every);
	for (size_t i = 0; i < b->sets.n; i++)
		lu_rules_release(&b->sets.p[i].rules);
	lu_vec_release(&b->sets);
}

static const struct lu_by_lang_set *find_beginning(const struct lu_by_lang *b, struct lu_str lang)
{
	char code[LU_LANG_CODE_MAX], tag[NAME_MAX_BYTES];
	const struct lu_by_lang_set *set = NULL;
	size_t n = 0;

	while (n < lang.n && !memchr(":-_", lang.p[n], 3))
		n++;
	if (n < lang.n)
		set = find(b, (struct lu_str){ lang.p, n });
	if (!set && n == 3 && copy(lang, tag) && lu_unicode_language(tag, code, sizeof(code)))
		set = find(b, lu_str_of(code));
	return set;
}

const struct lu_by_lang_set *lu_by_lang_find(const struct lu_by_lang *b, struct lu_str lang)
{
	const struct lu_by_lang_set *set = find(b, lang.n ? lang : LU_STR("und"));

	if (!set)
		set = find_beginning(b, lang);
	return set ? set : find(b, LU_STR("*"));
}

bool lu_by_lang_empty(const struct lu_by_lang *b)
{
	return b->every.n == 0 && b->sets.n == 0;
}

bool lu_by_lang_cuts(const struct lu_by_lang *b)
{
	bool cuts = has_rule(&b->every, "cut_lines");

	for (size_t i = 0; i < b->sets.n; i++)
		cuts |= has_rule(&b->sets.p[i].rules, "cut_lines");
	return cuts;
}

void lu_by_lang_list(const struct lu_by_lang *b, struct lu_buf *out)
{
	lu_rules_list(&b->every, LU_STR(""), out);
	for (size_t i = 0; i < b->sets.n; i++) {
		const struct lu_by_lang_set *set = &b->sets.p[i];

		lu_rules_list(&set->rules, set->lang, out);
		if (set->rules.n == 0)
			lu_buf_printf(out, LU_STR_FMT "=%s\n", LU_STR_ARG(set->lang),
					set->drop ? "drop" : "none");
	}
}
