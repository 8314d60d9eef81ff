/* A file of signatures from anywhere: refused with a sentence or read to its end. The first byte
 * that differs from a good file's is always noticed, which tests/unit/test_dedup.c shows. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcommon/dedup/join.h"
#include "libcommon/dedup/sigfile.h"
#include "libcommon/sys/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lu_minhash *mh;
	int fd = memfd_create("signatures", 0), rc;
	struct lu_join_how how = { 0.5, size & 1 };
	struct lu_buf name = { 0 };
	struct lu_err err = { 0 };
	struct lu_sigentry e;
	struct lu_sigread r;
	struct lu_join j;
	unsigned char *signature;
	const char *file[1];

	if (!mh && lu_minhash_new(&mh, 2, 2, LU_MINHASH_BEST, &err) < 0)
		abort();
	signature = malloc(lu_minhash_size(mh));
	if (!signature || fd < 0 || lu_write_all(fd, data, size, "signatures", &err) < 0)
		abort();
	lu_buf_printf(&name, "/proc/self/fd/%d", fd);
	file[0] = name.p;
	lu_join_init(&j, mh);
	if (lu_sigread_open(&r, file, 1, mh, &err) < 0)
		abort();
	while ((rc = lu_sigread_next(&r, &e, signature, &err)) > 0) {
		if (lu_join_add(&j, signature, e.text_length, &err) < 0)
			abort();
	}
	if (rc < 0 && !err.msg[0])
		abort();
	if (lu_join_solve(&j, &how, &err) < 0)
		abort();
	lu_sigread_close(&r);
	lu_join_release(&j);
	close(fd);
	free(signature);
	lu_buf_release(&name);
	return 0;
}
