#ifndef LUCIE_LANGID_LANGID_CODE_H
#define LUCIE_LANGID_LANGID_CODE_H
/*
 * The signs of program code in a line, and the references and tags that text from the web has.
 *
 * Signs, each with its weight:
 *   2	( or [ after a letter or digit, unless what is inside are at most three letters or digits, as
 *	in "ami(e)s", "open(2)" and "[12]"; also () and [] that are empty
 *   1	{ } but not doubled (templates of wikis) nor around a word as short (formulas); = but not a run at an end of the line (headings) nor of
 *	four and more (rules); ; before anything but a blank, and at the end of a line that has
 *	another sign; _ and :: between letters or digits; \ ; $ before a letter or bracket; && ++ +=
 *	<= >=; -> and => after a letter, digit or bracket
 *   3	#include, #define, #if..., #endif, #! and comments of C at the beginning of a line
 *
 * What people write is no sign: | in tables, * # _ ~ around words, [[ ]] and (( )), smileys, the
 * arrows -> and => with blanks around them, &c. The line is code if the weights are at least 2 and more than a tenth of
 * its characters other than blanks.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

/* The sum of the weights in a line, which may also be a part of one. */
unsigned lu_lang_code_signs(struct lu_str line);

/* Append a line with references to characters replaced, and tags by a blank. */
void lu_lang_unmark(struct lu_str line, struct lu_buf *out);

#endif
