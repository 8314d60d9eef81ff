#ifndef LUCIE_HTML_HTML_ENTITY_H
#define LUCIE_HTML_HTML_ENTITY_H
/*
 * Character references of HTML: &eacute; &#233; &#xE9; and the old names that need no semicolon.
 *
 * Source: HTML standard, 13.2.5.72 to 13.2.5.80 (character reference states) and its table of 2,231
 * names. Numbers 0x80 to 0x9F mean windows-1252; 0, surrogates and what is beyond Unicode are U+FFFD.
 */
#include "libcommon/base/buf.h"

/* More than the bytes that a reference may give. */
#define LU_HTML_REFERENCE_MAX 8

/* Read the reference at p, which is an '&'. `attribute`: in the value of one, where &copy=1 is part
 * of an address. Returns the bytes of the reference and the characters, *n bytes, in `out`; 0: it is
 * none. */
size_t lu_html_reference(const char *p, const char *end, bool attribute,
		char out[LU_HTML_REFERENCE_MAX], size_t *n);

/* Decode all references of `s` into `out`, which has room for twice the bytes. Returns the bytes
 * written. */
size_t lu_html_decode(struct lu_str s, bool attribute, char *out);

#endif
