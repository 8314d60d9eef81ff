#ifndef LUCIE_TRAINER_GENERATE_CONTINUATION_JSON_H
#define LUCIE_TRAINER_GENERATE_CONTINUATION_JSON_H
/* A continuation as members of a JSON object. */
#include "trainer/generate/generate.h"

/* Put "continuation" and "end" into an object that is open, with `bound`, where a
 * schema binds it, "complete"; with `details` "ids" and "log_p". */
void lt_continuation_json(
		const struct lt_continuation *c, bool bound, bool details, struct lu_buf *out);

#endif
