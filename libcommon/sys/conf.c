#include "libcommon/sys/conf.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/map.h"
#include "libcommon/base/suggest.h"
#include "libcommon/base/utf8.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/file.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

int lu_conf_open(struct lu_conf *c, const char *path, struct lu_err *err)
{
	size_t n;

	*c = (struct lu_conf){ 0 };
	if (lu_read_input(path, (size_t)1 << 20, &c->text, &n, err) < 0)
		return -1;
	c->path = strdup(path);
	if (!c->path) {
		lu_conf_close(c);
		return lu_err_nomem(err);
	}
	if (memchr(c->text, '\0', n) || lu_utf8_valid(c->text, n) != n) {
		lu_conf_close(c);
		return lu_err_set(err, "%s: not a text file in UTF-8", path);
	}
	return 0;
}

void lu_conf_close(struct lu_conf *c)
{
	free(c->path);
	free(c->text);
	*c = (struct lu_conf){ 0 };
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *s)
{
	size_t n;

	while (blank(*s))
		s++;
	n = strlen(s);
	while (n && blank(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

static int header(char *line, const char **section, const char **name, struct lu_err *err)
{
	size_t n = strlen(line);
	char *s, *space;

	if (line[n - 1] != ']')
		return lu_err_set(err, "'%s' does not end with ']'", line);
	line[n - 1] = '\0';
	s = trim(line + 1);
	space = strpbrk(s, " \t");
	*name = "";
	if (space) {
		*space = '\0';
		*name = trim(space + 1);
	}
	*section = s;
	return *s ? 0 : lu_err_set(err, "empty section name");
}

static int setting(char *line, char **key, char **value, struct lu_err *err)
{
	char *eq = strchr(line, '=');

	if (!eq)
		return lu_err_set(err, "'%s' is neither [section] nor key = value", line);
	*eq = '\0';
	*key = trim(line);
	*value = trim(eq + 1);
	return **key ? 0 : lu_err_set(err, "no key before '='");
}

/* --- repeated sections and keys --------------------------------------------------------------- */

/* A header (key NULL) or a setting. */
struct entry {
	const char *section, *name, *key;
	size_t line;
};

struct entries {
	struct LU_VEC(struct entry) list;
	struct lu_map map;
};

/* Hash the strings with their NUL, so that where one ends and the next begins counts. */
static uint64_t entry_hash(const void *items, uint32_t i)
{
	const struct entry *e = (const struct entry *)items + i;
	uint64_t h = lu_fnv1a(LU_FNV_BASIS, e->section, strlen(e->section) + 1);

	h = lu_fnv1a(h, e->name, strlen(e->name) + 1);
	return e->key ? lu_fnv1a(h, e->key, strlen(e->key) + 1) : h;
}

static bool entry_is(const void *items, uint32_t i, const void *key)
{
	const struct entry *a = (const struct entry *)items + i, *b = key;

	return strcmp(a->section, b->section) == 0 && strcmp(a->name, b->name) == 0 &&
			!a->key == !b->key && (!a->key || strcmp(a->key, b->key) == 0);
}

static int repeated(const struct entry *e, size_t first, struct lu_err *err)
{
	const char *space = *e->name ? " " : "";

	if (e->key && *e->section)
		return lu_err_set(err, "'%s' is set twice in [%s%s%s], first in line %zu", e->key,
				e->section, space, e->name, first);
	if (e->key)
		return lu_err_set(err, "'%s' is set twice, first in line %zu", e->key, first);
	return lu_err_set(err, "section [%s%s%s] appears twice, first in line %zu", e->section,
			space, e->name, first);
}

/* Refuse an entry that was there before, otherwise remember it. */
static int remember(struct entries *all, const struct entry *e, struct lu_err *err)
{
	uint64_t hash = entry_hash(e, 0);
	uint32_t i = lu_map_find(&all->map, hash, all->list.p, entry_is, e);

	if (i != LU_MAP_NONE)
		return repeated(e, all->list.p[i].line, err);
	if (!lu_map_reserve(&all->map, all->list.p, entry_hash) || !lu_vec_push(&all->list, *e))
		return lu_err_nomem(err);
	lu_map_add(&all->map, hash);
	return 0;
}

/* --- interface -------------------------------------------------------------------------------- */

int lu_conf_each(struct lu_conf *c, lu_conf_fn *fn, void *ctx, struct lu_err *err)
{
	struct entry e = { .section = "", .name = "" };
	struct entries all = { 0 };
	char *next, *at = c->text;
	int rc = 0;

	if (strncmp(at, BYTE_ORDER_MARK, 3) == 0)
		at += 3;
	for (; at && rc == 0; at = next) {
		char *key = NULL, *value = NULL;
		char *line;

		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		e.line++;
		line = trim(at);
		if (*line == '\0' || *line == '#' || *line == ';')
			continue;
		rc = *line == '[' ? header(line, &e.section, &e.name, err)
				  : setting(line, &key, &value, err);
		e.key = key;
		if (rc == 0)
			rc = remember(&all, &e, err);
		if (rc == 0)
			rc = fn(ctx, e.section, e.name, key, value, err);
		if (rc < 0)
			lu_err_wrap(err, "%s:%zu", c->path, e.line);
	}
	lu_vec_release(&all.list);
	lu_map_release(&all.map);
	return rc;
}

int lu_conf_unknown(const char *what, const char *given, const char *const *known, size_t n,
		struct lu_err *err)
{
	struct lu_suggest meant = lu_suggest_for(lu_str_of(given));
	struct lu_buf list = { 0 };

	for (size_t i = 0; i < n; i++) {
		lu_suggest_try(&meant, known[i]);
		lu_buf_printf(&list, "%s%s", i ? ", " : "", known[i]);
	}
	if (meant.best)
		lu_err_set(err, "unknown %s '%s'%s", what, given, lu_suggest_hint(&meant));
	else
		lu_err_set(err, "unknown %s '%s' (known: %s)", what, given,
				list.p ? list.p : "none");
	lu_buf_release(&list);
	return -1;
}

#define KEYS_MAX 64

int lu_conf_unknown_key(const struct lu_opt *rows, const char *key, struct lu_err *err)
{
	const char *known[KEYS_MAX];
	size_t n = 0;

	for (; n < KEYS_MAX && rows[n].type != LU_OPT_T_END; n++)
		known[n] = rows[n].name;
	return lu_conf_unknown("key", key, known, n, err);
}

int lu_conf_store(const struct lu_opt *rows, void *base, const char *key, const char *value,
		struct lu_err *err)
{
	for (const struct lu_opt *o = rows; o->type != LU_OPT_T_END; o++) {
		if (strcmp(o->name, key) != 0)
			continue;
		if (lu_opt_store(o, base, value, err) < 0)
			return lu_err_wrap(err, "%s", key);
		return 0;
	}
	return lu_conf_unknown_key(rows, key, err);
}

int lu_conf_split(char *text, char **section, char **key, char **value, struct lu_err *err)
{
	char *eq = strchr(text, '=');
	char *dot = strchr(text, '.');

	if (!eq || !dot || dot > eq)
		return lu_err_set(err, "'%s' is not section.key=value", text);
	*eq = *dot = '\0';
	*section = trim(text);
	*key = trim(dot + 1);
	*value = trim(eq + 1);
	return 0;
}
