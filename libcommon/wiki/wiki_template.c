#include "libcommon/wiki/wiki_template.h"

#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/take_line.h"
#include "libcommon/io/feed.h"

/* Optional groups in a format nest so deep. */
#define GROUPS_MAX 8

struct own {
	size_t name, format; /* offsets in the text */
};

struct lu_wiki_templates {
	struct lu_buf text; /* names (folded) and formats, each ended by a NUL */
	struct LU_VEC(struct own) rows;
};

/* {,} {+} {*}: all positional arguments. */
static bool put_all(const struct lu_wiki_call *c, char how, struct lu_buf *out)
{
	bool any = false;

	for (size_t i = 0; i < c->args; i++) {
		struct lu_str v = lu_wiki_trim(c->arg[i].value);

		if (c->arg[i].name.p || v.n == 0)
			continue;
		if (how == '*')
			lu_buf_puts(out, "\n* ");
		else if (how == ',' && any)
			lu_buf_puts(out, ", ");
		lu_buf_str(out, v);
		any = true;
	}
	if (how == '*' && any)
		lu_buf_putc(out, '\n');
	return any;
}

static struct lu_str last_positional(const struct lu_wiki_call *c)
{
	for (size_t i = c->args; i > 0; i--) {
		if (!c->arg[i - 1].name.p)
			return lu_wiki_trim(c->arg[i - 1].value);
	}
	return (struct lu_str){ "", 0 };
}

/* The variable of a format between its braces: "texte|fr|1". False if none is given. */
static bool put_variable(const struct lu_wiki_call *c, struct lu_str names, struct lu_buf *out)
{
	bool number = names.n && names.p[0] == '#';

	names.p += number;
	names.n -= number;
	if (names.n == 1 && strchr(",+*", names.p[0]))
		return put_all(c, names.p[0], out);
	while (names.n) {
		const char *bar = memchr(names.p, '|', names.n);
		size_t n = bar ? (size_t)(bar - names.p) : names.n;
		char name[48] = "";
		struct lu_str v;

		if (n < sizeof(name))
			memcpy(name, names.p, n);
		v = strcmp(name, "-1") == 0 ? last_positional(c) : lu_wiki_arg(c, name);
		if (v.n && number)
			lu_wiki_number(c->w, v, LU_STR("\xC2\xA0"), out);
		else
			lu_buf_str(out, v);
		if (v.n)
			return true;
		n += bar != NULL;
		names.p += n;
		names.n -= n;
	}
	return false;
}

static bool format(const struct lu_wiki_call *c, const char *f, struct lu_buf *out)
{
	struct {
		size_t at;
		bool missing;
	} group[GROUPS_MAX + 1] = { { out->n, false } };
	size_t depth = 0;

	for (; *f; f++) {
		if (*f == '\\' && f[1]) {
			f++;
			lu_buf_putc(out, *f == 'n' ? '\n' : *f);
		} else if (*f == '[' && depth < GROUPS_MAX) {
			depth++;
			group[depth].at = out->n;
			group[depth].missing = false;
		} else if (*f == ']' && depth) {
			if (group[depth].missing)
				out->n = group[depth].at;
			depth--;
		} else if (*f == '{') {
			size_t n = strcspn(f + 1, "}");

			if (!put_variable(c, (struct lu_str){ f + 1, n }, out))
				group[depth].missing = true;
			f += n + (f[n + 1] == '}');
		} else {
			lu_buf_putc(out, *f);
		}
	}
	return !group[0].missing;
}

