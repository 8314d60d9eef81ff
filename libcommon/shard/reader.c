#include "libcommon/shard/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/base/search.h"
#include "libcommon/base/vec.h"
#include "libcommon/shard/format.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/mapped.h"
#include "libcommon/sys/readset.h"

struct part {
	char suffix[LU_PART_SUFFIX];
	struct lu_mapped bin, idx;
	uint64_t sequences, documents, tokens;
	uint64_t first_document, first_token;
	const unsigned char *lengths, *pointers, *bounds; /* into idx, not aligned */
};

struct lu_shard {
	char *prefix;
	unsigned width;
	struct LU_VEC(struct part) part; /* p[n] exists too: its firsts are the end */
	uint64_t tokens, documents;
	struct lu_manifest manifest;
	bool has_manifest;
};

/* --- opening ------------------------------------------------------------------------------ */

/* Check the header and locate the three arrays. */
static int read_header(struct part *p, unsigned *width, const char *path, struct lu_err *err)
{
	const unsigned char *h = p->idx.p;
	uint64_t sequences, bounds, arrays, rest;

	if (p->idx.n < LU_IDX_HEADER)
		return lu_err_set(err, "%s: ends too early", path);
	if (memcmp(h, LU_IDX_MAGIC, LU_IDX_MAGIC_SIZE) != 0)
		return lu_err_set(err, "%s: not a Megatron index", path);
	if (lu_load64(h + LU_IDX_AT_VERSION) != LU_IDX_VERSION)
		return lu_err_set(err, "%s: version %" PRIu64 " is not supported, only %d", path,
				lu_load64(h + LU_IDX_AT_VERSION), LU_IDX_VERSION);
	*width = lu_idx_width(h[LU_IDX_AT_TYPE]);
	if (*width == 0)
		return lu_err_set(err, "%s: ids of type %u (%s) are not supported", path,
				h[LU_IDX_AT_TYPE], lu_idx_type_name(h[LU_IDX_AT_TYPE]));
	sequences = lu_load64(h + LU_IDX_AT_SEQUENCES);
	bounds = lu_load64(h + LU_IDX_AT_BOUNDS);
	rest = p->idx.n - LU_IDX_HEADER;
	/* Limited by the file size first, so that the products below cannot overflow. */
	if (sequences > rest / 12 || bounds > rest / 8 || bounds == 0)
		return lu_err_set(err, "%s: its size does not fit its counts", path);
	arrays = sequences * 12 + bounds * 8;
	/* Multimodal writers add one byte a sequence, which text readers ignore. */
	if (arrays != rest && arrays + sequences != rest)
		return lu_err_set(err, "%s: its size does not fit its counts", path);
	p->sequences = sequences;
	p->documents = bounds - 1;
	p->lengths = h + LU_IDX_HEADER;
	p->pointers = p->lengths + sequences * 4;
	p->bounds = p->pointers + sequences * 8;
	return 0;
}

/* Check every length and pointer. */
static int check_sequences(
		const struct part *p, unsigned width, const char *path, struct lu_err *err)
{
	uint64_t at = 0;

	for (uint64_t i = 0; i < p->sequences; i++) {
		uint32_t n = lu_load32(p->lengths + i * 4);
		uint64_t pointer = lu_load64(p->pointers + i * 8);

		if (n > INT32_MAX)
			return lu_err_set(err, "%s: sequence %" PRIu64 " has a negative length",
					path, i);
		if (pointer != at)
			return lu_err_set(err,
					"%s: sequence %" PRIu64 " starts at byte %" PRIu64
					", not at %" PRIu64,
					path, i, pointer, at);
		at += (uint64_t)n * width;
		if (at > p->bin.n)
			return lu_err_set(err,
					"%s: sequence %" PRIu64
					" ends after the end of the .bin file",
					path, i);
	}
	if (at != p->bin.n)
		return lu_err_set(err,
				"%s: accounts for %" PRIu64 " bytes, the .bin file has %" PRIu64,
				path, at, p->bin.n);
	return 0;
}

