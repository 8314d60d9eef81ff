#ifndef LUCIE_FILTER_MEASURE_LINES_H
#define LUCIE_FILTER_MEASURE_LINES_H
/* The measures of lines and paragraphs. */
#include "libcommon/filter/measures.h"

/* Fill the values of the group. */
int lu_measure_lines(struct lu_measures *w, struct lu_err *err) LU_CHECKED;

#endif
