#ifndef LUCIE_SYS_CONF_H
#define LUCIE_SYS_CONF_H
/*
 * Configuration files: "key = value" lines in "[section]" or "[section name]" groups, read over
 * the same rows (struct lu_opt) that make options. The format is in lucie-config(5):
 *
 *	# a comment; blank lines are ignored
 *	[train]
 *	lr = 3e-4
 *	[phase annealing]
 *	lr = 3e-5
 *
 * A value is the rest of the line without outer blanks; a comment starts only at the beginning
 * of a line, so '#' may stand in a value. UTF-8 without NUL, at most 1 MiB.
 *
 *	struct lu_conf conf;
 *	lu_conf_open(&conf, "run.ini", &err);
 *	lu_conf_each(&conf, on_setting, ctx, &err);	calls on_setting() for each line, in order
 *	lu_conf_close(&conf);				values stay valid until here
 *
 * on_setting() usually finds the rows of the section and calls lu_conf_store(). A failure is
 * prefixed with "file:line".
 */
#include <stddef.h>

#include "libcommon/base/err.h"
#include "libcommon/sys/opt.h"

struct lu_conf {
	char *path;
	char *text; /* cut into strings in place */
};

typedef int lu_conf_fn(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err);

int lu_conf_open(struct lu_conf *c, const char *path, struct lu_err *err) LU_CHECKED;
/* Once only: cuts the text. `section` is "" before the first header; `name` is "" without one.
 * A header line itself is reported with key NULL, so that an empty section is seen too. */
int lu_conf_each(struct lu_conf *c, lu_conf_fn *fn, void *ctx, struct lu_err *err) LU_CHECKED;
void lu_conf_close(struct lu_conf *c);

/* Stores `value` by the row called `key`; an unknown key is an error that names the known ones. */
int lu_conf_store(const struct lu_opt *rows, void *base, const char *key, const char *value,
		struct lu_err *err) LU_CHECKED;

/* Splits "section.key=value" (of --set) in place; the parts point into `text`. */
int lu_conf_split(char *text, char **section, char **key, char **value,
		struct lu_err *err) LU_CHECKED;

#endif
