#include "trainer/model/batch_check.h"

#include <inttypes.h>

int lt_batch_check(const struct lt_batch *b, size_t rows, size_t context, size_t vocab,
		struct lu_err *err)
{
	for (size_t i = 0; i < rows; i++) {
		if (b->ids[i] >= vocab)
			return lu_err_set(err, "token %" PRIu32 " is not in the vocabulary of %zu",
					b->ids[i], vocab);
		if (b->labels && b->labels[i] >= vocab)
			return lu_err_set(err, "label %" PRIu32 " is not in the vocabulary of %zu",
					b->labels[i], vocab);
		if (b->places && b->places[i] > i % context)
			return lu_err_set(err,
					"token %zu of a sample has place %" PRIu32
					" in its document",
					i % context, b->places[i]);
	}
	return 0;
}
