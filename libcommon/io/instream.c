#include "libcommon/io/instream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"
#include "libcommon/io/decoder.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/readset.h"

/* Two zstd blocks; larger reads gain nothing, neither from pipes nor from the page cache. */
#define RAW_SIZE ((size_t)256 << 10)
#define KEPT ((size_t)64 << 10)
/* zstd makes dictionaries of 110 kB unless told. */
#define DICTIONARY_MAX ((size_t)16 << 20)
/* The skippable frame that holds the dictionary of a web archive. */
#define DICTIONARY_FRAME 0x184D2A5Du

struct lu_in {
	char *name;
	int fd; /* -1: bytes come from `fn` */
	lu_in_fn *fn;
	void *ctx;
	const struct lu_decoder *decoder; /* NULL: plain */
	void *state;			  /* of the decoder */
	bool eof;			  /* of the file */
	bool member;			  /* inside a gzip member, zstd frame, xz stream... */
	bool later;			  /* a member was read */
	bool stop;			  /* no read crosses the end of a member */
	bool begins;			  /* the last read began a member */
	bool damaged;			  /* and cannot be read on */
	struct lu_err damage;
	uint64_t consumed, size;
	unsigned char *raw; /* raw[at..len): bytes read and not yet decoded */
	size_t at, len;
	size_t first; /* where the member begins, or 0 */
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
	size_t got, kept;

	if (in->at < in->len || in->eof)
		return 0;
	/* Damage is found behind where it is: what may be read again. */
	kept = in->stop && in->decoder ? in->len < KEPT ? in->len : KEPT : 0;
	memmove(in->raw, in->raw + in->len - kept, kept);
	in->first = in->first > in->len - kept ? in->first - (in->len - kept) : 0;
	in->at = in->len = kept;
	if (raw_read(in, in->raw + kept, RAW_SIZE - kept, &got, err) < 0)
		return -1;
	in->len = kept + got;
	return 0;
}

static int damaged(struct lu_in *in, const char *why, struct lu_err *err)
{
	lu_err_set(err, "%s: damaged %s stream: %s", in->name, in->decoder->name, why);
	in->damaged = true;
	in->damage = *err;
	return -1;
}

/* Have n bytes in `raw`, fewer only at the end of the file: a pipe may deliver them one by one. */
static int have(struct lu_in *in, size_t n, struct lu_err *err)
{
	if (in->len - in->at >= n)
		return 0;
	memmove(in->raw, in->raw + in->at, in->len - in->at);
	in->len -= in->at;
	in->at = in->first = 0;
	while (in->len < n && !in->eof) {
		size_t got;

		if (raw_read(in, in->raw + in->len, RAW_SIZE - in->len, &got, err) < 0)
			return -1;
		in->len += got;
	}
	return 0;
}

/* A frame of zstd or lz4 that holds no data of theirs. */
static bool is_skippable(const struct lu_in *in)
{
	return in->len - in->at >= 4 && (lu_load32(in->raw + in->at) & ~15u) == 0x184D2A50u;
}

/* Undo the compression of a dictionary in its frame, which it may have. */
static int unpack_dictionary(struct lu_in *in, struct lu_buf *dictionary, struct lu_err *err)
{
	struct lu_buf plain = { 0 };
	struct lu_decode d = { .in = (const unsigned char *)dictionary->p, .in_n = dictionary->n };
	enum lu_decode_rc rc;
	void *state;

	if (!lu_decoder_zstd.begins(d.in, d.in_n))
		return 0;
	if (lu_decoder_zstd.open(&state) < 0)
		return lu_err_nomem(err);
	do {
		d.out_n = plain.n < DICTIONARY_MAX ? RAW_SIZE : 0;
		if (!lu_buf_reserve(&plain, d.out_n)) {
			rc = LU_DECODE_NOMEM;
			break;
		}
		d.out = (unsigned char *)plain.p + plain.n;
		rc = lu_decoder_zstd.step(state, &d);
		plain.n = (size_t)(d.out - (unsigned char *)plain.p);
	} while (rc == LU_DECODE_MORE && (d.in_n || d.out_n == 0) && plain.n < DICTIONARY_MAX);
	lu_decoder_zstd.close(state);
	lu_buf_release(dictionary);
	*dictionary = plain;
	if (rc == LU_DECODE_END)
		return 0;
	return rc == LU_DECODE_NOMEM ? lu_err_nomem(err)
				     : damaged(in, "its dictionary is damaged or too large", err);
}

