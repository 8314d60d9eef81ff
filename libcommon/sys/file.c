#include "libcommon/sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/num.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/readset.h"

#define READ_SIZE ((size_t)64 << 10)

/* Seconds for which a stale file is tried again in any case: it says that another host has replaced
 * the file, never that there is none. */
#define STALE_SECONDS 10

/* LUCIE_WAIT, at most a day; what is no number is 0. */
static uint64_t wait_seconds(void)
{
	const char *text = getenv("LUCIE_WAIT");
	struct lu_err ignored = { 0 };
	int64_t n = 0;

	if (!text || !*text || lu_num_i64(text, &n, &ignored) < 0 || n < 0)
		return 0;
	return n > 86400 ? 86400 : (uint64_t)n;
}

static void list_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	DIR *d = dir ? opendir(dir) : NULL;

	while (d && readdir(d))
		;
	if (d)
		closedir(d);
	free(dir);
}

/* After an attempt that failed with errnum: pause and return true if it is worth another. Attempts are
 * a second apart, closer at first, since most renames are seen at the second look. */
static bool look_again(const char *path, int errnum, uint64_t *waited_ms)
{
	uint64_t limit = wait_seconds(), step = *waited_ms < 1000 ? 50 + *waited_ms : 1000;
	struct timespec pause = { (time_t)(step / 1000), (long)(step % 1000) * 1000000 };

	if (errnum == ESTALE && limit < STALE_SECONDS)
		limit = STALE_SECONDS;
	if ((errnum != ENOENT && errnum != ESTALE) || *waited_ms >= limit * 1000)
		return false;
	list_folder_of(path);
	nanosleep(&pause, NULL);
	*waited_ms += step;
	return true;
}

int lu_open(const char *path, int flags, mode_t mode)
{
	uint64_t waited = 0;

	for (;;) {
		int fd = open(path, flags | O_CLOEXEC, mode), errnum = errno;

		if (fd >= 0)
			return fd;
		if (errnum != EINTR && !look_again(path, errnum, &waited)) {
			errno = errnum;
			return -1;
		}
	}
}

bool lu_await(const char *path)
{
	uint64_t waited = 0;

	while (access(path, F_OK) < 0) {
		if (!look_again(path, errno, &waited))
			return false;
	}
	return true;
}

int lu_open_read(const char *path, struct lu_err *err)
{
	int fd = lu_open(path, O_RDONLY, 0);
	uint64_t waited = wait_seconds();

	if (fd < 0 && errno == ENOENT && waited) {
		lu_err_set(err, "%s: no such file, and none came within LUCIE_WAIT=%ju seconds",
				path, (uintmax_t)waited);
		err->errnum = ENOENT;
	} else if (fd < 0) {
		lu_err_sys(err, errno, "%s", path);
	}
	return fd;
}

int lu_write_all(int fd, const void *p, size_t n, const char *name, struct lu_err *err)
{
	const char *at = p;

	while (n) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		/* Another program made the terminal or pipe non-blocking. */
		if (w < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			poll(&wait, 1, -1);
			continue;
		}
		if (w < 0)
			return lu_err_sys(err, errno, "%s", name);
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

int lu_pwrite_all(
		int fd, const void *p, size_t n, uint64_t at, const char *name, struct lu_err *err)
{
	const char *from = p;

	while (n) {
		ssize_t w = pwrite(fd, from, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return lu_err_sys(err, errno, "%s", name);
		from += w;
		at += (uint64_t)w;
		n -= (size_t)w;
	}
	return 0;
}

int lu_pread_all(int fd, void *p, size_t n, uint64_t at, const char *name, struct lu_err *err)
{
	char *to = p;

	while (n) {
		ssize_t r = pread(fd, to, n, (off_t)at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return lu_err_sys(err, errno, "%s", name);
		if (r == 0)
			return lu_err_set(err, "%s: ends too early", name);
		to += r;
		at += (uint64_t)r;
		n -= (size_t)r;
	}
	return 0;
}

static int read_whole(
		int fd, const char *path, size_t limit, char **out, size_t *n, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc = -1;

	for (;;) {
		ssize_t got;

		if (!lu_buf_reserve(&b, READ_SIZE)) {
			lu_err_nomem(err);
			goto out;
		}
		got = read(fd, b.p + b.n, b.cap - b.n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			lu_err_sys(err, errno, "%s", path);
			goto out;
		}
		if (got == 0)
			break;
		b.n += (size_t)got;
		if (b.n > limit) {
			lu_err_set(err, "%s: larger than %zu bytes", path, limit);
			goto out;
		}
	}
	b.p[b.n] = '\0';
	*out = b.p;
	*n = b.n;
	b = (struct lu_buf){ 0 };
	rc = 0;
out:
	close(fd);
	lu_buf_release(&b);
	return rc;
}

int lu_read_file(const char *path, size_t limit, char **out, size_t *n, struct lu_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? lu_err_sys(err, errno, "%s", path)
		      : read_whole(fd, path, limit, out, n, err);
}

int lu_read_input(const char *path, size_t limit, char **out, size_t *n, struct lu_err *err)
{
	int fd = lu_open_read(path, err);

	if (fd < 0)
		return -1;
	if (lu_readset_add(path, err) < 0) {
		close(fd);
		return -1;
	}
	return read_whole(fd, path, limit, out, n, err);
}

int lu_temp_open(const char *dir, struct lu_err *err)
{
	size_t n = strlen(dir) + sizeof("/lucie-XXXXXX");
	char *name = malloc(n);
	int fd;

	if (!name)
		return lu_err_nomem(err);
	snprintf(name, n, "%s/lucie-XXXXXX", dir);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		lu_err_sys(err, errno, "%s: temporary file", dir);
	else
		unlink(name);
	free(name);
	return fd;
}

int lu_make_folders(const char *path, struct lu_err *err)
{
	char *p = strdup(path);
	int rc = 0;

	if (!p)
		return lu_err_nomem(err);
	if (!*p)
		rc = lu_err_sys(err, ENOENT, "'%s'", path);
	for (char *s = p + 1; rc == 0; s++) {
		char c = *s;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		if (mkdir(p, 0777) < 0 && errno != EEXIST)
			rc = lu_err_sys(err, errno, "%s", p);
		*s = c;
		if (c == '\0')
			break;
	}
	free(p);
	return rc;
}

int lu_sync_folder(const char *path, struct lu_err *err)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd, rc = 0;

	if (!dir)
		return lu_err_nomem(err);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some network file systems cannot sync a folder; there the rename has to do. */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP))
		rc = lu_err_sys(err, errno, "%s", dir);
	if (fd >= 0)
		close(fd);
	free(dir);
	return rc;
}

