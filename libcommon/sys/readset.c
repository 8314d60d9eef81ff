#include "libcommon/sys/readset.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/vec.h"

struct identity {
	dev_t dev;
	ino_t ino;
};

/* Reachable for as long as the process lives. */
static struct {
	pthread_mutex_t lock;
	bool watch;
	struct identities {
		struct identity *p;
		size_t n, cap;
	} read, replaced;
} files = { .lock = PTHREAD_MUTEX_INITIALIZER };

void lu_readset_watch(void)
{
	files.watch = true;
}

static int add(struct identities *to, dev_t dev, ino_t ino, struct lu_err *err)
{
	bool stored;

	pthread_mutex_lock(&files.lock);
	stored = lu_vec_push(to, ((struct identity){ dev, ino }));
	pthread_mutex_unlock(&files.lock);
	return stored ? 0 : lu_err_nomem(err);
}

/* With the lock held: the place of the file, or n. */
static size_t find(const struct identities *in, dev_t dev, ino_t ino)
{
	size_t i = 0;

	while (i < in->n && (in->p[i].dev != dev || in->p[i].ino != ino))
		i++;
	return i;
}

static bool has(const struct identities *in, const struct stat *st)
{
	bool found;

	pthread_mutex_lock(&files.lock);
	found = find(in, st->st_dev, st->st_ino) < in->n;
	pthread_mutex_unlock(&files.lock);
	return found;
}

int lu_readset_add(const char *path, struct lu_err *err)
{
	struct stat st;

	if (!files.watch)
		return 0;
	if ((strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(path, &st)) < 0 ||
			!S_ISREG(st.st_mode))
		return 0;
	if (lu_readset_replaces(&st)) {
		lu_err_set(err, "%s: input file is output file", path);
		/* No fault of the file. */
		err->errnum = EBUSY;
		return -1;
	}
	return add(&files.read, st.st_dev, st.st_ino, err);
}

bool lu_readset_has(const struct stat *st)
{
	return has(&files.read, st);
}

int lu_readset_replace(dev_t dev, ino_t ino, struct lu_err *err)
{
	return ino ? add(&files.replaced, dev, ino, err) : 0;
}

void lu_readset_unreplace(dev_t dev, ino_t ino)
{
	size_t i;

	pthread_mutex_lock(&files.lock);
	i = find(&files.replaced, dev, ino);
	if (i < files.replaced.n)
		files.replaced.p[i] = files.replaced.p[--files.replaced.n];
	pthread_mutex_unlock(&files.lock);
}

bool lu_readset_replaces(const struct stat *st)
{
	return has(&files.replaced, st);
}
