#ifndef LUCIE_SHARD_MANIFEST_H
#define LUCIE_SHARD_MANIFEST_H
/*
 * PREFIX.json, the manifest of a shard (lucie-shard(5)): what is in it, from which tokenizer, and
 * the size and XXH3-128 of each of its files. It is written last, so a shard that has one is
 * whole.
 *
 *	struct lu_manifest m = { 0 };
 *	if (lu_manifest_read(&m, "shards/fr.json", &err) < 0) ...
 *	lu_manifest_release(&m);
 *
 * Reading checks the form, not the files, nor the hash that the manifest ends with: that is
 * shard/verify.h. Needs nothing but libc: it is part of the bare build.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"

#define LU_MANIFEST_VERSION 1
/* A manifest has a line for each language, licence and file: far below this many bytes. */
#define LU_MANIFEST_LIMIT ((size_t)1 << 28)
/* Begins the last line, which holds the XXH3-128 of all the bytes before it. */
#define LU_MANIFEST_SELF "\"xxh3_128\":\""

/* What is in a shard with one value of "lang" or "license". */
struct lu_manifest_total {
	struct lu_str value; /* raw JSON, null for documents without */
	uint64_t documents, tokens, bytes;
};

struct lu_manifest_file {
	const char *suffix; /* the name without the prefix: ".bin", "-00003.idx" */
	uint64_t bytes;
	const char *hash; /* XXH3-128, 32 hexadecimal digits */
};

struct lu_manifest {
	unsigned width;	       /* bytes of an id: 2 or 4 */
	uint64_t vocab;	       /* every id is below it */
	const char *tokenizer; /* XXH3-128 of tokenizer.json, 32 hexadecimal digits; NULL: unknown */
	bool has_bos, has_eos; /* each document begins, ends with it */
	uint32_t bos, eos;
	uint64_t documents, tokens;
	uint64_t bytes;				  /* of text, in UTF-8 */
	uint64_t parts;				  /* 0: not split */
	struct lu_str options;			  /* raw JSON object: how it was made */
	struct lu_manifest_total *lang, *license; /* in byte order of the value */
	size_t langs, licenses;
	struct lu_manifest_file *file; /* parts in order; of each .bin, .idx, .docs.jsonl.zst */
	size_t files;
	struct lu_arena arena; /* what lu_manifest_read() made lives here */
};

int lu_manifest_read(struct lu_manifest *m, const char *path, struct lu_err *err) LU_CHECKED;
/* XXH3-128 of PREFIX.json in hexadecimal, by which a plan recognises a shard. */
int lu_manifest_hash(const char *prefix, char hash[33], struct lu_err *err) LU_CHECKED;
/* Appends the text, but for the last line (LU_MANIFEST_SELF, hash, "\"}\n"). */
void lu_manifest_write(const struct lu_manifest *m, struct lu_buf *out);
void lu_manifest_release(struct lu_manifest *m);

/* The file with this suffix, or NULL. */
const struct lu_manifest_file *lu_manifest_file(const struct lu_manifest *m, const char *suffix);

/* Room for a part's suffix: "" where parts is 0, else "-" and at least five digits. */
#define LU_PART_SUFFIX 24
void lu_part_suffix(uint64_t parts, uint64_t part, char out[LU_PART_SUFFIX]);

#endif
