#include "libcommon/shard/reader_index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/format.h"

/* Elements that the checks take at once, and after how many they give their pages back. */
#define CHUNK 4096
#define KEEP (UINT64_C(1) << 20)

/* --- opening ------------------------------------------------------------------------------ */

static int damaged(const struct lu_idx *x, uint64_t i, struct lu_err *err)
{
	return lu_err_set(err,
			"%s: what it says of document %" PRIu64
			" is no place in the .bin file; lucie-check tells what is damaged",
			x->path, i);
}

/* Check the header and locate the three arrays. */
static int read_header(struct lu_idx *x, uint64_t bin_bytes, struct lu_err *err)
{
	unsigned char room[LU_IDX_HEADER];
	uint64_t sequences, bounds, arrays, rest;
	const unsigned char *h;

	if (x->file.n < LU_IDX_HEADER)
		return lu_err_set(err, "%s: ends too early", x->path);
	h = lu_mapped_at(&x->file, 0, LU_IDX_HEADER, room, err);
	if (!h)
		return -1;
	if (memcmp(h, LU_IDX_MAGIC, LU_IDX_MAGIC_SIZE) != 0)
		return lu_err_set(err, "%s: not a Megatron index", x->path);
	if (lu_load64(h + LU_IDX_AT_VERSION) != LU_IDX_VERSION)
		return lu_err_set(err, "%s: version %" PRIu64 " is not supported, only %d", x->path,
				lu_load64(h + LU_IDX_AT_VERSION), LU_IDX_VERSION);
	x->width = lu_idx_width(h[LU_IDX_AT_TYPE]);
	if (x->width == 0)
		return lu_err_set(err, "%s: ids of type %u (%s) are not supported", x->path,
				h[LU_IDX_AT_TYPE], lu_idx_type_name(h[LU_IDX_AT_TYPE]));
	sequences = lu_load64(h + LU_IDX_AT_SEQUENCES);
	bounds = lu_load64(h + LU_IDX_AT_BOUNDS);
	rest = x->file.n - LU_IDX_HEADER;
	/* Limited by the file size first, so that the products below cannot overflow. */
	if (sequences > rest / 12 || bounds > rest / 8 || bounds == 0)
		return lu_err_set(err, "%s: its size does not fit its counts", x->path);
	arrays = sequences * 12 + bounds * 8;
	/* Multimodal writers add one byte a sequence, which text readers ignore. */
	if (arrays != rest && arrays + sequences != rest)
		return lu_err_set(err, "%s: its size does not fit its counts", x->path);
	x->tokens = bin_bytes / x->width;
	x->sequences = sequences;
	x->documents = bounds - 1;
	x->lengths = LU_IDX_HEADER;
	x->pointers = x->lengths + sequences * 4;
	x->bounds = x->pointers + sequences * 8;
	return 0;
}

/* Check the lengths and pointers of sequences i .. i + n - 1, the first of which starts at byte
 * *at. */
static int check_chunk(const struct lu_idx *x, uint64_t i, size_t n, uint64_t bin_bytes,
		uint64_t *at, struct lu_err *err)
{
	unsigned char room[CHUNK * 4], more_room[CHUNK * 8];
	const unsigned char *l = lu_mapped_at(&x->file, x->lengths + i * 4, n * 4, room, err), *p;

	if (!l)
		return -1;
	p = lu_mapped_at(&x->file, x->pointers + i * 8, n * 8, more_room, err);
	if (!p)
		return -1;
	for (size_t k = 0; k < n; k++) {
		uint32_t length = lu_load32(l + k * 4);
		uint64_t pointer = lu_load64(p + k * 8);

		if (length > INT32_MAX)
			return lu_err_set(err, "%s: sequence %" PRIu64 " has a negative length",
					x->path, i + k);
		if (pointer != *at)
			return lu_err_set(err,
					"%s: sequence %" PRIu64 " starts at byte %" PRIu64
					", not at %" PRIu64,
					x->path, i + k, pointer, *at);
		*at += (uint64_t)length * x->width;
		if (*at > bin_bytes)
			return lu_err_set(err,
					"%s: sequence %" PRIu64
					" ends after the end of the .bin file",
					x->path, i + k);
	}
	return 0;
}