/* Check every document boundary. */
static int check_bounds(const struct part *p, const char *path, struct lu_err *err)
{
	uint64_t last = 0;

	for (uint64_t i = 0; i <= p->documents; i++) {
		uint64_t bound = lu_load64(p->bounds + i * 8);

		if (bound < last || bound > p->sequences || (i == 0 && bound != 0))
			return lu_err_set(err, "%s: boundary %" PRIu64 " of the documents is wrong",
					path, i);
		last = bound;
	}
	if (last != p->sequences)
		return lu_err_set(err,
				"%s: the last document ends at sequence %" PRIu64 " of %" PRIu64,
				path, last, p->sequences);
	return 0;
}

/* Map and check the two files of a part. */
static int load_part(struct part *p, const char *prefix, unsigned *width, struct lu_err *err)
{
	char *bin = lu_concat(prefix, p->suffix, ".bin");
	char *idx = lu_concat(prefix, p->suffix, ".idx");
	int rc = -1;

	if (!bin || !idx)
		lu_err_nomem(err);
	else if (lu_mapped_open(&p->idx, idx, err) == 0 && lu_mapped_open(&p->bin, bin, err) == 0 &&
			read_header(p, width, idx, err) == 0 &&
			check_sequences(p, *width, idx, err) == 0)
		rc = check_bounds(p, idx, err);
	free(bin);
	free(idx);
	if (rc == 0)
		p->tokens = p->bin.n / *width;
	return rc;
}

static int open_part(struct lu_shard *s, const char *suffix, struct lu_err *err)
{
	struct part *p;
	unsigned width = 0;

	if (!lu_vec_reserve(&s->part, 2))
		return lu_err_nomem(err);
	p = &s->part.p[s->part.n];
	memset(p, 0, 2 * sizeof(*p));
	snprintf(p->suffix, sizeof(p->suffix), "%s", suffix);
	p->first_document = s->documents;
	p->first_token = s->tokens;
	/* Part of the shard from here on, so that closing it unmaps the files. */
	s->part.n++;
	if (load_part(p, s->prefix, &width, err) < 0)
		return -1;
	if (s->part.n > 1 && width != s->width)
		return lu_err_set(err, "%s%s.idx: ids of %u bytes, the part before has %u",
				s->prefix, suffix, width, s->width);
	if (__builtin_add_overflow(s->tokens, p->tokens, &s->tokens))
		return lu_err_set(err, "%s%s.idx: too many tokens", s->prefix, suffix);
	s->width = width;
	s->documents += p->documents;
	p[1].first_document = s->documents;
	p[1].first_token = s->tokens;
	return 0;
}

/* 1 if the file exists, 0 if it does not; -1 when memory is out. */
static int exists(const char *prefix, const char *suffix, const char *ext, struct lu_err *err)
{
	char *path = lu_concat(prefix, suffix, ext);
	struct stat st;
	int rc;

	if (!path)
		return lu_err_nomem(err);
	rc = stat(path, &st) == 0;
	free(path);
	return rc;
}

/* Check a file's size against the manifest. */
static int check_size(const struct lu_shard *s, const char *suffix, const char *ext, uint64_t bytes,
		struct lu_err *err)
{
	char name[LU_PART_SUFFIX + 8];
	const struct lu_manifest_file *f;

	snprintf(name, sizeof(name), "%s%s", suffix, ext);
	f = lu_manifest_file(&s->manifest, name);
	if (f && f->bytes == bytes)
		return 0;
	return lu_err_set(err, "%s%s: has %" PRIu64 " bytes, the manifest says %" PRIu64, s->prefix,
			name, bytes, f ? f->bytes : 0);
}

