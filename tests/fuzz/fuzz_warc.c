/* Web archives: any bytes are records or an error that names the file, in bounded memory; each record
 * ends, and at the end there is nothing more. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/import/arc.h"
#include "libcommon/import/warc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT ((uint64_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_str left = { (const char *)data, size }, head;
	struct lu_warc rec = { 0 };
	struct lu_err err = { 0 };
	struct lu_feed *f;
	size_t records = 0;
	int rc;

	if (lu_feed_open_str(&f, "fuzz", &left, &err) < 0)
		return 0;
	if (lu_feed_peek(f, 64, &head, &err) == 0)
		rec.arc = lu_arc_looks(head);
	lu_feed_stop_at(f, lu_warc_mark(&rec));
	while ((rc = lu_warc_next(f, LIMIT, &rec, &err)) > 0) {
		if (rc == 2 && strncmp(err.msg, "fuzz: ", 6) != 0)
			abort();
		if (rec.body.n > LIMIT || (rc == 1 && !rec.too_large && rec.body.n != rec.length))
			abort();
		/* A few bytes of gzip may hold very many small ones. */
		if (++records > 100000)
			break;
	}
	if (rc < 0 && strncmp(err.msg, "fuzz: ", 6) != 0)
		abort();
	if (rc == 0 && lu_warc_next(f, LIMIT, &rec, &err) != 0)
		abort();
	lu_feed_close(f);
	lu_warc_release(&rec);
	return 0;
}
