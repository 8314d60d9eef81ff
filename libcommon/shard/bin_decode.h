#ifndef LUCIE_SHARD_BIN_DECODE_H
#define LUCIE_SHARD_BIN_DECODE_H
/*
 * Decodes files of bare ids, such as the PREFIX.bin of a shard, in parts: texts may be larger than
 * memory.
 *
 *	struct lu_bin_decode d = { .tok = tok, .tokenizer = "tokenizer.json", .width = 2, .out = out };
 *	lu_bin_decode_check(&d, file[i], &err);	before anything is read
 *	lu_bin_decode_file(&d, file[i], &err);
 *	... d.stats, d.tokens, d.replaced ...
 *	lu_bin_decode_release(&d);
 */
#include <stdbool.h>

#include "libcommon/io/outstream.h"
#include "libcommon/sys/stats.h"
#include "libcommon/tokenizer/tokenizer.h"

enum lu_bin_as {
	LU_BIN_RECORDS, /* {"text":"..."} */
	LU_BIN_TEXT,	/* nothing between texts */
	LU_BIN_PIECES,	/* a line with a JSON array */
};

struct lu_bin_decode {
	const struct lu_tok *tok;
	const char *tokenizer; /* its file, for messages */
	unsigned width;	       /* bytes of an id: 2 or 4 */
	unsigned flags;	       /* of lu_tok_decode() */
	enum lu_bin_as as;
	struct lu_out *out;

	struct lu_stats stats; /* texts and bytes, in and out */
	uint64_t tokens, replaced;

	/* Private. */
	struct lu_tok_state *st;
	struct lu_ids ids;
	struct lu_buf text, quoted;
	bool in_text;
};

/* Fail if the manifest beside the file says that the ids are of another tokenizer or width. */
int lu_bin_decode_check(
		const struct lu_bin_decode *d, const char *file, struct lu_err *err) LU_CHECKED;
/* Decode a file. A text ends after each end token, and with the file. */
int lu_bin_decode_file(struct lu_bin_decode *d, const char *file, struct lu_err *err) LU_CHECKED;
void lu_bin_decode_release(struct lu_bin_decode *d);

#endif
