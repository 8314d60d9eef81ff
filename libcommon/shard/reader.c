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
#include "libcommon/shard/mask.h"
#include "libcommon/shard/reader_index.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/mapped.h"
#include "libcommon/sys/readset.h"

/* Ids that are read at once. */
#define CHUNK 4096

struct part {
	char suffix[LU_PART_SUFFIX];
	struct lu_mapped bin;
	struct lu_idx idx;
	struct lu_mask mask; /* of a shard that has them */
	uint64_t first_document, first_token;
	uint64_t ledger_token; /* from which its ledger counts */
};

struct lu_shard {
	char *prefix;
	unsigned width;
	struct LU_VEC(struct part) part; /* p[n] exists too: its firsts are the end */
	uint64_t tokens, documents;
	struct lu_manifest manifest;
	bool has_manifest, trust;
};

/* --- opening ------------------------------------------------------------------------------ */

static int load_mask(const struct lu_shard *s, struct part *p, struct lu_err *err)
{
	char *path = lu_concat(s->prefix, p->suffix, LU_MASK_EXTENSION);
	int rc = path ? lu_mask_open(&p->mask, path, p->idx.tokens, err) : lu_err_nomem(err);

	free(path);
	return rc;
}

/* Map the files of a part and check its index. */
static int load_part(struct lu_shard *s, struct part *p, struct lu_err *err)
{
	char *bin = lu_concat(s->prefix, p->suffix, ".bin");
	char *idx = lu_concat(s->prefix, p->suffix, ".idx");
	int rc = -1;

	if (!bin || !idx)
		lu_err_nomem(err);
	else if (lu_idx_open(&p->idx, idx, err) == 0 && lu_mapped_open(&p->bin, bin, err) == 0)
		rc = lu_idx_check(&p->idx, p->bin.n,
				!s->has_manifest	   ? 0
						: s->trust ? LU_IDX_OURS | LU_IDX_TRUST
							   : LU_IDX_OURS,
				err);
	if (rc == 0 && s->manifest.kind)
		rc = load_mask(s, p, err);
	free(bin);
	free(idx);
	return rc;
}

