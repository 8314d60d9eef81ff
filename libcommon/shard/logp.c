#include "libcommon/shard/logp.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"
#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"

static void put_hash(unsigned char *to, const char *hash)
{
	memset(to, '0', LU_LOGP_HASH);
	memcpy(to, hash, strlen(hash));
}

static uint64_t bytes_of(uint64_t documents)
{
	return LU_LOGP_HEADER + documents * sizeof(double) + LU_LOGP_TRAILER;
}

int lu_logp_write(const char *path, const struct lu_logp *what, const double *log_p,
		struct lu_err *err)
{
	size_t n = (size_t)bytes_of(what->documents);
	unsigned char *b = calloc(1, n);
	struct lu_atomic f = LU_ATOMIC_NONE;
	int rc = -1;

	if (!b)
		return lu_err_nomem(err);
	memcpy(b, LU_LOGP_MAGIC, 8);
	lu_store32(b + 8, LU_LOGP_VERSION);
	lu_store64(b + 16, what->documents);
	put_hash(b + 24, what->shard);
	put_hash(b + 56, what->hash);
	for (uint64_t i = 0; i < what->documents; i++) {
		uint64_t bits;

		memcpy(&bits, &log_p[i], sizeof(bits));
		lu_store64(b + LU_LOGP_HEADER + 8 * i, bits);
	}
	lu_store64(b + n - LU_LOGP_TRAILER, lu_hash64(b, n - LU_LOGP_TRAILER, 0));
	if (lu_atomic_open(&f, path, err) < 0)
		goto out;
	rc = lu_atomic_write(&f, b, n, err);
	rc = rc < 0 ? rc : lu_atomic_commit(&f, err);
	lu_atomic_abort(&f);
out:
	free(b);
	return rc;
}

/* Compare the bytes with what they must be. */
static int check(const char *path, const char *p, size_t n, const struct lu_logp *what,
		struct lu_err *err)
{
	unsigned char want[LU_LOGP_HASH];

	if (n < LU_LOGP_HEADER + LU_LOGP_TRAILER || memcmp(p, LU_LOGP_MAGIC, 8) != 0)
		return lu_err_set(err, "%s: not the log p of a shard; remove it", path);
	if (lu_load32(p + 8) != LU_LOGP_VERSION)
		return lu_err_set(err, "%s: of version %" PRIu32 ", only %d is supported", path,
				lu_load32(p + 8), LU_LOGP_VERSION);
	if (lu_load64(p + 16) != what->documents)
		return lu_err_set(err,
				"%s: is of %" PRIu64 " documents, the shard has %" PRIu64
				"; remove it",
				path, lu_load64(p + 16), what->documents);
	if (n != bytes_of(what->documents))
		return lu_err_set(err,
				"%s: has %zu bytes, %" PRIu64 " documents need %" PRIu64
				"; remove it",
				path, n, what->documents, bytes_of(what->documents));
	if (lu_load32(p + 12) != 0 ||
			lu_load64(p + n - LU_LOGP_TRAILER) != lu_hash64(p, n - LU_LOGP_TRAILER, 0))
		return lu_err_set(err, "%s: damaged: its checksum differs; remove it", path);
	put_hash(want, what->hash);
	if (memcmp(p + 56, want, sizeof(want)) != 0)
		return lu_err_set(
				err, "%s: is of other weights than its name says; remove it", path);
	put_hash(want, what->shard);
	if (memcmp(p + 24, want, sizeof(want)) != 0)
		return lu_err_set(err,
				"%s: is of the shard before it was made again with other tokens; "
				"remove it",
				path);
	return 0;
}

int lu_logp_read(const char *path, const struct lu_logp *what, double *log_p, struct lu_err *err)
{
	struct stat st;
	char *p;
	size_t n;
	int rc;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : lu_err_sys(err, errno, "%s", path);
	if (lu_read_file(path, (size_t)bytes_of(what->documents) + 1, &p, &n, err) < 0)
		return -1;
	rc = check(path, p, n, what, err);
	for (uint64_t i = 0; i < what->documents && rc == 0; i++) {
		uint64_t bits = lu_load64(p + LU_LOGP_HEADER + 8 * i);

		memcpy(&log_p[i], &bits, sizeof(bits));
		if (!isfinite(log_p[i]))
			rc = lu_err_set(err, "%s: the log p of document %" PRIu64 " is not finite",
					path, i);
	}
	free(p);
	return rc < 0 ? -1 : 1;
}
