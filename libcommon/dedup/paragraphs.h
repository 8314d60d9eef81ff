#ifndef LUCIE_DEDUP_PARAGRAPHS_H
#define LUCIE_DEDUP_PARAGRAPHS_H
/*
 * Deduplication below the document: --within leaves out blocks of lines that a document repeats
 * (within.h), --paragraphs those lines that occurred before anywhere in the corpus. Both may be
 * asked for; blocks come first.
 *
 * A paragraph is a line without the blanks at its ends, of at least --min-bytes bytes then. It is
 * compared as exact deduplication compares texts (exact.h), with --fold and --by, and the first copy
 * stays. While the keys of all paragraphs fit, documents are streamed; from then on they are held, and
 * the keys sorted. A document of which nothing is left but blanks is dropped.
 */
#include "libcommon/dedup/steps.h"

lu_dedup_step lu_paragraphs_run;

#endif
