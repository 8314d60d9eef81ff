#ifndef LUCIE_SHARD_BESIDE_H
#define LUCIE_SHARD_BESIDE_H
/*
 * The manifest that lies beside a file of a shard: for programs that read a PREFIX.bin as bare ids, and
 * for writers of parts. PREFIX-00002.bin may be the third part of PREFIX, all of the shard
 * PREFIX-00002, or both.
 */
#include "libcommon/shard/manifest.h"

/* Read the manifest of the shard that PREFIX.bin or PREFIX-00000.bin belongs to; m->tokenizer and
 * the rest are valid until lu_manifest_release(). Returns 1; 0 when there is none, or one that
 * cannot be read or does not name the file; -1 when memory is out. */
int lu_manifest_beside(struct lu_manifest *m, const char *bin, struct lu_err *err) LU_CHECKED;

/* 1 if the part of PREFIX with this suffix ("-00002.bin", as manifests have it) belongs to a shard of
 * its own name, PREFIX-00002, by that one's manifest; else 0, or -1. */
int lu_shard_of_part(const char *prefix, const char *suffix, struct lu_err *err) LU_CHECKED;
/* Fail if so: a writer would destroy that shard. */
int lu_shard_spare_part(const char *prefix, const char *suffix, struct lu_err *err) LU_CHECKED;

#endif
