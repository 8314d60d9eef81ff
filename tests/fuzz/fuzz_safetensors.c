/* safetensors: any bytes give an error that names the file, or tensors that can all be read and are
 * contiguous to the end of the file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcommon/io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct lu_st *st, size_t size)
{
	uint64_t at = st->data;

	for (size_t i = 0; i < st->n; i++) {
		const struct lu_st_tensor *t = &st->tensor[i];
		size_t n = (size_t)lu_st_bytes(t);
		struct lu_err err;
		char *copy = malloc(n + 1);

		if (!copy || n != lu_st_count(t) * lu_st_width(t->type) ||
				st->data + t->begin != at ||
				lu_st_read(st, t, 0, copy, n, &err) < 0)
			abort();
		at += n;
		free(copy);
	}
	if (at != size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);
	struct lu_err err = { 0 };
	struct lu_st st;
	char name[32];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (lu_st_open(&st, name, &err) == 0) {
		read_all(&st, size);
		lu_st_close(&st);
	} else if (strncmp(err.msg, name, strlen(name)) != 0) {
		abort();
	}
	close(fd);
	return 0;
}
