#ifndef LUCIE_FILTER_MEASURER_H
#define LUCIE_FILTER_MEASURER_H
/* What the groups of measures share: the character classes, and how values are made of counts. Only
 * the measure_*.c files and c4_lines.c include it. */
#include "libcommon/base/utf8.h"
#include "libcommon/filter/measure_tokens.h"
#include "libcommon/text/unicode.h"

struct lu_measurer {
	uint8_t *class; /* of every character: LU_CLASS_... (text/unicode.h) */
	struct lu_stops stops[LU_STOP_LISTS];
};

static inline double lu_ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

/* Number of characters of a piece of the text. */
static inline uint64_t lu_measures_count(const struct lu_measures *w, const char *p, size_t n)
{
	/* As many characters as bytes: all of the text is ASCII. */
	return w->chars == w->text.n ? n : lu_utf8_count(p, n);
}

#endif
