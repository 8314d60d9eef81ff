#include "libcommon/io/outstream.h"

#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "libcommon/base/num.h"
#include "libcommon/sys/atomicfile.h"

#define CODED_SIZE ((size_t)256 << 10)
#define PENDING_SIZE ((size_t)256 << 10)
/* Text of a frame of the seekable format, which has at most 1 GiB. */
#define FRAME_DEFAULT ((uint64_t)4 << 20)
#define FRAME_MIN ((uint64_t)64 << 10)
#define FRAME_MAX ((size_t)1 << 30)

enum kind { PLAIN, GZIP, ZSTANDARD, XZ };

struct lu_out {
	struct lu_atomic file;
	enum kind kind;
	z_stream z;
	ZSTD_CStream *zstd;
	lzma_stream xz;
	unsigned char *coded;
	struct lu_buf pending; /* small writes, collected */
	size_t frame_size;     /* text of a frame of the seekable format; 0: one frame */
	size_t in_frame;       /* text in the frame that is written */
	uint64_t frame_at;     /* where it begins in the file */
	struct lu_buf table;   /* of the frames before it: sizes, compressed and not */
	bool finished;	       /* nothing is left to be coded */
};

/* The "frames" or "frames=4M" of zstd. *size stays as it is where there is none. */
static int parse_frames(const char *how, struct lu_str *rest, size_t *size, struct lu_err *err)
{
	const char *at = strstr(how, ":frames");
	uint64_t v = FRAME_DEFAULT;

	*rest = lu_str_of(how);
	if (!at || (at[7] && at[7] != '='))
		return 0;
	if (strncmp(how, "zst", 3) != 0)
		return lu_err_set(err, "compression '%s': only zstd has frames", how);
	if (at[7] && (lu_num_size(at + 8, &v, err) < 0 || v < FRAME_MIN || v > FRAME_MAX))
		return lu_err_set(err, "compression '%s': frames go from 64K to 1G", how);
	rest->n = (size_t)(at - how);
	*size = (size_t)v;
	return 0;
}

/* Parse "zstd:19" into kind and level, and what follows on frames. */
static int parse_how(
		const char *how, enum kind *kind, int *level, size_t *frames, struct lu_err *err)
{
	static const struct {
		const char *name;
		enum kind kind;
		int level, lo, hi;
	} known[] = {
		{ "none", PLAIN, 0, 0, 0 },
		{ "zstd", ZSTANDARD, 3, 1, 22 },
		{ "zst", ZSTANDARD, 3, 1, 22 },
		{ "gz", GZIP, 6, 1, 9 },
		{ "gzip", GZIP, 6, 1, 9 },
		{ "xz", XZ, 6, 0, 9 },
	};
	const char *colon;
	char digits[8];
	struct lu_str s;
	int64_t v;
	size_t n;

	if (parse_frames(how, &s, frames, err) < 0)
		return -1;
	colon = memchr(s.p, ':', s.n);
	n = colon ? (size_t)(colon - s.p) : s.n;
	snprintf(digits, sizeof(digits), "%.*s", colon ? (int)(s.n - n - 1) : 0,
			s.p + n + (colon != NULL));

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) != n || memcmp(known[i].name, how, n) != 0)
			continue;
		*kind = known[i].kind;
		*level = known[i].level;
		if (!colon)
			return 0;
		if (lu_num_i64(digits, &v, err) < 0 || v < known[i].lo || v > known[i].hi)
			return lu_err_set(err, "compression '%s': the level goes from %d to %d",
					how, known[i].lo, known[i].hi);
		*level = (int)v;
		return 0;
	}
	return lu_err_set(err, "compression '%s' is none of zstd, gz, xz, none", how);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcasecmp(s + n - m, end) == 0;
}

/* Fail if the name promises a format that is not written: bytes must be what their name says. */
static int check_ending(const char *target, struct lu_err *err)
{
	static const struct {
		const char *ending, *format;
	} t[] = { { ".bz2", "bzip2" }, { ".lz4", "lz4" }, { ".lzma", "lzma" }, { ".lzo", "lzop" },
		{ ".br", "brotli" }, { ".sz", "snappy" }, { ".snappy", "snappy" },
		{ ".z", "compress" }, { ".zip", "zip" }, { ".7z", "7z" }, { ".rar", "rar" },
		{ ".tar", "tar" }, { ".tgz", "tar" }, { ".tzst", "tar" }, { ".txz", "tar" },
		{ ".tbz2", "tar" }, { ".parquet", "Parquet" }, { ".arrow", "Arrow" },
		{ ".feather", "Arrow" }, { ".zstd", "zstd under the ending .zstd" },
		{ ".gzip", "gzip under the ending .gzip" } };
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		if (ends_with(target, t[i].ending))
			return lu_err_set(err,
					"%s: %s is not written; end the name in .zst, .gz or .xz, "
					"or say -z none",
					target, t[i].format);
	}
	return 0;
}

