#ifndef LUCIE_TRAINER_EVAL_SCORED_TEXT_H
#define LUCIE_TRAINER_EVAL_SCORED_TEXT_H
/*
 * Text to be scored, documents or shards, and its loss by language, source and position.
 *
 *	struct lt_text t = { 0 };
 *	lt_text_documents(&t, std, args, tok, &err)	or lt_text_shards()
 *	lt_text_open(&t, context, &err)
 *	lt_score(&scorer, t.corpus, 0, lt_text_score, &t, &err)
 *	lt_text_table(&t, "", &out, &err)
 *	lt_text_release(&t);
 *
 * ONE RULE for the beginnings of documents and windows: documents follow one another in a stream, each
 * with the begin token before it and the end token behind it, as lucie-shard writes them, whatever the
 * file's post-processor says; a shard is as it is. The stream is cut into windows of the context
 * without overlap, and nothing is put before a window: one that begins inside a document sees the rest
 * of it alone. Every token but the stream's first is predicted once, begin and end tokens too.
 */
#include "libcommon/shard/reader.h"
#include "libcommon/sys/tool.h"
#include "libcommon/tokenizer/tokenizer.h"
#include "trainer/data/languages.h"
#include "trainer/eval/context_positions.h"

struct lt_text {
	struct lt_languages languages, sources;
	struct lt_positions positions;
	struct lt_corpus *corpus;
	struct lu_ids ids;   /* of documents */
	char *names;	     /* of shards */
	const char *unknown; /* one without a ledger, whose documents are not known; or NULL */
	/* Documents, while they are read: */
	const struct lu_tok *tok;
	uint32_t bos, eos;
	bool has_bos, has_eos;
};

/* Tell whether the files are shards; some shards and some documents are an error. */
int lt_text_are_shards(char *const *file, size_t n, bool *shards, struct lu_err *err) LU_CHECKED;

/* Encode documents with the caller's tokenizer, or check shards and read their ledgers; `check` is
 * called with each. Documents without tokens are left out. */
int lt_text_documents(struct lt_text *t, const struct lu_std *std, const struct lu_args *args,
		const struct lu_tok *tok, struct lu_err *err) LU_CHECKED;
int lt_text_shards(struct lt_text *t, char *const *prefix, size_t n,
		int (*check)(void *ctx, const struct lu_shard *s, struct lu_err *err), void *ctx,
		struct lu_err *err) LU_CHECKED;
/* Open the corpus of what was added. */
int lt_text_open(struct lt_text *t, size_t context, struct lu_err *err) LU_CHECKED;
void lt_text_release(struct lt_text *t);

/* An lt_score_fn. */
int lt_text_score(void *ctx, uint64_t offset, size_t n, const uint32_t *label, const lk_real *loss,
		struct lu_err *err);

/* Append the rule in a few words. */
void lt_text_rule(const struct lt_text *t, size_t context, struct lu_buf *out);

/* Reports, after all has been scored: tables, and the members "languages", "sources",
 * "positions" and "all" of the object that is open. */
int lt_text_table(struct lt_text *t, struct lu_buf *out, struct lu_err *err) LU_CHECKED;
void lt_text_json(struct lt_text *t, struct lu_buf *out);

#endif