/* Take what lies behind element i of an array out of the resident size, now and then. */
static void drop(const struct lu_idx *x, uint64_t array, uint64_t width, uint64_t i)
{
	if (i % KEEP == 0)
		lu_mapped_drop(&x->file, array + (i - (i < KEEP ? i : KEEP)) * width,
				array + i * width);
}

/* Check every length and pointer. */
static int check_sequences(const struct lu_idx *x, uint64_t bin_bytes, struct lu_err *err)
{
	uint64_t at = 0;

	for (uint64_t i = 0; i < x->sequences; i += CHUNK) {
		size_t n = x->sequences - i < CHUNK ? (size_t)(x->sequences - i) : CHUNK;

		drop(x, x->lengths, 4, i);
		drop(x, x->pointers, 8, i);
		if (check_chunk(x, i, n, bin_bytes, &at, err) < 0)
			return -1;
	}
	if (at != bin_bytes)
		return lu_err_set(err,
				"%s: accounts for %" PRIu64 " bytes, the .bin file has %" PRIu64,
				x->path, at, bin_bytes);
	return 0;
}

static int wrong_boundary(const struct lu_idx *x, uint64_t i, struct lu_err *err)
{
	return lu_err_set(err, "%s: boundary %" PRIu64 " of the documents is wrong", x->path, i);
}

static int wrong_end(const struct lu_idx *x, uint64_t last, struct lu_err *err)
{
	return lu_err_set(err, "%s: the last document ends at sequence %" PRIu64 " of %" PRIu64,
			x->path, last, x->sequences);
}

/* Check every document boundary; find out whether each document is one sequence, as ours must be. */
static int check_bounds(struct lu_idx *x, bool ours, struct lu_err *err)
{
	unsigned char room[CHUNK * 8];
	uint64_t last = 0;

	x->plain = true;
	for (uint64_t i = 0; i <= x->documents; i += CHUNK) {
		uint64_t left = x->documents + 1 - i;
		size_t n = left < CHUNK ? (size_t)left : CHUNK;
		const unsigned char *b =
				lu_mapped_at(&x->file, x->bounds + i * 8, n * 8, room, err);

		if (!b)
			return -1;
		drop(x, x->bounds, 8, i);
		for (size_t k = 0; k < n; k++) {
			uint64_t bound = lu_load64(b + k * 8);

			if (bound < last || bound > x->sequences || (i + k == 0 && bound != 0) ||
					(ours && bound != i + k))
				return wrong_boundary(x, i + k, err);
			x->plain = x->plain && bound == i + k;
			last = bound;
		}
	}
	return last == x->sequences ? 0 : wrong_end(x, last, err);
}

static int load(const struct lu_idx *x, uint64_t array, unsigned bytes, uint64_t i, uint64_t *out,
		struct lu_err *err)
{
	unsigned char room[8];
	const unsigned char *p = lu_mapped_at(&x->file, array + i * bytes, bytes, room, err);

	if (!p)
		return -1;
	*out = bytes == 8 ? lu_load64(p) : lu_load32(p);
	return 0;
}

/* What is checked of a trusted index: that its first and last elements fit the .bin file. */
static int check_ends(struct lu_idx *x, uint64_t bin_bytes, struct lu_err *err)
{
	uint64_t first, last, pointer = 0, length = 0;

	if (load(x, x->bounds, 8, 0, &first, err) < 0 ||
			load(x, x->bounds, 8, x->documents, &last, err) < 0)
		return -1;
	if (first != 0)
		return wrong_boundary(x, 0, err);
	if (last != x->sequences)
		return wrong_end(x, last, err);
	if (x->sequences > 0 &&
			(load(x, x->pointers, 8, x->sequences - 1, &pointer, err) < 0 ||
					load(x, x->lengths, 4, x->sequences - 1, &length, err) < 0))
		return -1;
	if (pointer > bin_bytes || length * x->width != bin_bytes - pointer)
		return lu_err_set(err, "%s: its last sequence does not end with the .bin file",
				x->path);
	x->plain = true;
	return 0;
}

int lu_idx_open(struct lu_idx *x, const char *path, struct lu_err *err)
{
	*x = (struct lu_idx){ .path = strdup(path) };
	if (!x->path)
		return lu_err_nomem(err);
	return lu_mapped_open(&x->file, path, err);
}