static int start_coder(struct lu_out *out, int level, int threads, struct lu_err *err)
{
	if (out->kind == PLAIN)
		return 0;
	out->coded = malloc(CODED_SIZE);
	if (!out->coded)
		return lu_err_nomem(err);
	if (out->kind == GZIP) {
		if (deflateInit2(&out->z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
				Z_OK)
			return lu_err_nomem(err);
	} else if (out->kind == XZ) {
		if (lzma_easy_encoder(&out->xz, (uint32_t)level, LZMA_CHECK_CRC64) != LZMA_OK)
			return lu_err_nomem(err);
	} else {
		out->zstd = ZSTD_createCStream();
		if (!out->zstd ||
				ZSTD_isError(ZSTD_CCtx_setParameter(
						out->zstd, ZSTD_c_compressionLevel, level)) ||
				ZSTD_isError(ZSTD_CCtx_setParameter(
						out->zstd, ZSTD_c_checksumFlag, 1)))
			return lu_err_nomem(err);
		if (ZSTD_isError(ZSTD_CCtx_setParameter(out->zstd, ZSTD_c_nbWorkers, threads)))
			return lu_err_set(err, "this libzstd has no worker threads");
	}
	return 0;
}

int lu_out_open(struct lu_out **result, const char *target, const char *how, int threads,
		struct lu_err *err)
{
	struct lu_out *out = calloc(1, sizeof(*out));
	int level = 0;

	if (!out)
		return lu_err_nomem(err);
	out->file = (struct lu_atomic)LU_ATOMIC_NONE;
	if (!how && target)
		how = ends_with(target, ".zst")		   ? "zstd"
				: ends_with(target, ".gz") ? "gz"
				: ends_with(target, ".xz") ? "xz"
							   : NULL;
	if (!how && target && check_ending(target, err) < 0) {
		free(out);
		return -1;
	}
	if ((how && parse_how(how, &out->kind, &level, &out->frame_size, err) < 0) ||
			start_coder(out, level, threads < 1 ? 1 : threads, err) < 0 ||
			lu_atomic_open(&out->file, target, err) < 0) {
		lu_out_abort(out);
		return -1;
	}
	*result = out;
	return 0;
}

static int code_gzip(struct lu_out *out, const void *p, size_t n, bool end, struct lu_err *err)
{
	const char *from = p;
	int rc = Z_OK;

	do {
		uInt take = n > 1u << 30 ? 1u << 30 : (uInt)n;

		out->z.next_in = (z_const Bytef *)(uintptr_t)from;
		out->z.avail_in = take;
		from += take;
		n -= take;
		do {
			out->z.next_out = out->coded;
			out->z.avail_out = (uInt)CODED_SIZE;
			rc = deflate(&out->z, end && n == 0 ? Z_FINISH : Z_NO_FLUSH);
			if (rc == Z_STREAM_ERROR)
				return lu_err_set(err, "%s: gzip failed", out->file.name);
			if (lu_atomic_write(&out->file, out->coded, CODED_SIZE - out->z.avail_out,
					    err) < 0)
				return -1;
		} while (out->z.avail_out == 0 || (end && n == 0 && rc != Z_STREAM_END));
	} while (n);
	return 0;
}

static int code_zstd(struct lu_out *out, const void *p, size_t n, bool end, struct lu_err *err)
{
	ZSTD_inBuffer from = { p, n, 0 };
	size_t rc;

	do {
		ZSTD_outBuffer to = { out->coded, CODED_SIZE, 0 };

		rc = ZSTD_compressStream2(
				out->zstd, &to, &from, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(rc))
			return lu_err_set(
					err, "%s: zstd: %s", out->file.name, ZSTD_getErrorName(rc));
		if (lu_atomic_write(&out->file, out->coded, to.pos, err) < 0)
			return -1;
	} while (end ? rc != 0 : from.pos < from.size);
	return 0;
}

/* End the frame that is written, and note its sizes. */
static int end_frame(struct lu_out *out, struct lu_err *err)
{
	if (code_zstd(out, "", 0, true, err) < 0)
		return -1;
	lu_buf_le32(&out->table, (uint32_t)(out->file.written - out->frame_at));
	lu_buf_le32(&out->table, (uint32_t)out->in_frame);
	out->frame_at = out->file.written;
	out->in_frame = 0;
	return lu_buf_check(&out->table, err);
}

/* A skippable frame: the sizes, their number, no checksums (each frame has one), and a mark. */
static int put_table(struct lu_out *out, struct lu_err *err)
{
	size_t frames = out->table.n / 8;
	struct lu_buf b = { 0 };
	int rc;

	lu_buf_le32(&b, 0x184D2A5E);
	lu_buf_le32(&b, (uint32_t)(out->table.n + 9));
	lu_buf_str(&b, lu_buf_slice(&out->table));
	lu_buf_le32(&b, (uint32_t)frames);
	lu_buf_putc(&b, 0);
	lu_buf_le32(&b, 0x8F92EAB1);
	rc = lu_buf_check(&b, err);
	/* The format's limit. Without the table the file is whole, only not seekable. */
	if (rc == 0 && frames <= 0x8000000)
		rc = lu_atomic_write(&out->file, b.p, b.n, err);
	lu_buf_release(&b);
	return rc;
}

static int code_frames(struct lu_out *out, const char *p, size_t n, bool end, struct lu_err *err)
{
	while (n) {
		/* The first byte that may end the frame. */
		size_t from = out->in_frame < out->frame_size ? out->frame_size - out->in_frame - 1
							      : 0;
		const char *nl = from < n ? memchr(p + from, '\n', n - from) : NULL;
		size_t take = nl ? (size_t)(nl + 1 - p) : n;
		bool full = take >= FRAME_MAX - out->in_frame;

		if (full)
			take = FRAME_MAX - out->in_frame;
		if (code_zstd(out, p, take, false, err) < 0)
			return -1;
		out->in_frame += take;
		p += take;
		n -= take;
		if ((nl || full) && end_frame(out, err) < 0)
			return -1;
	}
	if (!end)
		return 0;
	if ((out->in_frame || out->table.n == 0) && end_frame(out, err) < 0)
		return -1;
	return put_table(out, err);
}

static int code_xz(struct lu_out *out, const void *p, size_t n, bool end, struct lu_err *err)
{
	lzma_ret rc;

	out->xz.next_in = p;
	out->xz.avail_in = n;
	do {
		out->xz.next_out = out->coded;
		out->xz.avail_out = CODED_SIZE;
		rc = lzma_code(&out->xz, end ? LZMA_FINISH : LZMA_RUN);
		if (rc != LZMA_OK && rc != LZMA_STREAM_END)
			return lu_err_set(err, "%s: xz failed", out->file.name);
		if (lu_atomic_write(&out->file, out->coded, CODED_SIZE - out->xz.avail_out, err) <
				0)
			return -1;
	} while (end ? rc != LZMA_STREAM_END : out->xz.avail_in > 0);
	return 0;
}

static int code(struct lu_out *out, const void *p, size_t n, bool end, struct lu_err *err)
{
	switch (out->kind) {
	case GZIP: return code_gzip(out, p, n, end, err);
	case ZSTANDARD:
		return out->frame_size ? code_frames(out, p, n, end, err)
				       : code_zstd(out, p, n, end, err);
	case XZ: return code_xz(out, p, n, end, err);
	case PLAIN: break;
	}
	return lu_atomic_write(&out->file, p, n, err);
}

int lu_out_write(struct lu_out *out, const void *p, size_t n, struct lu_err *err)
{
	if (n == 0)
		return 0;
	if (n >= PENDING_SIZE / 4 || out->pending.n + n > PENDING_SIZE) {
		if (out->pending.n && code(out, out->pending.p, out->pending.n, false, err) < 0)
			return -1;
		lu_buf_clear(&out->pending);
		if (n >= PENDING_SIZE / 4)
			return code(out, p, n, false, err);
	}
	lu_buf_append(&out->pending, p, n);
	return lu_buf_check(&out->pending, err);
}

int lu_out_buf(struct lu_out *out, const struct lu_buf *b, struct lu_err *err)
{
	if (lu_buf_check(b, err) < 0)
		return -1;
	return lu_out_write(out, b->p, b->n, err);
}

int lu_out_refuse_inputs(const struct lu_out *out, char **file, size_t n, struct lu_err *err)
{
	struct stat to, from;
	bool known = out->file.target ? stat(out->file.target, &to) == 0
				      : fstat(out->file.fd, &to) == 0;

	if (!known || !S_ISREG(to.st_mode))
		return 0;
	for (size_t i = 0; i < n; i++) {
		bool there = strcmp(file[i], "-") == 0 ? fstat(STDIN_FILENO, &from) == 0
						       : stat(file[i], &from) == 0;

		if (there && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
			return lu_err_set(err, "%s: input file is output file", file[i]);
	}
	return 0;
}

static int finish(struct lu_out *out, struct lu_err *err)
{
	int rc = 0;

	if (out->finished)
		return 0;
	if (out->pending.n)
		rc = code(out, out->pending.p, out->pending.n, false, err);
	if (rc == 0 && out->kind != PLAIN)
		rc = code(out, "", 0, true, err);
	out->finished = rc == 0;
	return rc;
}

int lu_out_settle(struct lu_out *out, struct lu_err *err)
{
	return finish(out, err) < 0 ? -1 : lu_atomic_settle(&out->file, err);
}

int lu_out_commit(struct lu_out *out, struct lu_err *err)
{
	int rc = finish(out, err);

	if (rc == 0)
		rc = lu_atomic_commit(&out->file, err);
	lu_out_abort(out);
	return rc;
}

void lu_out_abort(struct lu_out *out)
{
	if (!out)
		return;
	lu_atomic_abort(&out->file);
	if (out->kind == GZIP)
		deflateEnd(&out->z);
	if (out->kind == XZ)
		lzma_end(&out->xz);
	ZSTD_freeCStream(out->zstd);
	free(out->coded);
	lu_buf_release(&out->pending);
	lu_buf_release(&out->table);
	free(out);
}
