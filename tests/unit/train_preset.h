#ifndef LUCIE_TESTS_TRAIN_PRESET_H
#define LUCIE_TESTS_TRAIN_PRESET_H
/* Trains a small tokenizer of a preset, for unit tests and fuzz targets. */
#include "libcommon/bpetrain/preset.h"
#include "libcommon/tokenizer/step_buffers.h"

/* Append the tokenizer.json to `json`. *pieces is the size of its vocabulary. */
static inline int train_preset(enum lu_preset_kind kind, uint32_t vocab_size, struct lu_str text,
		struct lu_buf *json, uint32_t *pieces, struct lu_err *err)
{
	struct lu_preset p;
	struct lu_preset_splitter *cut;
	struct lu_preset_info info = { 0 };
	struct lu_word_counts count = { .threads = 1 };
	struct lu_word_counts_thread thread;
	struct lu_step_buffers work = { 0 };
	int rc = -1;

	lu_word_counts_join(&count, &thread);
	lu_preset_defaults(&p, kind);
	p.vocab_size = vocab_size;
	if (lu_preset_splitter_new(&cut, &p, err) < 0)
		return -1;
	if (lu_preset_words(cut, &work, text, &thread.words, err) == 0 &&
			lu_word_counts_take(&count, &thread, err) == 0)
		rc = lu_preset_train(&p, &count, json, &info, err);
	*pieces = info.pieces;
	lu_preset_splitter_free(cut);
	lu_word_counts_release(&count);
	lu_step_buffers_release(&work);
	return rc;
}

#endif
