#ifndef LUCIE_TOKENIZER_BPE_CUT_H
#define LUCIE_TOKENIZER_BPE_CUT_H
/*
 * Words to ids: cuts words where no merge can cross and caches the ids of the chunks (bpe.h).
 *
 *	struct lu_bpe_state s;				one per thread and model
 *	lu_bpe_state_init(&s);
 *	lu_bpe_push(&bpe, &s, word, &ids, &err);	any number of times
 *	lu_bpe_flush(&bpe, &s, &ids, &err);		ids are complete
 *	lu_bpe_state_release(&s);
 */
#include <stdbool.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/tokenizer/bpe.h"
#include "libcommon/tokenizer/bpe_merge.h"
#include "libcommon/tokenizer/tokenizer.h"

#define LU_BPE_SHORT_KEY 15 /* longest chunk of a short entry, in bytes */
#define LU_BPE_LONG_KEY 39
#define LU_BPE_BATCH 192 /* chunks that are looked up together */

/* Cache entries. The key is the chunk, zero-padded, with its length in the last byte; the number of
 * ids is in the top byte of the first. */
struct lu_bpe_short_entry {
	uint64_t key[2];
	uint32_t id[4];
};
struct lu_bpe_long_entry {
	uint64_t key[5];
	uint32_t id[6];
};
_Static_assert(sizeof(struct lu_bpe_short_entry) == 32, "two entries are one cache line");
_Static_assert(sizeof(struct lu_bpe_long_entry) == 64, "an entry is one cache line");

/* A chunk whose entry is being fetched into the cache. */
struct lu_bpe_chunk {
	uint64_t key[2];
	const char *p;
	size_t n;
	void *entry;
};

struct lu_bpe_state {
	struct lu_bpe_short_entry *short_cache; /* 1 << short_bits entries */
	unsigned short_bits;
	size_t short_used; /* of them */
	struct lu_bpe_long_entry *long_cache;
	struct lu_bpe_chunk chunk[LU_BPE_BATCH];
	size_t chunks;
	struct lu_bpe_merger merger;
};

void lu_bpe_state_init(struct lu_bpe_state *s);
void lu_bpe_state_release(struct lu_bpe_state *s);

/* Append the ids of one word. */
int lu_bpe_word(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
		struct lu_ids *ids, struct lu_err *err) LU_CHECKED;

/* Append the ids of many words in order. Some may be appended by a later call, all of them by
 * lu_bpe_flush(); until then the words must stay in place, with LU_BPE_PADDING readable bytes after
 * each. */
#define LU_BPE_PADDING 16
int lu_bpe_push(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_str word,
		struct lu_ids *ids, struct lu_err *err) LU_CHECKED;
/* The same for n words that follow one another: the first begins at p, each ends at one of `ends`. */
int lu_bpe_push_ends(const struct lu_bpe *b, struct lu_bpe_state *s, const char *p,
		const char *const *ends, size_t n, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;
int lu_bpe_flush(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

/* Append the ids of a word that arrives in pieces. Begin with a zeroed scan; pass the bytes beyond
 * *used again, with more after them (and LU_BPE_PADDING readable bytes), until `last`. Needs no
 * flush. */
struct lu_bpe_scan {
	size_t seen; /* bytes already examined of those passed again */
	uint32_t unit;
};
int lu_bpe_stream(const struct lu_bpe *b, struct lu_bpe_state *s, struct lu_bpe_scan *scan,
		struct lu_str word, bool last, size_t *used, struct lu_ids *ids,
		struct lu_err *err) LU_CHECKED;

/* True if no merge can cross the boundary between these two units. */
bool lu_bpe_can_cut(const struct lu_bpe *b, uint32_t x, uint32_t y);

#endif
