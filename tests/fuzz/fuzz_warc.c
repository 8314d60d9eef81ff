/* Web archives: any bytes are records or an error that names the place, and a body is never longer
 * than the input. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/import/warc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ssize_t give(void *ctx, void *p, size_t n, struct lu_err *err)
{
	struct lu_str *left = ctx;
	size_t k = left->n < n ? left->n : n;

	(void)err;
	if (k)
		memcpy(p, left->p, k);
	left->p += k;
	left->n -= k;
	return (ssize_t)k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str left = { (const char *)data, size };
	struct lu_warc rec = { 0 };
	struct lu_buf content = { 0 };
	struct lu_err err = { 0 };
	struct lu_feed *f;
	int rc;

	if (lu_feed_open_fn(&f, "fuzz", give, &left, &err) < 0)
		return 0;
	while ((rc = lu_warc_next(f, 1 << 16, &rec, &err)) > 0) {
		struct lu_http http;

		lu_buf_clear(&content);
		if (!lu_http_body(lu_buf_slice(&rec.body), rec.truncated, 1 << 16, &http,
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
