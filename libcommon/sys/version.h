#ifndef LUCIE_SYS_VERSION_H
#define LUCIE_SYS_VERSION_H
/*
 * The text of --version: "lucie-x (lucie) 0.2.0", then one line with the compiler, the versions of
 * the libraries that are used, and whether CUDA, NCCL and MPI are in.
 *
 * These three belong to programs, not to the library, so the link decides: a part that is linked
 * defines its string below with the version it was built with. Weak references to the others are
 * NULL, and "no" is printed.
 */
#include "libcommon/base/buf.h"

extern const char lu_version_cuda[] __attribute__((weak));
extern const char lu_version_nccl[] __attribute__((weak));
extern const char lu_version_mpi[] __attribute__((weak));

void lu_version_put(const char *tool, struct lu_buf *out);

#endif
