#ifndef LUCIE_TRAINER_DATA_CORPUS_H
#define LUCIE_TRAINER_DATA_CORPUS_H
/*
 * Training data with random access: samples, and windows for scoring.
 *
 * The data are those of a list of shard prefixes and plans (lucie-shard(5), lucie-plan(5)), of which
 * order/rows.h makes samples, or a sequence of tokens in memory. The position of a run is the number of
 * samples consumed, whatever the layout of its processes.
 *
 *	lt_corpus_open(&c, "shards/fr mix.plan", context, seed, LT_CORPUS_SHUFFLE, &err)
 *	lt_corpus_sample(c, i, &row, &err)		for training
 *	lt_corpus_read_window(c, w, &row, &err)		for scoring, w below lt_corpus_windows()
 *	lt_corpus_close(c)
 *
 * Tokens attend across documents of a row, as in the Lucie-7B run, unless the caller asks for the
 * places of the tokens in their documents.
 *
 * A plan's order takes no memory: a sample is found by the plan's walk index (mix/planned.h). A few
 * cursors are kept, so reading on where an earlier call ended is faster than jumping. Any number of
 * threads may read from a corpus at the same time.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"
#include "libcommon/order/rows.h"
#include "trainer/data/micro_batch.h"

struct lt_corpus;

#define LT_CORPUS_SHUFFLE 1u  /* the order of the samples; else that of the stream */
#define LT_CORPUS_TRUST 2u    /* another process has checked the indexes of the shards */
#define LT_CORPUS_PACKED 4u   /* rows of whole documents ... */
#define LT_CORPUS_DOCUMENT 8u /* ... or of one; else the stream is cut */

/* The flags of a mode. */
static inline unsigned lt_corpus_mode(enum lu_rows_mode mode)
{
	return mode == LU_ROWS_PACKED		   ? LT_CORPUS_PACKED
			: mode == LU_ROWS_DOCUMENT ? LT_CORPUS_DOCUMENT
						   : 0;
}

/*
 * `names` are separated by blanks, as in data.train. Checks the sizes of all files. The same shard or
 * plan twice in a list, by whatever spelling, is an error.
 *
 * Of the processes of a run one opens without LT_CORPUS_TRUST and so reads every index; the others,
 * with it, compare sizes and the hashes of manifests, and check what they read when they read it
 * (shard/reader.h, mix/planned.h). Both find the same samples. lt_corpus_part() has a note where
 * opening took a detour.
 */
int lt_corpus_open(struct lt_corpus **c, const char *names, size_t context, uint64_t seed,
		unsigned flags, struct lu_err *err) LU_CHECKED;
/* A corpus of n tokens in memory; the ids are caller-owned and must outlive it. */
int lt_corpus_memory(struct lt_corpus **c, const uint32_t *ids, uint64_t n, size_t context,
		struct lu_err *err) LU_CHECKED;
void lt_corpus_close(struct lt_corpus *c);

/* Leave one label of k out of samples and windows (goldfish.h); k is at least 2. Before the first
 * read. */
void lt_corpus_goldfish(struct lt_corpus *c, uint64_t k);
/* What lt_corpus_sample() gives for `reference`: a number for each document, counted over all lists.
 * The caller's, for as long as samples are read. Only for LT_CORPUS_DOCUMENT. */
void lt_corpus_reference(struct lt_corpus *c, const double *by_document);

/*
 * Read what a teacher says of each id: PREFIX.NAME.teacher of all shards (shard/teacher.h), which must be
 * of one N and of this tokenizer ("": that of the shards), and whose ids are below `vocab`. Before the
 * first read. lt_corpus_top(): N; 0 without a teacher.
 */
int lt_corpus_teacher(struct lt_corpus *c, const char *name, const char *tokenizer, uint64_t vocab,
		struct lu_err *err) LU_CHECKED;
size_t lt_corpus_top(const struct lt_corpus *c);

/* Fail if two of the names are the same shard or plan. */
int lt_corpus_distinct(char *const *name, size_t n, struct lu_err *err) LU_CHECKED;

