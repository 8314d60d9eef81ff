#ifndef LUCIE_OFFICE_ODT_STYLES_H
#define LUCIE_OFFICE_ODT_STYLES_H
/*
 * Styles of an OpenDocument text (OASIS OpenDocument 1.3, part 3, 16): which hide their text, and the
 * markers of list styles. Styles of styles.xml and the automatic ones of content.xml share a table, in
 * which the later one of a name counts.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/map.h"
#include "libcommon/base/vec.h"
#include "libcommon/office/xml_events.h"

#define LU_ODT_LEVELS 10

struct lu_odt_level {
	char form;	  /* '-' a bullet, 0 none, else of lu_doc_number() */
	int start, shown; /* the first number; levels that are shown */
	char prefix[8], suffix[8];
};

struct lu_odt_style {
	char *name;
	bool hidden, program;	    /* its text is hidden; is preformatted */
	struct lu_odt_level *level; /* LU_ODT_LEVELS of a list style; else NULL */
};

struct lu_odt_styles {
	struct LU_VEC(struct lu_odt_style) styles;
	struct lu_map map;
	struct lu_odt_style *now;
	bool failed; /* out of memory */
};

/* Elements of the namespaces text and style. */
void lu_odt_styles_start(struct lu_odt_styles *s, const struct lu_xml_tag *tag);
void lu_odt_styles_end(struct lu_odt_styles *s, const char *name);

/* NULL: there is none. Valid until the next lu_odt_styles_start(). */
const struct lu_odt_style *lu_odt_style(const struct lu_odt_styles *s, struct lu_str name);
void lu_odt_styles_release(struct lu_odt_styles *s);

#endif
