#include "libcommon/sys/atomicfile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "libcommon/base/fnv.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/mapped.h"
#include "libcommon/sys/readset.h"

#define TEMP_SUFFIX ".lu-tmp"

/*
 * The clean-up list: process-wide state, since a signal handler has no other way to know what to
 * remove. Slots are static arrays, so the handler reads only memory that never moves; `used` is
 * stored last when a slot is filled and first when it is freed. No other attempt uses these names,
 * so removing one that has just been renamed removes nothing.
 */
#define SLOTS 4096
static struct {
	atomic_bool used;
	dev_t dev; /* folder of the target, and the target's name in it */
	ino_t ino;
	uint64_t name;
	dev_t old_dev; /* the file that the target is before the commit; 0, 0: none */
	ino_t old_ino;
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
		if (atomic_load(&slots[i].used))
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

static void slot_drop(int slot)
{
	lu_readset_unreplace(slots[slot].old_dev, slots[slot].old_ino);
	atomic_store(&slots[slot].used, false);
}

/* Enter a temporary file, unless this process is writing the same target already. */
static int slot_take(const char *path, const char *target, struct lu_err *err)
{
	const char *slash = strrchr(target, '/'), *base = slash ? slash + 1 : target;
	uint64_t name = lu_fnv1a(LU_FNV_BASIS, base, strlen(base));
	char dir[sizeof(slots[0].path)] = ".";
	struct stat st, old;
	int slot = -1, twice = 0;

	if (strlen(path) >= sizeof(slots[0].path))
		return lu_err_sys(err, ENAMETOOLONG, "%s", path);
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)(base - target), target);
	if (stat(dir, &st) < 0)
		return lu_err_sys(err, errno, "%s", dir);
	if (stat(target, &old) < 0)
		old = (struct stat){ 0 };
	pthread_mutex_lock(&slots_lock);
	for (int i = 0; i < SLOTS; i++) {
		if (!atomic_load(&slots[i].used))
			slot = slot < 0 ? i : slot;
		else if (slots[i].name == name && slots[i].dev == st.st_dev &&
				slots[i].ino == st.st_ino)
			twice = 1;
	}
	if (slot >= 0 && !twice) {
		memcpy(slots[slot].path, path, strlen(path) + 1);
		slots[slot].dev = st.st_dev;
		slots[slot].ino = st.st_ino;
		slots[slot].name = name;
		slots[slot].old_dev = old.st_dev;
		slots[slot].old_ino = old.st_ino;
		atomic_store(&slots[slot].used, true);
	}
	pthread_mutex_unlock(&slots_lock);
	if (twice)
		return lu_err_set(err, "%s: two outputs have this name", target);
	if (slot < 0)
		return lu_err_set(err, "%s: too many output files at once", path);
	if (lu_readset_replace(old.st_dev, old.st_ino, err) < 0) {
		slots[slot].old_ino = 0;
		slot_drop(slot);
		return -1;
	}
	return slot;
}

/*
 * The host part of the name: the host's name, cut, and the inode of the namespace of process numbers,
 * since containers that share a name count their processes each for itself.
 */
#define HOST_SIZE 64
static void host_part(char *host)
{
	struct utsname u;
	struct stat ns;
	size_t n = 0;

	if (uname(&u) == 0) {
		for (const char *p = u.nodename; *p && *p != '.' && n < 40; p++)
			host[n++] = isalnum((unsigned char)*p) || *p == '_' ? *p : '-';
	}
	if (stat("/proc/self/ns/pid", &ns) < 0)
		ns.st_ino = 0;
	snprintf(host + n, HOST_SIZE - n, "-%jx", (uintmax_t)ns.st_ino);
}

