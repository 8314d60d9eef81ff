#ifndef LUCIE_TEXT_UAX15_H
#define LUCIE_TEXT_UAX15_H
/*
 * Normalisation by UAX #15, sections 1.3 and 3.11 of the Unicode Standard, over the properties of
 * an ICU normaliser (decompositions, combining classes, composition pairs), which may be filtered.
 *
 * ICU orders combining marks by insertion sort, which is quadratic in the length of a run of marks
 * in bad order. Here long runs are ordered by counting sort, so the work is linear for every text.
 * On ordinary text ICU is as fast; text/unicode.c calls this code for long runs only.
 *
 * Thread-safe. Includes an ICU header: only for files that include ICU themselves.
 */
#include <stdbool.h>
#include <unicode/unorm2.h>

#include "libcommon/base/buf.h"

/* Append the canonically ordered decomposition of s by `norm`, recomposed if `compose`. Nothing
 * before s may interact with its first character. -1 when memory is out. */
int lu_uax15(const UNormalizer2 *norm, bool compose, struct lu_str s, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

#endif
