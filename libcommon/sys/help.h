#ifndef LUCIE_SYS_HELP_H
#define LUCIE_SYS_HELP_H
/*
 * The text of --help: the usage line, the sentence that says what the program does, one line for
 * each option of its own, and its shared options packed into as few lines as they need. All fits
 * a terminal of 24 lines and 80 columns, which tests/lint/options.sh checks.
 */
#include "libcommon/base/buf.h"

struct lu_tool;

void lu_help_put(const struct lu_tool *tool, struct lu_buf *out);

#endif
