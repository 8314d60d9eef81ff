/*
 * Fault injection, preloaded into a program (LD_PRELOAD): call number INJECT_N of one kind fails, or
 * for INJECT=maps and the two kinds of locks every call.
 *
 *	INJECT=memory	malloc calloc realloc aligned_alloc: NULL
 *	INJECT=files	open read write pread pwrite fsync ftruncate rename close: EIO
 *	INJECT=maps	mmap of a file: ENODEV, as on a file system that cannot map
 *	INJECT=nolocks	flock lockf, locks of fcntl: ENOSYS, as on a file system without locks
 *	INJECT=locks	the same: granted to everybody, as by a file system that locks on each node
 *	INJECT=full	write pwrite of a regular file: ENOSPC, once INJECT_N bytes are written
 *	INJECT_COUNT=F	write the number of such calls to the file F at exit
 *
 * Only calls from the program itself and its statically linked library count, not those from shared
 * libraries. Writes to standard error never fail.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

enum kind { NOTHING, MEMORY, FILES, MAPS, FULL, NO_LOCKS, LOCKS };

static struct {
	uintptr_t from, to; /* the program's code */
	enum kind kind;
	unsigned long n;
	const char *count_file;
	atomic_ulong calls;
} inject;

static int find_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X)) {
			inject.from = info->dlpi_addr + p->p_vaddr;
			inject.to = inject.from + p->p_memsz;
		}
	}
	return 1; /* the first object is the program: stop */
}

__attribute__((constructor)) static void start(void)
{
	const char *kind = getenv("INJECT"), *n = getenv("INJECT_N");

	inject.count_file = getenv("INJECT_COUNT");
	inject.n = n ? strtoul(n, NULL, 10) : 0;
	dl_iterate_phdr(find_program, NULL);
	inject.kind = !kind			       ? NOTHING
			: strcmp(kind, "memory") == 0  ? MEMORY
			: strcmp(kind, "maps") == 0    ? MAPS
			: strcmp(kind, "full") == 0    ? FULL
			: strcmp(kind, "nolocks") == 0 ? NO_LOCKS
			: strcmp(kind, "locks") == 0   ? LOCKS
						       : FILES;
}

__attribute__((destructor)) static void finish(void)
{
	FILE *f;

	inject.kind = NOTHING;
	f = inject.count_file ? fopen(inject.count_file, "w") : NULL;
	if (f) {
		fprintf(f, "%lu\n", (unsigned long)inject.calls);
		fclose(f);
	}
}

static bool from_program(void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	return at >= inject.from && at < inject.to;
}

static bool fails(enum kind kind, void *caller)
{
	if (inject.kind != kind || !from_program(caller))
		return false;
	return atomic_fetch_add(&inject.calls, 1) + 1 == inject.n;
}

#define HERE __builtin_return_address(0)

void *malloc(size_t n)
{
	return fails(MEMORY, HERE) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails(MEMORY, HERE) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails(MEMORY, HERE) ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return fails(MEMORY, HERE) ? NULL : __libc_memalign(alignment, n);
}

static int io_error(void)
{
	errno = EIO;
	return -1;
}

/* Look up the real function once. */
#define NEXT(name)                     \
	static __typeof__(name) *next; \
	if (!next)                     \
	*(void **)&next = dlsym(RTLD_NEXT, #name)

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	NEXT(open);
	va_start(ap, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails(FILES, HERE) ? io_error() : next(path, flags, mode);
}

ssize_t read(int fd, void *p, size_t n)
{
	NEXT(read);
	return fails(FILES, HERE) ? io_error() : next(fd, p, n);
}

/* What a disk takes of n bytes; 0: it is full. */
static size_t room_for(size_t n, int fd, void *caller)
{
	unsigned long used;
	struct stat st;

	if (inject.kind != FULL || n == 0 || fd == STDERR_FILENO || fstat(fd, &st) < 0 ||
			!S_ISREG(st.st_mode) || !from_program(caller))
		return n;
	used = atomic_fetch_add(&inject.calls, n);
	errno = ENOSPC;
	if (used >= inject.n)
		return 0;
	return n < inject.n - used ? n : inject.n - used;
}

ssize_t write(int fd, const void *p, size_t n)
{
	size_t room = room_for(n, fd, HERE);

	NEXT(write);
	if (room < n)
		return room ? next(fd, p, room) : -1;
	return fd != STDERR_FILENO && fails(FILES, HERE) ? io_error() : next(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	NEXT(pread);
	return fails(FILES, HERE) ? io_error() : next(fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	size_t room = room_for(n, fd, HERE);

	NEXT(pwrite);
	if (room < n)
		return room ? next(fd, p, room, at) : -1;
	return fails(FILES, HERE) ? io_error() : next(fd, p, n, at);
}

int fsync(int fd)
{
	NEXT(fsync);
	return fails(FILES, HERE) ? io_error() : next(fd);
}

int ftruncate(int fd, off_t n)
{
	NEXT(ftruncate);
	return fails(FILES, HERE) ? io_error() : next(fd, n);
}

int rename(const char *from, const char *to)
{
	NEXT(rename);
	return fails(FILES, HERE) ? io_error() : next(from, to);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	NEXT(mmap);
	if (fd < 0 || inject.kind != MAPS || !from_program(HERE))
		return next(at, n, prot, flags, fd, offset);
	atomic_fetch_add(&inject.calls, 1);
	errno = ENODEV;
	return MAP_FAILED;
}

static bool takes_locks(void)
{
	return inject.kind == NO_LOCKS || inject.kind == LOCKS;
}

static int lock_answer(void)
{
	errno = ENOSYS;
	return inject.kind == LOCKS ? 0 : -1;
}

int flock(int fd, int how)
{
	NEXT(flock);
	return takes_locks() ? lock_answer() : next(fd, how);
}

int lockf(int fd, int how, off_t n)
{
	NEXT(lockf);
	return takes_locks() ? lock_answer() : next(fd, how, n);
}

/* All its arguments are int or a pointer, which one register passes. */
int fcntl(int fd, int how, ...)
{
	va_list ap;
	void *arg;

	NEXT(fcntl);
	va_start(ap, how);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (takes_locks() &&
			(how == F_SETLK || how == F_SETLKW || how == F_OFD_SETLK ||
					how == F_OFD_SETLKW))
		return lock_answer();
	return next(fd, how, arg);
}

/* On Linux a failed close has closed the descriptor nevertheless. */
int close(int fd)
{
	NEXT(close);
	if (!fails(FILES, HERE))
		return next(fd);
	next(fd);
	return io_error();
}
