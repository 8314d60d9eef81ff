/* HTTP responses: any bytes have content within the limit or a reason, and what their fields say of the
 * use is valid UTF-8. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/base/utf8.h"
#include "libcommon/html/notice.h"
#include "libcommon/import/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT ((uint64_t)1 << 16)

static void check(const struct lu_buf *b)
{
	if (!lu_buf_ok(b) || lu_utf8_valid(b->p ? b->p : "", b->n) != b->n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str message = { (const char *)data, size };
	struct lu_notice notice = { 0 };
	struct lu_buf content = { 0 }, members = { 0 };
	struct lu_http http;
	const char *reason = lu_http_body(message, LIMIT, &http, &content);
	char date[21];

	if (!reason && (http.status != 200 || content.n > LIMIT))
		abort();
	lu_notice_http(&notice, http.fields);
	check(&notice.license);
	check(&notice.policy);
	lu_notice_write(&notice, &members);
	check(&members);
	if (lu_http_date(http.date, date) && strlen(date) != 20)
		abort();
	lu_notice_release(&notice);
	lu_buf_release(&content);
	lu_buf_release(&members);
	return 0;
}
