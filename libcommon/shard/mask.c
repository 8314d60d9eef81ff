#include "libcommon/shard/mask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"

/* Bytes that are read at once where the file is not mapped, and by the verification. */
#define CHUNK ((size_t)1 << 12)

static uint64_t bytes_for(uint64_t tokens)
{
	return tokens / 8 + (tokens % 8 != 0);
}

static int check_header(struct lu_mask *m, const char *path, uint64_t tokens, struct lu_err *err)
{
	unsigned char room[LU_MASK_HEADER];
	const unsigned char *h;

	if (m->file.n < LU_MASK_HEADER + LU_MASK_TRAILER)
		return lu_err_set(err, "%s: truncated: %" PRIu64 " bytes are no mask", path,
				m->file.n);
	h = lu_mapped_at(&m->file, 0, LU_MASK_HEADER, room, err);
	if (!h)
		return -1;
	if (memcmp(h, LU_MASK_MAGIC, 8) != 0)
		return lu_err_set(err, "%s: not a mask of a shard", path);
	if (lu_load32(h + 8) != LU_MASK_VERSION)
		return lu_err_set(err, "%s: mask of version %" PRIu32 ", only %d is supported",
				path, lu_load32(h + 8), LU_MASK_VERSION);
	m->tokens = lu_load64(h + 16);
	m->targets = lu_load64(h + 24);
	if (lu_load32(h + 12) != 0 || m->targets > m->tokens)
		return lu_err_set(err, "%s: its header is damaged", path);
	if (m->tokens != tokens)
		return lu_err_set(err, "%s: is of %" PRIu64 " tokens, the index has %" PRIu64, path,
				m->tokens, tokens);
	if (m->file.n != LU_MASK_HEADER + bytes_for(tokens) + LU_MASK_TRAILER)
		return lu_err_set(err,
				"%s: has %" PRIu64 " bytes, %" PRIu64 " tokens need %" PRIu64, path,
				m->file.n, tokens,
				LU_MASK_HEADER + bytes_for(tokens) + LU_MASK_TRAILER);
	return 0;
}

int lu_mask_open(struct lu_mask *m, const char *path, uint64_t tokens, struct lu_err *err)
{
	*m = (struct lu_mask){ 0 };
	if (lu_mapped_open(&m->file, path, err) < 0)
		return -1;
	if (check_header(m, path, tokens, err) < 0) {
		lu_mask_close(m);
		return -1;
	}
	return 0;
}

void lu_mask_close(struct lu_mask *m)
{
	lu_mapped_close(&m->file);
	*m = (struct lu_mask){ 0 };
}

int lu_mask_read(const struct lu_mask *m, uint64_t at, size_t n, uint8_t *out, struct lu_err *err)
{
	unsigned char room[CHUNK];

	LU_ASSERT(at <= m->tokens && n <= m->tokens - at);
	while (n) {
		unsigned skip = (unsigned)(at % 8);
		size_t take = n < (CHUNK - 1) * 8 ? n : (CHUNK - 1) * 8;
		const unsigned char *b = lu_mapped_at(&m->file, LU_MASK_HEADER + at / 8,
				(skip + take + 7) / 8, room, err);

		if (!b)
			return -1;
		for (size_t i = 0; i < take; i++)
			out[i] = b[(skip + i) / 8] >> ((skip + i) % 8) & 1;
		out += take;
		at += take;
		n -= take;
	}
	return 0;
}

int lu_mask_verify(const struct lu_mask *m, const char *path, struct lu_err *err)
{
	uint64_t end = m->file.n - LU_MASK_TRAILER, ones = 0;
	unsigned char room[CHUNK], last = 0;
	const unsigned char *b;
	struct lu_hasher *h = lu_hasher_new();
	int rc = -1;

	if (!h)
		return lu_err_nomem(err);
	for (uint64_t at = 0; at < end;) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;

		b = lu_mapped_at(&m->file, at, n, room, err);
		if (!b)
			goto out;
		lu_hasher_add(h, b, n);
		for (size_t i = at ? 0 : LU_MASK_HEADER; i < n; i++)
			ones += (unsigned)__builtin_popcount(b[i]);
		last = b[n - 1];
		at += n;
	}
	b = lu_mapped_at(&m->file, end, LU_MASK_TRAILER, room, err);
	if (!b)
		goto out;
	if (lu_hash_available() && lu_load64(b) != lu_hasher_end64(h))
		lu_err_set(err, "%s: damaged: its checksum differs", path);
	else if (ones != m->targets)
		lu_err_set(err, "%s: says %" PRIu64 " targets, it has %" PRIu64, path, m->targets,
				ones);
	else if (m->tokens % 8 && last >> m->tokens % 8)
		lu_err_set(err, "%s: damaged: has bits after the last token", path);
	else
		rc = 0;
out:
	lu_hasher_free(h);
	return rc;
}
