#ifndef LUCIE_SHARD_MANIFEST_H
#define LUCIE_SHARD_MANIFEST_H
/*
 * PREFIX.json, the manifest of a shard (lucie-shard(5)): its totals, its tokenizer, and the size
 * and XXH3-128 of each of its files. It is written last, so a shard that has one is complete.
 *
 *	struct lu_manifest m = { 0 };
 *	if (lu_manifest_read(&m, "shards/fr.json", &err) < 0) ...
 *	lu_manifest_release(&m);
 *
 * Reading checks the form and tells whether the hash at the end is that of all before it; the files
 * are checked by shard/verify.h. Part of the bare build.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/arena.h"
#include "libcommon/base/buf.h"

#define LU_MANIFEST_VERSION 1
/* With `joined`: readers of version 1 would take the ledgers for damaged. */
#define LU_MANIFEST_JOINED 2
/* With `kind`, and `joined` where there are groups: readers of the versions before do not know masks. */
#define LU_MANIFEST_KIND 3
/* A manifest has a line for each language, licence and file: far below this many bytes. */
#define LU_MANIFEST_LIMIT ((size_t)1 << 28)
/* Start of the last line, which has the XXH3-128 of all bytes before it. */
#define LU_MANIFEST_SELF "\"xxh3_128\":\""

/* Totals of one value of "lang" or "license". */
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
	const char *tokenizer; /* XXH3-128 of tokenizer.json in hexadecimal; NULL: unknown */
	bool has_bos, has_eos; /* each document begins with bos, ends with eos */
	uint32_t bos, eos;
	uint64_t documents, tokens;
	uint64_t bytes; /* of text, in UTF-8 */
	uint64_t parts; /* 0: not split */
	/* Parts of each shard that was joined to this one; the ledger of a part counts tokens from the
	 * first part of its group. No groups: from the first of all. */
	const uint64_t *joined;
	size_t joins;
	const char *kind;      /* "chat", "preference"; NULL: text, which has no masks */
	struct lu_str options; /* raw JSON object: the options of lucie-shard */
	struct lu_manifest_total *lang, *license; /* in byte order of the value */
	size_t langs, licenses;
	/* .bin, .idx, .docs.jsonl.zst of each part in order, and .mask where `kind` is set */
	struct lu_manifest_file *file;
	size_t files;
	/* Its last line is the hash of all before it, or hashes cannot be computed here. */
	bool intact;
	struct lu_arena arena; /* memory of lu_manifest_read() */
};

int lu_manifest_read(struct lu_manifest *m, const char *path, struct lu_err *err) LU_CHECKED;
/* Fail unless it is intact. */
int lu_manifest_check(const struct lu_manifest *m, const char *path, struct lu_err *err) LU_CHECKED;
/* True if the text ends with the hash of all before it. */
bool lu_manifest_intact(const char *text, size_t n);
/* XXH3-128 of PREFIX.json in hexadecimal, by which a plan recognises a shard. */
int lu_manifest_hash(const char *prefix, char hash[33], struct lu_err *err) LU_CHECKED;
/* Append the text, which ends with the hash of all before it. */
int lu_manifest_text(
		const struct lu_manifest *m, struct lu_buf *out, struct lu_err *err) LU_CHECKED;
/* Append the text without the last line (LU_MANIFEST_SELF, hash, "\"}\n"). */
void lu_manifest_write(const struct lu_manifest *m, struct lu_buf *out);
void lu_manifest_release(struct lu_manifest *m);

/* Files of a part: 3, and 4 where there are masks. */
unsigned lu_manifest_part_files(const struct lu_manifest *m);
/* The XXH3-128 of the .bin of part k, 32 hexadecimal digits; NULL if it is not known, as without a manifest. */
const char *lu_manifest_tokens_hash(const struct lu_manifest *m, size_t k);
/* The file with this suffix, or NULL. */
const struct lu_manifest_file *lu_manifest_file(const struct lu_manifest *m, const char *suffix);

/* The suffix of a part: "" where parts is 0, else "-" and at least five digits. */
#define LU_PART_SUFFIX 24
void lu_part_suffix(uint64_t parts, uint64_t part, char out[LU_PART_SUFFIX]);

#endif
