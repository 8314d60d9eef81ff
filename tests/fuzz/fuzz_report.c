/* Accounting lines, metrics and tables from anywhere: refused with a sentence, or a page. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcommon/report/page.h"
#include "libcommon/sys/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("report", 0);
	struct lu_buf name = { 0 }, html = { 0 };
	struct lu_accounts a = { 0 };
	struct lu_metrics m = { 0 };
	struct lu_page_table t = { .title = "t", .two = true };
	struct lu_page page = { .title = "p", .texts = 0 };
	struct lu_err err = { 0 };

	if (fd < 0 || lu_write_all(fd, data, size, "report", &err) < 0)
		abort();
	lu_buf_printf(&name, "/proc/self/fd/%d", fd);
	if (lu_accounts_read(&a, &name.p, 1, size & 1, 1 << 20, &err) == 0)
		page.accounts = &a;
	if (lu_metrics_read(&m, name.p, &err) == 0)
		page.metrics = &m;
	if (lu_jtable_read(&t.one, name.p, &err) == 0 &&
			lu_jtable_read(&t.other, name.p, &err) == 0) {
		page.table = &t;
		page.tables = 1;
	}
	if (lu_page_html(&page, &html, &err) < 0)
		abort();
	lu_accounts_release(&a);
	lu_metrics_release(&m);
	lu_jtable_release(&t.one);
	lu_jtable_release(&t.other);
	close(fd);
	lu_buf_release(&name);
	lu_buf_release(&html);
	return 0;
}
