#ifndef LUCIE_IMPORT_ARC_H
#define LUCIE_IMPORT_ARC_H
/*
 * Records of ARC files, the format of the Internet Archive before WARC (Burner and Kahle, "Arc File
 * Format", 1996): a line of fields, then as many bytes as it says. Version 1 has five fields,
 *
 *	URL IP-address 14-digit-date content-type length
 *
 * version 2 ten, with result code, checksum, location, offset and file name in front of the length.
 * The first record is the file's own, with the URL filedesc://.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_arc_line {
	struct lu_str url, type;
	uint64_t length;
	char date[24]; /* 2026-01-02T03:04:05Z; "": none that is valid */
};

/* Read a line of fields, with or without its line end; false: it is none. A URL may contain blanks:
 * the date, behind an address, tells where it ends. */
bool lu_arc_line(struct lu_str line, struct lu_arc_line *out);

/* True if a file that begins so is an ARC file; line ends may stand in front. */
bool lu_arc_looks(struct lu_str head);

#endif
