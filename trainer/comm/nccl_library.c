#include "trainer/comm/nccl_library.h"

#include <dlfcn.h>
#include <glob.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "libnccl.so.2"
#define TEXT_OF(x) #x
#define VERSION_TEXT(a, b, c) TEXT_OF(a) "." TEXT_OF(b) "." TEXT_OF(c)

/* Of the header; the library that is found may be another, which lt_nccl_load() checks. */
const char lu_version_nccl[] = VERSION_TEXT(NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH);

/* Places beside those that the system knows: a pattern below the folder that a variable of the
 * environment names; "" is /, NULL the folder of this program. */
static const struct place {
	const char *variable, *pattern;
} places[] = {
	{ NULL, "/../../cuda/lib*/" FILE_NAME },
	{ NULL, "/../../cuda/*/nccl/lib/" FILE_NAME },
	{ NULL, "/../../cuda/lib/python3*/site-packages/nvidia/nccl/lib/" FILE_NAME },
	{ "CUDA_HOME", "/lib*/" FILE_NAME },
	{ "VIRTUAL_ENV", "/lib/python3*/site-packages/nvidia/nccl/lib/" FILE_NAME },
	{ "CONDA_PREFIX", "/lib/python3*/site-packages/nvidia/nccl/lib/" FILE_NAME },
	{ "HOME", "/.local/lib/python3*/site-packages/nvidia/nccl/lib/" FILE_NAME },
	{ "", "/usr/local/cuda/lib*/" FILE_NAME },
	{ "", "/usr/local/lib/python3*/*-packages/nvidia/nccl/lib/" FILE_NAME },
	{ "", "/usr/lib/python3*/*-packages/nvidia/nccl/lib/" FILE_NAME },
};

/* The folder of the program. */
static const char *own_folder(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return path;
}

/* The first of the files of a place that can be loaded, or NULL. */
static void *open_place(const struct place *p)
{
	char self[1024], pattern[2048];
	const char *folder = !p->variable ? own_folder(self, sizeof(self))
			: *p->variable	  ? getenv(p->variable)
					  : "";
	void *handle = NULL;
	glob_t found;

	if (!folder ||
			snprintf(pattern, sizeof(pattern), "%s%s", folder, p->pattern) >=
					(int)sizeof(pattern))
		return NULL;
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && !handle; i++)
			handle = dlopen(found.gl_pathv[i], RTLD_NOW | RTLD_LOCAL);
		globfree(&found);
	}
	return handle;
}

static void *open_library(struct lu_err *err)
{
	const char *given = getenv("LUCIE_NCCL");
	void *handle;

	if (given && *given) {
		handle = dlopen(given, RTLD_NOW | RTLD_LOCAL);
		if (!handle)
			lu_err_set(err, "LUCIE_NCCL: %s", dlerror());
		return handle;
	}
	handle = dlopen(FILE_NAME, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !handle; i++)
		handle = open_place(&places[i]);
	if (!handle)
		lu_err_set(err,
				FILE_NAME
				" is not found: several GPUs need NCCL (package "
				"libnccl2, or pip install nvidia-nccl-cu13); LUCIE_NCCL may name "
				"the file");
	return handle;
}

int lt_nccl_load(struct lt_nccl_library *l, struct lu_err *err)
{
	static const struct {
		const char *name;
		size_t at;
	} functions[] = {
#define ROW(function) { #function, offsetof(struct lt_nccl_library, function) },
		LT_NCCL_FUNCTIONS(ROW)
#undef ROW
	};
	void *handle = open_library(err);

	if (!handle)
		return -1;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *f = dlsym(handle, functions[i].name);

		if (!f)
			return lu_err_set(err, "NCCL: %s", dlerror());
		memcpy((char *)l + functions[i].at, &f, sizeof(f));
	}
	if (l->ncclGetVersion(&l->version) != ncclSuccess || l->version < LT_NCCL_OLDEST)
		return lu_err_set(err,
				"NCCL %d.%d is too old: 2.18 or later is needed; LUCIE_NCCL may "
				"name another library",
				l->version / 10000, l->version / 100 % 100);
	return 0;
}
