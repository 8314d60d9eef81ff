#ifndef LUCIE_SHARD_BESIDE_H
#define LUCIE_SHARD_BESIDE_H
/*
 * The manifest that lies beside a file of tokens, for programs that read a PREFIX.bin as bare ids.
 */
#include "libcommon/shard/manifest.h"

/* Read the manifest of the shard that PREFIX.bin or PREFIX-00000.bin belongs to; m->tokenizer and
 * the rest are valid until lu_manifest_release(). Returns 1; 0 when there is none, or one that
 * cannot be read or does not name the file; -1 when memory is out. */
int lu_manifest_beside(struct lu_manifest *m, const char *bin, struct lu_err *err) LU_CHECKED;

#endif