/* Pass the skippable frame at the read position, `size` bytes long, and keep it if `kept` is not
 * NULL. */
static int skip_frame(struct lu_in *in, size_t size, struct lu_buf *kept, struct lu_err *err)
{
	in->at += 8;
	while (size > 0) {
		size_t n;

		if (raw_fill(in, err) < 0)
			return -1;
		n = in->len - in->at < size ? in->len - in->at : size;
		if (n == 0)
			return damaged(in, "it ends too early", err);
		if (kept)
			lu_buf_append(kept, (const char *)in->raw + in->at, n);
		in->at += n;
		size -= n;
	}
	return kept ? lu_buf_check(kept, err) : 0;
}

/* Pass the skippable frames with which a file of zstd or lz4 may begin: only the frame behind them
 * tells which. The first may be the dictionary of all others, as in .warc.zst. */
static int begin_frames(struct lu_in *in, struct lu_buf *dictionary, struct lu_err *err)
{
	in->decoder = &lu_decoder_zstd;
	for (bool first = true; is_skippable(in); first = false) {
		size_t size;
		bool keep;

		if (have(in, 8, err) < 0)
			return -1;
		if (in->len - in->at < 8)
			return damaged(in, "it ends too early", err);
		size = lu_load32(in->raw + in->at + 4);
		keep = first && lu_load32(in->raw + in->at) == DICTIONARY_FRAME &&
				size <= DICTIONARY_MAX;
		if (skip_frame(in, size, keep ? dictionary : NULL, err) < 0 ||
				have(in, LU_DECODER_HEAD, err) < 0)
			return -1;
	}
	if (lu_decoder_lz4.begins(in->raw + in->at, in->len - in->at))
		in->decoder = &lu_decoder_lz4;
	return unpack_dictionary(in, dictionary, err);
}

static int start_decoder(struct lu_in *in, const struct lu_buf *dictionary, struct lu_err *err)
{
	/* Frames of others may have any content. */
	bool use = dictionary->n > 4 && lu_load32(dictionary->p) == 0xEC30A437u &&
			in->decoder == &lu_decoder_zstd;

	if (!in->decoder)
		return 0;
	if (in->decoder->open(&in->state) < 0)
		return lu_err_nomem(err);
	if (use && lu_decoder_zstd_dictionary(in->state, dictionary->p, dictionary->n) < 0)
		return damaged(in, "its dictionary is damaged", err);
	return 0;
}

/* Recognise the format and get ready to read it. */
static int begin(struct lu_in *in, struct lu_err *err)
{
	struct lu_buf dictionary = { 0 };
	int rc = have(in, LU_DECODER_HEAD, err);

	if (rc == 0 && is_skippable(in))
		rc = begin_frames(in, &dictionary, err);
	else if (rc == 0)
		in->decoder = lu_decoder_of(in->raw, in->len);
	if (rc == 0)
		rc = start_decoder(in, &dictionary, err);
	lu_buf_release(&dictionary);
	return rc;
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
	if (begin(in, err) < 0)
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
	if (begin(in, err) < 0) {
		lu_in_close(in);
		return -1;
	}
	*out = in;
	return 0;
}

/* Decode from `raw` up to n bytes to p, and store their number in *got. */
static int step(struct lu_in *in, char *p, size_t n, size_t *got, struct lu_err *err)
{
	struct lu_decode d = { .in = in->raw + in->at,
		.in_n = in->len - in->at,
		.out = (unsigned char *)p,
		.out_n = n };
	enum lu_decode_rc rc = in->decoder->step(in->state, &d);

	in->at = in->len - d.in_n;
	*got = n - d.out_n;
	in->member = rc != LU_DECODE_END;
	in->later = true;
	if (rc == LU_DECODE_NOMEM)
		return lu_err_nomem(err);
	return rc == LU_DECODE_WRONG ? damaged(in, d.why, err) : 0;
}

/* Between members: skip zero bytes, where they are padding, and check that what follows is another
 * member. */