int lu_fail_create(const char *path, int errnum, struct lu_err *err)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;
	int rc;

	if (errnum == ENOENT && dir && access(dir, F_OK) < 0 && errno == ENOENT) {
		rc = lu_err_set(err, "%s: there is no folder '%s', create it first", path, dir);
		err->errnum = errnum;
	} else {
		rc = lu_err_sys(err, errnum, "%s", path);
	}
	free(dir);
	return rc;
}

struct identity {
	dev_t dev;
	ino_t ino;
	size_t at;
};

static int by_identity(const void *pa, const void *pb)
{
	const struct identity *a = pa, *b = pb;

	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	return a->at < b->at ? -1 : 1;
}

int lu_files_repeated(char *const *path, size_t n, const char *suffix, size_t *first, size_t *again,
		struct lu_err *err)
{
	struct LU_VEC(struct identity) seen = { 0 };
	int rc = 0;

	*first = *again = n;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		char *name = lu_concat(path[i], suffix, NULL);
		struct stat st;

		if (!name)
			rc = lu_err_nomem(err);
		else if (strcmp(name, "-") != 0 && stat(name, &st) == 0 &&
				(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
				!lu_vec_push(&seen, ((struct identity){ st.st_dev, st.st_ino, i })))
			rc = lu_err_nomem(err);
		free(name);
	}
	if (rc == 0 && seen.n > 1)
		qsort(seen.p, seen.n, sizeof(*seen.p), by_identity);
	for (size_t k = 1; rc == 0 && k < seen.n; k++) {
		if (seen.p[k].dev == seen.p[k - 1].dev && seen.p[k].ino == seen.p[k - 1].ino &&
				seen.p[k].at < *again) {
			*again = seen.p[k].at;
			*first = seen.p[k - 1].at;
		}
	}
	lu_vec_release(&seen);
	return rc == 0 && *again < n ? 1 : rc;
}

int lu_files_distinct(char *const *path, size_t n, const char *suffix, struct lu_err *err)
{
	size_t first, again;
	int rc = lu_files_repeated(path, n, suffix, &first, &again, err);

	if (rc <= 0)
		return rc;
	if (strcmp(path[first], path[again]) == 0)
		return lu_err_set(err, "%s: given twice", path[again]);
	return lu_err_set(err, "%s: given twice, it is the same file as %s", path[again],
			path[first]);
}

struct tree {
	char *real; /* without symbolic links */
	const char *path;
};

static int by_real(const void *pa, const void *pb)
{
	const struct tree *a = pa, *b = pb;

	return strcmp(a->real, b->real);
}

/* The first of the sorted folders that holds `real`, from the top down; NULL if none does. */
static const struct tree *holder(const struct tree *folder, size_t n, char *real)
{
	const struct tree *found = NULL;

	for (char *slash = real; n && !found && (slash = strchr(slash, '/')); slash++) {
		/* The root keeps its slash. */
		char *end = slash == real ? slash + 1 : slash, c = *end;
		struct tree key = { real, NULL };

		*end = '\0';
		if (c)
			found = bsearch(&key, folder, n, sizeof(*folder), by_real);
		*end = c;
	}
	return found;
}

int lu_trees_distinct(char *const *path, size_t n, struct lu_err *err)
{
	struct LU_VEC(struct tree) folder = { 0 };
	int rc = lu_files_distinct(path, n, "", err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct stat st;
		char *real;

		if (strcmp(path[i], "-") == 0 || stat(path[i], &st) < 0 || !S_ISDIR(st.st_mode) ||
				!(real = realpath(path[i], NULL)))
			continue;
		if (!lu_vec_push(&folder, ((struct tree){ real, path[i] }))) {
			free(real);
			rc = lu_err_nomem(err);
		}
	}
	if (folder.n > 1)
		qsort(folder.p, folder.n, sizeof(*folder.p), by_real);
	for (size_t i = 0; rc == 0 && folder.n && i < n; i++) {
		char *real = strcmp(path[i], "-") == 0 ? NULL : realpath(path[i], NULL);
		const struct tree *in = real ? holder(folder.p, folder.n, real) : NULL;

		if (in)
			rc = lu_err_set(err, "%s: lies within %s, which is read too", path[i],
					in->path);
		free(real);
	}
	for (size_t i = 0; i < folder.n; i++)
		free(folder.p[i].real);
	lu_vec_release(&folder);
	return rc;
}

char *lu_concat(const char *a, const char *b, const char *c)
{
	const char *part[] = { a, b ? b : "", b && c ? c : "" };
	size_t n = 0;
	char *s, *end;

	for (size_t i = 0; i < 3; i++)
		n += strlen(part[i]);
	s = malloc(n + 1);
	if (!s)
		return NULL;
	end = s;
	for (size_t i = 0; i < 3; i++)
		end = stpcpy(end, part[i]);
	return s;
}