static int open_by_manifest(struct lu_shard *s, const char *path, struct lu_err *err)
{
	const struct lu_manifest *m = &s->manifest;

	if (lu_readset_add(path, err) < 0 || lu_manifest_read(&s->manifest, path, err) < 0)
		return -1;
	s->has_manifest = true;
	for (uint64_t i = 0; i < (m->parts ? m->parts : 1); i++) {
		char suffix[LU_PART_SUFFIX];

		lu_part_suffix(m->parts, i, suffix);
		if (open_part(s, suffix, err) < 0 ||
				check_size(s, suffix, ".bin", s->part.p[i].bin.n, err) < 0 ||
				check_size(s, suffix, ".idx", s->part.p[i].idx.n, err) < 0)
			return -1;
	}
	if (s->width != m->width)
		return lu_err_set(err, "%s: says ids of %u bytes, the index says %u", path,
				m->width, s->width);
	if (s->documents != m->documents || s->tokens != m->tokens)
		return lu_err_set(err,
				"%s: says %" PRIu64 " documents and %" PRIu64
				" tokens, the index has %" PRIu64 " and %" PRIu64,
				path, m->documents, m->tokens, s->documents, s->tokens);
	return 0;
}

/* Name the file that is missing, and the prefix where the name of a file of the shard was given. */
static int fail_missing(const char *prefix, struct lu_err *err)
{
	static const char *const ending[] = { ".json", ".idx", ".bin", ".docs.jsonl.zst" };
	size_t n = strlen(prefix);

	lu_err_set(err, "%s: there is no shard of this name, %s.idx is missing", prefix, prefix);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		size_t e = strlen(ending[i]);

		if (n > e && strcmp(prefix + n - e, ending[i]) == 0 && access(prefix, F_OK) == 0)
			lu_err_set(err,
					"%s: is a file of a shard; give the prefix, which is "
					"'%.*s'",
					prefix, (int)(n - e), prefix);
	}
	err->errnum = ENOENT;
	return -1;
}

/* Without a manifest the parts are the files found, from -00000 on without gaps. */
static int open_plain(struct lu_shard *s, struct lu_err *err)
{
	char suffix[LU_PART_SUFFIX];
	int single, split;

	single = exists(s->prefix, "", ".idx", err);
	split = single ? 0 : exists(s->prefix, "-00000", ".idx", err);
	if (single < 0 || split < 0)
		return -1;
	if (!single && !split)
		return fail_missing(s->prefix, err);
	for (uint64_t i = 0;; i++) {
		int rc;

		lu_part_suffix((uint64_t)split, i, suffix);
		rc = i ? exists(s->prefix, suffix, ".idx", err) : 1;
		if (rc <= 0)
			return rc;
		rc = exists(s->prefix, suffix, ".docs.jsonl.zst", err);
		if (rc > 0)
			lu_err_set(err, "%s: has a ledger but no manifest: it was not finished",
					s->prefix);
		if (rc || open_part(s, suffix, err) < 0)
			return -1;
		if (!split)
			return 0;
	}
}

static int open_files(struct lu_shard *s, struct lu_err *err)
{
	char *path = lu_concat(s->prefix, ".json", NULL);
	int rc;

	if (!path)
		return lu_err_nomem(err);
	rc = exists(s->prefix, "", ".json", err);
	if (rc == 0)
		rc = open_plain(s, err);
	else if (rc > 0)
		rc = open_by_manifest(s, path, err);
	free(path);
	return rc;
}

