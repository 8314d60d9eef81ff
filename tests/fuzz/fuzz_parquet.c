/* Parquet: any bytes are an error that names the file, or rows that are JSON or counted as damaged. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "libcommon/entries/parquet_reader.h"
#include "libcommon/io/json.h"

#define LIMIT (1 << 16)

static int take(void *ctx, const struct lu_entry *e, struct lu_err *err)
{
	size_t *rows = ctx;
	struct lu_json_fault fault;
	enum lu_json_type type;

	if (!e->drop &&
			(e->bytes.n > LIMIT || lu_json_check(e->bytes, &type, &fault) < 0 ||
					type != LU_JSON_OBJECT) &&
			fault.kind != LU_JSON_TOO_DEEP)
		abort();
	/* A few bytes may stand for many rows; they are all alike. */
	return ++*rows < 20000 ? 0 : lu_err_set(err, "enough");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lu_entries_options o = { .limit = LIMIT };
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_str left = { (const char *)data, size };
	struct lu_buf block = { 0 };
	struct lu_err err = { 0 };
	struct lu_feed *feed;
	void *state = NULL;
	size_t rows = 0;
	int rc;

	if (lu_feed_open_str(&feed, "fuzz", &left, &err) < 0)
		return 0;
	rc = lu_parquet.open(&state, feed, f.path, "/tmp", &o, &err);
	while (rc == 0 && (rc = lu_parquet.block(state, &block, &err)) > 0) {
		rc = lu_parquet.convert(&o, lu_buf_slice(&block), take, &rows, &err);
		if (rc < 0) {
			rc = 1;
			break;
		}
	}
	if (rc < 0 && strncmp(err.msg, "fuzz: ", 6) != 0)
		abort();
	lu_parquet.close(state);
	lu_buf_release(&block);
	lu_feed_close(feed);
	fuzz_file_close(&f);
	return 0;
}
