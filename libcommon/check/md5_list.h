#ifndef LUCIE_CHECK_MD5_LIST_H
#define LUCIE_CHECK_MD5_LIST_H
/*
 * Lists of files with their MD5, as md5sum -c reads them.
 */
#include "libcommon/io/outstream.h"

/* Write the line of a file under the name given: "HASH  NAME". */
int lu_md5_list_file(struct lu_out *out, const char *path, struct lu_err *err) LU_CHECKED;
/* Those of all files of a shard: of its manifest, which comes last, or without one its indexes and
 * tokens. */
int lu_md5_list_shard(struct lu_out *out, const char *prefix, struct lu_err *err) LU_CHECKED;

#endif
