#include "tests/unit/refuse_mmap.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refusal;

void refuse_mmap(int errnum)
{
	refusal = errnum;
}

/* Takes the place of libc's for the program and for a sanitizer's in front of it. */
void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	if (fd >= 0 && refusal) {
		errno = refusal;
		return MAP_FAILED;
	}
	/* The C library returns MAP_FAILED, -1, for a failed call as well. */
	return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset);
}
