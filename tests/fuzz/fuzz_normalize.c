/* lu_normalize(): the first two bytes select the options, the rest is the text. The result must be
 * valid UTF-8, and a second pass must change nothing. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/text/normalize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_normalize_opts o;
	struct lu_normalize_work one = { 0 }, two = { 0 };
	struct lu_normalizer *n;
	struct lu_str text, out, again;
	struct lu_err err;
	unsigned changed;

	if (size < 2)
		return 0;
	o = (struct lu_normalize_opts){ .form = data[0] & 1,
		.nfkc = data[0] & 2,
		.line_ends = data[0] & 4,
		.controls = data[0] & 8,
		.mojibake = data[0] & 16,
		.trim = data[0] & 32,
		.blank_lines = (data[0] >> 6) - 1,
		.remove = data[1] };
	if (data[1] & LU_REMOVE_TAGS)
		o.typesetting = (struct lu_repair){ true, true, true, true, data[1] & 1 };
	text = (struct lu_str){ (const char *)data + 2, size - 2 };
	text.n = lu_utf8_valid(text.p, text.n);
	n = lu_normalizer_new(&o, &err);
	if (!n || lu_normalize(n, &one, text, &out, &changed, &err) < 0 ||
			lu_normalize(n, &two, out, &again, &changed, &err) < 0)
		abort();
	if (changed || lu_utf8_valid(out.p, out.n) != out.n)
		abort();
	lu_normalize_work_release(&one);
	lu_normalize_work_release(&two);
	lu_normalizer_free(n);
	return 0;
}
