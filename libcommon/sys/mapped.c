#include "libcommon/sys/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "libcommon/sys/readset.h"

struct lu_mapped_entry {
	struct lu_mapped_entry *before, *after;
	const unsigned char *p;
	uint64_t n;
	int fd; /* of a file that is not mapped, else -1 */
	dev_t dev;
	ino_t ino;
	char path[];
};

/*
 * The mapped files, newest first, and the first one that was closed cut: process-wide state, since
 * a signal handler has no other way to find the file of an address. The lock is a spin lock that
 * the handler takes too: nothing faults while it is held, so a thread in the handler never holds it
 * and never waits long.
 */
static struct {
	atomic_flag lock;
	struct lu_mapped_entry *first;
	struct lu_err cut;
	void (*end)(const char *sentence);
} files = { .lock = ATOMIC_FLAG_INIT };

static void lock(void)
{
	while (atomic_flag_test_and_set_explicit(&files.lock, memory_order_acquire))
		;
}

static void unlock(void)
{
	atomic_flag_clear_explicit(&files.lock, memory_order_release);
}

/* --- the signal ------------------------------------------------------------------------------- */

/* Size of the file if it is still the one that was mapped, otherwise the mapped size. */
static uint64_t size_now(const struct lu_mapped_entry *e)
{
	struct stat st;

	if (stat(e->path, &st) < 0 || st.st_dev != e->dev || st.st_ino != e->ino)
		return e->n;
	return (uint64_t)st.st_size;
}

/* Append with control characters masked, as in all messages. Async-signal-safe. */
static size_t append(char *line, size_t size, size_t n, const char *text)
{
	for (; *text && n + 1 < size; text++)
		line[n++] = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;
	return n;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;
	const struct lu_mapped_entry *e;
	/* A reason must fit behind the longest path. */
	char line[2048];
	size_t n, reason = 128;

	(void)context;
	/* A code above zero says that the kernel sent it, with an address. */
	if (info->si_code > 0) {
		lock();
		for (e = files.first; e; e = e->after) {
			uintptr_t begin = (uintptr_t)e->p;

			if (!e->p || at < begin || at - begin >= e->n)
				continue;
			n = append(line, sizeof(line) - reason, 0, e->path);
			n = append(line, sizeof(line), n,
					size_now(e) < e->n
							? ": was cut while it was read; restore it "
							  "and start again"
							: ": cannot be read: the disk or its "
							  "server "
							  "failed");
			line[n] = '\0';
			/* The lock stays taken: a second thread that faults waits for the end. */
			files.end(line);
		}
		unlock();
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

void lu_mapped_install(void (*end)(const char *sentence))
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	files.end = end;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

/* --- files ------------------------------------------------------------------------------------ */

/* True where the file may be read although it cannot be mapped. */
static bool refused(int errnum)
{
	return errnum == ENODEV || errnum == EACCES || errnum == EPERM || errnum == ENOMEM;
}

/* Returns 1 if fd is to stay open. */
static int map(struct lu_mapped *m, int fd, const char *path, struct lu_err *err)
{
	struct lu_mapped_entry *e;
	size_t size = strlen(path) + 1;
	void *p = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return lu_err_sys(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return lu_err_set(err, "%s: not a regular file", path);
	if ((uint64_t)st.st_size > SIZE_MAX)
		return lu_err_set(err, "%s: too large for this machine", path);
	e = malloc(sizeof(*e) + size);
	if (!e)
		return lu_err_nomem(err);
	if (st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED && !refused(errno)) {
		lu_err_sys(err, errno, "%s", path);
		free(e);
		return -1;
	}
	*e = (struct lu_mapped_entry){ .p = p == MAP_FAILED ? NULL : p,
		.n = (uint64_t)st.st_size,
		.fd = p == MAP_FAILED ? fd : -1,
		.dev = st.st_dev,
		.ino = st.st_ino };
	memcpy(e->path, path, size);
	lock();
	e->after = files.first;
	if (e->after)
		e->after->before = e;
	files.first = e;
	unlock();
	*m = (struct lu_mapped){ e->p, e->n, e };
	return e->fd >= 0;
}

int lu_mapped_open(struct lu_mapped *m, const char *path, struct lu_err *err)
{
	int fd = lu_open_read(path, err), rc;

	*m = (struct lu_mapped){ NULL, 0, NULL };
	if (fd < 0)
		return -1;
	rc = lu_readset_add(path, err) < 0 ? -1 : map(m, fd, path, err);
	if (rc <= 0)
		close(fd);
	return rc < 0 ? -1 : 0;
}

int lu_mapped_read(const struct lu_mapped *m, uint64_t at, size_t n, void *room, struct lu_err *err)
{
	LU_ASSERT(at <= m->n && n <= m->n - at);
	if (n && m->p)
		memcpy(room, m->p + at, n);
	else if (n)
		return lu_pread_all(m->entry->fd, room, n, at, m->entry->path, err);
	return 0;
}

/* munmap() and madvise() take a pointer to non-const, and -Wcast-qual forbids the cast. */
static void *writable(const unsigned char *p)
{
	union {
		const unsigned char *in;
		void *out;
	} u = { p };

	return u.out;
}

void lu_mapped_scattered(const struct lu_mapped *m)
{
	if (m->p)
		madvise(writable(m->p), (size_t)m->n, MADV_RANDOM);
}

void lu_mapped_drop(const struct lu_mapped *m, uint64_t from, uint64_t to)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	from -= from % page;
	to -= to % page;
	/* Advice: whether it is followed does not matter. */
	if (m->p && from < to)
		madvise(writable(m->p + from), (size_t)(to - from), MADV_DONTNEED);
}

static int check(const struct lu_mapped_entry *e, struct lu_err *err)
{
	uint64_t now = size_now(e);

	if (now >= e->n)
		return 0;
	return lu_err_set(err,
			"%s: was cut from %" PRIu64 " to %" PRIu64
			" bytes while it was read; restore it and start again",
			e->path, e->n, now);
}

void lu_mapped_close(struct lu_mapped *m)
{
	struct lu_mapped_entry *e = m->entry;
	struct lu_err why;

	if (!e)
		return;
	lock();
	if (check(e, &why) < 0 && !files.cut.msg[0])
		files.cut = why;
	if (e->before)
		e->before->after = e->after;
	else
		files.first = e->after;
	if (e->after)
		e->after->before = e->before;
	unlock();
	if (e->p)
		munmap(writable(e->p), (size_t)e->n);
	if (e->fd >= 0)
		close(e->fd);
	free(e);
	*m = (struct lu_mapped){ NULL, 0, NULL };
}

int lu_mapped_check(struct lu_err *err)
{
	int rc = 0;

	lock();
	if (files.cut.msg[0]) {
		*err = files.cut;
		rc = -1;
	}
	for (const struct lu_mapped_entry *e = files.first; rc == 0 && e; e = e->after)
		rc = check(e, err);
	unlock();
	return rc;
}
