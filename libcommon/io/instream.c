#include "libcommon/io/instream.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "libcommon/sys/file.h"
#include "libcommon/sys/readset.h"

/* Two zstd blocks; larger reads gain nothing, neither from pipes nor from the page cache. */
#define RAW_SIZE ((size_t)256 << 10)

enum kind { PLAIN, GZIP, ZSTANDARD, XZ };

struct lu_in {
	char *name;
	int fd; /* -1: bytes come from `fn` */
	lu_in_fn *fn;
	void *ctx;
	enum kind kind;
	bool eof;    /* of the file */
	bool member; /* inside a gzip member, zstd frame or xz stream */
	bool stop;   /* no read crosses the end of a member */
	bool begins; /* the last read began a member */
	uint64_t consumed, size;
	z_stream z;
	ZSTD_DStream *zstd;
	lzma_stream xz;
	unsigned char *raw; /* raw[at..len): bytes read and not yet decoded */
	size_t at, len;
};

static int raw_read(struct lu_in *in, void *p, size_t n, size_t *got, struct lu_err *err)
{
	ssize_t r = 0;

	if (in->fn) {
		r = in->fn(in->ctx, p, n, err);
		if (r < 0)
			return -1;
	}
	while (!in->fn) {
		struct pollfd wait = { .fd = in->fd, .events = POLLIN };

		r = read(in->fd, p, n);
		if (r >= 0)
			break;
		/* EAGAIN: another program made standard input non-blocking. */
		if (errno == EAGAIN)
			poll(&wait, 1, -1);
		else if (errno != EINTR)
			return lu_err_sys(err, errno, "%s", in->name);
	}
	in->eof = r == 0;
	in->consumed += (uint64_t)r;
	*got = (size_t)r;
	return 0;
}

static int raw_fill(struct lu_in *in, struct lu_err *err)
{
	size_t got;

	if (in->at < in->len || in->eof)
		return 0;
	in->at = in->len = 0;
	if (raw_read(in, in->raw, RAW_SIZE, &got, err) < 0)
		return -1;
	in->len = got;
	return 0;
}

static int detect(struct lu_in *in, struct lu_err *err)
{
	static const unsigned char xz_magic[6] = { 0xFD, '7', 'z', 'X', 'Z', 0 };
	const unsigned char *p = in->raw;

	/* A pipe may deliver the first bytes one by one. */
	while (in->len < 6 && !in->eof) {
		size_t got;

		if (raw_read(in, in->raw + in->len, RAW_SIZE - in->len, &got, err) < 0)
			return -1;
		in->len += got;
	}
	if (in->len >= 2 && p[0] == 0x1F && p[1] == 0x8B)
		in->kind = GZIP;
	else if (in->len >= 4 && p[1] == 0xB5 && p[2] == 0x2F && p[3] == 0xFD && p[0] == 0x28)
		in->kind = ZSTANDARD;
	else if (in->len >= 4 && (p[0] & 0xF0) == 0x50 && p[1] == 0x2A && p[2] == 0x4D &&
			p[3] == 0x18)
		in->kind = ZSTANDARD; /* skippable frame */
	else if (in->len >= 6 && memcmp(p, xz_magic, 6) == 0)
		in->kind = XZ;
	return 0;
}

static int start_decoder(struct lu_in *in, struct lu_err *err)
{
	switch (in->kind) {
	case GZIP:
		if (inflateInit2(&in->z, 15 + 16) != Z_OK)
			return lu_err_nomem(err);
		break;
	case ZSTANDARD:
		in->zstd = ZSTD_createDStream();
		if (!in->zstd)
			return lu_err_nomem(err);
		/* Accept frames made with --long, up to windows of 2 GiB. */
		ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, 31);
		break;
	case XZ:
		if (lzma_stream_decoder(&in->xz, UINT64_MAX, 0) != LZMA_OK)
			return lu_err_nomem(err);
		break;
	case PLAIN: break;
	}
	return 0;
}

