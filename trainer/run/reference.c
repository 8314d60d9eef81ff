#include "trainer/run/reference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/buf.h"
#include "libcommon/hash/hash.h"
#include "libcommon/shard/logp.h"
#include "libcommon/shard/reader.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/tool.h"
#include "trainer/data/corpus.h"
#include "trainer/run/model_hash.h"

/* Documents that are summed over the ranks at once. */
#define AT_ONCE 4096

/* --- the files -------------------------------------------------------------------------------- */

/* Shard k of the data, whose documents follow those of the shards before it. */
static const struct lu_shard *shard_of(const struct lt_corpus *c, size_t k)
{
	struct lu_stream_part part = lt_corpus_part(c, k);

	/* Plans of pairs are refused. */
	LU_ASSERT(part.shards == 1);
	return part.shard[0];
}

/* What the file of a shard must be. `content` gets the hash of what is scored: of the tokenizer and of
 * the files with tokens and masks, whose hashes the manifest has. So a shard that was made again with
 * other answers is not taken for the one that it replaced. */
static int describe(const struct lu_shard *s, const char *hash, char content[33],
		struct lu_logp *what, struct lu_err *err)
{
	const struct lu_manifest *m = lu_shard_manifest(s);
	struct lu_buf b = { 0 };
	int rc;

	lu_buf_puts(&b, m && m->tokenizer ? m->tokenizer : "");
	for (size_t i = 0; m && i < m->files; i++) {
		if (strstr(m->file[i].suffix, ".docs.") == NULL)
			lu_buf_printf(&b, " %s %s", m->file[i].suffix, m->file[i].hash);
	}
	rc = lu_buf_check(&b, err);
	if (rc == 0)
		lu_hash128_text(lu_hash128(b.p, b.n), content);
	lu_buf_release(&b);
	*what = (struct lu_logp){ content, hash, lu_shard_documents(s) };
	return rc;
}

/* The file beside shard k, or the one in the folder of the run; malloc'd. */
static char *path_of(const struct lt_reference *r, size_t k, bool beside, const char *hash,
		struct lu_err *err)
{
	const char *prefix = lu_shard_prefix(shard_of(r->corpus, k)), *name = strrchr(prefix, '/');
	char *path;
	int n = beside ? asprintf(&path, "%s.logp-%s", prefix, hash)
		       : asprintf(&path, "%s/%zu-%s.logp-%s", r->run, k, name ? name + 1 : prefix,
					 hash);

	if (n >= 0)
		return path;
	lu_err_nomem(err);
	return NULL;
}

/* Read the file of shard k: 1, 0 if there is none, or -1. */
static int read_one(const struct lt_reference *r, size_t k, const char *hash, double *log_p,
		struct lu_err *err)
{
	struct lu_logp what;
	char content[33];
	int rc = describe(shard_of(r->corpus, k), hash, content, &what, err);

	for (int beside = 1; beside >= 0 && rc == 0; beside--) {
		char *path = path_of(r, k, beside, hash, err);

		rc = path ? lu_logp_read(path, &what, log_p, err) : -1;
		free(path);
	}
	return rc;
}

/* Read all files. Returns 1; 0 if one is missing, of shard *k; or -1. */
static int read_all(const struct lt_reference *r, const char *hash, double *log_p, size_t *k,
		struct lu_err *err)
{
	int rc = 1;

	for (*k = 0; *k < lt_corpus_parts(r->corpus); ++*k) {
		rc = read_one(r, *k, hash, log_p, err);
		if (rc <= 0)
			return rc;
		log_p += lu_shard_documents(shard_of(r->corpus, *k));
	}
	return rc;
}

static int write_one(const struct lt_reference *r, size_t k, const char *hash, const double *log_p,
		struct lu_err *err)
{
	struct lu_logp what;
	char content[33], *beside = path_of(r, k, true, hash, err),
			  *own = path_of(r, k, false, hash, err);
	int rc = beside && own ? describe(shard_of(r->corpus, k), hash, content, &what, err) : -1;

	if (rc == 0 && lu_logp_write(beside, &what, log_p, err) < 0) {
		rc = lu_logp_write(own, &what, log_p, err);
		if (rc == 0)
			lu_note("the folder of %s cannot be written to: the reference is in %s",
					lu_shard_prefix(shard_of(r->corpus, k)), own);
	}
	free(beside);
	free(own);
	return rc;
}

static int write_all(const struct lt_reference *r, const char *hash, const double *log_p,
		struct lu_err *err)
{
	for (size_t k = 0; k < lt_corpus_parts(r->corpus); k++) {
		if (write_one(r, k, hash, log_p, err) < 0)
			return -1;
		log_p += lu_shard_documents(shard_of(r->corpus, k));
	}
	return 0;
}

/* --- computing -------------------------------------------------------------------------------- */

