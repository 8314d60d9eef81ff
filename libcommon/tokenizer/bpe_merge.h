#ifndef LUCIE_TOKENIZER_BPE_MERGE_H
#define LUCIE_TOKENIZER_BPE_MERGE_H
/* Merging one chunk of a word (bpe.h), without cuts and cache. */
#include "libcommon/tokenizer/bpe.h"
#include "libcommon/tokenizer/tokenizer.h"

struct lu_bpe_symbol {
	uint32_t id;
	uint32_t prev, next; /* indexes, LU_BPE_NONE at the ends; prev == own index: merged away */
};

/* Symbols, and the offset of each in the text: LU_BPE_NONE inside a character. */
struct lu_bpe_sequence {
	uint32_t *id, *at;
	size_t n, cap;
};

/* Scratch memory of one thread. */
struct lu_bpe_merger {
	struct lu_bpe_symbol *symbol;
	uint64_t *heap; /* rank and index of pairs */
	size_t symbol_cap, heap_cap;
	size_t window; /* bytes of a long chunk merged at once; small enough for the cache */
	struct lu_bpe_sequence sequence, next;
	struct lu_buf spelling;
};

void lu_bpe_merger_init(struct lu_bpe_merger *m);
void lu_bpe_merger_release(struct lu_bpe_merger *m);

/* Look for a piece that is the whole word: 1 if there is one, else 0; -1 when memory is out. */
int lu_bpe_whole_word(const struct lu_bpe *b, struct lu_bpe_merger *m, struct lu_str word,
		uint32_t *id, struct lu_err *err) LU_CHECKED;

/* Merge a chunk of any length and append its ids. Does not look for the whole chunk. */
int lu_bpe_merge_chunk(const struct lu_bpe *b, struct lu_bpe_merger *m, struct lu_str chunk,
		struct lu_ids *ids, struct lu_err *err) LU_CHECKED;

#endif
