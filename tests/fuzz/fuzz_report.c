/* Any bytes read as accounting lines, metrics and a table: each is an error or part of a page. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/report/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_file f = fuzz_file_open(data, size);
	char *file[] = { f.path };
	struct lu_buf html = { 0 };
	struct lu_accounts a = { 0 };
	struct lu_metrics m = { 0 };
	static char title[] = "t";
	struct lu_page_table t = { .title = title, .compare = true };
	struct lu_page_tables tables = { .p = &t };
	struct lu_page_texts texts = { 0 };
	struct lu_page page = {
		.title = "p", .x_name = "steps", .table = &tables, .text = &texts, .about = &texts
	};
	struct lu_err err = { 0 };

	if (lu_accounts_read(&a, file, 1, size & 1, 1 << 20, &err) == 0)
		page.accounts = &a;
	if (lu_metrics_read(&m, f.path, &err) == 0) {
		page.metrics = &m;
		page.runs = 1;
	}
	if (lu_jtable_read(&t.before, f.path, &err) == 0 &&
			lu_jtable_read(&t.after, f.path, &err) == 0)
		tables.n = 1;
	if (lu_page_html(&page, &html, &err) < 0)
		abort();
	lu_accounts_release(&a);
	lu_metrics_release(&m);
	lu_jtable_release(&t.before);
	lu_jtable_release(&t.after);
	fuzz_file_close(&f);
	lu_buf_release(&html);
	return 0;
}
