#include "libcommon/sys/cmdline.h"

#include "libcommon/base/suggest.h"
#include "libcommon/sys/tool.h"

/* --help and --version, then those that people never type. */
static const struct lu_opt questions[] = {
	LU_OPT_FLAG('h', "help", struct lu_cmdline, help, "show the help"),
	LU_OPT_FLAG(0, "version", struct lu_cmdline, version, "show the version"),
	LU_OPT_FLAG(0, "print-options", struct lu_cmdline, print_options, "list the options"),
	LU_OPT_STR(0, "print-completion", struct lu_cmdline, shell, "SHELL",
			"print the completion for bash or zsh"),
	LU_OPT_END,
};
#define SHOWN_QUESTIONS 2

struct parse {
	const struct lu_tool *tool;
	char **arg, **end; /* the next one; behind the last */
	void *config;
	struct lu_cmdline *c;
};

static size_t rows_of(const struct lu_opt *table)
{
	size_t n = 0;

	while (table[n].type != LU_OPT_T_END)
		n++;
	return n;
}

/* Row i of all that the program takes; NULL past the last. */
static const struct lu_opt *any_row(const struct lu_tool *tool, size_t i)
{
	size_t own = rows_of(tool->opts), shared = 0;

	if (i < own)
		return &tool->opts[i];
	i -= own;
	while (lu_std_opt(tool->std, shared))
		shared++;
	if (i < shared)
		return lu_std_opt(tool->std, i);
	i -= shared;
	return i < rows_of(questions) ? &questions[i] : NULL;
}

static bool is_question(const struct lu_opt *o)
{
	return o >= questions && o < questions + rows_of(questions);
}

static bool shown(const struct lu_opt *o)
{
	return o->type != LU_OPT_T_ALIAS && !(is_question(o) && o >= questions + SHOWN_QUESTIONS);
}

const struct lu_opt *lu_cmdline_row(const struct lu_tool *tool, size_t i)
{
	const struct lu_opt *o;

	for (size_t r = 0; (o = any_row(tool, r)); r++) {
		if (shown(o) && i-- == 0)
			return o;
	}
	return NULL;
}

/* Where the row's value goes: the table of shared options speaks of struct lu_std. */
static void *base_of(const struct parse *p, const struct lu_opt *o)
{
	if (is_question(o))
		return p->c;
	if (o >= p->tool->opts && o < p->tool->opts + rows_of(p->tool->opts))
		return p->config;
	return (char *)p->config + p->tool->std_offset;
}

static const struct lu_opt *named(const struct lu_tool *tool, struct lu_str name)
{
	const struct lu_opt *o;

	for (size_t i = 0; (o = any_row(tool, i)); i++) {
		if (o->name && lu_str_is(name, o->name))
			return o;
	}
	return NULL;
}

static const struct lu_opt *lettered(const struct lu_tool *tool, char letter)
{
	const struct lu_opt *o;

	for (size_t i = 0; (o = any_row(tool, i)); i++) {
		if (o->letter == letter)
			return o;
	}
	return NULL;
}

static bool begins(const struct lu_opt *o, struct lu_str part)
{
	return o->name && part.n && strncmp(o->name, part.p, part.n) == 0;
}

static int ambiguous(const struct lu_tool *tool, struct lu_str part, struct lu_err *err)
{
	const struct lu_opt *o;
	struct lu_buf names = { 0 };

	for (size_t i = 0; (o = any_row(tool, i)); i++) {
		if (shown(o) && begins(o, part))
			lu_buf_printf(&names, "%s--%s", names.n ? ", " : "", o->name);
	}
	lu_err_set(err, "option '--" LU_STR_FMT "' is ambiguous: " LU_STR_FMT, LU_STR_ARG(part),
			LU_STR_ARG(lu_buf_slice(&names)));
	lu_buf_release(&names);
	return -1;
}

static int unknown(const struct lu_tool *tool, struct lu_str name, struct lu_err *err)
{
	struct lu_suggest s = lu_suggest_for(name);
	const struct lu_opt *o;

	s.before = "--";
	for (size_t i = 0; (o = any_row(tool, i)); i++) {
		if (shown(o))
			lu_suggest_try(&s, o->name);
	}
	return lu_err_set(err, "unknown option '--" LU_STR_FMT "'%s", LU_STR_ARG(name),
			lu_suggest_hint(&s));
}

static int find(const struct lu_tool *tool, struct lu_str name, const struct lu_opt **found,
		struct lu_err *err)
{
	const struct lu_opt *o, *old = NULL;

	*found = named(tool, name);
	if (*found)
		return 0;
	for (size_t i = 0; (o = any_row(tool, i)); i++) {
		if (!begins(o, name))
			continue;
		if (o->type == LU_OPT_T_ALIAS)
			old = o;
		else if (shown(o) && *found)
			return ambiguous(tool, name, err);
		else if (shown(o))
			*found = o;
	}
	if (!*found)
		*found = old;
	return *found ? 0 : unknown(tool, name, err);
}