/* The format for a name: the row of that name, else the longest prefix or suffix. */
static const char *find(const struct lu_wiki_table *t, struct lu_str name)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int cmp = lu_str_cmp(name, lu_str_of(t->row[mid].name));

		if (cmp == 0)
			return t->row[mid].format;
		if (cmp < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* True if `pattern` ends or begins with "*", and the rest of it is the beginning or end of name. */
static bool fits(const char *pattern, struct lu_str name)
{
	size_t n = strlen(pattern);

	if (n < 2 || name.n < n - 1)
		return false;
	if (pattern[n - 1] == '*')
		return memcmp(name.p, pattern, n - 1) == 0;
	return pattern[0] == '*' && memcmp(name.p + name.n - (n - 1), pattern + 1, n - 1) == 0;
}

/* Rows with "*" are few, and stand before or behind the others by their name. */
static const char *find_pattern(const struct lu_wiki_table *t, struct lu_str name)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *row = t->row[i].name;

		if ((row[0] == '*' || row[0] == *name.p) && fits(row, name))
			return t->row[i].format;
	}
	return NULL;
}

const char *lu_wiki_templates_find(const struct lu_wiki_templates *t, struct lu_str name)
{
	for (size_t i = 0; t && i < t->rows.n; i++) {
		const char *row = t->text.p + t->rows.p[i].name;

		if (lu_str_is(name, row) || fits(row, name))
			return t->text.p + t->rows.p[i].format;
	}
	return NULL;
}

static const char *built_in(const struct lu_wikitext *w, struct lu_str name)
{
	const struct lu_wiki_table *tables[3] = { NULL };
	const char *lang = w->site->lang, *found = NULL;
	size_t n = 0;

	if (strcmp(lang, "fr") == 0) {
		tables[n++] = &lu_wiki_fr;
		tables[n++] = &lu_wiki_fr_out;
	} else if (strcmp(lang, "en") == 0 || strcmp(lang, "simple") == 0) {
		tables[n++] = &lu_wiki_en;
		tables[n++] = &lu_wiki_en_out;
	}
	tables[n++] = &lu_wiki_common;
	for (size_t i = 0; i < n && !found; i++)
		found = find(tables[i], name);
	for (size_t i = 0; i < n && !found; i++)
		found = find_pattern(tables[i], name);
	return found;
}

/* "1er", "XIXe siècle", "IIe millénaire": French templates whose name is their text. */
static bool is_own_text(struct lu_str name)
{
	static const char *const ends[] = { "er", "re", "ère", "e", "ème", "nd", "nde", "d", "de",
		"es", "ers", "res", "e siècle", "er siècle", "e millénaire", "er millénaire",
		"e siècle av. J.-C.", "er siècle av. J.-C." };
	size_t n = 0;
	struct lu_str rest;

	while (n < name.n && name.p[n] >= '0' && name.p[n] <= '9')
		n++;
	while (n < name.n && strchr("IVXLCDM", name.p[n]))
		n++;
	if (n == 0 || n == name.n || n > 12)
		return false;
	rest = (struct lu_str){ name.p + n, name.n - n };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (lu_str_is(rest, ends[i]))
			return true;
	}
	return false;
}

/* Without "subst:" or the name of the namespace in front. */
static void skip_prefix(struct lu_wiki_call *c)
{
	static const char *const prefixes[] = { "subst:", "safesubst:", "msg:", "msgnw:" };
	const char *colon;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i]);

		if (c->name.n > n && strncasecmp(c->name.p, prefixes[i], n) == 0)
			c->name = lu_wiki_trim((struct lu_str){ c->name.p + n, c->name.n - n });
	}
	colon = memchr(c->name.p, ':', c->name.n);
	if (colon && colon > c->name.p &&
			lu_wiki_space_of(c->w->site,
					(struct lu_str){
							c->name.p, (size_t)(colon - c->name.p) }) ==
					LU_WIKI_TEMPLATE)
		c->name = lu_wiki_trim((struct lu_str){
				colon + 1, (size_t)(c->name.p + c->name.n - colon - 1) });
}

enum lu_wiki_outcome lu_wiki_call(const struct lu_wiki_call *call)
{
	struct lu_wiki_call c = *call;
	struct lu_wikitext *w = c.w;
	enum lu_wiki_outcome outcome;
	const char *f;
	size_t before = w->result.n;
	lu_wiki_function *function;

