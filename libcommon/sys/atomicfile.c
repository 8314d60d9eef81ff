#include "libcommon/sys/atomicfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/sys/file.h"
#include "libcommon/sys/mapped.h"

/*
 * The clean-up list: process-wide state, since a signal handler has no other way to know what to
 * remove. Slots are static arrays, so the handler reads only memory that never moves; `used` is
 * stored last when a slot is filled and first when it is freed. Device and inode are kept because,
 * between the rename and the freeing of the slot, another run may have created a temporary file of
 * the same name, which must stay.
 */
#define SLOTS 4096
static struct {
	atomic_bool used;
	dev_t dev;
	ino_t ino;
	char path[4096];
} slots[SLOTS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU, SIGXFSZ };

static void on_signal(int sig)
{
	lu_atomic_remove_all();
	signal(sig, SIG_DFL);
	raise(sig);
}

void lu_atomic_remove_all(void)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct stat st;

		if (atomic_load(&slots[i].used) && stat(slots[i].path, &st) == 0 &&
				st.st_dev == slots[i].dev && st.st_ino == slots[i].ino)
			unlink(slots[i].path);
	}
}

void lu_atomic_install(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		struct sigaction old;

		/* A signal that the parent ignores, as nohup does, stays ignored; except SIGPIPE,
		 * which some parents ignore by accident. */
		if (sigaction(deadly[i], NULL, &old) == 0 &&
				(old.sa_handler != SIG_IGN || deadly[i] == SIGPIPE))
			sigaction(deadly[i], &sa, NULL);
	}
}

static int slot_take(const char *path, int fd, struct lu_err *err)
{
	struct stat st;
	int rc = -1;

	if (strlen(path) >= sizeof(slots[0].path))
		return lu_err_sys(err, ENAMETOOLONG, "%s", path);
	if (fstat(fd, &st) < 0)
		return lu_err_sys(err, errno, "%s", path);
	pthread_mutex_lock(&slots_lock);
	for (int i = 0; i < SLOTS && rc < 0; i++) {
		if (!atomic_load(&slots[i].used)) {
			memcpy(slots[i].path, path, strlen(path) + 1);
			slots[i].dev = st.st_dev;
			slots[i].ino = st.st_ino;
			atomic_store(&slots[i].used, true);
			rc = i;
		}
	}
	pthread_mutex_unlock(&slots_lock);
	return rc < 0 ? lu_err_set(err, "%s: too many output files at once", path) : rc;
}

static void slot_drop(int slot)
{
	atomic_store(&slots[slot].used, false);
}

static char *temp_name(const char *target)
{
	const char *slash = strrchr(target, '/');
	size_t dir = slash ? (size_t)(slash - target) + 1 : 0;
	size_t n = strlen(target) + sizeof("..lu-tmp");
	char *t = malloc(n);

	if (t)
		snprintf(t, n, "%.*s.%s.lu-tmp", (int)dir, target, target + dir);
	return t;
}

/* The file system has no locks (Lustre without -o flock): go on without one. */
static bool no_locks(int e)
{
	return e == ENOSYS || e == ENOTSUP || e == ENOLCK || e == EINVAL;
}

/* Open and lock the temporary file; retry if another run renamed it between the two. */
static int open_locked(const char *temp, const char *target, struct lu_err *err)
{
	for (;;) {
		struct stat mine, there;
		int fd = open(temp, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);

		if (fd < 0)
			return lu_err_sys(err, errno, "%s", target);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0 && !no_locks(errno)) {
			int e = errno;

			close(fd);
			if (e == EWOULDBLOCK)
				return lu_err_set(err, "%s: another run is writing it", target);
			return lu_err_sys(err, e, "%s", temp);
		}
		if (fstat(fd, &mine) == 0 && stat(temp, &there) == 0 &&
				mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) {
			if (ftruncate(fd, 0) == 0)
				return fd;
			lu_err_sys(err, errno, "%s", temp);
			unlink(temp);
			close(fd);
			return -1;
		}
		close(fd);
	}
}

/* Open the temporary file and enter it in the clean-up list, with deadly signals blocked between
 * the two. */
