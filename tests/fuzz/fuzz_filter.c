/* Quality measures of any text are finite and not negative, and ratios at most 1. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/filter/measures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct lu_measurer *measurer;
static struct lu_measures w;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str text = { (const char *)data, size };
	struct lu_err err;

	if (!measurer)
		measurer = lu_measurer_new(&err);
	if (!measurer)
		abort();
	text.n = lu_utf8_valid(text.p, text.n);
	lu_measures_start(measurer, &w, text, size % 2 ? LU_STOP_EN : LU_STOP_FR);
	for (int i = 0; i < LU_MEASURES; i++) {
		double v;

		if (lu_measures_get(&w, i, &v, &err) < 0 || !isfinite(v) || v < 0)
			abort();
		/* Except counts, lengths, and the n-grams joined by blanks. */
		if (v > 1 && !lu_measure_is_count(i) && i != LU_M_MEAN_WORD_LENGTH &&
				i != LU_M_MEAN_LINE_LENGTH && i != LU_M_HASH_RATIO &&
				i != LU_M_ELLIPSIS_RATIO && i != LU_M_NEWLINE_RATIO &&
				!(i >= LU_M_TOP_2GRAM && i <= LU_M_TOP_4GRAM))
			abort();
	}
	return 0;
}