static struct lu_in *new_in(const char *name, struct lu_err *err)
{
	struct lu_in *in = calloc(1, sizeof(*in));

	if (!in) {
		lu_err_nomem(err);
		return NULL;
	}
	in->fd = -1;
	in->name = strdup(name);
	in->raw = malloc(RAW_SIZE);
	if (!in->name || !in->raw) {
		lu_err_nomem(err);
		lu_in_close(in);
		return NULL;
	}
	return in;
}

int lu_in_open(struct lu_in **out, const char *path, struct lu_err *err)
{
	struct lu_in *in = new_in(path, err);
	struct stat st;

	if (!in)
		return -1;
	in->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : lu_open_read(path, err);
	if (in->fd < 0)
		goto fail;
	if (fstat(in->fd, &st) < 0) {
		lu_err_sys(err, errno, "%s", path);
		goto fail;
	}
	if (lu_readset_add(path, err) < 0)
		goto fail;
	if (S_ISDIR(st.st_mode)) {
		lu_err_sys(err, EISDIR, "%s", path);
		goto fail;
	}
	in->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	if (detect(in, err) < 0 || start_decoder(in, err) < 0)
		goto fail;
	*out = in;
	return 0;
fail:
	lu_in_close(in);
	return -1;
}

int lu_in_open_fn(struct lu_in **out, const char *name, lu_in_fn *fn, void *ctx, struct lu_err *err)
{
	struct lu_in *in = new_in(name, err);

	if (!in)
		return -1;
	in->fn = fn;
	in->ctx = ctx;
	if (detect(in, err) < 0 || start_decoder(in, err) < 0) {
		lu_in_close(in);
		return -1;
	}
	*out = in;
	return 0;
}

static int damaged(const struct lu_in *in, const char *why, struct lu_err *err)
{
	static const char *const format[] = { "", "gzip", "zstd", "xz" };

	return lu_err_set(err, "%s: damaged %s stream: %s", in->name, format[in->kind], why);
}

/*
 * The decoding steps consume bytes of `raw`, write up to n bytes to p, store their number in *got
 * and update in->member. The caller loops.
 */
static int step_gzip(struct lu_in *in, void *p, size_t n, size_t *got, struct lu_err *err)
{
	int rc;

	if (!in->member && inflateReset(&in->z) != Z_OK)
		return lu_err_nomem(err);
	in->member = true;
	in->z.next_in = in->raw + in->at;
	in->z.avail_in = (uInt)(in->len - in->at);
	in->z.next_out = p;
	in->z.avail_out = n > 1u << 30 ? 1u << 30 : (uInt)n;
	*got = in->z.avail_out;
	rc = inflate(&in->z, Z_NO_FLUSH);
	in->at = in->len - in->z.avail_in;
	*got -= in->z.avail_out;
	if (rc == Z_STREAM_END)
		in->member = false;
	else if (rc == Z_MEM_ERROR)
		return lu_err_nomem(err);
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return damaged(in, in->z.msg ? in->z.msg : "wrong data", err);
	return 0;
}

static int step_zstd(struct lu_in *in, void *p, size_t n, size_t *got, struct lu_err *err)
{
	ZSTD_inBuffer from = { in->raw, in->len, in->at };
	ZSTD_outBuffer to = { p, n, 0 };
	size_t rc = ZSTD_decompressStream(in->zstd, &to, &from);

	if (ZSTD_isError(rc))
		return damaged(in, ZSTD_getErrorName(rc), err);
	in->at = from.pos;
	*got = to.pos;
	in->member = rc != 0;
	return 0;
}