char *lu_attempt_name(const char *target)
{
	static atomic_uint attempts;
	size_t end = strlen(target), from, keep;
	char host[HOST_SIZE], tail[HOST_SIZE + 48], *t;

	while (end > 1 && target[end - 1] == '/')
		end--;
	for (from = end; from > 0 && target[from - 1] != '/';)
		from--;
	host_part(host);
	snprintf(tail, sizeof(tail), ".%s.%jd.%u" TEMP_SUFFIX, host, (intmax_t)getpid(),
			atomic_fetch_add(&attempts, 1));
	/* A name may have 255 bytes; the count makes a shortened one unique. */
	keep = end - from;
	if (keep + 1 + strlen(tail) > NAME_MAX)
		keep = NAME_MAX - 1 - strlen(tail);
	return asprintf(&t, "%.*s.%.*s%s", (int)from, target, (int)keep, target + from, tail) < 0
			? NULL
			: t;
}

/* The part of a name after its last dot before *end, which moves to that dot. */
static const char *last_part(const char *name, const char **end)
{
	const char *p = *end;

	while (p > name && p[-1] != '.')
		p--;
	*end = p > name ? p - 1 : name;
	return p;
}

/* True if there is no such process, or one for which only its parent has not waited yet: in a
 * container whose first process waits for none, that is how killed ones stay. */
static bool has_ended(pid_t id)
{
	char path[32], line[256], *state = NULL;
	FILE *f;

	if (kill(id, 0) < 0)
		return errno == ESRCH;
	snprintf(path, sizeof(path), "/proc/%jd/stat", (intmax_t)id);
	f = fopen(path, "re");
	/* "PID (NAME) STATE ...", where NAME may hold anything. */
	if (f && fgets(line, sizeof(line), f))
		state = strrchr(line, ')');
	if (f)
		fclose(f);
	return state && state[1] == ' ' && (state[2] == 'Z' || state[2] == 'X');
}

bool lu_attempt_is_stale(const char *name)
{
	size_t n = strlen(name), suffix = sizeof(TEMP_SUFFIX) - 1;
	const char *end = name + n - suffix, *pid, *their_host;
	char host[HOST_SIZE];
	intmax_t id;

	if (n <= suffix || strcmp(end, TEMP_SUFFIX) != 0)
		return false;
	last_part(name, &end); /* the count */
	pid = last_part(name, &end);
	their_host = last_part(name, &end);
	id = strtoimax(pid, NULL, 10);
	host_part(host);
	n = strlen(host);
	return strncmp(their_host, host, n) == 0 && their_host[n] == '.' && id > 0 &&
			id <= INT_MAX && has_ended((pid_t)id);
}

/* Remove what killed attempts on this host left in the folder of `target`. One look at a folder
 * does for all the files that a process writes there one after the other. */
