#include "libcommon/sys/readset.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/vec.h"
#include "libcommon/sys/atomicfile.h"

struct input {
	dev_t dev;
	ino_t ino;
};

/* Reachable for as long as the process lives. */
static struct {
	pthread_mutex_t lock;
	bool watch;
	struct LU_VEC(struct input) file;
} inputs = { .lock = PTHREAD_MUTEX_INITIALIZER };

void lu_readset_watch(void)
{
	inputs.watch = true;
}

int lu_readset_add(const char *path, struct lu_err *err)
{
	struct stat st;
	bool stored;

	if (!inputs.watch)
		return 0;
	if ((strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(path, &st)) < 0 ||
			!S_ISREG(st.st_mode))
		return 0;
	if (lu_atomic_replaces(&st)) {
		lu_err_set(err, "%s: input file is output file", path);
		/* No fault of the file. */
		err->errnum = EBUSY;
		return -1;
	}
	pthread_mutex_lock(&inputs.lock);
	stored = lu_vec_push(&inputs.file, ((struct input){ st.st_dev, st.st_ino }));
	pthread_mutex_unlock(&inputs.lock);
	return stored ? 0 : lu_err_nomem(err);
}

bool lu_readset_has(const struct stat *st)
{
	bool found = false;

	pthread_mutex_lock(&inputs.lock);
	for (size_t i = 0; !found && i < inputs.file.n; i++)
		found = inputs.file.p[i].dev == st->st_dev && inputs.file.p[i].ino == st->st_ino;
	pthread_mutex_unlock(&inputs.lock);
	return found;
}
