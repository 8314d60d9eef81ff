#ifndef LUCIE_TRAINER_RUN_PHASE_DATA_H
#define LUCIE_TRAINER_RUN_PHASE_DATA_H
/*
 * What a phase reads: its settings, training data, validation sets, and the schedule that follows
 * from them. Opening checks that they fit together and to the model; nothing is written.
 *
 *	struct lt_phase_data d = { 0 };
 *	lt_phase_data_open(&d, config, i, tokenizer, &err)
 *	lt_phase_data_close(&d);		after a failure too; twice is fine
 */
#include "libcommon/order/skips.h"
#include "trainer/data/corpus.h"
#include "trainer/run/config.h"
#include "trainer/run/evaluations.h"
#include "trainer/run/validation.h"

struct lt_phase_data {
	struct lt_settings s;
	struct lt_schedule schedule;
	size_t index;	       /* of the phase */
	struct lu_skips skips; /* none, or the caller's to set */
	struct lt_corpus *corpus;
	struct lt_validation *valid;
	struct lt_evaluations *evals;
	unsigned trust; /* LT_CORPUS_TRUST, or 0 */
};

/* Open phase i of the configuration. trust: another rank checks the indexes of the shards
 * (lt_corpus_open()). `tokenizer` is the tokenizer.json of the run, NULL if there is
 * none: then all shards must have been made with one and the same. */
int lt_phase_data_open(struct lt_phase_data *d, const struct lt_config *c, size_t i,
		const char *tokenizer, bool trust, struct lu_err *err) LU_CHECKED;
void lt_phase_data_close(struct lt_phase_data *d);

/* What is loaded of each micro-batch. */
struct lt_micro_want lt_phase_data_want(const struct lt_phase_data *d);

/* The sample of the corpus that is consumed after `consumed` others. */
static inline uint64_t lt_phase_data_sample(const struct lt_phase_data *d, uint64_t consumed)
{
	return lu_skips_sample(&d->skips, d->index, consumed);
}

/* Tokens that the n samples behind `consumed` others train on: ids, without padding. */
uint64_t lt_phase_data_tokens(const struct lt_phase_data *d, uint64_t consumed, uint64_t n);

/* Tell, by lu_note(), what nobody asked for: where opening took a detour, as for a plan without its
 * walk index; documents that are cut or left out; data that are never reached. */
void lt_phase_data_notes(const struct lt_phase_data *d);
/* Tokens of a phase of rows of documents, about: those of an epoch, so many times. */
double lt_phase_data_total(const struct lt_phase_data *d);
/* Append what the phase reads, for --dry-run. */
void lt_phase_data_print(const struct lt_phase_data *d, struct lu_buf *out);

#endif
