#ifndef LUCIE_IMPORT_MAN_H
#define LUCIE_IMPORT_MAN_H
/*
 * Manual pages (man and mdoc) to HTML by mandoc(1), whose HTML goes through lu_html_text():
 * its plain text output overstrikes and wraps.
 *
 * One process a page, a few milliseconds; call it from the parallel step. The process gets the
 * page on standard input and stands in a folder that no longer exists, so that a page cannot
 * include files of this machine (.so).
 */
#include "libcommon/base/buf.h"

struct lu_man {
	int nowhere; /* descriptor of the removed folder */
};

int lu_man_open(struct lu_man *m, const char *tmpdir, struct lu_err *err) LU_CHECKED;
void lu_man_close(struct lu_man *m);

/*
 * `page` is UTF-8. NULL: `html` has the page; otherwise the reason why there is none: "page that
 * only includes another" (.so), "mandoc failed" (it gives up, crashes or takes over a minute).
 * *rc is -1 when mandoc cannot be started at all, else 0. Thread-safe.
 */
const char *lu_man_html(const struct lu_man *m, struct lu_str page, uint64_t limit,
		struct lu_buf *html, int *rc, struct lu_err *err);

#endif
