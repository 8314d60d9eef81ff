#ifndef LUCIE_SHARD_READER_H
#define LUCIE_SHARD_READER_H
/*
 * Reads the tokens of a shard (lucie-shard(5)): PREFIX.bin and PREFIX.idx in Megatron's format, or
 * the parts PREFIX-00000.* and on of a split shard, as one sequence of token ids.
 *
 *	struct lu_shard *s;
 *	if (lu_shard_open(&s, "shards/fr", &err) < 0) ...
 *	lu_shard_read(s, pos, n, ids, &err);	tokens pos..pos+n-1, across documents and parts
 *	lu_shard_document(s, i, &first, &n, &err);	the tokens of document i
 *	lu_shard_close(s);
 *
 * Open checks the index against the file sizes: magic, version, type, every length and pointer,
 * every document boundary; and, where there is a PREFIX.json, its sizes and totals. After that a call
 * can fail only where the disk does. The tokens are not read: hashes and ids are checked by
 * lucie-check, and an id that is negative in the file is returned as 2^31 or more.
 *
 * Shards of other writers, without ledger and manifest, open too if their sequences follow one
 * another without gaps. A ledger without a manifest is an unfinished shard: refused.
 *
 * lu_shard_open_trusted() leaves out the pass over the index, for one of many processes another of
 * which has made it: it checks manifest, sizes, counts and the ends of the index, and each look-up
 * then checks what it reads. A shard without a manifest is checked like any other.
 *
 * The files are mapped, or read with pread() where that is refused (sys/mapped.h). Opening costs one
 * pass over the .idx (about 1 GB/s) and no memory of its own; opening trusted, a few reads a file.
 * The files must not shrink while they are open; sys/mapped.h tells what happens if they do. An open
 * shard is read-only, so any number of threads may share it.
 *
 * Needs only libc: part of the bare build.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/shard/manifest.h"

struct lu_shard;

int lu_shard_open(struct lu_shard **s, const char *prefix, struct lu_err *err) LU_CHECKED;
int lu_shard_open_trusted(struct lu_shard **s, const char *prefix, struct lu_err *err) LU_CHECKED;
void lu_shard_close(struct lu_shard *s); /* NULL is fine */

/* Fail when two of the prefixes name the same shard, "PREFIX: given twice", or have a part that is
 * one file, as a shard and what --merge made of it have: its documents would count twice. */
int lu_shards_distinct(char *const *prefix, size_t n, struct lu_err *err) LU_CHECKED;

/* Say that the tokens are read here and there, not in their order (lu_mapped_scattered()). */
void lu_shard_scattered(const struct lu_shard *s);

const char *lu_shard_prefix(const struct lu_shard *s);
uint64_t lu_shard_tokens(const struct lu_shard *s);
uint64_t lu_shard_documents(const struct lu_shard *s);
/* Of the index: as many as documents in shards of lucie-shard; others may have more or fewer in one. */
uint64_t lu_shard_sequences(const struct lu_shard *s);
/* The manifest, valid as long as the shard; NULL where there is none. */
const struct lu_manifest *lu_shard_manifest(const struct lu_shard *s);
struct lu_mask;
/* The mask of a part, valid as long as the shard; NULL where there is none. shard/mask.h reads it. */
const struct lu_mask *lu_shard_part_mask(const struct lu_shard *s, size_t part);
/* Bytes of an id in the file: 2 (unsigned) or 4 (signed). */
unsigned lu_shard_width(const struct lu_shard *s);

/* Tokens pos..pos+n-1; pos + n is at most lu_shard_tokens(). */
int lu_shard_read(const struct lu_shard *s, uint64_t pos, size_t n, uint32_t *out,
		struct lu_err *err) LU_CHECKED;

/* First token and number of tokens (0 is possible) of document i, which is below
 * lu_shard_documents(). */
int lu_shard_document(const struct lu_shard *s, uint64_t i, uint64_t *first, uint64_t *tokens,
		struct lu_err *err) LU_CHECKED;
/* The number alone, at the cost of one access to memory where documents are sequences. */
int lu_shard_document_size(const struct lu_shard *s, uint64_t i, uint64_t *tokens,
		struct lu_err *err) LU_CHECKED;
/* The document with the token at pos, which is below lu_shard_tokens(), in O(log documents). */
int lu_shard_document_at(const struct lu_shard *s, uint64_t pos, uint64_t *document,
		struct lu_err *err) LU_CHECKED;

/* Number of parts (1 when not split), and a part's first document and first token. Part
 * lu_shard_parts() is the end. */
size_t lu_shard_parts(const struct lu_shard *s);
/* "" or "-00000": between the prefix and ".bin". */
const char *lu_shard_part_suffix(const struct lu_shard *s, size_t part);
uint64_t lu_shard_part_document(const struct lu_shard *s, size_t part);
uint64_t lu_shard_part_token(const struct lu_shard *s, size_t part);
/* The part with the token at pos, which is below lu_shard_tokens(). */
size_t lu_shard_part_at(const struct lu_shard *s, uint64_t pos);
/* The token from which the ledger of a part counts: 0, but for shards that were joined. */
uint64_t lu_shard_ledger_token(const struct lu_shard *s, size_t part);

#endif