static int open_registered(struct lu_atomic *f, const char *target, struct lu_err *err)
{
	sigset_t hold, before;

	sigemptyset(&hold);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaddset(&hold, deadly[i]);
	pthread_sigmask(SIG_BLOCK, &hold, &before);
	f->fd = open_locked(f->temp, target, err);
	if (f->fd >= 0)
		f->slot = slot_take(f->temp, f->fd, err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return f->fd < 0 || f->slot < 0 ? -1 : 0;
}

/* Follow symbolic links, also to a file that does not exist yet, unlike realpath(). malloc'd; NULL
 * when memory is out. */
static char *resolve(const char *target)
{
	char *at = strdup(target);

	for (int hops = 0; at && hops < 40; hops++) {
		char link[4096];
		ssize_t n = readlink(at, link, sizeof(link) - 1);
		const char *slash = strrchr(at, '/');
		size_t folder = slash ? (size_t)(slash - at) + 1 : 0;
		char *next;

		if (n < 0)
			break;
		link[n] = '\0';
		if (link[0] == '/')
			folder = 0;
		next = malloc(folder + (size_t)n + 1);
		if (next) {
			memcpy(next, at, folder);
			memcpy(next + folder, link, (size_t)n + 1);
		}
		free(at);
		at = next;
	}
	return at;
}

static int open_direct(struct lu_atomic *f, const char *target, struct lu_err *err)
{
	f->fd = target ? open(target, O_WRONLY | O_CLOEXEC) : STDOUT_FILENO;
	if (f->fd < 0)
		return lu_err_sys(err, errno, "%s", target);
	f->name = strdup(target ? target : "standard output");
	return f->name ? 0 : lu_err_nomem(err);
}

int lu_atomic_open(struct lu_atomic *f, const char *target, struct lu_err *err)
{
	struct stat st;
	bool there;

	*f = (struct lu_atomic)LU_ATOMIC_NONE;
	if (!target || strcmp(target, "-") == 0)
		return open_direct(f, NULL, err);
	if (!*target)
		return lu_err_sys(err, ENOENT, "'%s'", target);
	there = stat(target, &st) == 0;
	if (!there && errno != ENOENT)
		return lu_err_sys(err, errno, "%s", target);
	if (there) {
		if (S_ISDIR(st.st_mode))
			return lu_err_sys(err, EISDIR, "%s", target);
		if (!S_ISREG(st.st_mode))
			return open_direct(f, target, err);
	}
	f->name = strdup(target);
	f->target = resolve(target);
	f->temp = f->target ? temp_name(f->target) : NULL;
	if (!f->name || !f->temp) {
		lu_atomic_abort(f);
		return lu_err_nomem(err);
	}
	if (open_registered(f, target, err) < 0) {
		if (f->fd < 0) {
			free(f->temp);
			f->temp = NULL;
		}
		lu_atomic_abort(f);
		return -1;
	}
	/* A private file stays private. The call may be refused where the owner differs. */
	if (there && fchmod(f->fd, st.st_mode & 07777) < 0 && errno != EPERM) {
		lu_err_sys(err, errno, "%s", target);
		lu_atomic_abort(f);
		return -1;
	}
	return 0;
}

int lu_atomic_write(struct lu_atomic *f, const void *p, size_t n, struct lu_err *err)
{
	if (lu_write_all(f->fd, p, n, f->name, err) < 0)
		return -1;
	f->written += n;
	return 0;
}

static void release(struct lu_atomic *f)
{
	free(f->name);
	free(f->target);
	free(f->temp);
	*f = (struct lu_atomic)LU_ATOMIC_NONE;
}

int lu_atomic_settle(struct lu_atomic *f, struct lu_err *err)
{
	int rc;

	if (!f->target)
		return 0;
	if (fsync(f->fd) < 0) {
		rc = lu_err_sys(err, errno, "%s", f->name);
		lu_atomic_abort(f);
		return rc;
	}
	rc = close(f->fd);
	f->fd = -1;
	f->settled = true;
	if (rc < 0) {
		rc = lu_err_sys(err, errno, "%s", f->name);
		lu_atomic_abort(f);
	}
	return rc;
}

int lu_atomic_commit(struct lu_atomic *f, struct lu_err *err)
{
	int rc = lu_mapped_check(err);

	if (rc < 0) {
		lu_atomic_abort(f);
		return rc;
	}
	if (!f->target) {
		/* lu_tool_finish() closes and checks standard output. */
		if (f->fd > STDERR_FILENO && close(f->fd) < 0)
			rc = lu_err_sys(err, errno, "%s", f->name);
		release(f);
		return rc;
	}
	if (!f->settled && fsync(f->fd) < 0) {
		rc = lu_err_sys(err, errno, "%s", f->name);
		lu_atomic_abort(f);
		return rc;
	}
	/* Rename before the close releases the lock, so that no other run can reuse the temporary
	 * file between the two. */
	if (rename(f->temp, f->target) < 0) {
		rc = lu_err_sys(err, errno, "%s", f->name);
		lu_atomic_abort(f);
		return rc;
	}
	slot_drop(f->slot);
	f->slot = -1;
	if (!f->settled && close(f->fd) < 0)
		rc = lu_err_sys(err, errno, "%s", f->name);
	if (rc == 0)
		rc = lu_sync_folder(f->target, err);
	release(f);
	return rc;
}

void lu_atomic_abort(struct lu_atomic *f)
{
	if (f->temp && (f->fd >= 0 || f->settled))
		unlink(f->temp);
	if (f->slot >= 0)
		slot_drop(f->slot);
	if (f->fd > STDERR_FILENO)
		close(f->fd);
	release(f);
}