static int open_part(struct lu_shard *s, const char *suffix, struct lu_err *err)
{
	struct part *p;

	if (!lu_vec_reserve(&s->part, 2))
		return lu_err_nomem(err);
	p = &s->part.p[s->part.n];
	memset(p, 0, 2 * sizeof(*p));
	snprintf(p->suffix, sizeof(p->suffix), "%s", suffix);
	p->first_document = s->documents;
	p->first_token = s->tokens;
	/* Part of the shard from here on, so that closing it unmaps the files. */
	s->part.n++;
	if (load_part(s, p, err) < 0)
		return -1;
	if (s->part.n > 1 && p->idx.width != s->width)
		return lu_err_set(err, "%s%s.idx: ids of %u bytes, the part before has %u",
				s->prefix, suffix, p->idx.width, s->width);
	if (__builtin_add_overflow(s->tokens, p->idx.tokens, &s->tokens))
		return lu_err_set(err, "%s%s.idx: too many tokens", s->prefix, suffix);
	s->width = p->idx.width;
	s->documents += p->idx.documents;
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
	if (lu_manifest_check(m, path, err) < 0)
		return -1;
	for (uint64_t i = 0, group = 0, left = 0; i < (m->parts ? m->parts : 1); i++) {
		char suffix[LU_PART_SUFFIX];

		lu_part_suffix(m->parts, i, suffix);
		if (open_part(s, suffix, err) < 0 ||
				check_size(s, suffix, ".bin", s->part.p[i].bin.n, err) < 0 ||
				check_size(s, suffix, ".idx", s->part.p[i].idx.file.n, err) < 0 ||
				(m->kind &&
						check_size(s, suffix, LU_MASK_EXTENSION,
								s->part.p[i].mask.file.n, err) < 0))
			return -1;
		if (m->joins == 0)
			continue;
		/* A group begins where the one before has no part left. */
		s->part.p[i].ledger_token =
				left ? s->part.p[i - 1].ledger_token : s->part.p[i].first_token;
		left = (left ? left : m->joined[group++]) - 1;
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
	static const char *const ending[] = { ".json", ".idx", ".bin", ".docs.jsonl.zst",
		LU_MASK_EXTENSION };
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

/* True if there is not one file of the shard, and then its manifest came within the wait for files that
 * another host has written. */
static bool came_later(const char *prefix, const char *manifest)
{
	struct lu_err ignored;

	return exists(prefix, "", ".idx", &ignored) == 0 &&
			exists(prefix, "-00000", ".idx", &ignored) == 0 && lu_await(manifest);
}

static int open_files(struct lu_shard *s, struct lu_err *err)
{
	char *path = lu_concat(s->prefix, ".json", NULL);
	int rc;

	if (!path)
		return lu_err_nomem(err);
	rc = exists(s->prefix, "", ".json", err);
	if (rc == 0 && came_later(s->prefix, path))
		rc = 1;
	if (rc == 0)
		rc = open_plain(s, err);
	else if (rc > 0)
		rc = open_by_manifest(s, path, err);
	free(path);
	return rc;
}

static int open_shard(struct lu_shard **out, const char *prefix, bool trust, struct lu_err *err)
{
	struct lu_shard *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return lu_err_nomem(err);
	s->trust = trust;
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

int lu_shard_open(struct lu_shard **out, const char *prefix, struct lu_err *err)
{
	return open_shard(out, prefix, false, err);
}

int lu_shard_open_trusted(struct lu_shard **out, const char *prefix, struct lu_err *err)
{
	return open_shard(out, prefix, true, err);
}

void lu_shard_close(struct lu_shard *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->part.n; i++) {
		lu_mapped_close(&s->part.p[i].bin);
		lu_idx_close(&s->part.p[i].idx);
		lu_mask_close(&s->part.p[i].mask);
	}
	lu_manifest_release(&s->manifest);
	lu_vec_release(&s->part);
	free(s->prefix);
	free(s);
}

void lu_shard_scattered(const struct lu_shard *s)
{
	for (size_t i = 0; i < s->part.n; i++)
		lu_mapped_scattered(&s->part.p[i].bin);
}

struct parts {
	struct LU_VEC(char *) index; /* path of each */
	struct LU_VEC(size_t) owner; /* number of its shard */
};

/* Parts by the manifest: 0 for a shard that is not split, SIZE_MAX where there is none. */
static size_t count_parts(const char *prefix)
{
	struct lu_manifest m = { 0 };
	struct lu_err ignored = { 0 };
	char *path = lu_concat(prefix, ".json", NULL);
	size_t parts = SIZE_MAX;

	if (path && lu_manifest_read(&m, path, &ignored) == 0)
		parts = (size_t)m.parts;
	lu_manifest_release(&m);
	free(path);
	return parts;
}

/* Add PREFIX.idx, or if there is none the parts: further ones may be shards of their own. */
static int add_parts(struct parts *all, size_t owner, const char *prefix, struct lu_err *err)
{
	size_t parts = count_parts(prefix);
	bool found = false;

	for (size_t i = 0; i <= parts && (i < 2 ? !found : found); i++) {
		char part[LU_PART_SUFFIX], *path;

		lu_part_suffix(i, i - 1, part);
		path = lu_concat(prefix, part, ".idx");
		if (!path || !lu_vec_reserve(&all->index, 1) || !lu_vec_reserve(&all->owner, 1)) {
			free(path);
			return lu_err_nomem(err);
		}
		found = access(path, F_OK) == 0;
		if (found) {
			all->index.p[all->index.n++] = path;
			all->owner.p[all->owner.n++] = owner;
		} else {
			free(path);
		}
	}
	return 0;
}

/* Two parts are one file, since --merge makes links. */
static int refuse_again(const struct parts *all, char *const *prefix, size_t first, size_t again,
		struct lu_err *err)
{
	const char *a = prefix[all->owner.p[first]], *b = prefix[all->owner.p[again]];
	char *both[] = { (char *)(uintptr_t)a, (char *)(uintptr_t)b };
	struct lu_err same;

	if (all->owner.p[first] != all->owner.p[again] &&
			(lu_files_distinct(both, 2, ".json", &same) < 0 ||
					lu_files_distinct(both, 2, ".idx", &same) < 0)) {
		*err = same;
		return -1;
	}
	return lu_err_set(err, "%s: given twice, %s has it as %s", all->index.p[again], a,
			all->index.p[first]);
}

int lu_shards_distinct(char *const *prefix, size_t n, struct lu_err *err)
{
	struct parts all = { 0 };
	size_t first, again;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_parts(&all, i, prefix[i], err);
	if (rc == 0)
		rc = lu_files_repeated(all.index.p, all.index.n, "", &first, &again, err);
	if (rc > 0)
		rc = refuse_again(&all, prefix, first, again, err);
	for (size_t i = 0; i < all.index.n; i++)
		free(all.index.p[i]);
	lu_vec_release(&all.index);
	lu_vec_release(&all.owner);
	return rc;
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

uint64_t lu_shard_sequences(const struct lu_shard *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->part.n; i++)
		n += s->part.p[i].idx.sequences;
	return n;
}

const struct lu_manifest *lu_shard_manifest(const struct lu_shard *s)
{
	return s->has_manifest ? &s->manifest : NULL;
}

const struct lu_mask *lu_shard_part_mask(const struct lu_shard *s, size_t part)
{
	LU_ASSERT(part < s->part.n);
	return s->manifest.kind ? &s->part.p[part].mask : NULL;
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

uint64_t lu_shard_ledger_token(const struct lu_shard *s, size_t part)
{
	LU_ASSERT(part < s->part.n);
	return s->part.p[part].ledger_token;
}

size_t lu_shard_part_at(const struct lu_shard *s, uint64_t pos)
{
	return lu_search_range(&s->part.p[0].first_token, s->part.n, sizeof(s->part.p[0]), pos);
}

static size_t part_of_document(const struct lu_shard *s, uint64_t i)
{
	return lu_search_range(&s->part.p[0].first_document, s->part.n, sizeof(s->part.p[0]), i);
}

/* Tokens at .. at + n - 1 of a part; at most CHUNK. */
static int read_chunk(const struct lu_shard *s, const struct part *p, uint64_t at, size_t n,
		uint32_t *out, struct lu_err *err)
{
	unsigned char room[CHUNK * 4];
	const unsigned char *b = lu_mapped_at(&p->bin, at * s->width, n * s->width, room, err);

	if (!b)
		return -1;
	for (size_t i = 0; s->width == 2 && i < n; i++)
		out[i] = lu_load16(b + i * 2);
	for (size_t i = 0; s->width == 4 && i < n; i++)
		out[i] = lu_load32(b + i * 4);
	return 0;
}

int lu_shard_read(
		const struct lu_shard *s, uint64_t pos, size_t n, uint32_t *out, struct lu_err *err)
{
	LU_ASSERT(pos <= s->tokens && n <= s->tokens - pos);
	for (size_t k = lu_shard_part_at(s, pos); n;) {
		const struct part *p = &s->part.p[k];
		uint64_t at = pos - p->first_token, left = p->idx.tokens - at;
		size_t take = n < CHUNK ? n : CHUNK;

		if (take > left)
			take = (size_t)left;
		if (take && read_chunk(s, p, at, take, out, err) < 0)
			return -1;
		if (take == left)
			k++;
		out += take;
		pos += take;
		n -= take;
	}
	return 0;
}

int lu_shard_document(const struct lu_shard *s, uint64_t i, uint64_t *first, uint64_t *tokens,
		struct lu_err *err)
{
	const struct part *p;
	uint64_t begin, end;

	LU_ASSERT(i < s->documents);
	p = &s->part.p[part_of_document(s, i)];
	if (lu_idx_document(&p->idx, i - p->first_document, &begin, &end, err) < 0)
		return -1;
	*first = p->first_token + begin;
	*tokens = end - begin;
	return 0;
}

int lu_shard_document_size(
		const struct lu_shard *s, uint64_t i, uint64_t *tokens, struct lu_err *err)
{
	const struct part *p;

	LU_ASSERT(i < s->documents);
	p = &s->part.p[part_of_document(s, i)];
	return lu_idx_size(&p->idx, i - p->first_document, tokens, err);
}

int lu_shard_document_at(
		const struct lu_shard *s, uint64_t pos, uint64_t *document, struct lu_err *err)
{
	const struct part *p;

	LU_ASSERT(pos < s->tokens);
	p = &s->part.p[lu_shard_part_at(s, pos)];
	if (lu_idx_find(&p->idx, pos - p->first_token, document, err) < 0)
		return -1;
	*document += p->first_document;
	return 0;
}
