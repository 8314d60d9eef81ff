/* Web archives: any bytes are records or an error that names the file, and content has at most the
 * limit. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/import/http.h"
#include "libcommon/import/warc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str left = { (const char *)data, size };
	struct lu_warc rec = { 0 };
	struct lu_buf content = { 0 };
	struct lu_err err = { 0 };
	struct lu_feed *f;
	int rc;

	if (lu_feed_open_str(&f, "fuzz", &left, &err) < 0)
		return 0;
	lu_feed_stop_at(f, LU_WARC_MARK);
	while ((rc = lu_warc_next(f, 1 << 16, &rec, &err)) > 0) {
		struct lu_http http;

		if (rc == 2 && strncmp(err.msg, "fuzz: ", 6) != 0)
			abort();
		lu_buf_clear(&content);
		if (!lu_http_body(lu_buf_slice(&rec.body), 1 << 16, &http,
				    &content) &&
				(http.status != 200 || content.n > 1 << 16))
			abort();
	}
	if (rc < 0 && strncmp(err.msg, "fuzz: ", 6) != 0)
		abort();
	lu_feed_close(f);
	lu_warc_release(&rec);
	lu_buf_release(&content);
	return 0;
}
