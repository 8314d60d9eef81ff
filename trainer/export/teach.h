#ifndef LUCIE_TRAINER_EXPORT_TEACH_H
#define LUCIE_TRAINER_EXPORT_TEACH_H
/*
 * A model as a teacher: for each token of shards the most probable tokens to follow it, written beside
 * the shards (shard/teacher.h).
 *
 * WHAT IT HAS READ. Each document by itself, from position 0, in windows of T = `context` tokens that
 * begin every S = T / 2 tokens, rounded up: the first window gives the rows of all its tokens, each later
 * one those of its last S. So a token has at least T - S tokens of its document before it, or all that
 * there are.
 */
#include "libcommon/shard/reader.h"
#include "libcommon/sys/progress.h"
#include "trainer/model/weights.h"

struct lt_teaching {
	struct lt_weights *w;
	const char *tokenizer; /* path of the tokenizer.json; NULL: not known */
	/* Fail if a shard is of another tokenizer than the model or a shard before. */
	int (*check)(void *ctx, const struct lu_shard *shard, struct lu_err *err);
	void *ctx;
	const char *name; /* of the files: PREFIX.NAME.teacher; NULL: "teacher" */
	uint64_t top;
	size_t context, batch; /* tokens of a window, windows at once */
	const char *tool;      /* for the progress, as lu_progress_start_units() takes it */
	enum lu_progress_mode progress;
};

/* Write the files of all shards, one shard after the other; each appears when it is complete. Prints on
 * standard output what was written, and the rule. */
int lt_teach(const struct lt_teaching *t, char *const *prefix, size_t shards,
		struct lu_err *err) LU_CHECKED;

#endif
