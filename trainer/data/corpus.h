#ifndef LUCIE_TRAINER_DATA_CORPUS_H
#define LUCIE_TRAINER_DATA_CORPUS_H
/*
 * The training data as one stream of tokens, cut into samples.
 *
 * A corpus is a list of shard prefixes and plans (lucie-shard(5), lucie-plan(5)), end to end.
 * How the stream is cut and in which order the samples are taken is libcommon/shard/order.h.
 * Tokens see each other across documents, as in the Lucie-7B run.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/err.h"

struct lt_corpus;

/* `list` as in data.train: names with blanks between them. Checks every file's sizes. */
int lt_corpus_open(struct lt_corpus **c, const char *list, size_t context, uint64_t seed,
		bool shuffle, struct lu_err *err) LU_CHECKED;
/* A corpus of n tokens in memory, which stay the caller's and must outlive it. */
int lt_corpus_memory(struct lt_corpus **c, const uint32_t *ids, uint64_t n, size_t context,
		struct lu_err *err) LU_CHECKED;

/* Compares what the shards' manifests say with the model: the vocabulary, and the XXH3-128 of the
 * tokenizer ("" : not known). Shards without a manifest pass. */
int lt_corpus_check(const struct lt_corpus *c, uint64_t vocab, const char *tokenizer,
		struct lu_err *err) LU_CHECKED;
void lt_corpus_close(struct lt_corpus *c);

uint64_t lt_corpus_tokens(const struct lt_corpus *c);
/* Bytes of text behind the tokens, as the manifests say; 0 when that is not known. */
uint64_t lt_corpus_bytes(const struct lt_corpus *c);
uint64_t lt_corpus_samples(const struct lt_corpus *c); /* of one epoch */

/* Sample i: context + 1 tokens. An id of 2^31 or more is an error. */
int lt_corpus_sample(const struct lt_corpus *c, uint64_t i, uint32_t *out,
		struct lu_err *err) LU_CHECKED;
/* Tokens at..at+n-1 of the stream; the caller stays inside it. */
void lt_corpus_read(const struct lt_corpus *c, uint64_t at, size_t n, uint32_t *out);

/* The entries of the list: how many, and the name and the tokens of one. */
size_t lt_corpus_parts(const struct lt_corpus *c);
const char *lt_corpus_part(const struct lt_corpus *c, size_t i, uint64_t *tokens);

#endif