/* Note that an old name was used, and go on with the option of today; NULL if there is none. */
static int follow(struct parse *p, const struct lu_opt **o, struct lu_err *err)
{
	const struct lu_opt *alias = *o;
	size_t i = 0;

	if (alias->type != LU_OPT_T_ALIAS)
		return 0;
	while (i < p->c->old.n && p->c->old.p[i] != alias)
		i++;
	if (i == p->c->old.n && !lu_vec_push(&p->c->old, alias))
		return lu_err_nomem(err);
	*o = alias->arg ? named(p->tool, lu_str_of(alias->arg)) : NULL;
	LU_ASSERT(*o || !alias->arg);
	return 0;
}

static int needs_argument(const struct lu_opt *o, const char *typed, struct lu_err *err)
{
	struct lu_buf arg = { 0 };

	lu_opt_arg(o, &arg);
	lu_err_set(err, "option '%s' needs an argument: " LU_STR_FMT, typed,
			LU_STR_ARG(lu_buf_slice(&arg)));
	lu_buf_release(&arg);
	return -1;
}

static int store(struct parse *p, const struct lu_opt *o, const char *value, struct lu_err *err)
{
	if (lu_opt_store(o, base_of(p, o), value, err) < 0)
		return lu_err_wrap(err, "--%s", o->name);
	return 0;
}

static int long_option(struct parse *p, const char *arg, struct lu_err *err)
{
	const char *name = arg + 2, *value = strchr(name, '=');
	struct lu_str part = { name, value ? (size_t)(value - name) : strlen(name) };
	const struct lu_opt *o;

	if (find(p->tool, part, &o, err) < 0 || follow(p, &o, err) < 0)
		return -1;
	if (!o)
		return 0;
	if (value && !lu_opt_has_arg(o))
		return lu_err_set(err, "option '--%s' takes no argument: '%s'", o->name, value + 1);
	if (value)
		return store(p, o, value + 1, err);
	if (!lu_opt_has_arg(o))
		return store(p, o, NULL, err);
	if (p->arg == p->end)
		return needs_argument(o, arg, err);
	return store(p, o, *p->arg++, err);
}

/* A long name behind one dash, or a letter in the wrong case, is what people mistype. */
static int unknown_letter(const struct parse *p, const char *arg, char letter, struct lu_err *err)
{
	struct lu_str word = { arg + 1, strcspn(arg + 1, "=") };
	bool ascii = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
	char other = (char)(letter ^ 0x20);

	if (word.n > 1 && named(p->tool, word))
		return lu_err_set(err,
				"unknown option '" LU_STR_FMT "', did you mean '--" LU_STR_FMT "'",
				LU_STR_ARG(((struct lu_str){ arg, word.n + 1 })), LU_STR_ARG(word));
	if (ascii && lettered(p->tool, other))
		return lu_err_set(err, "unknown option '-%c', did you mean '-%c'", letter, other);
	return lu_err_set(err, "unknown option '-%c'", letter);
}

static int letters(struct parse *p, const char *arg, struct lu_err *err)
{
	for (const char *at = arg + 1; *at; at++) {
		const struct lu_opt *o = lettered(p->tool, *at);
		char typed[] = { '-', *at, '\0' };

		if (!o)
			return unknown_letter(p, arg, *at, err);
		if (follow(p, &o, err) < 0)
			return -1;
		if (!o)
			continue;
		if (lu_opt_has_arg(o)) {
			if (at[1])
				return store(p, o, at + 1, err);
			if (p->arg == p->end)
				return needs_argument(o, typed, err);
			return store(p, o, *p->arg++, err);
		}
		if (store(p, o, NULL, err) < 0)
			return -1;
	}
	return 0;
}

static bool asked(const struct lu_cmdline *c)
{
	return c->help || c->version || c->print_options || c->shell;
}

int lu_cmdline_parse(const struct lu_tool *tool, int argc, char **argv, void *config,
		struct lu_cmdline *c, struct lu_err *err)
{
	struct parse p = { tool, argc ? argv + 1 : argv, argv + argc, config, c };
	bool options = true;
	int rc = 0;

	*c = (struct lu_cmdline){ 0 };
	while (rc == 0 && p.arg < p.end && !asked(c)) {
		char *arg = *p.arg++;

		if (options && strcmp(arg, "--") == 0)
			options = false;
		else if (options && strncmp(arg, "--", 2) == 0)
			rc = long_option(&p, arg, err);
		else if (options && arg[0] == '-' && arg[1])
			rc = letters(&p, arg, err);
		else if (!*tool->operands)
			rc = lu_err_set(err, "unexpected argument '%s'", arg);
		else if (!lu_vec_push(&c->file, arg))
			rc = lu_err_nomem(err);
	}
	return rc;
}

void lu_cmdline_release(struct lu_cmdline *c)
{
	lu_vec_release(&c->file);
	lu_vec_release(&c->old);
}
