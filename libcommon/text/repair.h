#ifndef LUCIE_TEXT_REPAIR_H
#define LUCIE_TEXT_REPAIR_H
/*
 * Repair of what typesetting leaves in a text, most of all in text taken from PDF files: ligatures,
 * accents beside their letters, words broken over line ends, page numbers.
 *
 *	struct lu_repair how = { .ligatures = true, .hyphens = true };
 *	struct lu_repair_counts n = { 0 };
 *
 *	lu_repair(&how, text, &out, &n, &err);
 *
 * Every rule asks the rest of the document before it changes anything, so the unit is a document,
 * not a page: the pages are separated by form feeds, which stay where they are (a word broken over
 * the end of a page moves to the page where it begins). Lines end with LF or CR LF. Repairing twice
 * gives the same text as repairing once. A text that is right stays as it is: where a rule is not
 * sure, it does nothing.
 *
 * ligatures	U+FB00-FB06 become their letters. One that is followed by a blank and a lower-case
 *		letter is joined to the rest of its word ("ﬁ nd", "deﬁ ne") if the word so formed
 *		occurs elsewhere in the document; if the ligature is all there is before the blank; if
 *		the rest is one of those in repair_words.c that follow ligatures; or if the document
 *		hardly ever has a letter directly after this ligature (the habit of a font) and the
 *		rest is no word of the document. Never if it is a common word ("turn oﬀ the").
 * accents	A spacing accent beside a Latin letter becomes part of it: "aoˆut", "pr´elev´ee",
 *		"pr´ elev´ ee", "fran¸cais", "voil`a". An accent between two letters that could both
 *		bear it belongs to the side that most accents of the document are on, to the letter
 *		after it if they do not tell. A blank behind the accent goes if a letter is before it.
 *		An acute or a diaeresis is an accent only where most of them in the document cannot be
 *		apostrophes ("l´eau", "don´t", "K´iche´") or quotation marks, composed letters with
 *		that accent are not the rule, and an acute within a word is not the only one. A grave
 *		accent (ASCII) is one only where the document has other accents to repair.
 * hyphens	A hyphen between a letter and a line end goes, and the rest of the word moves up,
 *		if the next line begins with a lower-case letter and
 *		  - the word without hyphen occurs in the document, more often than with it; or
 *		  - neither does, the first part is no usual first part of compounds ("well-",
 *		    "non-", "peut-"), the second no usual second part ("-known", "-même") and no
 *		    common word ("Vor- und Nachteile"), and either the rest is a usual ending
 *		    ("-tion", "-ment"), or the document has 500 words and neither part is one of
 *		    them.
 *		If the word with the hyphen occurs more often, the rest moves up and the hyphen stays.
 * soft_hyphens	U+00AD between two letters goes, together with a line end behind it. Elsewhere it is
 *		kept.
 * page_numbers	A line that is only a number ("12", "- 12 -", "[12]", "Page 12", "12/40") goes if such
 *		lines count up by one: first or last of their page, where pages are separated by form
 *		feeds, on at least three pages in a row; else on at least three occasions that are 500
 *		to 10000 bytes apart and of which at least half interrupt a sentence.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_repair {
	bool ligatures, accents, hyphens, soft_hyphens, page_numbers;
};

/* The changes of each kind; lu_repair() adds to them. */
struct lu_repair_counts {
	uint64_t ligatures, accents, hyphens, soft_hyphens, page_numbers;
};

/* Append the repaired text to `out`. `in` is valid UTF-8 and not part of `out`. Memory: a few times
 * the text. -1: out of memory. */
int lu_repair(const struct lu_repair *r, struct lu_str in, struct lu_buf *out,
		struct lu_repair_counts *n, struct lu_err *err) LU_CHECKED;

#endif
