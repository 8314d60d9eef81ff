#ifndef LUCIE_SYS_CONF_H
#define LUCIE_SYS_CONF_H
/*
 * Configuration files: "key = value" lines in groups "[section]" or "[section name]". The keys are
 * rows of option tables (sys/opt.h). lucie-config(5) describes the format:
 *
 *	# a comment; blank lines are ignored
 *	[train]
 *	lr = 3e-4
 *	[phase annealing]
 *	lr = 3e-5
 *
 * A value is the rest of the line without leading and trailing blanks. A comment starts at the
 * beginning of a line only ('#' or ';'), so '#' may occur in a value. The file is UTF-8 without
 * NUL and at most 1 MiB.
 *
 *	struct lu_conf conf;
 *	lu_conf_open(&conf, "run.ini", &err);
 *	lu_conf_each(&conf, on_setting, ctx, &err);	calls on_setting() for each line, in order
 *	lu_conf_close(&conf);				values are valid until here
 *
 * on_setting() usually chooses the table of the section and calls lu_conf_store(). Its errors get
 * "file:line" in front. A section that appears twice and a key that is set twice in its section are
 * errors, which name both lines; on_setting() never sees them.
 */
#include <stddef.h>

#include "libcommon/base/err.h"
#include "libcommon/sys/opt.h"

struct lu_conf {
	char *path;
	char *text; /* split into strings in place by lu_conf_each() */
};

/* `section` is "" before the first header; `name` is "" in a header without one. A header line is
 * reported too, with key and value NULL, so that empty sections are seen. */
typedef int lu_conf_fn(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err);

int lu_conf_open(struct lu_conf *c, const char *path, struct lu_err *err) LU_CHECKED;
/* May be called once. */
int lu_conf_each(struct lu_conf *c, lu_conf_fn *fn, void *ctx, struct lu_err *err) LU_CHECKED;
void lu_conf_close(struct lu_conf *c);

/* Store `value` by the row called `key`; an unknown key is an error. */
int lu_conf_store(const struct lu_opt *rows, void *base, const char *key, const char *value,
		struct lu_err *err) LU_CHECKED;

/* Report a name that is none of the n known ones: "unknown WHAT 'trian', did you mean 'train'", or
 * the list of the known names where none is close. Returns -1. */
int lu_conf_unknown(const char *what, const char *given, const char *const *known, size_t n,
		struct lu_err *err);
/* The same for a key and the names of the rows. */
int lu_conf_unknown_key(const struct lu_opt *rows, const char *key, struct lu_err *err);

/* Split "section.key=value", the argument of --set, in place. */
int lu_conf_split(char *text, char **section, char **key, char **value,
		struct lu_err *err) LU_CHECKED;

#endif
