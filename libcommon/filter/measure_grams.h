#ifndef LUCIE_FILTER_MEASURE_GRAMS_H
#define LUCIE_FILTER_MEASURE_GRAMS_H
/* The measures of repeated n-grams. */
#include "libcommon/filter/measures.h"

/* Fill the values of the group; w->tokens are there. */
int lu_measure_grams(struct lu_measures *w, struct lu_err *err) LU_CHECKED;

#endif
