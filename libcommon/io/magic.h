#ifndef LUCIE_IO_MAGIC_H
#define LUCIE_IO_MAGIC_H
/*
 * The formats that people hand to a reader of documents by mistake, told by their first bytes, so
 * that the message can say what the file is instead of "not JSON".
 *
 * Each entry is the signature that the format's specification, or the magic(5) of its own tools,
 * gives. Text formats without one (CSV) are not recognised.
 */
#include <stddef.h>

/* Longest beginning of a file that is looked at; a tar archive has its mark at byte 257. */
#define LU_MAGIC_SIZE 265

/* Name of the format, such as "a Parquet file", or NULL. p may be shorter than LU_MAGIC_SIZE. */
const char *lu_magic_name(const void *p, size_t n);

#endif
