#ifndef LUCIE_SYS_COMPLETION_H
#define LUCIE_SYS_COMPLETION_H
/*
 * The options of a program for other programs: shells and tests/lint.
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
