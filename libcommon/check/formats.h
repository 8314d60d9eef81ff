#ifndef LUCIE_CHECK_FORMATS_H
#define LUCIE_CHECK_FORMATS_H
/*
 * Verification of the toolkit's own files other than shards, which are told by their first bytes:
 * count files, signatures, indexes and the files between the steps of lucie-dedup, plans and their
 * walk indexes, span files.
 *
 *	const struct lu_own_format *f;
 *	if (lu_own_format_find(path, &f, &err) < 0) ...		*f is NULL for any other file
 *	rc = lu_own_format_verify(f, path, &facts, &err);	-1: what is wrong with the file
 *
 * Every byte is read and every checksum compared. err.errnum is set where the disk failed, or memory,
 * and not the file.
 */
#include <stdint.h>

#include "libcommon/base/err.h"

struct lu_own_format;

/* What a file says of itself. */
struct lu_own_facts {
	uint64_t records;	   /* words, signatures, pairs, groups: whatever it is made of */
	uint64_t documents, bytes; /* that it speaks of; 0: it does not say */
};

/* A file that is no regular one is not opened: *f is NULL. */
int lu_own_format_find(
		const char *path, const struct lu_own_format **f, struct lu_err *err) LU_CHECKED;
/* "count file" */
const char *lu_own_format_name(const struct lu_own_format *f);
int lu_own_format_verify(const struct lu_own_format *f, const char *path,
		struct lu_own_facts *facts, struct lu_err *err) LU_CHECKED;

#endif