int lu_shard_open(struct lu_shard **out, const char *prefix, struct lu_err *err)
{
	struct lu_shard *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return lu_err_nomem(err);
	s->prefix = strdup(prefix);
	if (!s->prefix) {
		lu_shard_close(s);
		return lu_err_nomem(err);
	}
	if (open_files(s, err) < 0) {
		lu_shard_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

void lu_shard_close(struct lu_shard *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->part.n; i++) {
		lu_mapped_close(&s->part.p[i].bin);
		lu_mapped_close(&s->part.p[i].idx);
	}
	lu_manifest_release(&s->manifest);
	lu_vec_release(&s->part);
	free(s->prefix);
	free(s);
}

int lu_shards_distinct(char *const *prefix, size_t n, struct lu_err *err)
{
	if (lu_files_distinct(prefix, n, ".idx", err) < 0)
		return -1;
	return lu_files_distinct(prefix, n, "-00000.idx", err);
}

/* --- access ------------------------------------------------------------------------------- */

const char *lu_shard_prefix(const struct lu_shard *s)
{
	return s->prefix;
}

uint64_t lu_shard_tokens(const struct lu_shard *s)
{
	return s->tokens;
}

uint64_t lu_shard_documents(const struct lu_shard *s)
{
	return s->documents;
}

const struct lu_manifest *lu_shard_manifest(const struct lu_shard *s)
{
	return s->has_manifest ? &s->manifest : NULL;
}

unsigned lu_shard_width(const struct lu_shard *s)
{
	return s->width;
}

size_t lu_shard_parts(const struct lu_shard *s)
{
	return s->part.n;
}

const char *lu_shard_part_suffix(const struct lu_shard *s, size_t part)
{
	LU_ASSERT(part < s->part.n);
	return s->part.p[part].suffix;
}

uint64_t lu_shard_part_document(const struct lu_shard *s, size_t part)
{
	LU_ASSERT(part <= s->part.n);
	return s->part.p[part].first_document;
}

uint64_t lu_shard_part_token(const struct lu_shard *s, size_t part)
{
	LU_ASSERT(part <= s->part.n);
	return s->part.p[part].first_token;
}

static size_t part_of_token(const struct lu_shard *s, uint64_t pos)
{
	return lu_search_range(&s->part.p[0].first_token, s->part.n, sizeof(s->part.p[0]), pos);
}

static size_t part_of_document(const struct lu_shard *s, uint64_t i)
{
	return lu_search_range(&s->part.p[0].first_document, s->part.n, sizeof(s->part.p[0]), i);
}

void lu_shard_read(const struct lu_shard *s, uint64_t pos, size_t n, uint32_t *out)
{
	LU_ASSERT(pos <= s->tokens && n <= s->tokens - pos);
	for (size_t k = part_of_token(s, pos); n; k++) {
		const struct part *p = &s->part.p[k];
		uint64_t at = pos - p->first_token;
		size_t take = p->tokens - at < n ? (size_t)(p->tokens - at) : n;

		for (size_t i = 0; s->width == 2 && i < take; i++)
			out[i] = lu_load16(p->bin.p + (at + i) * 2);
		for (size_t i = 0; s->width == 4 && i < take; i++)
			out[i] = lu_load32(p->bin.p + (at + i) * 4);
		out += take;
		pos += take;
		n -= take;
	}
}

/* First token of a part's document i, counted within the part; i may be p->documents, the end. */
static uint64_t document_start(const struct lu_shard *s, const struct part *p, uint64_t i)
{
	uint64_t sequence = lu_load64(p->bounds + i * 8);

	if (sequence == p->sequences)
		return p->tokens;
	return lu_load64(p->pointers + sequence * 8) / s->width;
}

void lu_shard_document(const struct lu_shard *s, uint64_t i, uint64_t *first, uint64_t *tokens)
{
	const struct part *p;
	uint64_t start;

	LU_ASSERT(i < s->documents);
	p = &s->part.p[part_of_document(s, i)];
	i -= p->first_document;
	start = document_start(s, p, i);
	if (first)
		*first = p->first_token + start;
	if (tokens)
		*tokens = document_start(s, p, i + 1) - start;
}

uint64_t lu_shard_document_at(const struct lu_shard *s, uint64_t pos)
{
	const struct part *p;
	uint64_t lo = 0, hi;

	LU_ASSERT(pos < s->tokens);
	p = &s->part.p[part_of_token(s, pos)];
	pos -= p->first_token;
	/* The last document that starts at or before pos: empty ones may share its start. Not
	 * base/search.h: the starts go through two arrays. */
	hi = p->documents;
	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (document_start(s, p, mid) <= pos)
			lo = mid;
		else
			hi = mid;
	}
	return p->first_document + lo;
}
