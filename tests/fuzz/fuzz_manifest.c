/* A manifest from anywhere: refused with a sentence, or what is read of it is written and read
 * again as the same. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcommon/shard/manifest.h"
#include "libcommon/sys/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_from(struct lu_manifest *m, const void *p, size_t n, struct lu_err *err)
{
	int fd = memfd_create("manifest", 0), rc;
	struct lu_buf name = { 0 };

	if (fd < 0 || lu_write_all(fd, p, n, "manifest", err) < 0)
		abort();
	lu_buf_printf(&name, "/proc/self/fd/%d", fd);
	rc = lu_manifest_read(m, name.p, err);
	close(fd);
	lu_buf_release(&name);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_manifest m, again;
	struct lu_err err = { 0 };
	struct lu_buf text = { 0 }, second = { 0 };

	if (read_from(&m, data, size, &err) < 0) {
		if (!err.msg[0])
			abort();
		return 0;
	}
	lu_manifest_write(&m, &text);
	lu_buf_printf(&text, "%s\"}\n", LU_MANIFEST_SELF);
	if (!lu_buf_ok(&text) || read_from(&again, text.p, text.n, &err) < 0)
		abort();
	lu_manifest_write(&again, &second);
	lu_buf_printf(&second, "%s\"}\n", LU_MANIFEST_SELF);
	if (!lu_str_eq(lu_buf_slice(&text), lu_buf_slice(&second)))
		abort();
	lu_manifest_release(&m);
	lu_manifest_release(&again);
	lu_buf_release(&text);
	lu_buf_release(&second);
	return 0;
}
