#ifndef LUCIE_OFFICE_OPF_H
#define LUCIE_OFFICE_OPF_H
/*
 * The package of an EPUB: which pages the book has and in which order (EPUB 3.3, 5; OPF 2.0.1), where
 * the package is (META-INF/container.xml), and what is encrypted (META-INF/encryption.xml). Each of
 * the three files is parsed with its own callbacks of xml_events.h and then with lu_opf_ready().
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/office/doc_meta.h"
#include "libcommon/office/xml_events.h"

struct lu_opf_item {
	char *id, *path; /* path in the archive */
	bool page;	 /* XHTML or HTML */
	bool contents;	 /* the table of contents */
};

struct lu_opf_chapter {
	char *id;
	size_t item; /* SIZE_MAX: none of that id */
	bool linear;
	bool found;
	size_t from, n; /* for the caller */
};

struct lu_opf {
	struct lu_buf package; /* path of the OPF file */
	struct lu_doc_meta meta;
	struct LU_VEC(struct lu_opf_item) items; /* sorted by path, once ready */
	struct LU_VEC(struct lu_opf_chapter) chapters;
	struct LU_VEC(char *) encrypted; /* paths, by other means than the scrambling of fonts */
	struct lu_buf toc;		 /* path of the guide's table of contents */
	bool failed;			 /* out of memory */

	/* Private. */
	bool scrambled, in_metadata;
};

void lu_opf_container_start(void *opf, const struct lu_xml_tag *tag);
void lu_opf_encryption_start(void *opf, const struct lu_xml_tag *tag);
void lu_opf_start(void *opf, const struct lu_xml_tag *tag);
void lu_opf_text(void *opf, struct lu_str s);
void lu_opf_end(void *opf, const char *name, const char *uri);

/* Sort the items and give each chapter its own; a page that occurs twice in the spine keeps its first
 * place. Returns LU_PARTS_ENCRYPTED if a chapter is encrypted, LU_PARTS_DAMAGED if there is none, 0, or
 * -1. */
int lu_opf_ready(struct lu_opf *o, bool whole, struct lu_err *err) LU_CHECKED;

/* The chapter of the page with this path, NULL: none, or it is found already. */
struct lu_opf_chapter *lu_opf_find(struct lu_opf *o, struct lu_str path);
void lu_opf_release(struct lu_opf *o);

#endif