	skip_prefix(&c);
	if (lu_wiki_parser_function(&c, &outcome))
		return outcome;
	lu_buf_clear(&w->scratch);
	lu_wiki_fold(c.name, &w->scratch);
	if (c.name.n > 200 || w->scratch.n == 0)
		return LU_WIKI_UNKNOWN;
	if (w->scratch.failed)
		return LU_WIKI_UNKNOWN;
	f = lu_wiki_templates_find(w->options->own, lu_buf_slice(&w->scratch));
	if (!f)
		f = built_in(w, lu_buf_slice(&w->scratch));
	if (!f && strcmp(w->site->lang, "fr") == 0 && is_own_text(c.name)) {
		lu_buf_str(&w->result, c.name);
		return LU_WIKI_EXPANDED;
	}
	if (!f)
		return LU_WIKI_UNKNOWN;
	if (strcmp(f, "-") == 0)
		return LU_WIKI_LEFT_OUT;
	function = *f == '@' ? lu_wiki_function_of(f + 1) : NULL;
	if (function ? function(&c, &w->result) : format(&c, f, &w->result))
		return LU_WIKI_EXPANDED;
	w->result.n = before;
	return LU_WIKI_UNKNOWN;
}

/* A row of a file of templates. */
static int add_own(struct lu_wiki_templates *t, const char *path, size_t number, struct lu_str line,
		struct lu_err *err)
{
	const char *tab = memchr(line.p, '\t', line.n);
	struct lu_str name, f;
	struct own row = { t->text.n, 0 };

	if (!tab)
		return lu_err_set(err, "%s:%zu: no tab between name and format", path, number);
	name = lu_trim_line((struct lu_str){ line.p, (size_t)(tab - line.p) });
	f = lu_trim_line((struct lu_str){ tab + 1, (size_t)(line.p + line.n - tab - 1) });
	if (name.n == 0 || f.n == 0)
		return lu_err_set(err, "%s:%zu: %s is missing", path, number,
				name.n ? "the format" : "the name");
	lu_wiki_fold(name, &t->text);
	lu_buf_putc(&t->text, '\0');
	row.format = t->text.n;
	lu_buf_str(&t->text, f);
	lu_buf_putc(&t->text, '\0');
	if (lu_buf_check(&t->text, err) < 0)
		return -1;
	if (f.p[0] == '@' && !lu_wiki_function_of(t->text.p + row.format + 1))
		return lu_err_set(err,
				"%s:%zu: there is no function '" LU_STR_FMT
				"'; lucie-wiki(5) lists them",
				path, number, LU_STR_ARG(f));
	return lu_vec_push(&t->rows, row) ? 0 : lu_err_nomem(err);
}

int lu_wiki_templates_read(struct lu_wiki_templates **out, const char *path, struct lu_err *err)
{
	struct lu_wiki_templates *t = calloc(1, sizeof(*t));
	struct lu_feed *f = NULL;
	struct lu_str line;
	size_t number = 0;
	int rc = -1;

	if (!t)
		return lu_err_nomem(err);
	if (lu_feed_open(&f, path, err) < 0)
		goto out;
	while ((rc = lu_feed_line(f, &line, err)) > 0) {
		number++;
		if (rc == 2) {
			rc = lu_err_set(err, "%s:%zu: the line is too long", path, number);
			goto out;
		}
		line = lu_trim_line(line);
		if (line.n && line.p[0] != '#' && add_own(t, path, number, line, err) < 0) {
			rc = -1;
			goto out;
		}
	}
out:
	lu_feed_close(f);
	if (rc < 0) {
		lu_wiki_templates_free(t);
		t = NULL;
	}
	*out = t;
	return rc;
}

void lu_wiki_templates_free(struct lu_wiki_templates *t)
{
	if (!t)
		return;
	lu_buf_release(&t->text);
	lu_vec_release(&t->rows);
	free(t);
}
