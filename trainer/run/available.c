#include "trainer/run/available.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/sys/file.h"

#define FILE_MAX ((size_t)1 << 20)

/* Read a small file; NULL if it cannot be read. */
static char *slurp(const char *a, const char *b, const char *c)
{
	char *path = lu_concat(a, b, c), *text = NULL;
	struct lu_err ignored;
	size_t n;

	if (path && lu_read_file(path, FILE_MAX, &text, &n, &ignored) < 0)
		text = NULL;
	free(path);
	return text;
}

/* Find the number behind `name` at the start of a line; `name` "": the first line is the number.
 * False if there is none, as for "max". */
static bool number_of(const char *text, const char *name, uint64_t *out)
{
	size_t n = strlen(name);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, name, n) == 0)
			return sscanf(p + n, "%" SCNu64, out) == 1;
	}
	return false;
}

/* The names of one version of the files of a control group. */
struct version {
	const char *mount, *limit, *usage, *inactive, *active;
};

static const struct version v2 = { "/sys/fs/cgroup", "/memory.max", "/memory.current",
	"inactive_file ", "active_file " };
static const struct version v1 = { "/sys/fs/cgroup/memory", "/memory.limit_in_bytes",
	"/memory.usage_in_bytes", "total_inactive_file ", "total_active_file " };

/* What the group in this folder leaves; UINT64_MAX: no limit. */
static uint64_t left_in(const char *folder, const struct version *v)
{
	char *limit = slurp(folder, v->limit, NULL), *usage = slurp(folder, v->usage, NULL);
	char *stat = slurp(folder, "/memory.stat", NULL);
	uint64_t most, used, cached, left = UINT64_MAX;

	if (limit && usage && number_of(limit, "", &most) && number_of(usage, "", &used)) {
		if (stat && number_of(stat, v->inactive, &cached))
			used -= cached < used ? cached : used;
		if (stat && number_of(stat, v->active, &cached))
			used -= cached < used ? cached : used;
		left = used < most ? most - used : 0;
	}
	free(limit);
	free(usage);
	free(stat);
	return left;
}

/* The least that the group at `path` and those above it leave. In a container the path may not
 * exist under the mount; then the upper groups do. */
static uint64_t left_in_all(const char *root, const struct version *v, const char *path, size_t n)
{
	char *base = lu_concat(root, v->mount, NULL), *name = strndup(path, n), *folder = NULL;
	uint64_t least = UINT64_MAX;

	for (bool more = base && name; more;) {
		char *slash = strrchr(name, '/');
		uint64_t left;

		folder = lu_concat(base, name, NULL);
		left = folder ? left_in(folder, v) : UINT64_MAX;
		free(folder);
		least = left < least ? left : least;
		more = *name != '\0';
		if (slash)
			*slash = '\0';
		else
			*name = '\0';
	}
	free(base);
	free(name);
	return least;
}

/* Walk the lines "N:controllers:path" of /proc/self/cgroup. */
static uint64_t left_in_groups(const char *root)
{
	char *text = slurp(root, "/proc/self/cgroup", NULL);
	uint64_t least = UINT64_MAX;

	for (const char *p = text; p && *p;) {
		size_t n = strcspn(p, "\n");
		const char *controllers = memchr(p, ':', n);
		const char *path = controllers ? strchr(controllers + 1, ':') : NULL;
		const struct version *v = NULL;

		if (strncmp(p, "0::", 3) == 0)
			v = &v2;
		else if (path && strncmp(controllers, ":memory:", 8) == 0)
			v = &v1;
		if (v && path && path < p + n) {
			uint64_t left = left_in_all(root, v, path + 1, (size_t)(p + n - path - 1));

			least = left < least ? left : least;
		}
		p += n + (p[n] == '\n');
	}
	free(text);
	return least;
}

uint64_t lt_available_memory(const char *root)
{
	char *text = slurp(root, "/proc/meminfo", NULL);
	uint64_t kib, free_bytes = UINT64_MAX, left = left_in_groups(root);

	if (text && number_of(text, "MemAvailable:", &kib) && kib < UINT64_MAX >> 10)
		free_bytes = kib << 10;
	free(text);
	return left < free_bytes ? left : free_bytes;
}
