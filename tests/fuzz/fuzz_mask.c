/* Any bytes as the mask of a part, of as many tokens as they say: an error that names the file, or a
 * mask every bit of which can be read from any place; if it verifies, its targets are as many as it
 * says. */
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/mask.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f = fuzz_file_open(data, size);
	uint64_t tokens = size >= 24 ? lu_load64(data + 16) : 3, ones = 0;
	struct lu_err err = { 0 };
	struct lu_mask m;

	if (lu_mask_open(&m, f.path, tokens, &err) < 0) {
		if (strncmp(err.msg, f.path, strlen(f.path)) != 0)
			abort();
		fuzz_file_close(&f);
		return 0;
	}
	for (uint64_t at = 0; at < tokens; at++) {
		size_t n = tokens - at < 17 ? (size_t)(tokens - at) : 17;
		uint8_t bit[17];

		if (lu_mask_read(&m, at, n, bit, &err) < 0)
			abort();
		ones += bit[0];
	}
	if (lu_mask_verify(&m, f.path, &err) == 0 && ones != m.targets)
		abort();
	lu_mask_close(&m);
	fuzz_file_close(&f);
	return 0;
}
