#ifndef LUCIE_IMPORT_KIND_H
#define LUCIE_IMPORT_KIND_H
/*
 * The kind of a member, by its name first and its first bytes second; and the language that a path
 * names.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/sys/opt.h"

enum lu_kind {
	LU_KIND_AUTO,
	LU_KIND_HTML,
	LU_KIND_TEXT,
	LU_KIND_MAN,
	LU_KIND_WARC,
	LU_KIND_CODE,
	/* The formats of import/kind_table.h. */
	LU_KIND_JSON,
	LU_KIND_CSV,
	LU_KIND_TSV,
	LU_KIND_LINES,
	LU_KIND_DOCX,
	LU_KIND_ODT,
	LU_KIND_EPUB,
	LU_KIND_PDF,
	LU_KIND_MBOX,
	LU_KIND_MAIL,
	LU_KIND_NOTEBOOK,
	LU_KIND_PARQUET,
	LU_KIND_MEDIAWIKI,
	LU_KIND_ENTERPRISE,
};
extern const struct lu_enum lu_kind_names[];

/* The extension without its dot, and without one of compression behind it; empty: none. */
struct lu_str lu_extension_of(struct lu_str path);

/* LU_KIND_AUTO when the kind is unknown. *lang is the programming language of code ("python"), else
 * NULL. An extension of compression (.gz, .xz, .zst) in the path is skipped. */
enum lu_kind lu_kind_of(struct lu_str path, struct lu_str head, const char **lang);

/* The programming language by extension or first line (#!, -*- mode -*-); NULL: unknown. */
const char *lu_kind_code(struct lu_str path, struct lu_str head);

/*
 * The natural language by Debian's conventions, as an ISO 639-1 code; false when the path names
 * none: man/fr/man1/x.1 (man/man1/x.1 is English), x.fr.html, x.fr.txt.gz, and folders named fr,
 * fr_FR or fr-FR, the innermost first.
 */
bool lu_lang_of_path(struct lu_str path, char code[3]);

#endif
