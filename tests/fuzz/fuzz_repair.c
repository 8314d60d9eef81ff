/* lu_repair(): the first byte selects the repairs, the rest is the text. The result must be valid UTF-8,
 * no longer than the text, and a second pass must change nothing. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/text/repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_repair_counts n = { 0 }, again = { 0 };
	struct lu_buf one = { 0 }, two = { 0 };
	struct lu_repair how;
	struct lu_str text;
	struct lu_err err;

	if (size < 1)
		return 0;
	how = (struct lu_repair){ data[0] & 1, data[0] & 2, data[0] & 4, data[0] & 8,
		data[0] & 16 };
	text = (struct lu_str){ (const char *)data + 1, size - 1 };
	text.n = lu_utf8_valid(text.p, text.n);
	if (lu_repair(&how, text, &one, &n, &err) < 0 ||
			lu_repair(&how, lu_buf_slice(&one), &two, &again, &err) < 0)
		abort();
	if (lu_utf8_valid(one.p, one.n) != one.n || one.n > text.n ||
			!lu_str_eq(lu_buf_slice(&one), lu_buf_slice(&two)))
		abort();
	lu_buf_release(&one);
	lu_buf_release(&two);
	return 0;
}
