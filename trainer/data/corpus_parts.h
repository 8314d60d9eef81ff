#ifndef LUCIE_TRAINER_DATA_CORPUS_PARTS_H
#define LUCIE_TRAINER_DATA_CORPUS_PARTS_H
/* The inside of a corpus: corpus.c opens it and knows about it, corpus_read.c reads from it. */
#include <pthread.h>

#include "trainer/data/corpus.h"

/* Cursors that are kept between calls. */
#define LT_CORPUS_SPARE 4

struct lt_spare_cursor {
	struct lu_stream_cursor *cursor;
	uint64_t at; /* last token read; nothing is known of a new cursor: 0 */
};

/* The cursors that no call is using, the least recently used first. */
struct lt_cursor_cache {
	pthread_mutex_t lock;
	struct lt_spare_cursor spare[LT_CORPUS_SPARE];
	size_t n;
};

/* One of the lists of data.train, or the tokens in memory. */
struct lt_corpus_source {
	const struct lu_section *section; /* NULL: in memory */
	uint64_t tokens;
	struct lt_cursor_cache cache;
};

struct lt_corpus {
	struct lu_rows *rows; /* NULL: in memory */
	struct lt_corpus_source *source;
	size_t sources, context;
	const uint32_t *memory;	     /* the whole stream, instead of shards */
	bool masked;		     /* a shard has masks */
	uint64_t goldfish;	     /* 0: off */
	const double *reference;     /* by document; NULL: none */
	struct lu_teacher **teacher; /* of each shard, in the order of the parts; NULL: none */
	size_t teachers, top;
};

/* Whether its rows are cut from a stream. */
static inline bool lt_corpus_is_cut(const struct lt_corpus *c)
{
	return !c->rows || lu_rows_options(c->rows)->mode == LU_ROWS_STREAM;
}

#endif
