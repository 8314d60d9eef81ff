/* Any bytes as a span file: an error, or spans that lie in order within what they are applied to. */
#include <stdlib.h>

#include "libcommon/pii/pii_file.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_pii_reader r;
	struct lu_pii_spans spans = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_err err = { 0 };
	struct lu_doc doc = { .text = LU_STR("write to a@b.fr"), .file = "x", .line = 1 };
	uint64_t unused;

	if (lu_json_object(LU_STR("{\"id\":\"a\"}"), &arena, &doc.obj, &fault) < 0)
		abort();
	if (lu_pii_reader_open(&r, f.path, &err) < 0) {
		if (!err.msg[0])
			abort();
	} else if (lu_pii_reader_find(&r, &doc, &spans, &err) == 0 &&
			lu_pii_reader_end(&r, &unused, &err) == 0) {
		for (size_t i = 0; i < spans.n; i++) {
			if (spans.p[i].start >= spans.p[i].end || spans.p[i].end > doc.text.n)
				abort();
		}
	}
	lu_pii_reader_close(&r);
	lu_pii_spans_release(&spans);
	lu_arena_release(&arena);
	fuzz_file_close(&f);
	return 0;
}
