#ifndef LUCIE_IO_MAGIC_H
#define LUCIE_IO_MAGIC_H
/*
 * The formats that people hand to a program by mistake, told by their first bytes, so that the
 * message can say what the file is and the way out.
 */
#include "libcommon/base/buf.h"

/* Advice that is given for several formats. */
#define LU_ADVICE_TABLE "write it as JSON Lines first, a record with a member \"text\" for each row"
#define LU_ADVICE_OFFICE "save it as text or HTML first, with pandoc or LibreOffice for example"

struct lu_format {
	const char *name;   /* "PDF, which is not read" */
	const char *advice; /* what to do, or NULL */
};

enum lu_magic_class {
	LU_MAGIC_PACKED = 1 << 0, /* compressed by a method that is not read */
	LU_MAGIC_UNREAD = 1 << 1, /* read by no program */
	LU_MAGIC_READ = 1 << 2,	  /* read by lucie-import */
	LU_MAGIC_SHARD = 1 << 3,  /* read by the programs for shards */
	LU_MAGIC_ALL = (1 << 4) - 1,
};

/* The format of a file that begins so, among those of some classes; NULL: none that is known. A tar
 * archive has its mark at byte 257. */
const struct lu_format *lu_magic_find(struct lu_str head, unsigned classes);

#endif
