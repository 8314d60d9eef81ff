#include "libcommon/shard/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "libcommon/base/num.h"
#include "libcommon/base/vec.h"
#include "libcommon/io/spool.h"
#include "libcommon/shard/beside.h"
#include "libcommon/shard/format.h"
#include "libcommon/shard/mask.h"
#include "libcommon/shard/mask_writer.h"
#include "libcommon/shard/tally.h"
#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"

#define PENDING_MAX ((size_t)1 << 18)
#define LEDGER_LEVEL 3
#define FILES 4 /* of a part; without masks the last is not there */

static const char *const extension[FILES] = { ".bin", ".idx", ".docs.jsonl.zst",
	LU_MASK_EXTENSION };
enum { BIN, IDX, LEDGER, MASK };

/* A file that is written in small pieces and hashed on the way. */
struct output {
	struct lu_atomic file;
	struct lu_hasher *hasher;
	struct lu_buf pending;
};
/* clang-format off */
#define OUTPUT_NONE { .file = LU_ATOMIC_NONE }
/* clang-format on */

/* The files of a part. file[] is LU_ATOMIC_NONE until close_part() has settled the files. */
struct part {
	struct lu_atomic file[FILES];
	uint64_t bytes[FILES];
	char hash[FILES][33];
	char suffix[FILES][LU_PART_SUFFIX + 16];
};

struct lu_shard_writer {
	char *prefix;
	struct lu_shard_format f;
	struct lu_buf options;
	unsigned width;
	int files;		     /* of a part */
	struct lu_atomic manifest;   /* opened first: a name that cannot be written fails at once */
	struct output output[FILES]; /* of the part that is being written */
	struct LU_VEC(struct part) part;
	struct lu_spool lengths; /* of this part: u32 each */
	struct lu_mask_writer mask;
	ZSTD_CCtx *zstd;
	struct lu_buf compressed, line;
	uint64_t part_documents, part_tokens;
	/* With f.joined: parts of each shard within this one; where the last begins. */
	struct LU_VEC(uint64_t) joined;
	uint64_t base_document, base_token;
	uint64_t documents, tokens, bytes, targets;
	struct lu_tally lang, license;
	bool settled;
};

void lu_shard_pack(unsigned width, const uint32_t *ids, size_t n, void *out)
{
	unsigned char *p = out;

	for (size_t i = 0; width == 2 && i < n; i++)
		lu_store16(p + 2 * i, (uint16_t)ids[i]);
	for (size_t i = 0; width == 4 && i < n; i++)
		lu_store32(p + 4 * i, ids[i]);
}

/* --- one file ----------------------------------------------------------------------------- */

static int open_file(
		struct lu_atomic *file, const char *prefix, const char *suffix, struct lu_err *err)
{
	char *path = lu_concat(prefix, suffix, NULL);
	int rc = path ? lu_shard_spare_part(prefix, suffix, err) : lu_err_nomem(err);

	if (rc == 0)
		rc = lu_atomic_open(file, path, err);

	free(path);
	return rc;
}

static int flush(struct output *o, struct lu_err *err)
{
	if (lu_buf_check(&o->pending, err) < 0 ||
			lu_atomic_write(&o->file, o->pending.p, o->pending.n, err) < 0)
		return -1;
	lu_hasher_add(o->hasher, o->pending.p, o->pending.n);
	lu_buf_clear(&o->pending);
	return 0;
}

/* Pieces of PENDING_MAX bytes or more bypass the buffer. */
static int write_bytes(struct output *o, const void *p, size_t n, struct lu_err *err)
{
	if (o->pending.n + n > PENDING_MAX && o->pending.n && flush(o, err) < 0)
		return -1;
	if (n < PENDING_MAX) {
		lu_buf_append(&o->pending, p, n);
		return lu_buf_check(&o->pending, err);
	}
	lu_hasher_add(o->hasher, p, n);
	return lu_atomic_write(&o->file, p, n, err);
}

static int write_u64(struct output *o, uint64_t v, struct lu_err *err)
{
	unsigned char b[8];

	lu_store64(b, v);
	return write_bytes(o, b, sizeof(b), err);
}

