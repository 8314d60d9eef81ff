#include "kernels/cuda/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *lk_load(const char *const *names, const struct lk_symbol *symbols, size_t n,
		struct lk_err *err)
{
	void *library = NULL, *at;

	for (size_t i = 0; !library && names[i]; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		(void)snprintf(err->msg, sizeof(err->msg),
				"%s is not there: `make cuda-deps` fetches it, or name its folder "
				"in "
				"LD_LIBRARY_PATH",
				names[0]);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		at = dlsym(library, symbols[i].name);
		if (!at) {
			(void)snprintf(err->msg, sizeof(err->msg), "%s is too old: it has no %s",
					names[0], symbols[i].name);
			(void)dlclose(library);
			return NULL;
		}
		memcpy(symbols[i].to, &at, sizeof(at));
	}
	return library;
}

void lk_unload(void *library)
{
	if (library)
		(void)dlclose(library);
}
