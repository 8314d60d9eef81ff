#include "trainer/run/validation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/tool.h"
#include "trainer/data/corpus.h"
#include "trainer/data/scoring.h"

struct set {
	char *name;
	struct lt_corpus *corpus;
};

struct lt_validation {
	size_t batch, context;
	uint64_t windows; /* of each set, 0 all */
	struct set *set;
	size_t sets;
};

static int add(struct lt_validation *v, const char *word, size_t n, const struct lt_settings *s,
		struct lu_err *err)
{
	struct set *grown = realloc(v->set, (v->sets + 1) * sizeof(*grown));
	char *prefix = strndup(word, n);
	const char *slash = prefix ? strrchr(prefix, '/') : NULL;
	struct set *set;
	int rc;

	if (grown)
		v->set = grown;
	if (!grown || !prefix) {
		free(prefix);
		return lu_err_nomem(err);
	}
	set = &grown[v->sets++];
	*set = (struct set){ .name = strdup(slash ? slash + 1 : prefix) };
	rc = set->name ? lt_corpus_open(&set->corpus, prefix, s->train.context, 0, false, err)
		       : lu_err_nomem(err);
	free(prefix);
	return rc;
}

int lt_validation_open(struct lt_validation **out, const struct lt_settings *s, struct lu_err *err)
{
	struct lt_validation *v = calloc(1, sizeof(*v));
	const char *rest = s->data.valid, *word;
	size_t n;

	*out = NULL;
	if (!v)
		return lu_err_nomem(err);
	v->batch = s->train.micro_batch;
	v->context = s->train.context;
	v->windows = s->train.valid_samples;
	while ((word = lt_word(&rest, &n))) {
		if (add(v, word, n, s, err) < 0) {
			lt_validation_close(v);
			return lu_err_wrap(err, "data.valid");
		}
	}
	*out = v;
	return 0;
}

void lt_validation_close(struct lt_validation *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->sets; i++) {
		free(v->set[i].name);
		lt_corpus_close(v->set[i].corpus);
	}
	free(v->set);
	free(v);
}

/* Bits of loss a token, times tokens a byte of the whole set; 0 when bytes are not known. */
static double bits_per_byte(const struct set *set, double mean)
{
	double bytes = (double)lt_corpus_bytes(set->corpus);

	return bytes > 0 ? mean / M_LN2 * (double)lt_corpus_tokens(set->corpus) / bytes : 0;
}

static int report(const struct set *set, const struct lt_total *t, const struct lt_position *at,
		struct lt_run *run, struct lu_err *err)
{
	double mean = t->tokens ? t->loss / (double)t->tokens : 0;
	double bits = bits_per_byte(set, mean);
	struct lu_buf b = { 0 };
	char text[64] = "";
	int rc;

	if (bits > 0)
		snprintf(text, sizeof(text), " bits/byte %.4f", bits);
	lu_note("step %llu validation %s loss %.4f perplexity %.2f%s over %llu tokens",
			(unsigned long long)at->step, set->name, mean, exp(mean), text,
			(unsigned long long)t->tokens);
	lu_buf_printf(&b, "{\"step\":%llu,\"valid\":", (unsigned long long)at->step);
	lu_json_quote(&b, lu_str_of(set->name));
	lu_buf_puts(&b, ",\"loss\":");
	lu_json_number(&b, mean);
	lu_buf_puts(&b, ",\"perplexity\":");
	lu_json_number(&b, exp(mean));
	lu_buf_puts(&b, ",\"bits_per_byte\":");
	lu_json_number(&b, bits > 0 ? bits : (double)NAN);
	lu_buf_printf(&b, ",\"scored\":%llu}\n", (unsigned long long)t->tokens);
	rc = lt_run_log(run, LT_METRICS, &b, err);
	lu_buf_release(&b);
	return rc;
}

int lt_validate(struct lt_validation *v, struct lt_model *m, const struct lt_position *at,
		struct lt_run *run, bool (*stop)(void), struct lu_err *err)
{
	for (size_t i = 0; i < v->sets; i++) {
		struct lt_total t;
		int rc = lt_score_total(m, v->batch, v->context, v->set[i].corpus, v->windows, stop,
				&t, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (report(&v->set[i], &t, at, run, err) < 0)
			return -1;
	}
	return 0;
}
