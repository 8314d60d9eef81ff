#ifndef LUCIE_SYS_CMDLINE_H
#define LUCIE_SYS_CMDLINE_H
/*
 * The command line against a program's table of options.
 *
 * Options and operands come in any order; "--" ends the options and "-" is an operand. The forms
 * are --name VALUE, --name=VALUE, -x VALUE, -xVALUE, and -xyz for letters without a value. A name
 * may be cut as long as one option alone begins so; old names (LU_OPT_ALIAS) take part only where
 * no option of today does, so that they make nothing ambiguous.
 */
#include <stdbool.h>

#include "libcommon/base/vec.h"
#include "libcommon/sys/opt.h"

struct lu_tool;

struct lu_cmdline {
	bool help, version, print_options; /* what is asked for instead of a run */
	const char *shell;		   /* --print-completion; NULL: not asked for */
	struct LU_VEC(char *) file;	   /* the operands, in their order; strings of argv */
	struct LU_VEC(const struct lu_opt *) old; /* alias rows that were used, each once */
};

/* Store the options into `config`. Parsing ends at a question such as --help. The error is a
 * sentence about the first option or operand that is wrong. Release `c` also then. */
int lu_cmdline_parse(const struct lu_tool *tool, int argc, char **argv, void *config,
		struct lu_cmdline *c, struct lu_err *err) LU_CHECKED;
void lu_cmdline_release(struct lu_cmdline *c);

/* Row i of the options that --help, completions and pages show: the program's own, the shared
 * ones, --help and --version; NULL past the last. */
const struct lu_opt *lu_cmdline_row(const struct lu_tool *tool, size_t i);

#endif
