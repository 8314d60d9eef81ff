#ifndef LUCIE_TRAINER_EVAL_NEEDLE_H
#define LUCIE_TRAINER_EVAL_NEEDLE_H
/*
 * Needle in a haystack: a number is hidden at some depth of a long text, and the model is asked for it
 * at the end.
 *
 *	struct lt_needle n = { .sentence = LT_NEEDLE_SENTENCE, ... };
 *	lt_needle_init(&n, tok, corpus, context, &err)
 *	lt_needle_run(&n, weights, done, ctx, &err)
 *	lt_needle_table(&n, &out, &err)  lt_needle_json(&n, &out)
 *	lt_needle_release(&n);
 *
 * THE TEXT of a sample of length L, in tokens: the begin token, hay, the sentence with its number on a
 * line of its own, hay, and on a last line the sentence up to the number. With the longest of the
 * numbers that may follow it has L tokens exactly. The hay of a sample is cut from the given text at a random place, from the
 * beginning again at its end. At depth d the sentence is behind d percent of the hay, moved back to
 * the end of a sentence or line where there is one in the sixteenth before it.
 *
 * TWO SCORES. Found: the number that the model writes greedily is the hidden one. Chosen: of ten
 * numbers of seven digits, the hidden one has the highest log-likelihood; guessing chooses one in ten.
 *
 * All numbers and places are functions of seed, length, depth and the sample's number.
 */
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/data/corpus.h"
#include "trainer/eval/task_result.h"
#include "trainer/model/weights.h"

#define LT_NEEDLE_SENTENCE "The secret number to remember is {}."
#define LT_NEEDLE_CHOICES 10

struct lt_needle_cell {
	uint64_t length, depth; /* tokens; percent */
	uint64_t found, chosen; /* of `samples` */
};

struct lt_needle {
	/* Set by the caller, who keeps them: */
	const char *sentence; /* with {} for the number */
	const uint64_t *length, *depth;
	size_t lengths, depths;
	uint64_t samples; /* of each cell */
	uint64_t seed;
	/* Results: lengths * depths cells, length by length. */
	struct lt_needle_cell *cell;
	/* Private: */
	uint64_t *grid[2]; /* of lt_needle_grid() */
	const struct lu_tok *tok;
	struct lu_tok_state *state;
	uint32_t *hay;
	size_t hay_n, context;
	bool *ends;			    /* tokens that end a sentence or line, by id */
	struct lu_str before, blank, after; /* parts of the sentence */
	struct lu_ids ids;		    /* of the sample */
	lk_real *logits;
};

/* Set lengths and depths from lists such as "1024,4096" and "0,50,100", of different numbers; --needle and
 * --depths name them in messages. */
int lt_needle_grid(struct lt_needle *n, const char *lengths, const char *depths,
		struct lu_err *err) LU_CHECKED;

/* tok outlives the needle. Hay is the beginning of the corpus, at most 2^24 tokens. Lengths are at
 * most the context. */
int lt_needle_init(struct lt_needle *n, const struct lu_tok *tok, const struct lt_corpus *hay,
		size_t context, struct lu_err *err) LU_CHECKED;
/* `done` (NULL: none) is called with the number of samples that have been answered. */
int lt_needle_run(struct lt_needle *n, struct lt_weights *w, void (*done)(void *ctx, uint64_t n),
		void *ctx, struct lu_err *err) LU_CHECKED;
void lt_needle_release(struct lt_needle *n);

/* A row for each length, a column for each depth: one table for each score. */
int lt_needle_table(const struct lt_needle *n, struct lu_buf *out, struct lu_err *err) LU_CHECKED;
/* Append the member "needle" to the object that is open. */
void lt_needle_json(const struct lt_needle *n, struct lu_buf *out);
/* The results by length as tasks "needle_LENGTH" with exact_match and acc: `out` has room for
 * n->lengths, `names` holds their names. */
int lt_needle_results(const struct lt_needle *n, struct lt_task_result *out, struct lu_arena *names,
		struct lu_err *err) LU_CHECKED;

#endif
