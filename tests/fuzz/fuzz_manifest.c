/* Any bytes as a manifest: an error, or a manifest that survives writing and reading again. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/shard/manifest.h"

static void put_text(const struct lu_manifest *m, struct lu_buf *text)
{
	lu_manifest_write(m, text);
	lu_buf_printf(text, "%s\"}\n", LU_MANIFEST_SELF);
	if (!lu_buf_ok(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f = fuzz_file_open(data, size), copy;
	struct lu_manifest m, again;
	struct lu_err err = { 0 };
	struct lu_buf text = { 0 }, second = { 0 };

	if (lu_manifest_read(&m, f.path, &err) < 0) {
		if (!err.msg[0])
			abort();
		fuzz_file_close(&f);
		return 0;
	}
	put_text(&m, &text);
	copy = fuzz_file_open(text.p, text.n);
	if (lu_manifest_read(&again, copy.path, &err) < 0)
		abort();
	put_text(&again, &second);
	if (!lu_str_eq(lu_buf_slice(&text), lu_buf_slice(&second)))
		abort();
	lu_manifest_release(&m);
	lu_manifest_release(&again);
	lu_buf_release(&text);
	lu_buf_release(&second);
	fuzz_file_close(&copy);
	fuzz_file_close(&f);
	return 0;
}
