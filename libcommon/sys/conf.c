#include "libcommon/sys/conf.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/sys/file.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

int lu_conf_open(struct lu_conf *c, const char *path, struct lu_err *err)
{
	size_t n;

	*c = (struct lu_conf){ 0 };
	if (lu_read_file(path, (size_t)1 << 20, &c->text, &n, err) < 0)
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

int lu_conf_each(struct lu_conf *c, lu_conf_fn *fn, void *ctx, struct lu_err *err)
{
	const char *section = "", *name = "";
	size_t number = 0;
	char *next;
	char *at = c->text;

	if (strncmp(at, BYTE_ORDER_MARK, 3) == 0)
		at += 3;
	for (; at; at = next) {
		char *key = NULL, *value = NULL;
		char *line;
		int rc;

		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		number++;
		line = trim(at);
		if (*line == '\0' || *line == '#' || *line == ';')
			continue;
		rc = *line == '[' ? header(line, &section, &name, err)
				  : setting(line, &key, &value, err);
		if (rc == 0)
			rc = fn(ctx, section, name, key, value, err);
		if (rc < 0)
			return lu_err_wrap(err, "%s:%zu", c->path, number);
	}
	return 0;
}

static int unknown_key(const struct lu_opt *rows, const char *key, struct lu_err *err)
{
	struct lu_buf known = { 0 };

	for (const struct lu_opt *o = rows; o->type != LU_OPT_T_END; o++)
		lu_buf_printf(&known, "%s%s", o == rows ? "" : ", ", o->name);
	lu_err_set(err, "unknown key '%s' (known: %s)", key, known.p ? known.p : "none");
	lu_buf_release(&known);
	return -1;
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
	return unknown_key(rows, key, err);
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
