#ifndef LUCIE_SYS_COMPLETION_H
#define LUCIE_SYS_COMPLETION_H
/*
 * The options of a program for other programs: shells and tests/lint.
 *
 * What completion offers for the argument of an option follows from its row: the names of its
 * values where it has a table of them, else what the argument's name stands for: files for FILE and
 * PREFIX, folders for DIR and RUN, codes for LANG and CODE, marks of texts for MARK, forms of compression for HOW. "LANG,..."
 * and other names with "..." are lists with commas between. Nothing is offered for N, NAME and the
 * like: a file name there would be wrong.
 */
#include "libcommon/base/buf.h"
#include "libcommon/base/err.h"

struct lu_tool;

/* --print-options: a line "letter TAB name TAB argument" for each option; letter and argument may
 * be empty. */
void lu_completion_options(const struct lu_tool *tool, struct lu_buf *out);

/* --print-completion SHELL: the completion script of the program for bash or zsh. */
int lu_completion_script(const struct lu_tool *tool, const char *shell, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

#endif
