#include "trainer/eval/task_result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/text_table.h"
#include "libcommon/text/unicode.h"
#include "trainer/eval/task_prompt.h"

/* Quantile of the normal distribution for 95 %. */
#define Z 1.959963984540054

/* --- metrics ---------------------------------------------------------------------------------- */

size_t lt_best_choice(const struct lt_choice_score *c, size_t n, enum lt_choice_norm norm)
{
	double top = -HUGE_VAL;
	size_t best = 0;

	for (size_t i = 0; i < n; i++) {
		double by = norm == LT_NORM_NONE	? 1
				: norm == LT_NORM_BYTES ? (double)c[i].bytes
							: (double)c[i].characters;
		double score = c[i].log_p / by;

		if (score > top) {
			top = score;
			best = i;
		}
	}
	return best;
}

static struct lt_metric *add(struct lt_task_result *r, const char *name)
{
	struct lt_metric *m = &r->metric[r->metrics++];

	LU_ASSERT(r->metrics <= LT_METRICS_MOST);
	*m = (struct lt_metric){ .name = name, .error = (double)NAN };
	return m;
}

void lt_result_share(struct lt_task_result *r, const char *name, uint64_t ones, uint64_t n)
{
	struct lt_metric *m = add(r, name);
	double k = (double)n, p = (double)ones / k,
	       middle = (p + Z * Z / (2 * k)) / (1 + Z * Z / k);
	double half = Z * sqrt(p * (1 - p) / k + Z * Z / (4 * k * k)) / (1 + Z * Z / k);

	m->higher_is_better = m->share = true;
	m->value = p;
	if (n > 1)
		m->error = sqrt(p * (1 - p) / (k - 1));
	m->low = fmax(0, middle - half);
	m->high = fmin(1, middle + half);
}

void lt_result_perplexity(struct lt_task_result *r, const double *log_p, uint64_t n)
{
	struct lt_metric *m = add(r, "perplexity");
	double sum = 0, squares = 0, mean, error;

	for (uint64_t i = 0; i < n; i++)
		sum += log_p[i];
	mean = sum / (double)n;
	for (uint64_t i = 0; i < n; i++)
		squares += (log_p[i] - mean) * (log_p[i] - mean);
	error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : (double)NAN;
	m->value = exp(-mean);
	m->error = m->value * error;
	m->low = exp(-mean - Z * error);
	m->high = exp(-mean + Z * error);
}

/* --- exact match ------------------------------------------------------------------------------ */

/* Append the text as it is compared. */
static int normalise(const struct lt_task_item *item, struct lu_str text, struct lu_buf *out,
		struct lu_err *err)
{
	struct lu_buf plain = { 0 };
	struct lu_str s = lt_trim(text);
	int rc = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool punctuation = c && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c);

		if (!(item->ignore_punctuation && punctuation))
			lu_buf_putc(&plain, c);
	}
	s = lt_trim(lu_buf_slice(&plain));
	if (item->ignore_case)
		rc = lu_unicode_lower(s, out, err);
	else
		lu_buf_str(out, s);
	out->failed |= plain.failed;
	lu_buf_release(&plain);
	return rc < 0 ? -1 : lu_buf_check(out, err);
}

int lt_answer_matches(const struct lt_task_item *item, struct lu_str text, bool *matches,
		struct lu_err *err)
{
	struct lu_buf got = { 0 }, want = { 0 };
	int rc = normalise(item, text, &got, err);

	*matches = false;
	for (size_t i = 0; i < item->choices && rc == 0 && !*matches; i++) {
		lu_buf_clear(&want);
		rc = normalise(item, item->choice[i], &want, err);
		*matches = rc == 0 && lu_str_eq(lu_buf_slice(&got), lu_buf_slice(&want));
	}
	lu_buf_release(&got);
	lu_buf_release(&want);
	return rc;
}

/* --- reports ---------------------------------------------------------------------------------- */

/* Perplexities of whole answers have no bound. */
static void put_value(struct lu_table *t, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4e", v);
	if (v >= 1e6 && isfinite(v))
		lu_table_cstr(t, text);
	else
		lu_table_fixed(t, v, 4, "");
}

