#include "trainer/run/phase_data.h"

#include <inttypes.h>
#include <string.h>

#include "libcommon/hash/hash.h"
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

static int check_section(
		const struct lt_settings *s, const struct lu_section *section, struct lu_err *err)
{
	if (section->samples)
		return 0;
	if (s->data.rows == LU_ROWS_STREAM)
		return lu_err_set(err,
				"%" PRIu64 " tokens are fewer than one sample of train.context + 1 "
				"= %" PRIu64,
				lu_stream_tokens(section->stream), s->train.context + 1);
	return lu_err_set(err, "none of the %" PRIu64 " documents has two tokens",
			section->documents.n);
}

static int check_rows(const struct lt_settings *s, const struct lu_rows *rows, struct lu_err *err)
{
	bool pairs = lu_rows_section(rows, 0)->pairs;

	for (size_t i = 0; i < lu_rows_sections(rows); i++) {
		if (check_section(s, lu_rows_section(rows, i), err) < 0)
			return -1;
	}
	if (pairs && s->train.objective != LT_DPO)
		return lu_err_set(err,
				"the shards hold preferences, of which only train.objective = dpo "
				"learns: half of their documents are bad examples");
	if (s->train.objective == LT_DPO && !lu_hash_available())
		return lu_err_set(err,
				"train.objective = dpo names its reference by xxHash, which this "
				"build lacks");
	if (!pairs && s->train.objective == LT_DPO)
		return lu_err_set(err,
				"train.objective = dpo needs shards of preferences "
				"(lucie-shard --preference)");
	if (lu_rows_sections(rows) > 1 && s->train.epochs > 0)
		return lu_err_set(err,
				"'@' changes the data, so that train.epochs = %g is of no "
				"definite length; set train.samples or train.steps",
				s->train.epochs);
	return 0;
}

static int open_training(struct lt_phase_data *d, const char *tokenizer, struct lu_err *err)
{
	const struct lt_settings *s = &d->s;
	unsigned flags = (s->data.shuffle ? LT_CORPUS_SHUFFLE : 0) | lt_corpus_mode(s->data.rows) |
			d->trust;

	if (lt_corpus_open(&d->corpus, s->data.train, s->train.context, s->train.seed, flags, err) <
			0)
		return -1;
	if (s->data.goldfish)
		lt_corpus_goldfish(d->corpus, s->data.goldfish);
	/* Without a tokenizer.json the shards must agree with one another. */
	if (!*tokenizer)
		tokenizer = lt_corpus_tokenizer(d->corpus);
	if (lt_corpus_check(d->corpus, s->model.vocab, tokenizer, err) < 0 ||
			(*s->train.teacher &&
					lt_corpus_teacher(d->corpus, s->train.teacher, tokenizer,
							s->model.vocab, err) < 0))
		return -1;
	return check_rows(s, lt_corpus_rows(d->corpus), err);
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
	if (lt_validation_open(&d->valid, s, tokenizer, lt_corpus_mode(s->data.rows) | d->trust,
			    err) < 0)
		return -1;
	return lt_evaluations_open(&d->evals, s, path, tokenizer, err);
}

int lt_phase_data_open(struct lt_phase_data *d, const struct lt_config *c, size_t i,
		const char *tokenizer, bool trust, struct lu_err *err)
{
	int rc;

	*d = (struct lt_phase_data){ .index = i, .trust = trust ? LT_CORPUS_TRUST : 0 };
	rc = lt_config_phase(c, i, &d->s, err);
	if (rc == 0)
		rc = open_all(d, tokenizer, err);
	if (rc < 0 && c->phase.n > 1)
		lu_err_wrap(err, "phase %s", c->phase.p[i].name);
	return rc;
}

struct lt_micro_want lt_phase_data_want(const struct lt_phase_data *d)
{
	return (struct lt_micro_want){ .places = lt_settings_resets(&d->s),
		.weight = lt_corpus_weighted(d->corpus) || d->s.train.objective == LT_DPO,
		.reference = d->s.train.objective == LT_DPO,
		.top_n = lt_corpus_top(d->corpus) };
}

uint64_t lt_phase_data_tokens(const struct lt_phase_data *d, uint64_t consumed, uint64_t n)
{
	const struct lu_rows *rows = lt_corpus_rows(d->corpus);
	uint64_t tokens = 0;

	if (d->s.data.rows == LU_ROWS_STREAM)
		return n * d->s.train.context;
	for (uint64_t i = 0; i < n; i++)
		tokens += lu_rows_targets(rows, lt_phase_data_sample(d, consumed + i));
	return tokens;
}

