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
#include "trainer/data/scoring.h"

struct set {
	char *prefix;
	const char *name; /* in prefix */
	struct lt_corpus *corpus;
};

struct lt_validation {
	size_t batch, context;
	uint64_t windows; /* per set; 0: all */
	struct LU_VEC(struct set) sets;
};

/* Add the set with a prefix of n bytes. */
static int add_set(struct lt_validation *v, const char *prefix, size_t n, struct lu_err *err)
{
	struct set set = { .prefix = strndup(prefix, n) };

	if (!set.prefix || !lu_vec_reserve(&v->sets, 1)) {
		free(set.prefix);
		return lu_err_nomem(err);
	}
	set.name = strrchr(set.prefix, '/');
	set.name = set.name ? set.name + 1 : set.prefix;
	if (lt_corpus_open(&set.corpus, set.prefix, v->context, 0, false, err) < 0) {
		free(set.prefix);
		return lu_err_wrap(err, "data.valid");
	}
	v->sets.p[v->sets.n++] = set;
	return 0;
}

int lt_validation_open(struct lt_validation **out, const struct lt_settings *s, struct lu_err *err)
{
	static const char blanks[] = " \t";
	struct lt_validation *v = calloc(1, sizeof(*v));
	const char *p = s->data.valid;

	*out = NULL;
	if (!v)
		return lu_err_nomem(err);
	v->batch = s->train.micro_batch;
	v->context = s->train.context;
	v->windows = s->train.valid_samples;
	for (p += strspn(p, blanks); *p; p += strspn(p, blanks)) {
		size_t n = strcspn(p, blanks);

		if (add_set(v, p, n, err) < 0) {
			lt_validation_close(v);
			return -1;
		}
		p += n;
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

/* Bits of loss per token times tokens per byte of the whole set; NaN if the bytes are unknown. */
static double bits_per_byte(const struct set *set, double mean)
{
	double bytes = (double)lt_corpus_bytes(set->corpus);
	double bits = mean / M_LN2 * (double)lt_corpus_tokens(set->corpus) / bytes;

	return bytes > 0 && bits > 0 ? bits : (double)NAN;
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
	lu_note("step %" PRIu64 " validation %s loss %.4f perplexity %.2f%s"
		" over %" PRIu64 " tokens",
			step, set->name, mean, exp(mean), text, t->tokens);
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

int lt_validate(struct lt_validation *v, struct lt_model *m, uint64_t step, struct lt_run *run,
		bool (*stop)(void), struct lu_err *err)
{
	for (size_t i = 0; i < v->sets.n; i++) {
		struct lt_total t;
		int rc = lt_score_total(m, v->batch, v->context, v->sets.p[i].corpus, v->windows,
				stop, &t, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (report(&v->sets.p[i], &t, step, run, err) < 0)
			return -1;
	}
	return 0;
}
