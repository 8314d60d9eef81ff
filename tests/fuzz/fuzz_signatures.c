/* Any bytes as a signature file: an error, or signatures that can be joined. That every changed
 * byte of a good file is noticed is shown by tests/unit/test_dedup.c. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/dedup/join.h"
#include "libcommon/dedup/sigfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lu_minhash *mh;
	struct fuzz_file f = fuzz_file_open(data, size);
	const char *const file[] = { f.path };
	struct lu_join_options o = { 0.5, size & 1 };
	struct lu_err err = { 0 };
	struct lu_sigentry e;
	struct lu_sigreader r;
	struct lu_join j;
	unsigned char *signature;
	int rc;

	if (!mh && lu_minhash_new(&mh, 2, 2, LU_MINHASH_BEST, &err) < 0)
		abort();
	signature = malloc(lu_minhash_size(mh));
	if (!signature)
		abort();
	lu_join_init(&j, mh);
	lu_sigreader_init(&r, file, 1, mh);
	while ((rc = lu_sigreader_next(&r, &e, signature, &err)) > 0) {
		if (lu_join_add(&j, signature, e.text_length, &err) < 0)
			abort();
	}
	if (rc < 0 && !err.msg[0])
		abort();
	if (lu_join_run(&j, &o, &err) < 0)
		abort();
	lu_sigreader_close(&r);
	lu_join_release(&j);
	free(signature);
	fuzz_file_close(&f);
	return 0;
}
