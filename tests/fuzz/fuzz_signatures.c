/* Any bytes as a signature file: an error, or signatures that can be joined. That every changed
 * byte of a good file is noticed is shown by tests/unit/test_dedup.c. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/dedup/near.h"
#include "libcommon/minhash/sigfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lu_minhash *mh;
	struct fuzz_file f = fuzz_file_open(data, size);
	const char *const file[] = { f.path };
	struct lu_near_options o = { .verify = 0.5, .tmpdir = "/tmp", .threads = 1 };
	struct lu_near_verdict v;
	struct lu_near *n = NULL;
	struct lu_err err = { 0 };
	struct lu_sigentry e;
	struct lu_sigreader r;
	unsigned char *signature;
	int rc;

	if (!mh && lu_minhash_new(&mh, 2, 2, LU_MINHASH_BEST, &err) < 0)
		abort();
	o.mh = mh;
	signature = malloc(lu_minhash_size(mh));
	if (!signature || lu_near_new(&n, &o, &err) < 0)
		abort();
	lu_sigreader_init(&r, file, 1, mh);
	while ((rc = lu_sigreader_next(&r, &e, signature, &err)) > 0) {
		if (lu_near_add(n, signature, size & 1 ? e.text_length : 0, &err) < 0)
			abort();
	}
	if (rc < 0 && !err.msg[0])
		abort();
	if (lu_near_run(n, NULL, NULL, &err) < 0)
		abort();
	for (uint64_t i = 0; i < lu_near_docs(n); i++) {
		if (lu_near_next(n, &v, &err) < 0 || v.kept >= lu_near_docs(n))
			abort();
	}
	lu_sigreader_close(&r);
	lu_near_free(n);
	free(signature);
	fuzz_file_close(&f);
	return 0;
}