static void discard(struct output *o)
{
	lu_atomic_abort(&o->file);
	lu_hasher_free(o->hasher);
	lu_buf_release(&o->pending);
	*o = (struct output)OUTPUT_NONE;
}

/* --- one part ----------------------------------------------------------------------------- */

static bool is_split(const struct lu_shard_format *f)
{
	return f->max_tokens || f->joined;
}

static int open_part(struct lu_shard_writer *w, struct lu_err *err)
{
	struct part p = { .file = { LU_ATOMIC_NONE, LU_ATOMIC_NONE, LU_ATOMIC_NONE,
					  LU_ATOMIC_NONE } };
	char suffix[LU_PART_SUFFIX];

	lu_part_suffix(is_split(&w->f), w->part.n, suffix);
	for (int i = 0; i < w->files; i++)
		snprintf(p.suffix[i], sizeof(p.suffix[i]), "%s%s", suffix, extension[i]);
	if (!lu_vec_push(&w->part, p))
		return lu_err_nomem(err);
	w->part_documents = w->part_tokens = 0;
	for (int i = 0; i < w->files; i++) {
		w->output[i].hasher = lu_hasher_new();
		if (!w->output[i].hasher)
			return lu_err_nomem(err);
		if (open_file(&w->output[i].file, w->prefix, p.suffix[i], err) < 0)
			return -1;
	}
	if (ZSTD_isError(ZSTD_CCtx_reset(w->zstd, ZSTD_reset_session_only)))
		return lu_err_nomem(err);
	if (w->f.kind && lu_mask_writer_open(&w->mask, w->f.tmpdir, err) < 0)
		return -1;
	return lu_spool_open(&w->lengths, w->f.tmpdir, err);
}