int lt_results_table(const struct lt_task_result *r, size_t n, struct lu_buf *b, struct lu_err *err)
{
	static const char *const heads[] = { "task", "metric", "items", "value", "stderr",
		"95 % from", "to" };
	struct lu_table t = { .head = heads, .columns = 7, .left = 2 };
	int rc;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < r[i].metrics; k++) {
			const struct lt_metric *m = &r[i].metric[k];

			lu_table_str(&t, r[i].name);
			lu_table_cstr(&t, m->name);
			lu_table_u64(&t, r[i].items);
			put_value(&t, m->value);
			put_value(&t, m->error);
			put_value(&t, m->low);
			put_value(&t, m->high);
		}
	}
	rc = lu_table_put(&t, b, err);
	lu_table_release(&t);
	return rc;
}

/* Write the key of a metric as the harness does: "acc,none", where none is its filter. */
static void put_key(struct lu_buf *b, const char *name, const char *suffix)
{
	struct lu_buf key = { 0 };

	lu_buf_printf(&key, "%s%s,none", name, suffix);
	b->failed |= key.failed;
	lu_json_key(b, lu_buf_slice(&key));
	lu_buf_release(&key);
}

static void put_result(struct lu_buf *b, const struct lt_task_result *r)
{
	lu_json_key(b, r->name);
	lu_json_open_object(b, NULL);
	lu_json_put_str(b, "alias", r->name);
	for (size_t k = 0; k < r->metrics; k++) {
		put_key(b, r->metric[k].name, "");
		lu_json_put_double(b, NULL, r->metric[k].value);
		put_key(b, r->metric[k].name, "_stderr");
		if (isfinite(r->metric[k].error))
			lu_json_put_double(b, NULL, r->metric[k].error);
		else
			lu_json_put_cstr(b, NULL, "N/A");
	}
	lu_json_close_object(b);
}

static void put_config(struct lu_buf *b, const struct lt_task_result *r)
{
	lu_json_key(b, r->name);
	lu_json_open_object(b, NULL);
	lu_json_put_str(b, "task", r->name);
	lu_json_put_cstr(b, "file", r->file);
	lu_json_put_cstr(b, "output_type",
			r->kind == LT_TASK_CHOICE ? "multiple_choice" : "generate_until");
	lu_json_put_u64(b, "contexts_cut", r->cut);
	lu_json_close_object(b);
}

static void put_interval(struct lu_buf *b, const struct lt_task_result *r)
{
	lu_json_key(b, r->name);
	lu_json_open_object(b, NULL);
	for (size_t k = 0; k < r->metrics; k++) {
		lu_json_open_array(b, r->metric[k].name);
		lu_json_put_double(b, NULL, r->metric[k].low);
		lu_json_put_double(b, NULL, r->metric[k].high);
		lu_json_close_array(b);
	}
	lu_json_close_object(b);
}

static void put_higher(struct lu_buf *b, const struct lt_task_result *r)
{
	lu_json_key(b, r->name);
	lu_json_open_object(b, NULL);
	for (size_t k = 0; k < r->metrics; k++)
		lu_json_put_bool(b, r->metric[k].name, r->metric[k].higher_is_better);
	lu_json_close_object(b);
}

static void put_samples(struct lu_buf *b, const struct lt_task_result *r)
{
	lu_json_key(b, r->name);
	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "original", r->items);
	lu_json_put_u64(b, "effective", r->items);
	lu_json_close_object(b);
}

static void put_version(struct lu_buf *b, const struct lt_task_result *r)
{
	lu_json_key(b, r->name);
	lu_json_put_u64(b, NULL, 1);
}

/* Examples are part of the contexts. */
static void put_shots(struct lu_buf *b, const struct lt_task_result *r)
{
	lu_json_key(b, r->name);
	lu_json_put_u64(b, NULL, 0);
}

void lt_results_json(const struct lt_task_result *r, size_t n, struct lu_buf *b)
{
	static const struct {
		const char *key;
		void (*put)(struct lu_buf *b, const struct lt_task_result *r);
	} members[] = { { "results", put_result }, { "configs", put_config },
		{ "versions", put_version }, { "n-shot", put_shots },
		{ "higher_is_better", put_higher }, { "n-samples", put_samples },
		{ "intervals", put_interval } };

	for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++) {
		lu_json_open_object(b, members[k].key);
		for (size_t i = 0; i < n; i++)
			members[k].put(b, &r[i]);
		lu_json_close_object(b);
	}
}
