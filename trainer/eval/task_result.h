#ifndef LUCIE_TRAINER_EVAL_TASK_RESULT_H
#define LUCIE_TRAINER_EVAL_TASK_RESULT_H
/*
 * What a task comes to: means over its items, with their standard errors.
 *
 *	acc		the choice with the highest log-likelihood is the right one
 *	acc_norm	the same after division by the choice's length in characters
 *	acc_bytes	the same after division by its length in bytes of UTF-8
 *	perplexity	exp of the mean, over the items, of minus the log-likelihood of the right choice
 *			or of the first answer
 *	exact_match	the text that is generated is one of the answers
 *
 * acc, acc_norm, acc_bytes, perplexity and exact_match are those of EleutherAI's lm-evaluation-harness
 * 0.4: of choices with the same score the first counts, and lengths are without the delimiter. A
 * standard error is that of a mean: sample deviation (n - 1) over sqrt(n); that of the perplexity
 * follows from its logarithm's by the delta method, where the harness draws bootstrap samples.
 *
 * The 95 % interval of a share is Wilson's (1927), which holds for few items and near 0 and 1; that of
 * the perplexity is exp of the normal interval of the mean.
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"
#include "trainer/eval/task_file.h"

struct lt_metric {
	const char *name;
	bool higher_is_better, share; /* share: a mean of zeros and ones */
	double value, error;	      /* error NaN: of a single item */
	double low, high;	      /* 95 % interval */
};

#define LT_METRICS_MOST 4

struct lt_task_result {
	struct lu_str name; /* the task's */
	const char *file;
	enum lt_task_kind kind;
	uint64_t items;
	uint64_t cut; /* items whose context was cut at its beginning */
	struct lt_metric metric[LT_METRICS_MOST];
	size_t metrics;
};

/* The score of a choice: its log-likelihood and lengths. */
struct lt_choice_score {
	double log_p;
	size_t characters, bytes;
};
/* Index of the best choice: by log-likelihood alone, over characters, or over bytes. */
enum lt_choice_norm { LT_NORM_NONE, LT_NORM_CHARACTERS, LT_NORM_BYTES };
size_t lt_best_choice(const struct lt_choice_score *c, size_t n, enum lt_choice_norm norm);

/* Add a metric of n items from the sums of their values and of their squares around the mean: a share
 * of `ones`, or a perplexity of log-likelihoods. */
void lt_result_share(struct lt_task_result *r, const char *name, uint64_t ones, uint64_t n);
void lt_result_perplexity(struct lt_task_result *r, const double *log_p, uint64_t n);

/* True if the generated text is right: both without white space at the ends, and as the item says in
 * lower case and without ASCII punctuation. */
int lt_answer_matches(const struct lt_task_item *item, struct lu_str text, bool *matches,
		struct lu_err *err) LU_CHECKED;

/* A table for people. */
int lt_results_table(const struct lt_task_result *r, size_t n, struct lu_buf *out,
		struct lu_err *err) LU_CHECKED;
/* The members "results", "configs", "versions", "n-shot", "higher_is_better", "n-samples" and
 * "intervals" of the object that is open (lucie-task(5)). */
void lt_results_json(const struct lt_task_result *r, size_t n, struct lu_buf *out);

#endif
