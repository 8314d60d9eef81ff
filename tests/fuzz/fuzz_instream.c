/*
 * Compressed input and slabs of lines: any bytes give data or an error, the same for all read sizes,
 * in bounded memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcommon/base/buf.h"
#include "libcommon/io/instream.h"
#include "libcommon/io/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT ((size_t)8 << 20) /* of decompressed bytes: a few may expand to terabytes */

static int read_all(const char *name, size_t piece, struct lu_buf *out, struct lu_err *err)
{
	struct lu_in *in;
	ssize_t n = 0;

	lu_buf_clear(out);
	if (lu_in_open(&in, name, err) < 0)
		return -1;
	while (out->n < LIMIT && lu_buf_reserve(out, piece)) {
		n = lu_in_read(in, out->p + out->n, piece, err);
		if (n <= 0)
			break;
		out->n += (size_t)n;
	}
	lu_in_close(in);
	return n < 0 ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);
	char name[32], *files[] = { name };
	struct lu_buf a = { 0 }, b = { 0 };
	struct lu_err err;
	struct lu_lines l;
	struct lu_slab slab = { 0 };
	struct lu_str line;
	int first, rc;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	lseek(fd, 0, SEEK_SET);
	first = read_all(name, 1 << 16, &a, &err);
	lseek(fd, 0, SEEK_SET);
	rc = read_all(name, 1021, &b, &err);
	if (first == 0 && rc == 0 && a.n < LIMIT && !lu_str_eq(lu_buf_slice(&a), lu_buf_slice(&b)))
		abort();
	if (a.n < LIMIT && first != rc)
		abort();
	lseek(fd, 0, SEEK_SET);
	if (a.n < LIMIT && lu_lines_open(&l, files, 1, 1000, &err) == 0) {
		while ((rc = lu_lines_read(&l, &slab, &err)) > 0) {
			while (lu_slab_next(&slab, &line)) {
				if (line.n > 1000)
					abort();
			}
		}
		if (rc != first)
			abort();
		lu_lines_close(&l);
	}
	lu_buf_release(&slab.bytes);
	lu_buf_release(&a);
	lu_buf_release(&b);
	close(fd);
	return 0;
}