/* Compress text of the ledger; `end` closes the frame. */
static int write_ledger(struct lu_shard_writer *w, struct lu_str text, bool end, struct lu_err *err)
{
	ZSTD_inBuffer in = { text.p, text.n, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { w->compressed.p, w->compressed.cap, 0 };

		left = ZSTD_compressStream2(w->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return lu_err_set(
					err, "%s: ledger: %s", w->prefix, ZSTD_getErrorName(left));
		if (write_bytes(&w->output[LEDGER], out.dst, out.pos, err) < 0)
			return -1;
	} while (in.pos < in.size || (end && left));
	return 0;
}

/* The lengths are read twice: the byte offsets follow from them. */
static int write_arrays(struct lu_shard_writer *w, struct lu_err *err)
{
	struct output *o = &w->output[IDX];
	uint64_t at = 0, n = w->part_documents;
	struct lu_str piece;

	if (lu_spool_rewind(&w->lengths, err) < 0)
		return -1;
	for (uint64_t i = 0; i < n; i++) {
		if (lu_spool_get(&w->lengths, i * 4, 4, &piece, err) < 0 ||
				write_bytes(o, piece.p, 4, err) < 0)
			return -1;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (lu_spool_get(&w->lengths, i * 4, 4, &piece, err) < 0 ||
				write_u64(o, at, err) < 0)
			return -1;
		at += (uint64_t)lu_load32(piece.p) * w->width;
	}
	for (uint64_t i = 0; i <= n; i++) {
		if (write_u64(o, i, err) < 0)
			return -1;
	}
	return 0;
}

static int write_index(struct lu_shard_writer *w, struct lu_err *err)
{
	unsigned char h[LU_IDX_HEADER];

	memcpy(h, LU_IDX_MAGIC, LU_IDX_MAGIC_SIZE);
	lu_store64(h + LU_IDX_AT_VERSION, LU_IDX_VERSION);
	h[LU_IDX_AT_TYPE] = w->width == 2 ? LU_IDX_TYPE_U16 : LU_IDX_TYPE_I32;
	lu_store64(h + LU_IDX_AT_SEQUENCES, w->part_documents);
	lu_store64(h + LU_IDX_AT_BOUNDS, w->part_documents + 1);
	if (write_bytes(&w->output[IDX], h, sizeof(h), err) < 0)
		return -1;
	return write_arrays(w, err);
}

static int write_mask(void *ctx, const void *p, size_t n, struct lu_err *err)
{
	return write_bytes(ctx, p, n, err);
}

/* Complete the files and sync them under their temporary names. */
static int close_part(struct lu_shard_writer *w, struct lu_err *err)
{
	struct part *p = &w->part.p[w->part.n - 1];

	if (write_ledger(w, (struct lu_str){ "", 0 }, true, err) < 0 || write_index(w, err) < 0)
		return -1;
	lu_spool_close(&w->lengths);
	if (w->f.kind && lu_mask_writer_end(&w->mask, write_mask, &w->output[MASK], err) < 0)
		return -1;
	lu_mask_writer_close(&w->mask);
	for (int i = 0; i < w->files; i++) {
		struct output *o = &w->output[i];

		if (flush(o, err) < 0)
			return -1;
		p->bytes[i] = o->file.written;
		lu_hash128_text(lu_hasher_end(o->hasher), p->hash[i]);
		if (lu_atomic_settle(&o->file, err) < 0)
			return -1;
		p->file[i] = o->file;
		o->file = (struct lu_atomic)LU_ATOMIC_NONE;
		discard(o);
	}
	return 0;
}

/* --- the shard ---------------------------------------------------------------------------- */

int lu_shard_writer_open(struct lu_shard_writer **out, const char *prefix,
		const struct lu_shard_format *f, struct lu_err *err)
{
	struct lu_shard_writer *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (!w)
		return lu_err_nomem(err);
	w->f = *f;
	w->width = lu_idx_width_for(f->vocab);
	w->files = f->kind ? FILES : FILES - 1;
	w->lengths = (struct lu_spool)LU_SPOOL_NONE;
	w->mask = (struct lu_mask_writer)LU_MASK_WRITER_NONE;
	w->manifest = (struct lu_atomic)LU_ATOMIC_NONE;
	for (int i = 0; i < FILES; i++)
		w->output[i] = (struct output)OUTPUT_NONE;
	w->prefix = strdup(prefix);
	lu_buf_str(&w->options, f->options);
	w->zstd = ZSTD_createCCtx();
	if (!w->prefix || !w->zstd || !lu_buf_ok(&w->options) ||
			!lu_buf_reserve(&w->compressed, ZSTD_CStreamOutSize()) ||
			ZSTD_isError(ZSTD_CCtx_setParameter(
					w->zstd, ZSTD_c_compressionLevel, LEDGER_LEVEL)) ||
			ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1))) {
		lu_err_nomem(err);
		goto fail;
	}
	if (f->joined && !lu_vec_push(&w->joined, 1)) {
		lu_err_nomem(err);
		goto fail;
	}
	if (open_file(&w->manifest, prefix, ".json", err) < 0 || open_part(w, err) < 0)
		goto fail;
	*out = w;
	return 0;
fail:
	lu_shard_writer_free(w);
	return -1;
}

int lu_shard_writer_add_masked(struct lu_shard_writer *w, const struct lu_ledger_doc *doc,
		const void *packed, const uint8_t *mask, struct lu_err *err)
{
	struct lu_ledger_doc d = *doc;
	unsigned char length[4];

	LU_ASSERT(!w->settled && !mask == !w->f.kind);
	if (d.tokens > LU_IDX_MAX_LENGTH)
		return lu_err_set(err, "%s: a document of %" PRIu64 " tokens, more than %d",
				w->prefix, d.tokens, LU_IDX_MAX_LENGTH);
	if (w->f.max_tokens && w->part_documents && w->part_tokens + d.tokens > w->f.max_tokens) {
		if (close_part(w, err) < 0 || open_part(w, err) < 0)
			return -1;
		if (w->f.joined)
			w->joined.p[w->joined.n - 1]++;
	}
	d.first = w->tokens - w->base_token;
	lu_buf_clear(&w->line);
	lu_ledger_write(&d, &w->line);
	lu_store32(length, (uint32_t)d.tokens);
	if (lu_buf_check(&w->line, err) < 0 ||
			write_ledger(w, lu_buf_slice(&w->line), false, err) < 0 ||
			write_bytes(&w->output[BIN], packed, (size_t)d.tokens * w->width, err) <
					0 ||
			(mask && lu_mask_writer_add(&w->mask, mask, (size_t)d.tokens, err) < 0) ||
			lu_spool_add(&w->lengths, length, sizeof(length), err) < 0 ||
			lu_tally_add(&w->lang, d.lang, 1, d.tokens, d.bytes, err) < 0 ||
			lu_tally_add(&w->license, d.license, 1, d.tokens, d.bytes, err) < 0)
		return -1;
	w->part_documents++;
	w->part_tokens += d.tokens;
	w->documents++;
	w->tokens += d.tokens;
	w->bytes += d.bytes;
	w->targets += mask ? 0 : d.tokens;
	for (uint64_t i = 0; mask && i < d.tokens; i++)
		w->targets += mask[i];
	return 0;
}

