/* Personal data in any text: spans in order, that cut no character; masking twice is masking once. */
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/pii/pii.h"
#include "tests/fuzz/fuzz.h"

static struct lu_pii_spans spans;
static struct lu_buf once;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str text = { (const char *)data, size };
	struct lu_err err;
	uint64_t from = 0;

	text.n = lu_utf8_valid(text.p, text.n);
	if (lu_pii_find(text, &spans, &err) < 0)
		abort();
	for (size_t i = 0; i < spans.n; i++) {
		const struct lu_pii_span *s = &spans.p[i];

		if (s->start < from || s->start >= s->end || s->end > text.n ||
				lu_utf8_valid(text.p + s->start, s->end - s->start) !=
						s->end - s->start)
			abort();
		from = s->end;
	}
	lu_buf_clear(&once);
	lu_pii_mask(text, &spans, &once);
	if (lu_pii_find(lu_buf_slice(&once), &spans, &err) < 0 || spans.n)
		abort();
	return 0;
}