static int next_member(struct lu_in *in, struct lu_err *err)
{
	bool frames = in->decoder == &lu_decoder_zstd || in->decoder == &lu_decoder_lz4;
	uint64_t zeros = 0;

	if (!in->later)
		return 0;
	while (in->decoder->padding && in->at < in->len && in->raw[in->at] == 0) {
		in->at++;
		zeros++;
		if (raw_fill(in, err) < 0)
			return -1;
	}
	if (zeros && zeros % in->decoder->padding)
		return damaged(in, "followed by padding that is no multiple of four bytes", err);
	if (have(in, LU_DECODER_HEAD, err) < 0)
		return -1;
	if (in->at == in->len || (frames && is_skippable(in)) ||
			(in->decoder->begins &&
					in->decoder->begins(in->raw + in->at, in->len - in->at)))
		return 0;
	return damaged(in, "followed by other data, or cut", err);
}

static ssize_t read_coded(struct lu_in *in, char *p, size_t n, struct lu_err *err)
{
	size_t done = 0;

	in->begins = false;
	if (in->damaged) {
		*err = in->damage;
		return -1;
	}
	while (done < n) {
		bool had_room, inside = in->member;
		size_t got = 0;
		int rc;

		if (raw_fill(in, err) < 0)
			return -1;
		if (!inside && next_member(in, err) < 0)
			return -1;
		if (in->at == in->len && in->eof && !inside)
			break;
		if (!inside)
			in->first = in->at;
		in->begins = in->begins || !inside;
		rc = step(in, p + done, n - done, &got, err);
		done += got;
		had_room = done < n;
		/* The input ended inside a member, and the decoder has nothing left to give. */
		if (rc == 0 && in->member && in->eof && in->at == in->len && had_room && got == 0)
			rc = damaged(in, "it ends too early", err);
		if (rc < 0 && !(in->stop && in->damaged && done > 0))
			return -1;
		if (rc < 0)
			break;
		if (in->stop && !in->member && done > 0)
			break;
	}
	return (ssize_t)done;
}

ssize_t lu_in_read(struct lu_in *in, void *buf, size_t n, struct lu_err *err)
{
	char *p = buf;
	size_t done;

	if (in->decoder)
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

int lu_in_named_brotli(struct lu_in *in, struct lu_err *err)
{
	if (in->decoder)
		return 0;
	if (have(in, 4096, err) < 0)
		return -1;
	/* Brotli has bytes that are no UTF-8, or controls, among its first dozen. */
	if (in->len == 0 || lu_utf8_is_text((const char *)in->raw, in->len))
		return 0;
	in->decoder = &lu_decoder_brotli;
	return in->decoder->open(&in->state) < 0 ? lu_err_nomem(err) : 0;
}

bool lu_in_is_damaged(const struct lu_in *in)
{
	return in->damaged;
}

/* True if a member begins so, beyond the bytes by which its format is recognised. */
static bool begins_well(const struct lu_in *in, const unsigned char *p, size_t n)
{
	if (!in->decoder->begins || !in->decoder->begins(p, n))
		return false;
	/* gzip's two bytes are frequent: method, no reserved flags, how compressed, system. */
	return in->decoder != &lu_decoder_gzip ||
			(n >= 10 && p[2] == 8 && !(p[3] & 0xE0) &&
					(p[8] == 0 || p[8] == 2 || p[8] == 4) &&
					(p[9] < 20 || p[9] == 255));
}

int lu_in_pass_damage(struct lu_in *in, struct lu_err *err)
{
	/* The decoder may have read on into members that are whole. */
	if (in->member && in->first < in->len)
		in->at = in->first + 1;
	in->damaged = in->member = false;
	in->first = 0;
	for (;;) {
		if (have(in, LU_DECODER_HEAD, err) < 0)
			return -1;
		if (in->at == in->len)
			return 0;
		while (in->len - in->at >= LU_DECODER_HEAD || (in->eof && in->at < in->len)) {
			if (begins_well(in, in->raw + in->at, in->len - in->at))
				return in->decoder->reset(in->state) < 0 ? lu_err_nomem(err) : 1;
			in->at++;
		}
	}
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
	if (in->state)
		in->decoder->close(in->state);
	/* Nothing can be lost when closing a file that was only read. */
	if (in->fd > STDERR_FILENO)
		close(in->fd);
	free(in->raw);
	free(in->name);
	free(in);
}