int lu_shard_writer_next(struct lu_shard_writer *w, struct lu_err *err)
{
	LU_ASSERT(w->f.joined && !w->settled);
	if (close_part(w, err) < 0 || open_part(w, err) < 0)
		return -1;
	w->base_document = w->documents;
	w->base_token = w->tokens;
	return lu_vec_push(&w->joined, 1) ? 0 : lu_err_nomem(err);
}

uint64_t lu_shard_writer_since(const struct lu_shard_writer *w)
{
	return w->documents - w->base_document;
}

static void describe(struct lu_shard_writer *w, struct lu_manifest *m, const char *tokenizer,
		struct lu_manifest_file *file)
{
	lu_tally_sort(&w->lang);
	lu_tally_sort(&w->license);
	*m = (struct lu_manifest){ .width = w->width,
		.vocab = w->f.vocab,
		.tokenizer = w->f.has_tokenizer ? tokenizer : NULL,
		.has_bos = w->f.has_bos,
		.has_eos = w->f.has_eos,
		.bos = w->f.bos,
		.eos = w->f.eos,
		.documents = w->documents,
		.tokens = w->tokens,
		.bytes = w->bytes,
		.parts = is_split(&w->f) ? w->part.n : 0,
		.joined = w->joined.p,
		.joins = w->joined.n,
		.kind = w->f.kind,
		.options = lu_buf_slice(&w->options),
		.lang = w->lang.total.p,
		.langs = w->lang.total.n,
		.license = w->license.total.p,
		.licenses = w->license.total.n,
		.file = file,
		.files = w->part.n * (size_t)w->files };
	for (size_t i = 0; i < m->files; i++) {
		const struct part *p = &w->part.p[i / (size_t)w->files];
		size_t k = i % (size_t)w->files;

		file[i] = (struct lu_manifest_file){ p->suffix[k], p->bytes[k], p->hash[k] };
	}
}

int lu_shard_writer_settle(struct lu_shard_writer *w, struct lu_err *err)
{
	struct lu_manifest_file *file;
	struct lu_manifest m;
	struct lu_buf text = { 0 };
	char hash[33];
	int rc = -1;

	if (close_part(w, err) < 0)
		return -1;
	file = malloc(w->part.n * FILES * sizeof(*file));
	if (!file)
		return lu_err_nomem(err);
	lu_hash128_text(w->f.tokenizer, hash);
	describe(w, &m, hash, file);
	if (lu_manifest_text(&m, &text, err) < 0 ||
			lu_atomic_write(&w->manifest, text.p, text.n, err) < 0 ||
			lu_atomic_settle(&w->manifest, err) < 0)
		goto out;
	w->settled = true;
	rc = 0;
out:
	lu_buf_release(&text);
	free(file);
	return rc;
}

static int remove_file(const char *path, struct lu_err *err)
{
	/* NULL: a special file such as /dev/null, which stays. */
	if (!path || unlink(path) == 0 || errno == ENOENT)
		return 0;
	return lu_err_sys(err, errno, "%s", path);
}

static int remove_named(const char *prefix, const char *suffix, struct lu_err *err)
{
	char *path = lu_concat(prefix, suffix, NULL);
	int rc = path ? lu_shard_of_part(prefix, suffix, err) : lu_err_nomem(err);

	if (rc == 0)
		rc = remove_file(path, err);
	free(path);
	return rc < 0 ? -1 : 0;
}

