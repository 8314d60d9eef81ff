#ifndef LUCIE_TEXT_SPLIT_ENDS_H
#define LUCIE_TEXT_SPLIT_ENDS_H
/*
 * Many matches of the expressions of split_regex.h at once, the same that lu_split_regex_match()
 * finds one by one.
 *
 * A match depends on nothing before it, so a window of 64 bytes may begin at any match. The class of
 * each byte becomes a bit of a few registers, and a handful of shifts and additions of these says at
 * which bytes matches begin: no branch depends on the lengths of words, which look random. What needs
 * more than the window (a longer match, blanks that it may cut short) is matched alone. The
 * expression of GPT-4o is always matched one by one.
 */
#include "libcommon/text/split_regex.h"

/* The ends of the next matches from p on; returns their number, at most `max`, which is 0 at the end
 * only. It may stop earlier, where a further window might have more ends than there is room for: give
 * it a few hundred. Sixteen bytes after `end` must be readable. */
size_t lu_split_regex_ends(enum lu_split_regex regex, const struct lu_frozen_unicode *u,
		const char *p, const char *end, const char **ends, size_t max);

#endif
