#ifndef LUCIE_FILTER_DECONTAMINATE_H
#define LUCIE_FILTER_DECONTAMINATE_H
/*
 * Decontamination: documents that hold items of a benchmark are dropped, and a report says which
 * item, by which words, and how much of it.
 *
 *	struct lu_decontaminate d = { 0 };
 *	lu_decontaminate_open(&d, &options, threads, &err)
 *	lu_decontaminate_read(&d, "gsm8k.jsonl", &err)		any number of files
 *	lu_decontaminate_ready(&d, &err)			after the last
 *	...							decontaminate_judge.h
 *	lu_decontaminate_close(&d);				also after a failure
 *
 * An item is a record with "text", or else the members question, problem, prompt, instruction, query,
 * context, passage, answer, solution that are strings, in this order. Words are those of near
 * deduplication (minhash/shingle.h), but with their digits: case, punctuation, accents in either form
 * and line ends do not matter. Two items of the same words are one, the first.
 *
 * An item of 13 words or more (Brown et al. 2020, "Language Models are Few-Shot Learners", appendix
 * C) is matched by its 13-grams; a shorter one as a whole if it has `min` words; shorter ones cannot
 * be matched without finding them everywhere, and are reported. n-grams that more than
 * LU_COMMON_ITEMS items share are the wording of the benchmark ("choose the correct answer") and do
 * not count, except for an item that has no others.
 *
 * The share of an item is the number of its words that lie in n-grams which the document has too,
 * of the words in n-grams that count. A document is contaminated if the share of one item is at
 * least `share`; with an item inside it is 1. n-grams are found by 64-bit hashes and compared word by
 * word, so there are no false matches.
 *
 * Memory: about 60 bytes for each word of an item.
 *
 * The report is JSON lines in the order of the documents (lucie-filter(1) describes them): "match",
 * each document and item with an n-gram in common; then "common", the n-grams found in
 * LU_COMMON_DOCUMENTS documents or more, most frequent first, since most of what only they flag is
 * no contamination; then "unmatchable" items.
 */
#include "libcommon/base/arena.h"
#include "libcommon/base/map.h"
#include "libcommon/io/outstream.h"
#include "libcommon/minhash/shingle.h"

#define LU_GRAM_WORDS 13
#define LU_COMMON_ITEMS 10
#define LU_COMMON_DOCUMENTS 10

struct lu_decontaminate_options {
	size_t min;	    /* words of the shortest item, 1 .. LU_GRAM_WORDS */
	double share;	    /* 0 .. 1 */
	const char *report; /* NULL: none */
};

struct lu_bench_item {
	struct lu_str id; /* raw JSON, "null" without one */
	const char *file;
	uint64_t line;
	size_t at;	/* first word */
	uint32_t words; /* at most 2^32 - 1 */
	uint32_t gram;	/* words of an n-gram; 0: cannot be matched */
	uint32_t span;	/* words in n-grams that count */
};

/* An n-gram, and where it is in items that count it. */
struct lu_bench_gram {
	uint64_t hash;
	size_t at;	      /* first word, of the first item that has it */
	uint32_t words;	      /* its length */
	uint32_t items;	      /* that have it */
	uint32_t last;	      /* the last of these, while reading */
	uint32_t first, uses; /* range of uses */
	uint64_t documents;   /* that have it */
};
struct lu_bench_use {
	uint32_t gram, item, word; /* word: within the item */
};

struct lu_decontaminate {
	struct lu_decontaminate_options o;
	struct lu_shingler *shingler;
	struct lu_arena arena;
	struct lu_folded_words words; /* of all items */
	struct LU_VEC(struct lu_bench_item) items;
	struct LU_VEC(struct lu_bench_gram) grams;
	struct LU_VEC(struct lu_bench_use) uses;
	struct lu_map index, texts;	/* of n-grams; of items by their words */
	bool length[LU_GRAM_WORDS + 1]; /* lengths of n-grams in use */
	uint64_t *filter;     /* bits of hashes in use, so that most words cost no look-up */
	uint64_t filter_bits; /* a power of two */
	struct lu_out *report;
	struct lu_buf line;
	uint64_t unmatchable, repeated;
};

int lu_decontaminate_open(struct lu_decontaminate *d, const struct lu_decontaminate_options *o,
		int threads, struct lu_err *err) LU_CHECKED;
int lu_decontaminate_read(
		struct lu_decontaminate *d, const char *path, struct lu_err *err) LU_CHECKED;
int lu_decontaminate_ready(struct lu_decontaminate *d, struct lu_err *err) LU_CHECKED;
void lu_decontaminate_close(struct lu_decontaminate *d);

#endif