static bool has_suffix(const struct lu_shard_writer *w, const char *suffix)
{
	for (size_t i = 0; i < w->part.n; i++) {
		for (int k = 0; k < w->files; k++) {
			if (strcmp(w->part.p[i].suffix[k], suffix) == 0)
				return true;
		}
	}
	return false;
}

/* Remove the files that an existing manifest names: those without a successor first, while it still
 * names them, so that no kill leaves them for good; then the manifest: from then on there is no old
 * shard. A manifest that cannot be read names nothing. Files about to be replaced are left to the
 * rename, except the indexes, without which the others are no shard. */
static int remove_old(struct lu_shard_writer *w, struct lu_err *err)
{
	const char *path = w->manifest.target;
	struct lu_manifest old = { 0 };
	struct lu_err ignored = { 0 };
	int rc = 0;

	if (path && lu_manifest_read(&old, path, &ignored) < 0)
		old = (struct lu_manifest){ 0 };
	for (size_t i = 0; rc == 0 && i < old.files; i++) {
		if (!has_suffix(w, old.file[i].suffix))
			rc = remove_named(w->prefix, old.file[i].suffix, err);
	}
	if (rc == 0)
		rc = remove_file(path, err);
	for (size_t i = 0; rc == 0 && i < w->part.n; i++)
		rc = remove_file(w->part.p[i].file[IDX].target, err);
	if (rc == 0 && path)
		rc = lu_sync_folder(path, err);
	lu_manifest_release(&old);
	return rc;
}

/* Remove the files renamed so far, in reverse order, the manifest first. If a removal fails, what is
 * left has no manifest and does not open as a shard. */
static void roll_back(const struct lu_shard_writer *w, const int *order, size_t done)
{
	struct lu_err ignored = { 0 };
	int rc = remove_named(w->prefix, ".json", &ignored);

	while (rc == 0 && done-- > 0) {
		const struct part *p = &w->part.p[done % w->part.n];

		rc = remove_named(w->prefix, p->suffix[order[done / w->part.n]], &ignored);
	}
}

int lu_shard_writer_commit(struct lu_shard_writer *w, struct lu_err *err)
{
	static const int masked[] = { BIN, LEDGER, MASK, IDX }, plain[] = { BIN, LEDGER, IDX };
	const int *order = w->f.kind ? masked : plain;
	size_t n = w->part.n * (size_t)w->files, done = 0;
	/* A shard of the same manifest, as another attempt has made, has the same files. */
	bool same = lu_atomic_has_equal(&w->manifest);
	int rc = 0;

	LU_ASSERT(w->settled);
	if (!same && remove_old(w, err) < 0)
		return -1;
	for (; rc == 0 && done < n; done++)
		rc = lu_atomic_commit(
				&w->part.p[done % w->part.n].file[order[done / w->part.n]], err);
	if (rc == 0)
		rc = lu_atomic_commit(&w->manifest, err);
	if (rc < 0 && !same)
		roll_back(w, order, done);
	return rc;
}

void lu_shard_writer_free(struct lu_shard_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->part.n * FILES; i++)
		lu_atomic_abort(&w->part.p[i / FILES].file[i % FILES]);
	for (int i = 0; i < FILES; i++)
		discard(&w->output[i]);
	lu_atomic_abort(&w->manifest);
	lu_spool_close(&w->lengths);
	lu_mask_writer_close(&w->mask);
	ZSTD_freeCCtx(w->zstd);
	lu_tally_release(&w->lang);
	lu_tally_release(&w->license);
	lu_buf_release(&w->compressed);
	lu_buf_release(&w->line);
	lu_buf_release(&w->options);
	lu_vec_release(&w->joined);
	lu_vec_release(&w->part);
	free(w->prefix);
	free(w);
}

uint64_t lu_shard_writer_documents(const struct lu_shard_writer *w)
{
	return w->documents;
}

uint64_t lu_shard_writer_tokens(const struct lu_shard_writer *w)
{
	return w->tokens;
}

uint64_t lu_shard_writer_targets(const struct lu_shard_writer *w)
{
	return w->targets;
}