static int step_xz(struct lu_in *in, void *p, size_t n, size_t *got, struct lu_err *err)
{
	lzma_ret rc;

	if (!in->member && lzma_stream_decoder(&in->xz, UINT64_MAX, 0) != LZMA_OK)
		return lu_err_nomem(err);
	in->member = true;
	in->xz.next_in = in->raw + in->at;
	in->xz.avail_in = in->len - in->at;
	in->xz.next_out = p;
	in->xz.avail_out = n;
	rc = lzma_code(&in->xz, LZMA_RUN);
	in->at = in->len - in->xz.avail_in;
	*got = n - in->xz.avail_out;
	if (rc == LZMA_STREAM_END)
		in->member = false;
	else if (rc == LZMA_MEM_ERROR)
		return lu_err_nomem(err);
	else if (rc != LZMA_OK && rc != LZMA_BUF_ERROR)
		return damaged(in,
				rc == LZMA_DATA_ERROR ? "wrong data or checksum" : "wrong format",
				err);
	return 0;
}

/* Between members: skip zero bytes, which are padding to gzip(1) and the xz format (zstd has none),
 * and check that what follows is another member. */
static int next_member(struct lu_in *in, bool first, struct lu_err *err)
{
	if (in->kind == ZSTANDARD || first)
		return 0;
	while (!in->eof && in->at < in->len && in->raw[in->at] == 0) {
		in->at++;
		if (raw_fill(in, err) < 0)
			return -1;
	}
	if (in->at < in->len && in->raw[in->at] != (in->kind == GZIP ? 0x1F : 0xFD))
		return damaged(in, "followed by other data", err);
	return 0;
}

static ssize_t read_coded(struct lu_in *in, char *p, size_t n, struct lu_err *err)
{
	size_t done = 0;

	in->begins = false;
	while (done < n) {
		bool had_room, inside = in->member;
		size_t got = 0;
		int rc;

		if (raw_fill(in, err) < 0)
			return -1;
		if (!inside && next_member(in, in->consumed == in->len && in->at == 0, err) < 0)
			return -1;
		if (in->at == in->len && in->eof && !inside)
			break;
		in->begins = in->begins || !inside;
		rc = in->kind == GZIP		 ? step_gzip(in, p + done, n - done, &got, err)
				: in->kind == XZ ? step_xz(in, p + done, n - done, &got, err)
						 : step_zstd(in, p + done, n - done, &got, err);
		if (rc < 0)
			return -1;
		done += got;
		had_room = done < n;
		/* The input ended inside a member, and the decoder has nothing left to give. */
		if (in->member && in->eof && in->at == in->len && had_room && got == 0)
			return damaged(in, "it ends too early", err);
		if (in->stop && !in->member && done > 0)
			break;
	}
	return (ssize_t)done;
}

ssize_t lu_in_read(struct lu_in *in, void *buf, size_t n, struct lu_err *err)
{
	char *p = buf;
	size_t done;

	if (in->kind != PLAIN)
		return read_coded(in, p, n, err);
	done = in->len - in->at < n ? in->len - in->at : n;
	memcpy(p, in->raw + in->at, done);
	in->at += done;
	while (done < n && !in->eof) {
		size_t got;

		if (raw_read(in, p + done, n - done, &got, err) < 0)
			return -1;
		done += got;
	}
	return (ssize_t)done;
}

void lu_in_stop_at_members(struct lu_in *in)
{
	in->stop = true;
}

bool lu_in_begins_member(const struct lu_in *in)
{
	return in->begins;
}

const char *lu_in_name(const struct lu_in *in)
{
	return in->name;
}

uint64_t lu_in_consumed(const struct lu_in *in)
{
	return in->consumed;
}

uint64_t lu_in_size(const struct lu_in *in)
{
	return in->size;
}

void lu_in_close(struct lu_in *in)
{
	if (!in)
		return;
	if (in->kind == GZIP)
		inflateEnd(&in->z);
	if (in->kind == XZ)
		lzma_end(&in->xz);
	ZSTD_freeDStream(in->zstd);
	/* Nothing can be lost when closing a file that was only read. */
	if (in->fd > STDERR_FILENO)
		close(in->fd);
	free(in->raw);
	free(in->name);
	free(in);
}
