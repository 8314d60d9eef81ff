#ifndef LUCIE_TEXT_UAX15_H
#define LUCIE_TEXT_UAX15_H
/*
 * The normal forms of UAX #15, sections 1.3 and 3.11 of the Unicode Standard, over the properties
 * of an ICU normaliser (its decompositions, combining classes and pairs), which may be filtered.
 *
 * ICU's own sorts the marks behind a letter by insertion: a long row of them in bad order takes
 * time that grows with its square. Here marks are counted into their order, so that every text is
 * linear work. For ordinary text ICU is as good; text/unicode.c calls it there.
 *
 * Any number of threads. Includes ICU's header: only for files that do so themselves.
 */
#include <stdbool.h>
#include <unicode/unorm2.h>

#include "libcommon/base/buf.h"

/* Appends s decomposed by `norm`, in canonical order and, where asked for, composed again. s begins
 * at a character that nothing before it joins. -1: memory. */
int lu_uax15(const UNormalizer2 *norm, bool composed, struct lu_str s, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;

#endif
