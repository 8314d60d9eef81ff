#ifndef LUCIE_TESTS_FUZZ_H
#define LUCIE_TESTS_FUZZ_H
/* The entry point of a fuzz target, and the input as a file for functions that take a path. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcommon/sys/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory. */
struct fuzz_file {
	int fd;
	char path[32];
};

static inline struct fuzz_file fuzz_file_open(const void *p, size_t n)
{
	struct fuzz_file f = { .fd = memfd_create("fuzz", 0) };
	struct lu_err err = { 0 };

	if (f.fd < 0 || lu_write_all(f.fd, p, n, "fuzz", &err) < 0)
		abort();
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

static inline void fuzz_file_close(struct fuzz_file *f)
{
	close(f->fd);
}

#endif
