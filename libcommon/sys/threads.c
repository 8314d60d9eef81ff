#include "libcommon/sys/threads.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int lu_threads_default(void)
{
	int n = omp_get_max_threads();

	return n < LU_THREADS_MAX ? n : LU_THREADS_MAX;
}

int lu_threads_online(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 && n < LU_THREADS_MAX ? (int)n : 1;
}

const char *lu_threads_odd_default(void)
{
	const char *given = getenv("OMP_NUM_THREADS"), *at = given;
	char *end;

	if (!given)
		return NULL;
	for (;; at = end + 1) {
		unsigned long n;

		errno = 0;
		n = strtoul(at, &end, 10);
		end += strspn(end, " \t\n");
		if (end == at || n == 0 || errno || memchr(at, '-', (size_t)(end - at)))
			return given;
		if (*end != ',')
			return *end ? given : NULL;
	}
}

/* The threads wait until all have started. */
struct start {
	pthread_mutex_t lock;
	pthread_cond_t go;
	bool all;
};

static void *wait_for_all(void *p)
{
	struct start *s = p;

	pthread_mutex_lock(&s->lock);
	while (!s->all)
		pthread_cond_wait(&s->go, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int lu_threads_check(int n, struct lu_err *err)
{
	struct start s = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
	pthread_t *thread = n > 1 ? malloc((size_t)n * sizeof(*thread)) : NULL;
	int started = 0, e = 0;

	if (n <= 1)
		return 0;
	if (!thread)
		return lu_err_nomem(err);
	while (started < n - 1 && e == 0) {
		e = pthread_create(&thread[started], NULL, wait_for_all, &s);
		started += e == 0;
	}
	pthread_mutex_lock(&s.lock);
	s.all = true;
	pthread_cond_broadcast(&s.go);
	pthread_mutex_unlock(&s.lock);
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	if (e)
		return lu_err_sys(err, e, "cannot start %d threads (use fewer: -j %d)", n,
				started > 1 ? started / 2 : 1);
	return 0;
}

/* 1,000 turns of libgomp's loop are 20 microseconds on Zen 3 and 50 on Skylake: more than a
 * processor takes between two loops of a kernel, less than any time slice. */
#define SPIN_COUNT "1000"

void lu_threads_spin_briefly(char **argv)
{
	char path[4096];
	ssize_t n;

	if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
		return;
	/* By its own name, since execution through /proc/self/exe would show in ps as "exe". */
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	if (setenv("GOMP_SPINCOUNT", SPIN_COUNT, 1) == 0)
		execv(path, argv);
}
