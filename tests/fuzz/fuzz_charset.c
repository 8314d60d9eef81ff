/* Declarations, decoders and guesses over foreign bytes. The first byte selects the options, the second
 * a label of the transport. The result must be valid UTF-8, and the count of errors that of U+FFFD. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/charset/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const labels[] = { NULL, "utf-8", "shift_jis", "euc-jp", "iso-2022-jp",
	"gb18030", "big5", "euc-kr", "utf-16le", "utf-16be", "windows-1253", "iso-8859-8",
	"x-user-defined", "cp437", "hz-gb-2312", "no-such" };

static size_t count_bad(struct lu_str s)
{
	size_t n = 0;

	for (const char *p = s.p, *end = p + s.n; p < end;)
		n += lu_utf8_next(&p) == 0xFFFD;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_charset how = { 0 };
	struct lu_charset_work work = { 0 };
	struct lu_charset_in in = { 0 };
	struct lu_charset_result r;
	struct lu_err err;
	int rc;

	if (size < 2)
		return 0;
	how.fallback = data[0] & 1 ? "windows-1252" : data[0] & 2 ? "utf-32" : NULL;
	how.guess = data[0] & 4;
	how.strict = data[0] & 8;
	in.html = data[0] & 16;
	in.bytes = (struct lu_str){ (const char *)data + 2, size - 2 };
	if (labels[data[1] % 16])
		in.transport = lu_str_of(labels[data[1] % 16]);
	if (data[0] & 32)
		in.declared = lu_charset_of_media_type(in.bytes);
	if (data[0] & 64)
		in.declared = lu_charset_of_man(in.bytes);
	rc = lu_charset_convert(&how, &work, &in, &r, &err);
	if (rc < 0)
		abort();
	if (rc == 0 && !r.reason)
		abort();
	if (rc == 1 &&
			(lu_utf8_valid(r.text.p, r.text.n) != r.text.n ||
					(how.strict && r.errors) || count_bad(r.text) < r.errors))
		abort();
	lu_charset_work_release(&work);
	return 0;
}
