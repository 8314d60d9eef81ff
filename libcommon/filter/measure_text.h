#ifndef LUCIE_FILTER_MEASURE_TEXT_H
#define LUCIE_FILTER_MEASURE_TEXT_H
/* The measures of characters: those of sentences and marks, and those for source code. */
#include "libcommon/filter/measures.h"

/* Fill the values of each group. */
void lu_measure_text(struct lu_measures *w);
void lu_measure_code(struct lu_measures *w);

#endif
