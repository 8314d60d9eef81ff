#ifndef LUCIE_SHARD_JOINED_H
#define LUCIE_SHARD_JOINED_H
/*
 * Joins shards to one, without reading their tokens: the parts of PREFIX are hard links to the
 * files of the shards, in their order, and its manifest is made of theirs.
 *
 *	struct lu_joined j = { .prefix = "all" };
 *	rc = lu_joined_make(&j, shard, n, &err);	all is ready, nothing is visible
 *	... j.documents, j.tokens, j.bytes ...
 *	rc = lu_joined_commit(&j, &err);		the shard appears
 *	lu_joined_release(&j);				in any case
 *
 * So the result depends on the shards and their order alone: whoever made them, in whatever order
 * they were finished. It has the same bytes as one run of lucie-shard --by-file. The shards must
 * agree in tokenizer, vocabulary, marks and options; they stay as they are.
 *
 * Commit removes an existing manifest first and writes the new one last, as that of a writer
 * (writer.h): until then what is there is refused as unfinished. A file that is in its place
 * already stays (a shard named PREFIX-00003 as the fourth). Where a link cannot be made, `copy`
 * reads and writes the files instead, and checks their hashes.
 */
#include "libcommon/shard/manifest.h"
#include "libcommon/shard/tally.h"
#include "libcommon/sys/atomicfile.h"

/* A file of PREFIX, and the one it is made of. */
struct lu_joined_file {
	char *from, *to;
	char suffix[LU_PART_SUFFIX + 16];
	const char *hash;
	uint64_t bytes;
	bool made; /* by this attempt */
};

struct lu_joined {
	const char *prefix;
	bool copy;

	/* Out. */
	uint64_t documents, tokens, bytes; /* bytes of text */

	/* Private. */
	struct lu_manifest *shard; /* of each */
	size_t shards, each;	   /* each: files of a part */
	struct LU_VEC(struct lu_joined_file) file;
	struct LU_VEC(uint64_t) joined;
	struct lu_tally lang, license;
	struct lu_atomic manifest;
	bool opened;
};

int lu_joined_make(
		struct lu_joined *j, char *const *shard, size_t n, struct lu_err *err) LU_CHECKED;
int lu_joined_commit(struct lu_joined *j, struct lu_err *err) LU_CHECKED;
void lu_joined_release(struct lu_joined *j);

#endif
