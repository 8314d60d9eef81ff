#ifndef LUCIE_TOKAUDIT_PARTIAL_H
#define LUCIE_TOKAUDIT_PARTIAL_H
/*
 * Byte-level pieces that are not whole characters: whether any valid UTF-8 contains them, and
 * probing with texts that complete them. Only dead.c uses this; dead.h is the manual.
 */
#include <stdbool.h>

#include "libcommon/tokaudit/probe.h"

/* What is missing around bytes that are not valid UTF-8 by themselves. */
struct lu_partial {
	size_t lead; /* continuation bytes at the start, which need a first byte before */
	size_t tail; /* continuation bytes missing at the end; unknown with only_continuation */
	bool only_continuation; /* all bytes are continuation bytes */
};

/* False if no valid UTF-8 contains these bytes. */
bool lu_partial_parse(struct lu_str bytes, struct lu_buf *scratch, struct lu_partial *out);

/* Probe for the piece p->bytes, completed to whole characters: first by bytes, then by the pieces
 * that can be adjacent to it. 1 if a text gives it, 0, -1. *isolated is set if an adjacent piece is
 * needed and each one would merge with it. */
int lu_partial_probe(struct lu_probe *p, uint32_t id, const struct lu_partial *partial,
		bool *isolated, struct lu_err *err) LU_CHECKED;

#endif
