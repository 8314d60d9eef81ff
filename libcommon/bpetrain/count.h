#ifndef LUCIE_BPETRAIN_COUNT_H
#define LUCIE_BPETRAIN_COUNT_H
/*
 * The words of a whole corpus, counted by several threads in bounded memory, and weighted by
 * language.
 *
 *	struct lu_tokcount c = { .threads = 2, .tmpdir = "/tmp" };	memory, share: see below
 *	struct lu_tokcount_thread t[2] = { 0 };
 *	lu_tokcount_join(&c, &t[i]);			each thread: before its first word
 *	t[i].words.group = lu_tokcount_group(&c, lang);	each document, where there are shares
 *	lu_words_add(&t[i].words, word, 1, &err);
 *	lu_tokcount_take(&c, &t[i], &err);			each, in one thread, when all is counted
 *	lu_tokcount_each(&c, &reader, &err);		once: all words
 *	lu_tokcount_release(&c);
 *
 * What comes out is the same for any number of threads, any order of the words and any memory: each
 * distinct word once, by rising hash (words.h), with its count.
 *
 * Memory. With `memory`, the threads' tables take at most half of it together, so that what is made
 * of the words (bpetrain.h) has the other half; or all of it, when the tables were written away. A
 * full table is written to a temporary file as a run in the order of the hash and emptied; then all
 * runs are read side by side. The file has no name and vanishes with the process. Without `memory`
 * nothing is written.
 *
 * Reading. Words are handed out in LU_TOKCOUNT_PARTS parts, ranges of the hash, on several threads:
 * word() gets those of one part in order, with the part's own `local` of local_size bytes, zero at
 * first; end() is called once for each part, in the order of parts, one at a time, and leaves
 * `local` as zero bytes again, or empties it by free_local() when the run fails.
 *
 * Balance. Where there are shares, each document's words are counted in the group of its language,
 * and when all is counted a language's words are weighted so that the characters of all words,
 * times the weights, have the shares asked for and add up to what they were:
 *
 *	weight = share * characters of all / characters of the language
 *
 * Group 0 is every other language and documents without one; what the shares leave to 100 % is
 * theirs. Counts are then in units of 1 / lu_tokcount_unit(): weights are rounded down to a
 * multiple of 2^-20, and all is integers.
 */
#include "libcommon/base/buf.h"
#include "libcommon/bpetrain/words.h"

#define LU_TOKCOUNT_PARTS 64
#define LU_SHARES 200
#define LU_SHARE_ALL 100000 /* 100 % in thousandths of a per cent */

struct lu_share {
	char lang[60];
	uint32_t share; /* LU_SHARE_ALL is all */
};

struct lu_shares {
	struct lu_share item[LU_SHARES];
	size_t n;
	uint32_t rest; /* for the other languages */
};
/* "fr=33,en=33.5,de=4": per cent with up to three decimals; what is left is the rest's. Refuses a
 * language named twice, and more than 100 in all. */
int lu_shares_parse(const char *text, struct lu_shares *out, struct lu_err *err) LU_CHECKED;

struct lu_tokcount_run; /* of sorted words, on disk */

struct lu_tokcount_thread {
	struct lu_words words;
	const char *tmpdir;
	bool languages;
	int fd; /* 0: none yet */
	uint64_t size;
	struct lu_tokcount_run *run;
	size_t runs;
	uint64_t chars[LU_SHARES + 1]; /* of what was written, by group */
};

struct lu_tokcount {
	unsigned threads;
	uint64_t memory; /* bytes for counting, and then for what reads the counts; 0: any */
	uint64_t base; /* what the process holds besides, for the message when that is too little */
	const char *tmpdir;
	const struct lu_shares *shares; /* NULL: no balance */

	/* Filled by the functions. */
	struct lu_tokcount_thread *thread; /* taken over */
	size_t taken;
	uint64_t chars[LU_SHARES + 1];	/* natural, by group, where there are shares */
	uint64_t factor[LU_SHARES + 1]; /* weight in units */
	uint64_t words;			/* distinct; after lu_tokcount_each() */
	uint64_t runs;			/* written */
	bool other_left_out; /* the shares leave nothing for other languages, and there are some */
};

void lu_tokcount_join(const struct lu_tokcount *c, struct lu_tokcount_thread *t);
uint8_t lu_tokcount_group(const struct lu_tokcount *c, struct lu_str lang);
/* Takes over what t has; t is empty afterwards. */
int lu_tokcount_take(
		struct lu_tokcount *c, struct lu_tokcount_thread *t, struct lu_err *err) LU_CHECKED;
/* What a thread has that was not taken. */
void lu_tokcount_leave(struct lu_tokcount_thread *t);

/* How many units a count of one is. */
static inline uint64_t lu_tokcount_unit(const struct lu_tokcount *c)
{
	return c->shares ? (uint64_t)1 << 20 : 1;
}

struct lu_tokcount_reader {
	void *ctx;
	size_t local_size;
	int (*word)(void *ctx, void *local, struct lu_str word, uint64_t count, struct lu_err *err);
	int (*end)(void *ctx, void *local, struct lu_err *err);
	void (*free_local)(void *local);
};
/* The tables and files are gone afterwards. Refuses a language that never occurs, a rest without
 * text, and counts that times the words' characters are more than 2^61 units in all. */
int lu_tokcount_each(struct lu_tokcount *c, const struct lu_tokcount_reader *r,
		struct lu_err *err) LU_CHECKED;
void lu_tokcount_release(struct lu_tokcount *c);

#endif
