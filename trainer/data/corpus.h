#ifndef LUCIE_TRAINER_DATA_CORPUS_H
#define LUCIE_TRAINER_DATA_CORPUS_H
/*
 * A token stream with random access, cut into samples.
 *
 * The stream is that of mix/stream.h: a list of shard prefixes and plans (lucie-shard(5),
 * lucie-plan(5)), end to end. shard/order.h defines how it is cut and the order of the samples. The
 * position of a run is the number of samples consumed, whatever the layout of its processes.
 *
 * Tokens attend across documents, as in the Lucie-7B run, unless the caller asks for the places of
 * the tokens in their documents.
 *
 * A plan's order takes no memory: a sample is found by the plan's walk index (mix/planned.h). A few
 * cursors are kept, so reading on where an earlier call ended is faster than jumping. Any number of
 * threads may read from a corpus at the same time.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"
#include "libcommon/mix/stream.h"
#include "trainer/data/micro.h"

struct lt_corpus;

#define LT_CORPUS_SHUFFLE 1u /* the order of the samples; else that of the stream */
#define LT_CORPUS_TRUST 2u   /* another process has checked the indexes of the shards */

/*
 * `names` are separated by blanks, as in data.train. Checks the sizes of all files. The same shard or
 * plan twice, by whatever spelling, is an error.
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

/* Fail if two of the names are the same shard or plan. */
int lt_corpus_distinct(char *const *name, size_t n, struct lu_err *err) LU_CHECKED;

/* Compare the manifests of the shards with the model: its vocabulary, and the XXH3-128 of its
 * tokenizer ("": unknown). Shards without a manifest pass. */
int lt_corpus_check(const struct lt_corpus *c, uint64_t vocab, const char *tokenizer,
		struct lu_err *err) LU_CHECKED;
/* XXH3-128 of the tokenizer of the first shard that names one; "" if none does. */
const char *lt_corpus_tokenizer(const struct lt_corpus *c);

uint64_t lt_corpus_tokens(const struct lt_corpus *c);
/* Bytes of text behind the tokens according to the manifests; 0 if unknown, as for a plan. */
uint64_t lt_corpus_bytes(const struct lt_corpus *c);
uint64_t lt_corpus_samples(const struct lt_corpus *c); /* per epoch */
size_t lt_corpus_context(const struct lt_corpus *c);

/*
 * Read sample i into a micro-batch of one sequence: context ids, and the labels, each the token that
 * follows. An id of 2^31 or more is an error.
 *
 * places, unless NULL, receives the places of the ids in their documents: places[k] is the number of
 * tokens of the same document and the same sample before token k. So it restarts at 0 at the first token of each document, and at the start of the sample, since what
 * precedes it is not there to be attended to. This is the `pos` of struct lk_attn and of rope
 * (kernels/lk.h).
 *
 * A document is an entry of the .idx file's document index, whether of one sequence, as lucie-shard
 * writes it, or of several, as other writers may; where such an index has one entry for many
 * documents, they count as one. Each time that a plan repeats a document it is another one. A corpus
 * in memory is one document.
 */
int lt_corpus_sample(const struct lt_corpus *c, uint64_t i, struct lt_micro *row,
		struct lu_err *err) LU_CHECKED;

/* Read n tokens of the stream from `offset` on, which must be inside it. */
int lt_corpus_read(const struct lt_corpus *c, uint64_t offset, size_t n, uint32_t *out,
		struct lu_err *err) LU_CHECKED;
/* The same, with the places of the first n - 1 of them, as above. */
int lt_corpus_read_places(const struct lt_corpus *c, uint64_t offset, size_t n, uint32_t *out,
		uint32_t *pos, struct lu_err *err) LU_CHECKED;

/* The parts of the list; none for a corpus in memory. */
size_t lt_corpus_parts(const struct lt_corpus *c);
struct lu_stream_part lt_corpus_part(const struct lt_corpus *c, size_t i);

#endif