/* Score documents first .. first + batch - 1; those beyond the last are that one again. */
static int score(const struct lt_reference *r, uint64_t first, struct lt_micro *m, lk_real *log_p,
		double *sum, uint64_t documents, struct lu_err *err)
{
	size_t batch = (size_t)r->s->train.micro_batch, context = (size_t)r->s->train.context;
	const struct lt_batch b = { .ids = m->ids, .labels = m->labels, .places = m->places };
	bool here;

	for (size_t i = 0; i < batch; i++) {
		uint64_t d = first + i < documents ? first + i : documents - 1;
		struct lt_micro row = lt_micro_sequence(m, i, context);

		if (lt_corpus_read_document(r->corpus, d, &row, err) < 0)
			return -1;
	}
	if (lt_step_score(r->step, &b, log_p, &here, err) < 0)
		return -1;
	/* In the order of lk_ops.dpo() on the CPU: at the first step the margin is 0 to the bit. */
	for (size_t i = 0; i < batch * context && here; i++) {
		if (first + i / context < documents && m->weight[i] != 0)
			sum[first + i / context] += (double)m->weight[i] * (double)log_p[i];
	}
	return 0;
}

/* Each data-parallel rank scores batches of its own. Returns 0, 1 if stopped, or -1. */
static int score_all(
		const struct lt_reference *r, double *sum, uint64_t documents, struct lu_err *err)
{
	size_t batch = (size_t)r->s->train.micro_batch, rows = batch * r->s->train.context;
	uint64_t share = r->layout->at[LT_DP], shares = r->layout->mesh.size[LT_DP];
	const struct lt_micro_want want = { .places = r->want->places, .weight = true };
	lk_real *log_p = malloc(rows * sizeof(*log_p));
	struct lt_micro m = { 0 };
	int rc = log_p ? lt_micro_open(&m, &want, rows, batch, err) : lu_err_nomem(err);

	rc = lt_comm_agree(r->layout->comm, LT_CHANNEL_MAIN, rc, err);
	for (uint64_t at = 0; at < documents && rc == 0; at += batch * shares) {
		uint64_t first = at + share * batch;

		lt_comm_at(r->layout->comm, "reference, document %" PRIu64, first);
		if (first < documents)
			rc = score(r, first, &m, log_p, sum, documents, err);
		if (rc == 0)
			rc = r->stop(r->ctx, err);
	}
	for (uint64_t at = 0; at < documents && rc == 0; at += AT_ONCE) {
		uint64_t left = documents - at;

		rc = lt_step_sum(r->step, sum + at, left < AT_ONCE ? (size_t)left : AT_ONCE, err);
	}
	lt_micro_release(&m);
	free(log_p);
	return rc;
}

static int compute(const struct lt_reference *r, const char *hash, double *sum, uint64_t documents,
		struct lu_err *err)
{
	double start = lu_clock();
	bool first = lt_comm_rank(r->layout->comm) == 0;
	int rc;

	memset(sum, 0, documents * sizeof(*sum));
	rc = score_all(r, sum, documents, err);
	if (rc != 0)
		return rc;
	if (first)
		rc = write_all(r, hash, sum, err);
	if (lt_comm_agree(r->layout->comm, LT_CHANNEL_MAIN, rc, err) < 0)
		return -1;
	if (first)
		lu_note("reference logp-%s: log p of %" PRIu64 " documents in %.0f s", hash,
				documents, lu_clock() - start);
	return 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int name_reference(const struct lt_reference *r, char hash[33], struct lu_err *err)
{
	char text[128];
	int n;

	if (lt_model_hash(r->layout, r->w, hash, err) < 0)
		return -1;
	n = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64, hash, r->s->train.context,
			r->s->data.goldfish);
	lu_hash128_text(lu_hash128(text, (size_t)n), hash);
	return 0;
}

/* Read the files on all ranks, if the first rank has seen them all: 1, 0 or -1 on all. */
static int find(const struct lt_reference *r, const char *hash, double *log_p, bool begins,
		struct lu_err *err)
{
	struct lt_comm *c = r->layout->comm;
	bool missing;
	size_t k = 0;
	int rc = read_all(r, hash, log_p, &k, err);

	missing = rc == 0;
	if (lt_comm_agree(c, LT_CHANNEL_MAIN, rc < 0 ? -1 : 0, err) < 0 ||
			lt_comm_any(c, LT_CHANNEL_MAIN, &missing, err) < 0)
		return -1;
	if (!missing)
		return 1;
	if (begins)
		return 0;
	rc = rc != 0 ? 0
		     : lu_err_set(err,
				       "%s.logp-%s is missing, the reference that this phase began "
				       "with: bring it back, or continue from the end of the phase "
				       "before (--from-step)",
				       lu_shard_prefix(shard_of(r->corpus, k)), hash);
	return lt_comm_agree(c, LT_CHANNEL_MAIN, rc, err) < 0 ? -1 : 0;
}

int lt_reference_open(const struct lt_reference *r, char hash[33], double **by_document,
		struct lu_err *err)
{
	uint64_t documents = lt_corpus_documents(r->corpus);
	bool begins = *hash == '\0';
	double *log_p = calloc(documents + 1, sizeof(*log_p));
	int rc = log_p ? 0 : lu_err_nomem(err);

	*by_document = NULL;
	rc = lt_comm_agree(r->layout->comm, LT_CHANNEL_MAIN, rc, err);
	if (rc == 0 && begins)
		rc = name_reference(r, hash, err);
	if (rc == 0)
		rc = find(r, hash, log_p, begins, err);
	if (rc == 0)
		rc = compute(r, hash, log_p, documents, err);
	else if (rc > 0)
		rc = 0;
	if (rc == 0) {
		lt_corpus_reference(r->corpus, log_p);
		*by_document = log_p;
		return 0;
	}
	if (begins)
		*hash = '\0';
	free(log_p);
	return rc;
}
