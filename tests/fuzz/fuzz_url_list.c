/* Any bytes as a list, and its lines as URLs: an error, or each line is covered by the list. */
#include <stdlib.h>

#include "libcommon/filter/url_list.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_url_list l = { 0 };
	struct lu_buf scratch = { 0 }, again = { 0 };
	struct lu_err err = { 0 };
	struct lu_str url = { (const char *)data, size }, found;
	size_t host;

	if (lu_url_list_read(&l, f.path, &err) < 0 && !err.msg[0])
		abort();
	if (lu_url_list_find(&l, url, &scratch, &found) && (found.n == 0 || found.n > l.longest))
		abort();
	for (uint32_t i = 0; i < l.entry.n; i++) {
		struct lu_str entry = { l.text.p + l.entry.p[i].at, l.entry.p[i].n };

		if (l.entry.p[i].whole && !lu_url_list_find(&l, entry, &scratch, &found))
			abort();
	}
	/* The normal form of a normal form is itself. */
	lu_buf_clear(&scratch);
	if (lu_url_normalise(url, &scratch, &host) &&
			(!lu_url_normalise(lu_buf_slice(&scratch), &again, &host) ||
					!lu_str_eq(lu_buf_slice(&scratch), lu_buf_slice(&again))))
		abort();
	lu_url_list_release(&l);
	lu_buf_release(&scratch);
	lu_buf_release(&again);
	fuzz_file_close(&f);
	return 0;
}