int lu_idx_check(struct lu_idx *x, uint64_t bin_bytes, unsigned flags, struct lu_err *err)
{
	bool ours = flags & LU_IDX_OURS;

	x->trust = flags & LU_IDX_TRUST;
	LU_ASSERT(ours || !x->trust);
	if (read_header(x, bin_bytes, err) < 0)
		return -1;
	if (ours && x->documents != x->sequences)
		return lu_err_set(err,
				"%s: has %" PRIu64 " documents in %" PRIu64 " sequences, which "
				"lucie-shard does not write",
				x->path, x->documents, x->sequences);
	if (x->trust)
		return check_ends(x, bin_bytes, err);
	if (check_sequences(x, bin_bytes, err) < 0 || check_bounds(x, ours, err) < 0)
		return -1;
	lu_mapped_drop(&x->file, 0, x->file.n);
	return 0;
}

void lu_idx_close(struct lu_idx *x)
{
	lu_mapped_close(&x->file);
	free(x->path);
	*x = (struct lu_idx){ 0 };
}

/* --- look-ups ----------------------------------------------------------------------------- */

/* The sequences of a document are first .. last - 1. */
static int sequences(const struct lu_idx *x, uint64_t i, uint64_t *first, uint64_t *last,
		struct lu_err *err)
{
	*first = i;
	*last = i + 1;
	if (x->plain && !x->trust)
		return 0;
	if (load(x, x->bounds, 8, i, first, err) < 0 || load(x, x->bounds, 8, i + 1, last, err) < 0)
		return -1;
	if (*first > *last || *last > x->sequences || (x->trust && (*first != i || *last != i + 1)))
		return damaged(x, i, err);
	return 0;
}

/* First token of a sequence of document i; sequence `sequences` is the end. */
static int start(const struct lu_idx *x, uint64_t sequence, uint64_t i, uint64_t *token,
		struct lu_err *err)
{
	uint64_t byte;

	*token = x->tokens;
	if (sequence == x->sequences)
		return 0;
	if (load(x, x->pointers, 8, sequence, &byte, err) < 0)
		return -1;
	*token = byte / x->width;
	if (*token > x->tokens || byte % x->width)
		return damaged(x, i, err);
	return 0;
}

int lu_idx_document(const struct lu_idx *x, uint64_t i, uint64_t *begin, uint64_t *end,
		struct lu_err *err)
{
	uint64_t first, last, length;

	LU_ASSERT(i < x->documents);
	if (sequences(x, i, &first, &last, err) < 0 || start(x, first, i, begin, err) < 0 ||
			start(x, last, i, end, err) < 0)
		return -1;
	if (*begin > *end)
		return damaged(x, i, err);
	if (!x->trust)
		return 0;
	if (load(x, x->lengths, 4, i, &length, err) < 0)
		return -1;
	return length == *end - *begin ? 0 : damaged(x, i, err);
}

int lu_idx_size(const struct lu_idx *x, uint64_t i, uint64_t *tokens, struct lu_err *err)
{
	uint64_t begin, end;

	LU_ASSERT(i < x->documents);
	if (x->plain) {
		if (load(x, x->lengths, 4, i, tokens, err) < 0)
			return -1;
		return *tokens <= LU_IDX_MAX_LENGTH ? 0 : damaged(x, i, err);
	}
	if (lu_idx_document(x, i, &begin, &end, err) < 0)
		return -1;
	*tokens = end - begin;
	return 0;
}

int lu_idx_find(const struct lu_idx *x, uint64_t pos, uint64_t *i, struct lu_err *err)
{
	uint64_t low = 0, high = x->documents, begin, end;

	LU_ASSERT(pos < x->tokens);
	/* The last document that starts at or before pos: empty ones may share its start. Not
	 * base/search.h: the starts go through two arrays. */
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2, first = middle;

		if (!x->plain && load(x, x->bounds, 8, middle, &first, err) < 0)
			return -1;
		if (first > x->sequences)
			return damaged(x, middle, err);
		if (start(x, first, middle, &begin, err) < 0)
			return -1;
		if (begin <= pos)
			low = middle;
		else
			high = middle;
	}
	*i = low;
	if (!x->trust)
		return 0;
	if (lu_idx_document(x, low, &begin, &end, err) < 0)
		return -1;
	return begin <= pos && pos < end ? 0 : damaged(x, low, err);
}
