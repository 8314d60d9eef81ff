#ifndef LUCIE_IMPORT_CONTAINER_H
#define LUCIE_IMPORT_CONTAINER_H
/*
 * One tar, ar, zip or 7z archive through libarchive: its members in order, nothing unpacked.
 * Compression around the archive (tar.gz, data.tar.xz) is undone before, by the feed.
 *
 *	kind = lu_container_of(head);		from the first 512 bytes
 *	lu_container_open(&box, kind, feed, file, tmpdir, &err)
 *	while ((rc = lu_container_next(box, &entry, &err)) > 0)
 *		while ((n = lu_container_read(box, buf, size, &err)) > 0) ...
 *	lu_container_close(box);
 *
 * After -1 lu_container_failed() tells whether the archive itself is lost (truncated, damaged);
 * if not, only the current entry is, and lu_container_next() goes on.
 *
 * A tar archive that ends without its end marker of zero bytes is truncated; several tar
 * archives in one stream are all read. Zip and 7z need seeking: they are read from `file` when
 * the archive is that file itself, else from a temporary copy.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/import/feed.h"

enum lu_container_kind {
	LU_CONTAINER_NONE,
	LU_CONTAINER_TAR,
	LU_CONTAINER_AR,
	LU_CONTAINER_ZIP,
	LU_CONTAINER_7Z,
};

enum lu_container_kind lu_container_of(struct lu_str head);

struct lu_container_entry {
	const char *path; /* bytes as they stand, "./" removed; until the next call */
	bool folder, link, other, encrypted;
};

struct lu_container;

/* `feed` is borrowed until close. `file` may be NULL. */
int lu_container_open(struct lu_container **box, enum lu_container_kind kind, struct lu_feed *feed,
		const char *file, const char *tmpdir, struct lu_err *err) LU_CHECKED;
int lu_container_next(struct lu_container *box, struct lu_container_entry *entry,
		struct lu_err *err) LU_CHECKED;
/* Content of the current entry; an lu_in_fn. */
ssize_t lu_container_read(void *box, void *p, size_t n, struct lu_err *err) LU_CHECKED;
bool lu_container_failed(const struct lu_container *box);
void lu_container_close(struct lu_container *box); /* NULL is fine */

#endif
