#ifndef LUCIE_FILTER_C4_LINES_H
#define LUCIE_FILTER_C4_LINES_H
/*
 * The lines that C4 leaves out of a page (Raffel et al. 2020, "Exploring the Limits of Transfer
 * Learning", section 2.2; values as in the first version of the paper and in datatrove).
 *
 * A line is cut if it
 *   - does not end with the end of a sentence (. ! ? and STerm of other scripts, or a closing
 *     quotation mark " ' ” ’ »), blanks aside; an ellipsis is none,
 *   - has fewer than three words, a word being what lies between blanks,
 *   - has a word of more than 1000 characters,
 *   - contains "javascript", or a phrase about cookies and terms of use, in any case. The phrases
 *     are C4's and their French counterparts.
 * Marks of references and edit links ([1], [edit], [citation needed], [modifier], [réf. nécessaire],
 * [modifier le code]) are removed from the lines that stay. Nothing else in these changes, and lines
 * that were neighbours stay as far apart; C4 itself also loses all blank lines.
 */
#include "libcommon/filter/measures.h"

struct lu_line_cut {
	struct lu_buf text;    /* what is left */
	uint64_t lines, bytes; /* cut */
	bool changed;	       /* false: the text stays as it was */
	bool done;	       /* for lu_rules_judge() */
};

/* Start anew with a text, valid UTF-8. */
int lu_c4_cut(const struct lu_measurer *m, struct lu_str text, struct lu_line_cut *cut,
		struct lu_err *err) LU_CHECKED;

#endif
