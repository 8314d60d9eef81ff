#ifndef LUCIE_KERNELS_CUDA_LIBRARY_H
#define LUCIE_KERNELS_CUDA_LIBRARY_H
/*
 * Libraries that are loaded when a queue needs them, so that a program starts on machines that have
 * neither them nor a driver. They are looked for as any shared library is: in the folders of
 * LD_LIBRARY_PATH, in those where the build found them (the program's run path), in the system's.
 */
#include "kernels/lk.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lk_symbol {
	const char *name;
	void *to; /* a pointer to the pointer that receives it */
};

/*
 * Load the first of names[] (ended by NULL) that is there, and find symbols[n] in it. Returns the
 * handle, or NULL with *err saying what is missing and what brings it. Close it by lk_unload().
 */
void *lk_load(const char *const *names, const struct lk_symbol *symbols, size_t n,
		struct lk_err *err);
void lk_unload(void *library);

#ifdef __cplusplus
}
#endif

#endif
