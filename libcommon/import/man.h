#ifndef LUCIE_IMPORT_MAN_H
#define LUCIE_IMPORT_MAN_H
/*
 * Manual pages (man and mdoc) to HTML by mandoc(1), for lu_html_text(): mandoc's plain text output
 * overstrikes and wraps.
 *
 * One process per page, a few milliseconds: call it from the parallel step. The process reads the
 * page on standard input and runs in a folder that has been removed, so that a page cannot include
 * files of this machine (.so).
 */
#include "libcommon/base/buf.h"

struct lu_man {
	int nowhere; /* descriptor of the removed folder */
};

int lu_man_open(struct lu_man *m, const char *tmpdir, struct lu_err *err) LU_CHECKED;
void lu_man_close(struct lu_man *m);

/*
 * `page` is UTF-8. 0: `html` is the page; 1: *reason says why there is none: "page that only
 * includes another" (.so), "mandoc failed" (it gives up, crashes, takes more than a minute or writes
 * more than `limit` bytes); -1: mandoc cannot be started. Thread-safe.
 */
int lu_man_html(const struct lu_man *m, struct lu_str page, uint64_t limit, struct lu_buf *html,
		const char **reason, struct lu_err *err) LU_CHECKED;

#endif