/* Compare the manifests of the shards with the model: its vocabulary, and the XXH3-128 of its
 * tokenizer ("": unknown). Shards without a manifest pass. */
int lt_corpus_check(const struct lt_corpus *c, uint64_t vocab, const char *tokenizer,
		struct lu_err *err) LU_CHECKED;
/* XXH3-128 of the tokenizer of the first shard that names one; "" if none does. */
const char *lt_corpus_tokenizer(const struct lt_corpus *c);

/* Of the first list. */
uint64_t lt_corpus_tokens(const struct lt_corpus *c);
uint64_t lt_corpus_samples(const struct lt_corpus *c); /* per epoch */
/* Bytes of text behind the tokens according to the manifests; 0 if unknown, as for a plan. */
uint64_t lt_corpus_bytes(const struct lt_corpus *c);

size_t lt_corpus_context(const struct lt_corpus *c);
/* Its rows; NULL for a corpus in memory. */
const struct lu_rows *lt_corpus_rows(const struct lt_corpus *c);
/* Whether some labels are no targets: masked in their shard, or left out by the goldfish. */
bool lt_corpus_masked(const struct lt_corpus *c);
/* Whether a label may have another weight than 1: one that is no target, or padding. */
bool lt_corpus_weighted(const struct lt_corpus *c);

/*
 * Read sample i into a micro-batch of one sequence: `context` ids, and the label of each, which is the
 * token that follows it. An id of 2^31 or more is an error.
 *
 * weight, unless NULL, is 1 for a label that is a target, else 0: its mask in the shard, the goldfish,
 * padding. Padding has the id and the label 0.
 *
 * top and top_logp, unless NULL, are the rows of the teacher for the ids: what it expects to follow each.
 *
 * places, unless NULL, receives the places of the ids in their documents: places[k] is the number of
 * tokens of the same document and the same sample before token k. So it restarts at 0 at the first
 * token of each document, and at the start of the sample, since what precedes it is not there to be
 * attended to; padding is a document of its own. This is the `pos` of struct lk_attn and of rope
 * (kernels/lk.h).
 *
 * A document is an entry of the .idx file's document index, whether of one sequence, as lucie-shard
 * writes it, or of several, as other writers may; where such an index has one entry for many
 * documents, they count as one. Each time that a plan repeats a document it is another one. A corpus
 * in memory is one document.
 */
int lt_corpus_sample(const struct lt_corpus *c, uint64_t i, struct lt_micro *row,
		struct lu_err *err) LU_CHECKED;

/* Documents of all lists, and the row of one of them. Only for LT_CORPUS_DOCUMENT where no document is left
 * out, as in shards of pairs. */
uint64_t lt_corpus_documents(const struct lt_corpus *c);
int lt_corpus_read_document(const struct lt_corpus *c, uint64_t document, struct lt_micro *row,
		struct lu_err *err) LU_CHECKED;

/*
 * Windows are the rows in the order of the stream, or of the packing. Cut from a stream, the last one
 * is what is left, so that every token but the first is a label once. Of the first list.
 */
uint64_t lt_corpus_windows(const struct lt_corpus *c);
int lt_corpus_read_window(const struct lt_corpus *c, uint64_t w, struct lt_micro *row,
		struct lu_err *err) LU_CHECKED;

/* Where the tokens of a window lie in the stream: spans as in order/rows.h. */
struct lt_window {
	size_t source;
	struct lu_row row;
	struct lu_row_span single; /* where there is no row */
};
void lt_corpus_window(const struct lt_corpus *c, uint64_t w, struct lt_window *out);
bool lt_corpus_next(const struct lt_corpus *c, struct lt_window *w, struct lu_row_span *span);

/* Read n tokens of the stream, that of the first list, from `offset` on, which must be inside it. */
int lt_corpus_read(const struct lt_corpus *c, uint64_t offset, size_t n, uint32_t *out,
		struct lu_err *err) LU_CHECKED;

/* The parts of all lists; none for a corpus in memory. */
size_t lt_corpus_parts(const struct lt_corpus *c);
struct lu_stream_part lt_corpus_part(const struct lt_corpus *c, size_t i);

#endif
