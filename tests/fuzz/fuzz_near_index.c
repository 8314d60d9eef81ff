/* Any bytes as an index of near deduplication, and as the entries of one whose frame is good: an error,
 * or entries that can be written and read again. That changed bytes of a good file are noticed is shown
 * by tests/cli/dedup_near.bats. */
#include "tests/fuzz/fuzz.h"

#include "libcommon/base/num.h"
#include "libcommon/dedup/near_index.h"

static void read_index(const char *path, const struct lu_minhash *mh, const char *by)
{
	struct lu_index_reader r = { 0 };
	struct lu_index_entry e;
	struct lu_err err = { 0 };
	uint64_t sum = 0;
	int rc = lu_index_open(&r, path, mh, by, &err);

	while (rc >= 0 && (rc = lu_index_next(&r, &e, &err)) > 0) {
		sum += lu_minhash_key(e.signature, lu_minhash_bands(mh) - 1) + e.size;
		sum += lu_hash64(e.origin.id.p, e.origin.id.n, strlen(e.origin.file));
	}
	/* So that the reads are not left out. */
	if (sum == 1 || (rc < 0 && !err.msg[0]))
		abort();
	lu_index_close(&r);
}

/* An index with a good header, whose entries are the bytes, and whose trailer is right. */
static void frame(struct lu_buf *b, const struct lu_minhash *mh, const uint8_t *data, size_t size)
{
	struct lu_hash128 h;
	char head[36] = "lucieNDX", tail[16];

	lu_store32(head + 8, 1);
	lu_store32(head + 12, lu_minhash_bands(mh));
	lu_store32(head + 16, lu_minhash_rows(mh));
	lu_store32(head + 20, lu_minhash_hashes(mh));
	lu_store64(head + 24, lu_minhash_params(mh));
	lu_buf_append(b, head, sizeof(head));
	lu_buf_append(b, data, size);
	if (!lu_buf_ok(b))
		abort();
	h = lu_hash128(b->p, b->n);
	lu_store64(tail, h.lo);
	lu_store64(tail + 8, h.hi);
	lu_buf_append(b, tail, sizeof(tail));
	if (!lu_buf_ok(b))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lu_minhash *mh;
	struct fuzz_file f = fuzz_file_open(data, size);
	struct lu_buf framed = { 0 };
	struct lu_err err;

	if (!mh && lu_minhash_new(&mh, 2, 2, LU_MINHASH_BEST, &err) < 0)
		abort();
	read_index(f.path, mh, size & 1 ? "lang" : NULL);
	fuzz_file_close(&f);
	frame(&framed, mh, data, size);
	f = fuzz_file_open(framed.p, framed.n);
	read_index(f.path, mh, NULL);
	fuzz_file_close(&f);
	lu_buf_release(&framed);
	return 0;
}