static void sweep(const char *target)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static dev_t dev;
	static ino_t ino;
	const char *slash = strrchr(target, '/');
	char *dir = slash ? strndup(target, (size_t)(slash - target) + 1) : strdup(".");
	DIR *d = dir ? opendir(dir) : NULL;
	struct stat st;
	bool known;

	if (!d || fstat(dirfd(d), &st) < 0)
		goto out;
	pthread_mutex_lock(&lock);
	known = st.st_dev == dev && st.st_ino == ino;
	dev = st.st_dev;
	ino = st.st_ino;
	pthread_mutex_unlock(&lock);
	for (struct dirent *e; !known && (e = readdir(d)) != NULL;) {
		if (lu_attempt_is_stale(e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	}
out:
	if (d)
		closedir(d);
	free(dir);
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
	/* The folder may be one that another host has just made. */
	f->fd = lu_open(f->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
	if (f->fd < 0)
		lu_fail_create(target, errno, err);
	else
		f->slot = slot_take(f->temp, f->target, err);
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
	struct stat st, own;
	bool there;

	*f = (struct lu_atomic)LU_ATOMIC_NONE;
	if (!target || strcmp(target, "-") == 0)
		return open_direct(f, NULL, err);
	if (!*target)
		return lu_err_sys(err, ENOENT, "'%s'", target);
	there = stat(target, &st) == 0;
	if (!there && errno != ENOENT)
		return lu_err_sys(err, errno, "%s", target);
	if (target[strlen(target) - 1] == '/')
		return lu_err_sys(err, EISDIR, "%s", target);
	if (there) {
		if (S_ISDIR(st.st_mode))
			return lu_err_sys(err, EISDIR, "%s", target);
		if (!S_ISREG(st.st_mode))
			return open_direct(f, target, err);
		if (lu_readset_has(&st))
			return lu_err_set(err, "%s: input file is output file", target);
	}
	f->name = strdup(target);
	f->target = resolve(target);
	f->temp = f->target ? lu_attempt_name(f->target) : NULL;
	if (!f->name || !f->temp) {
		lu_atomic_abort(f);
		return lu_err_nomem(err);
	}
	sweep(f->target);
	if (open_registered(f, target, err) < 0) {
		if (f->fd < 0) {
			free(f->temp);
			f->temp = NULL;
		}
		lu_atomic_abort(f);
		return -1;
	}
	if (fstat(f->fd, &own) < 0) {
		lu_err_sys(err, errno, "%s", target);
		lu_atomic_abort(f);
		return -1;
	}
	f->dev = own.st_dev;
	f->ino = own.st_ino;
	/* A private file stays private. The call may be refused where the owner differs. */
	if (there && fchmod(f->fd, st.st_mode & 07777) < 0 && errno != EPERM) {
		lu_err_sys(err, errno, "%s", target);
		lu_atomic_abort(f);
		return -1;
	}
	return 0;
}

int lu_atomic_reserve(const char *target, struct lu_err *err)
{
	struct stat st;
	bool there = stat(target, &st) == 0;
	char *name;
	int rc;

	if (there && !S_ISREG(st.st_mode))
		return 0;
	if (there && lu_readset_has(&st))
		return lu_err_set(err, "%s: input file is output file", target);
	name = resolve(target);
	/* The slot has no temporary file to remove. */
	rc = name ? slot_take("", name, err) : lu_err_nomem(err);
	free(name);
	return rc < 0 ? -1 : 0;
}

/* Take the name of a target out of the list if lu_atomic_reserve() has entered it. */
static int unreserve(const char *target, struct lu_err *err)
{
	char *name = resolve(target), dir[sizeof(slots[0].path)] = ".";
	const char *slash = name ? strrchr(name, '/') : NULL, *base = slash ? slash + 1 : name;
	struct stat st;
	uint64_t hash;

	if (!name)
		return lu_err_nomem(err);
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)(base - name), name);
	hash = lu_fnv1a(LU_FNV_BASIS, base, strlen(base));
	for (int i = 0; stat(dir, &st) == 0 && i < SLOTS; i++) {
		if (atomic_load(&slots[i].used) && !slots[i].path[0] && slots[i].name == hash &&
				slots[i].dev == st.st_dev && slots[i].ino == st.st_ino)
			slot_drop(i);
	}
	free(name);
	return 0;
}

int lu_atomic_replace(const char *target, const void *p, size_t n, struct lu_err *err)
{
	struct lu_atomic f;

	if (unreserve(target, err) < 0 || lu_atomic_open(&f, target, err) < 0)
		return -1;
	if (lu_atomic_write(&f, p, n, err) < 0) {
		lu_atomic_abort(&f);
		return -1;
	}
	return lu_atomic_commit(&f, err);
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

/* True if the target is the file of this attempt: a network file system that lost the answer to a
 * rename asks once more, and then the old name is no more there. */
static bool renamed_already(const struct lu_atomic *f, int errnum)
{
	struct stat st;

	if (errnum == ENOENT && stat(f->target, &st) == 0 && st.st_dev == f->dev &&
			st.st_ino == f->ino)
		return true;
	errno = errnum;
	return false;
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
	if (rename(f->temp, f->target) < 0 && !renamed_already(f, errno)) {
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