/* --- notes ------------------------------------------------------------------------------------ */

/* The first sample of the phase behind section i. */
static uint64_t section_end(const struct lt_phase_data *d, size_t i)
{
	const struct lu_rows *rows = lt_corpus_rows(d->corpus);
	uint64_t end = d->schedule.samples;

	if (i + 1 < lu_rows_sections(rows) && lu_rows_section(rows, i + 1)->first < end)
		end = lu_rows_section(rows, i + 1)->first;
	return end;
}

static void section_notes(const struct lt_phase_data *d, const struct lu_section *s)
{
	const struct lu_rows_account *a = &s->account;

	if (s->first >= d->schedule.samples)
		lu_note("data.train: the phase of %" PRIu64
			" samples ends before %s is read, from sample %" PRIu64 " on",
				d->schedule.samples, s->names + strspn(s->names, " \t"), s->first);
	if (a->cut)
		lu_note("%" PRIu64 " of %" PRIu64 " documents are longer than a row of %" PRIu64
			" and are cut: %" PRIu64 " tokens are not read, %.2f %% of all",
				a->cut, a->documents, d->s.train.context, a->cut_off,
				100 * (double)a->cut_off / (double)lu_stream_tokens(s->stream));
	if (a->left_out)
		lu_note("%" PRIu64 " of %" PRIu64
			" documents have fewer than two tokens and are left out",
				a->left_out, a->documents);
}

void lt_phase_data_notes(const struct lt_phase_data *d)
{
	const struct lu_rows *rows = lt_corpus_rows(d->corpus);

	for (size_t i = 0; i < lt_corpus_parts(d->corpus); i++) {
		struct lu_stream_part part = lt_corpus_part(d->corpus, i);

		if (part.note)
			lu_note("%s", part.note);
	}
	for (size_t i = 0; i < lu_rows_sections(rows); i++)
		section_notes(d, lu_rows_section(rows, i));
}

static void print_section(const struct lt_phase_data *d, size_t i, struct lu_buf *out)
{
	const struct lu_rows *rows = lt_corpus_rows(d->corpus);
	const struct lu_section *s = lu_rows_section(rows, i);
	const struct lu_rows_account *a = &s->account;
	uint64_t end = section_end(d, i), n = end > s->first ? end - s->first : 0;
	uint64_t places = a->rows * d->s.train.context;

	if (lu_rows_sections(rows) > 1)
		lu_buf_printf(out, "%-24s from sample %" PRIu64 " on, %" PRIu64 " samples\n",
				"data", s->first, n);
	for (size_t k = 0; k < lu_stream_parts(s->stream); k++) {
		struct lu_stream_part part = lu_stream_part(s->stream, k);

		lu_buf_printf(out, "%-24s %" PRIu64 " tokens, %.3f epochs: %s\n", "data",
				part.tokens, (double)n / (double)s->samples, part.name);
	}
	if (d->s.data.rows != LU_ROWS_STREAM)
		lu_buf_printf(out,
				"%-24s %" PRIu64 " of %" PRIu64 " documents, %.1f %% of the places "
				"in use; %" PRIu64 " documents cut, %" PRIu64 " left out\n",
				"rows", a->rows, a->documents,
				100 * (double)a->targets / (double)places, a->cut, a->left_out);
}

double lt_phase_data_total(const struct lt_phase_data *d)
{
	const struct lu_rows *rows = lt_corpus_rows(d->corpus);
	double tokens = 0;

	for (size_t i = 0; i < lu_rows_sections(rows); i++) {
		const struct lu_section *s = lu_rows_section(rows, i);
		uint64_t end = section_end(d, i), n = end > s->first ? end - s->first : 0;

		tokens += (double)n * (double)s->account.targets / (double)s->samples;
	}
	return tokens;
}

void lt_phase_data_print(const struct lt_phase_data *d, struct lu_buf *out)
{
	for (size_t i = 0; i < lu_rows_sections(lt_corpus_rows(d->corpus)); i++)
		print_section(d, i, out);
}

void lt_phase_data_close(struct lt_phase_data *d)
{
	lt_corpus_close(d->corpus);
	lt_validation_close(d->valid);
	lt_evaluations_close(d->evals);
	*d = (struct lt_phase_data){ 0 };
}
