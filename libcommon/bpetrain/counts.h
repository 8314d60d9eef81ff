#ifndef LUCIE_BPETRAIN_COUNTS_H
#define LUCIE_BPETRAIN_COUNTS_H
/*
 * Word counts of a whole corpus: counted by several threads, in bounded memory, weighted by
 * language.
 *
 *	struct lu_word_counts c = { .threads = 2, .tmpdir = "/tmp" };	see below for more
 *	struct lu_word_counts_thread t[2];
 *	lu_word_counts_join(&c, &t[i]);			each thread, first
 *	lu_word_counts_language(&c, &t[i], lang, &err);	each document, if there are shares
 *	lu_words_add(&t[i].words, word, 1, &err);
 *	lu_word_counts_take(&c, &t[i], &err);		each, in one thread, when all is counted
 *	lu_word_counts_visit(&c, &visitor, &err);		once: visits all words
 *	lu_word_counts_release(&c);
 *
 * The result is the same for any number of threads, any order of the words and any memory limit:
 * each distinct word once, in ascending order of the hash (words.h), with its count.
 *
 * Memory. With a limit, the threads' tables together take at most half of `memory`; the other half,
 * or all of it once the tables have been spilled, is for what is built from the words (bpetrain.h).
 * A full table is written to a temporary file as a sorted run and emptied (word_run.h); in the end
 * all runs are merged. The file is unlinked when it is made, so nothing of it outlives the process.
 * Without a limit nothing is written.
 *
 * Visiting. The words come in LU_WORD_PARTS parts, ranges of the hash, on several threads. word()
 * gets those of one part in order, with the part's own `local` of local_size bytes, initially zero.
 * end() is called once a part, in the order of parts and one at a time, and leaves `local` zeroed;
 * if the run fails, free_local() empties it.
 *
 * Balance. With shares, the words of a document are counted in the group of its language, and the
 * counts of a language are then weighted so that the characters of all words, times the weights,
 * have the requested shares and the same total as before:
 *
 *	weight = share * characters in total / characters of the language
 *
 * Group 0 is every other language and documents without one; it gets what the shares leave to
 * 100 %. Counts are then in units of 1 / lu_word_counts_unit(): weights are rounded down to a
 * multiple of 2^-20, so that everything is an integer.
 *
 * In steps. With by_language every language is counted by itself, for a visitor that wants the
 * words of each (count_steps.h writes them to a file). The counts of such files are added to those
 * of the threads, if there are any: `file` and `files`, which the caller opens, and closes after
 * the visit.
 */
#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/bpetrain/count_file.h"
#include "libcommon/bpetrain/lang_names.h"
#include "libcommon/bpetrain/shares.h"
#include "libcommon/bpetrain/words.h"

struct lu_word_run;

struct lu_word_counts_thread {
	struct lu_words words;

	/* Private. */
	const char *tmpdir;
	bool by_language;
	bool has_file;
	int fd;
	uint64_t file_size;
	struct LU_VEC(struct lu_word_run) run;
	uint64_t chars[LU_WORD_GROUPS]; /* of all words, by group */
	struct lu_lang_names lang;	/* with by_language: the groups */
	uint16_t *map;			/* and their numbers among all */
};

struct lu_word_counts {
	unsigned threads;
	uint64_t memory; /* bytes for counting, and then for the visitor; 0: no limit */
	uint64_t base; /* what the process needs besides, for the message when that is too little */
	const char *tmpdir;
	const struct lu_shares *shares; /* NULL: no balance */
	bool by_language;		/* count each language by itself; without shares */
	const struct lu_count_file *file;
	size_t files;

	/* Out. */
	uint64_t words;			/* distinct; after lu_word_counts_visit() */
	uint64_t runs;			/* spilled */
	bool other_left_out;		/* there is text in other languages, whose share is 0 */
	struct lu_lang_names lang;	/* with by_language: sorted; released by the caller */
	uint64_t chars[LU_WORD_GROUPS]; /* unweighted, by language or by share */

	/* Private. */
	struct LU_VEC(struct lu_word_counts_thread) thread; /* taken */
	uint16_t **file_map;				    /* of the groups of each file */
	uint64_t weight[LU_SHARES + 1];			    /* in units */
};

void lu_word_counts_join(const struct lu_word_counts *c, struct lu_word_counts_thread *t);
/* Count the words that follow in the group of a language; empty: of documents without. */
int lu_word_counts_language(const struct lu_word_counts *c, struct lu_word_counts_thread *t,
		struct lu_str lang, struct lu_err *err) LU_CHECKED;
/* Take over the counts of a thread, which is empty afterwards. */
int lu_word_counts_take(struct lu_word_counts *c, struct lu_word_counts_thread *t,
		struct lu_err *err) LU_CHECKED;
/* Release a thread's counts that were not taken. A zeroed struct is fine. */
void lu_word_counts_leave(struct lu_word_counts_thread *t);

/* Units in a count of one. */
static inline uint64_t lu_word_counts_unit(const struct lu_word_counts *c)
{
	return c->shares ? (uint64_t)1 << 20 : 1;
}

struct lu_word_counts_visitor {
	void *ctx;
	size_t local_size;
	int (*word)(void *ctx, void *local, struct lu_str word, uint64_t count, struct lu_err *err);
	/* In its place with by_language: each language of a word, in order, unweighted. */
	int (*by_language)(void *ctx, void *local, const struct lu_word *word, struct lu_err *err);
	int (*end)(void *ctx, void *local, struct lu_err *err);
	void (*free_local)(void *local); /* may be NULL */
};
/* Consumes the counts. Fails for a language that never occurs, for a remaining share without text
 * of other languages, and when the sum of counts times word lengths exceeds 2^61 units. */
int lu_word_counts_visit(struct lu_word_counts *c, const struct lu_word_counts_visitor *visitor,
		struct lu_err *err) LU_CHECKED;
void lu_word_counts_release(struct lu_word_counts *c);

#endif
