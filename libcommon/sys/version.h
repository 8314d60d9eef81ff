#ifndef LUCIE_SYS_VERSION_H
#define LUCIE_SYS_VERSION_H
/* --version: "lucie-x (lucie) 0.1.0", then one line with the compiler, the libraries that this
 * build links and whether CUDA, NCCL and MPI are in. */
void lu_version_print(const char *tool);

#endif
