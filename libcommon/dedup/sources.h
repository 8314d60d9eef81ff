#ifndef LUCIE_DEDUP_SOURCES_H
#define LUCIE_DEDUP_SOURCES_H
/*
 * What deduplication takes from each source: the table of --verbose and the limit of --most.
 *
 *	struct lu_sources s = { 0 };
 *	lu_sources_count(&s, doc, &tag, &err);		each document, in input order
 *	lu_sources_removed(&s, tag, LU_REMOVED_EXACT);
 *	lu_sources_check(&s, 0.5, &err);		at the end: fails if a source lost more
 *	lu_sources_note(&s);				else tell what it lost
 *	lu_sources_release(&s);
 *
 * The source of a document is its member "source", or where that is no string the name of its file.
 * Beyond LU_SOURCES_MAX names the rest is one source, so that memory stays bounded where every
 * document has its own.
 */
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/par/docstream.h"

#define LU_SOURCES_MAX 65536

enum lu_removed_kind { LU_REMOVED_EXACT, LU_REMOVED_NEAR, LU_REMOVED_KINDS };

struct lu_source {
	struct lu_str name; /* in the arena */
	uint64_t in, removed[LU_REMOVED_KINDS];
};

struct lu_sources {
	struct LU_VEC(struct lu_source) source; /* in order of appearance */
	struct lu_map index;
	struct lu_arena names;
	uint32_t last;	     /* the source of the last document */
	struct lu_buf value; /* and its name, as it was written */
};

/* Find the document's source and count the document. */
int lu_sources_count(struct lu_sources *s, const struct lu_doc *doc, uint32_t *tag,
		struct lu_err *err) LU_CHECKED;
void lu_sources_removed(struct lu_sources *s, uint32_t tag, enum lu_removed_kind kind);
/* Fail if more than the share `most` (0..1) of a source was removed, and name those. */
int lu_sources_check(const struct lu_sources *s, double most, struct lu_err *err) LU_CHECKED;
/* Note which sources lost more than half, if any did, and with -v print the table. */
int lu_sources_note(const struct lu_sources *s, struct lu_err *err) LU_CHECKED;
void lu_sources_release(struct lu_sources *s);

#endif
