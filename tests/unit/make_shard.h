#ifndef LUCIE_TESTS_UNIT_MAKE_SHARD_H
#define LUCIE_TESTS_UNIT_MAKE_SHARD_H
/* Small shards with known content, for the tests of libcommon/shard and libcommon/mix. */
#include "tests/unit/unit.h"

#include "libcommon/shard/writer.h"

#define ok(rc, err)                                 \
	do {                                        \
		if ((rc) < 0)                       \
			fail_msg("%s", (err)->msg); \
	} while (0)

/* Ids below vocab, parts of max_tokens tokens (0: not split), no options. */
struct lu_shard_format shard_format(uint64_t vocab, uint64_t max_tokens);

/* Document i has document_length(i) tokens, 10 i bytes of text and the id "d<i>". */
uint64_t document_length(uint64_t i);
uint32_t document_token(uint64_t i, uint64_t k, uint64_t vocab);
void add_document(struct lu_shard_writer *w, uint64_t i, uint64_t vocab, struct lu_err *err);

/* Write a shard of documents 0 .. documents - 1. */
void make_shard(const char *prefix, struct lu_shard_format f, uint64_t documents);
/* Compare every document and token of such a shard. */
void check_shard(const struct lu_shard *s, uint64_t documents, uint64_t vocab);

/* lu_shard_read() and lu_shard_document_at() that do not fail. */
void read_tokens(const struct lu_shard *s, uint64_t pos, size_t n, uint32_t *out);
uint64_t document_at(const struct lu_shard *s, uint64_t pos);

/* Run lu_shard_verify() and return its result; the faults become lines of a text. */
int verify_shard(const char *prefix, struct lu_buf *faults);

#endif
