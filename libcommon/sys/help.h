#ifndef LUCIE_SYS_HELP_H
#define LUCIE_SYS_HELP_H
/*
 * The text of --help: the usage line, the sentence that says what the program does, one line for
 * each option of its own, and its shared options packed into as few lines as they need. All fits
 * a terminal of 24 lines and 80 columns, which tests/lint/options.sh checks: where the program has
 * too many options for that, the last ones in its table are packed by name too.
 *
 * The default of an option is read from the configuration and put in parentheses behind its line,
 * unless the row ends with parentheses of its own. A number that is 0 or outside its limits, an
 * empty text and an ENUM whose use is told apart (_GIVEN) have no default to show.
 */
#include "libcommon/base/buf.h"

struct lu_tool;

/* `config` is the program's configuration as it is before any option. */
void lu_help_put(const struct lu_tool *tool, const void *config, struct lu_buf *out);

#endif
