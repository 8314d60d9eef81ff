#ifndef LUCIE_IMPORT_CONTAINER_H
#define LUCIE_IMPORT_CONTAINER_H
/*
 * A tar, ar, zip or 7z archive, by libarchive: its members in order, none unpacked to disk. The feed
 * has already undone compression around the archive (tar.gz, data.tar.xz).
 *
 *	kind = lu_container_of(head);		from the first 512 bytes
 *	lu_container_open(&c, kind, feed, file, tmpdir, &err)
 *	while ((rc = lu_container_next(c, &entry, &err)) > 0)
 *		while ((n = lu_container_read(c, buf, size, &err)) > 0) ...
 *	lu_container_close(c);
 *
 * After -1 lu_container_failed() tells whether the archive itself is lost (truncated, damaged); if
 * not, only the current entry is, and lu_container_next() may go on.
 *
 * Names in zip archives are UTF-8 where they are valid UTF-8, else code page 437; those in others are
 * bytes.
 *
 * A tar archive without its end marker of zero bytes counts as truncated; several tar archives in
 * one stream are all read. Zip and 7z need seeking: they are read from `file` if the archive is that
 * file itself, else from a temporary copy.
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/io/feed.h"

enum lu_container_kind {
	LU_CONTAINER_NONE,
	LU_CONTAINER_TAR,
	LU_CONTAINER_AR,
	LU_CONTAINER_ZIP,
	LU_CONTAINER_7Z,
};

/* The kind of a file by its first bytes. */
enum lu_container_kind lu_container_of(struct lu_str head);

/* True for a tar archive without members: zero bytes, so that only its extension tells. */
bool lu_container_is_hollow_tar(struct lu_str extension, struct lu_str head);

struct lu_container_entry {
	const char *path; /* without a leading "./"; valid until the next call */
	bool folder, link, other, encrypted;
};

struct lu_container;

/* The feed must stay open until close. `file` may be NULL. */
int lu_container_open(struct lu_container **c, enum lu_container_kind kind, struct lu_feed *feed,
		const char *file, const char *tmpdir, struct lu_err *err) LU_CHECKED;
int lu_container_next(struct lu_container *c, struct lu_container_entry *entry,
		struct lu_err *err) LU_CHECKED;
/* Read the content of the current entry; an lu_in_fn. */
ssize_t lu_container_read(void *c, void *p, size_t n, struct lu_err *err) LU_CHECKED;
bool lu_container_failed(const struct lu_container *c);
void lu_container_close(struct lu_container *c); /* NULL is fine */

#endif
