#ifndef LUCIE_TEXT_NORMALIZE_H
#define LUCIE_TEXT_NORMALIZE_H
/*
 * The work of lucie-normalize on one text: normal form, line ends, control and invisible
 * characters, double encoding, blanks.
 *
 *	struct lu_normalize_opts o = LU_NORMALIZE_DEFAULTS;
 *	struct lu_normalizer *n = lu_normalizer_new(&o, &err);		shared by all threads
 *	struct lu_normalize_work work = { 0 };				one per thread
 *	lu_normalize(n, &work, text, &out, &changed, &err);
 *	lu_normalize_work_release(&work);
 *	lu_normalizer_free(n);
 *
 * A text that needs no change is returned as the slice passed in, after one scan of 16 bytes at a
 * time that looks up only lead bytes of characters that may need work. The lookup is a bitmap made
 * once from ICU's properties. In other texts only the stretches around such characters go through
 * ICU.
 *
 * Normalising is idempotent.
 *
 * The steps, in this order:
 *   mojibake	  (optional) double encoding is undone line by line (mojibake.h), and C1 controls
 *		  that Windows-1252 uses for a character become it
 *   typesetting   (optional) ligatures, accents, broken words, page numbers (repair.h)
 *   line ends	  CR LF, CR, VT, FF, NEL, LS and PS become LF: the newline functions of section
 *		  5.8 of the Unicode Standard
 *   controls	  C0 except tab and line feed, DEL and C1 are removed
 *   invisible	  (optional) the characters of lu_normalize_opts.remove are removed
 *   form	  NFC, or NFKC
 *   blanks	  (optional) White_Space at the ends of lines; blank lines at both ends of the text
 *   blank lines  (optional) runs of blank lines above a limit are shortened
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/text/repair.h"
#include "libcommon/text/unicode.h"

/* Characters to remove. Joiners, variation selectors and direction marks carry meaning (Persian,
 * Indic scripts, emoji, bidirectional text), so none of them is in LU_REMOVE_INVISIBLE. */
enum {
	LU_REMOVE_SOFT_HYPHEN = 1 << 0,	     /* U+00AD */
	LU_REMOVE_ZERO_WIDTH_SPACE = 1 << 1, /* U+200B */
	LU_REMOVE_WORD_JOINER = 1 << 2,	     /* U+2060 */
	LU_REMOVE_BOM = 1 << 3,		     /* U+FEFF */
	LU_REMOVE_JOINERS = 1 << 4,	     /* U+200C U+200D */
	LU_REMOVE_DIRECTIONS = 1 << 5,	     /* U+061C U+200E U+200F U+202A-202E U+2066-2069 */
	LU_REMOVE_VARIATIONS = 1 << 6,	     /* U+FE00-FE0F U+E0100-E01EF */
	LU_REMOVE_TAGS = 1 << 7,	     /* U+E0001 U+E0020-E007F */
};
#define LU_REMOVE_INVISIBLE \
	(LU_REMOVE_SOFT_HYPHEN | LU_REMOVE_ZERO_WIDTH_SPACE | LU_REMOVE_WORD_JOINER | LU_REMOVE_BOM)

/* The bits of "soft-hyphen", ..., or of "invisible" for the first four; 0 with an error for an
 * unknown name. */
unsigned lu_normalize_remove(struct lu_str name, struct lu_err *err);

/* Switch on what "ligatures", "accents", "hyphens", "soft-hyphens", "page-numbers" or "all" names; -1
 * with an error for an unknown name. */
int lu_normalize_typesetting(
		struct lu_str name, struct lu_repair *r, struct lu_err *err) LU_CHECKED;

struct lu_normalize_opts {
	bool form; /* normalise to nfkc ? NFKC : NFC */
	bool nfkc;
	bool line_ends;
	bool controls;
	bool mojibake;
	struct lu_repair typesetting;
	bool trim;
	int blank_lines; /* longest run of blank lines; -1: no limit */
	unsigned remove; /* LU_REMOVE_... */
};
#define LU_NORMALIZE_DEFAULTS                                                        \
	{                                                                            \
		.form = true, .line_ends = true, .controls = true, .blank_lines = -1 \
	}

/* The kinds of change, as bit numbers of *changed. */
enum lu_normalize_kind {
	LU_CHANGED_MOJIBAKE,
	LU_CHANGED_LIGATURES,
	LU_CHANGED_ACCENTS,
	LU_CHANGED_HYPHENS,
	LU_CHANGED_SOFT_HYPHENS,
	LU_CHANGED_PAGE_NUMBERS,
	LU_CHANGED_LINE_ENDS,
	LU_CHANGED_CONTROLS,
	LU_CHANGED_INVISIBLE,
	LU_CHANGED_FORM,
	LU_CHANGED_BLANKS,
	LU_CHANGED_BLANK_LINES,
	LU_CHANGED_KINDS,
};
/* "mojibake", "line_ends", ... */
const char *lu_normalize_kind_name(enum lu_normalize_kind kind);

struct lu_normalizer;
struct lu_normalizer *lu_normalizer_new(
		const struct lu_normalize_opts *opts, struct lu_err *err) LU_CHECKED;
void lu_normalizer_free(struct lu_normalizer *n);

struct lu_normalize_work {
	struct lu_buf a, b, bytes, line;
	struct lu_repair_counts repaired; /* in all texts so far */
};
void lu_normalize_work_release(struct lu_normalize_work *w);

/* Normalise `text`, valid UTF-8. *out is `text` itself when *changed is 0, otherwise bytes of
 * `work`, valid until the next call. */
int lu_normalize(const struct lu_normalizer *n, struct lu_normalize_work *work, struct lu_str text,
		struct lu_str *out, unsigned *changed, struct lu_err *err) LU_CHECKED;

#endif
