#include "trainer/run/phase_data.h"

#include <inttypes.h>

#include "libcommon/sys/tool.h"
#include "trainer/data/tokfile.h"
#include "trainer/model/tensorfile.h"

/* Hash the tokenizer, and compare its size with the model's. */
static int check_tokenizer(
		const char *path, uint64_t vocab, struct lt_digest *digest, struct lu_err *err)
{
	uint64_t ids;

	if (lt_tokfile_vocab(path, &ids, err) < 0 || lt_file_digest(path, digest, err) < 0)
		return -1;
	if (ids > vocab)
		return lu_err_set(err,
				"model.vocab = %" PRIu64 " is too small for the %" PRIu64
				" ids of %s; leave the key out",
				vocab, ids, path);
	return 0;
}

static int open_training(struct lt_phase_data *d, const char *tokenizer, struct lu_err *err)
{
	const struct lt_settings *s = &d->s;
	unsigned flags = (s->data.shuffle ? LT_CORPUS_SHUFFLE : 0) | d->trust;

	if (lt_corpus_open(&d->corpus, s->data.train, s->train.context, s->train.seed, flags, err) <
			0)
		return -1;
	/* Without a tokenizer.json the shards must agree with one another. */
	if (!*tokenizer)
		tokenizer = lt_corpus_tokenizer(d->corpus);
	if (lt_corpus_check(d->corpus, s->model.vocab, tokenizer, err) < 0)
		return -1;
	if (lt_corpus_samples(d->corpus) == 0)
		return lu_err_set(err,
				"%" PRIu64 " tokens are fewer than one sample of train.context + 1 "
				"= %" PRIu64,
				lt_corpus_tokens(d->corpus), s->train.context + 1);
	return 0;
}

static int open_all(struct lt_phase_data *d, const char *path, struct lu_err *err)
{
	const struct lt_settings *s = &d->s;
	struct lt_digest digest = { 0 };
	const char *tokenizer = digest.hash;

	if (path && check_tokenizer(path, s->model.vocab, &digest, err) < 0)
		return -1;
	if (open_training(d, tokenizer, err) < 0)
		return lu_err_wrap(err, "data.train");
	if (lt_settings_schedule(s, lt_corpus_samples(d->corpus), &d->schedule, err) < 0 ||
			lt_schedule_check(&d->schedule, err) < 0)
		return -1;
	if (!*tokenizer)
		tokenizer = lt_corpus_tokenizer(d->corpus);
	return lt_validation_open(&d->valid, s, tokenizer, d->trust, err);
}

int lt_phase_data_open(struct lt_phase_data *d, const struct lt_config *c, size_t i,
		const char *tokenizer, bool trust, struct lu_err *err)
{
	int rc;

	*d = (struct lt_phase_data){ .trust = trust ? LT_CORPUS_TRUST : 0 };
	rc = lt_config_phase(c, i, &d->s, err);
	if (rc == 0)
		rc = open_all(d, tokenizer, err);
	if (rc < 0 && c->phase.n > 1)
		lu_err_wrap(err, "phase %s", c->phase.p[i].name);
	return rc;
}

struct lt_micro_want lt_phase_data_want(const struct lt_phase_data *d)
{
	return (struct lt_micro_want){ .places = d->s.train.reset_documents };
}

void lt_phase_data_notes(const struct lt_phase_data *d)
{
	for (size_t i = 0; i < lt_corpus_parts(d->corpus); i++) {
		struct lu_stream_part part = lt_corpus_part(d->corpus, i);

		if (part.note)
			lu_note("%s", part.note);
	}
}

void lt_phase_data_close(struct lt_phase_data *d)
{
	lt_corpus_close(d->corpus);
	lt_validation_close(d->valid);
	*d = (struct lt_phase_data){ 0 };
}
