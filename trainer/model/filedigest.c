#include "trainer/model/filedigest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER ((size_t)1 << 20)

void lt_digest_finish(struct lt_digest *digest, const struct lu_hasher *h)
{
	if (lu_hash_available())
		lu_hash128_text(lu_hasher_end(h), digest->hash);
}

int lt_hashing_open(struct lt_hashing *h, const char *path, struct lu_err *err)
{
	*h = (struct lt_hashing){
		.fd = -1, .path = strdup(path), .buf = malloc(BUFFER), .hasher = lu_hasher_new()
	};
	if (!h->path || !h->buf || !h->hasher) {
		lt_hashing_close(h);
		return lu_err_nomem(err);
	}
	h->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (h->fd < 0) {
		lu_err_sys(err, errno, "%s", path);
		lt_hashing_close(h);
		return -1;
	}
	return 0;
}

int lt_hashing_read(struct lt_hashing *h, uint64_t budget, struct lu_err *err)
{
	uint64_t stop = budget < UINT64_MAX - h->digest.bytes ? h->digest.bytes + budget
							      : UINT64_MAX;

	while (h->digest.bytes < stop) {
		ssize_t n = read(h->fd, h->buf, BUFFER);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lu_err_sys(err, errno, "%s", h->path);
		if (n == 0) {
			lt_digest_finish(&h->digest, h->hasher);
			return 0;
		}
		lu_hasher_add(h->hasher, h->buf, (size_t)n);
		h->digest.bytes += (uint64_t)n;
	}
	return 1;
}

void lt_hashing_close(struct lt_hashing *h)
{
	/* Nothing was written, so there is nothing to learn from close(). */
	if (h->path && h->fd >= 0)
		close(h->fd);
	lu_hasher_free(h->hasher);
	free(h->buf);
	free(h->path);
	*h = (struct lt_hashing){ 0 };
}

int lt_file_digest(const char *path, struct lt_digest *digest, struct lu_err *err)
{
	struct lt_hashing h;
	int rc;

	*digest = (struct lt_digest){ 0 };
	if (lt_hashing_open(&h, path, err) < 0)
		return -1;
	rc = lt_hashing_read(&h, UINT64_MAX, err);
	*digest = h.digest;
	lt_hashing_close(&h);
	return rc;
}
