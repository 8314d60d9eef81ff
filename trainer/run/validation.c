#include "trainer/run/validation.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/vec.h"
#include "libcommon/sys/tool.h"
#include "trainer/data/corpus.h"

struct set {
	char *prefix;
	const char *name; /* in prefix */
	struct lt_corpus *corpus;
};

struct lt_validation {
	size_t context;
	unsigned flags; /* of lt_corpus_open() */
	uint64_t vocab;
	uint64_t windows; /* per set; 0: all */
	struct LU_VEC(struct set) sets;
};

/* Add the set with a prefix of n bytes. */
static int add_set(struct lt_validation *v, const char *prefix, size_t n, const char *tokenizer,
		struct lu_err *err)
{
	struct set set = { .prefix = strndup(prefix, n) };

	if (!set.prefix || !lu_vec_push(&v->sets, set)) {
		free(set.prefix);
		return lu_err_nomem(err);
	}
	set.name = strrchr(set.prefix, '/');
	set.name = set.name ? set.name + 1 : set.prefix;
	if (lt_corpus_open(&set.corpus, set.prefix, v->context, 0, v->flags, err) < 0)
		return -1;
	v->sets.p[v->sets.n - 1] = set;
	if (lt_corpus_check(set.corpus, v->vocab, tokenizer, err) < 0)
		return -1;
	if (lt_corpus_windows(set.corpus) == 0)
		return lu_err_set(err, "%s: fewer than two tokens, nothing to score", set.prefix);
	return 0;
}

/* Refuse a set that is listed twice. */
static int check_distinct(const struct lt_validation *v, struct lu_err *err)
{
	char **name = calloc(v->sets.n + 1, sizeof(*name));
	int rc;

	if (!name)
		return lu_err_nomem(err);
	for (size_t i = 0; i < v->sets.n; i++)
		name[i] = v->sets.p[i].prefix;
	rc = lt_corpus_distinct(name, v->sets.n, err);
	free(name);
	return rc;
}

int lt_validation_open(struct lt_validation **out, const struct lt_settings *s,
		const char *tokenizer, unsigned flags, struct lu_err *err)
{
	static const char blanks[] = " \t";
	struct lt_validation *v = calloc(1, sizeof(*v));
	const char *p = s->data.valid;
	int rc = 0;

	*out = NULL;
	if (!v)
		return lu_err_nomem(err);
	v->context = s->train.context;
	v->vocab = s->model.vocab;
	v->flags = flags;
	v->windows = s->train.valid_samples;
	for (p += strspn(p, blanks); rc == 0 && *p; p += strspn(p, blanks)) {
		size_t n = strcspn(p, blanks);

		rc = add_set(v, p, n, tokenizer, err);
		p += n;
	}
	if (rc == 0)
		rc = check_distinct(v, err);
	if (rc < 0) {
		lt_validation_close(v);
		return lu_err_wrap(err, "data.valid");
	}
	*out = v;
	return 0;
}

void lt_validation_close(struct lt_validation *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->sets.n; i++) {
		free(v->sets.p[i].prefix);
		lt_corpus_close(v->sets.p[i].corpus);
	}
	lu_vec_release(&v->sets);
	free(v);
}

size_t lt_validation_sets(const struct lt_validation *v)
{
	return v->sets.n;
}

/* Bits of loss per token times tokens per byte of the whole set; NaN if the bytes are unknown, or if only
 * some tokens are scored, whose bytes nobody knows. */
static double bits_per_byte(const struct set *set, double mean)
{
	double bytes = (double)lt_corpus_bytes(set->corpus);
	double bits = mean / M_LN2 * (double)lt_corpus_tokens(set->corpus) / bytes;

	return bytes > 0 && bits > 0 && !lt_corpus_masked(set->corpus) ? bits : (double)NAN;
}

static int report(const struct set *set, const struct lt_total *t, uint64_t step,
		struct lt_run *run, struct lu_err *err)
{
	double mean = t->tokens ? t->loss / (double)t->tokens : 0;
	double bits = bits_per_byte(set, mean);
	struct lu_buf b = { 0 };
	char text[64] = "";
	int rc;

	if (!isnan(bits))
		snprintf(text, sizeof(text), " bits/byte %.4f", bits);
	if (isfinite(mean))
		lu_note("step %" PRIu64 " validation %s loss %.4f perplexity %.2f%s"
			" over %" PRIu64 " tokens",
				step, set->name, mean, exp(mean), text, t->tokens);
	else
		lu_warn("step %" PRIu64 " validation %s: the loss is not finite", step, set->name);
	lu_json_open_object(&b, NULL);
	lu_json_put_u64(&b, "step", step);
	lu_json_put_cstr(&b, "valid", set->name);
	lu_json_put_double(&b, "loss", mean);
	lu_json_put_double(&b, "perplexity", exp(mean));
	lu_json_put_double(&b, "bits_per_byte", bits);
	lu_json_put_u64(&b, "scored", t->tokens);
	lu_json_close_object(&b);
	lu_buf_putc(&b, '\n');
	rc = lt_run_log(run, LT_METRICS, &b, err);
	lu_buf_release(&b);
	return rc;
}

int lt_validate(struct lt_validation *v, const struct lt_scorer *scorer, uint64_t step,
		struct lt_run *run, int (*stop)(void *ctx, struct lu_err *err), uint64_t *due,
		struct lu_err *err)
{
	if (*due > v->sets.n)
		*due = v->sets.n;
	for (; *due > 0; --*due) {
		const struct set *set = &v->sets.p[v->sets.n - *due];
		struct lt_total t;
		int rc = lt_score_total(scorer, set->corpus, v->windows, stop, &t, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (run && report(set, &t, step, run, err) < 0)
			return -1;
	}
	return 0;
}
