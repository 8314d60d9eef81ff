#ifndef LUCIE_TESTS_PLAIN_MEASURES_H
#define LUCIE_TESTS_PLAIN_MEASURES_H
/* The measures of libcommon/filter/measures.h in plain loops over characters, with tokens compared
 * as bytes: the oracle of the fast ones. Quadratic, for short texts. */
#include "libcommon/filter/measures.h"

/* class[c]: LU_CLASS_... of text/unicode.h. Texts of up to 4000 characters. */
void plain_measures(const uint8_t *class, struct lu_str text, enum lu_stop_list stop,
		double value[LU_MEASURES]);

#endif
