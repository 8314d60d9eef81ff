#ifndef LUCIE_REPORT_METRICS_H
#define LUCIE_REPORT_METRICS_H
/*
 * The curves of training runs, from RUN/metrics.jsonl, the timing.jsonl beside it, if there is one,
 * and RUN/config.ini (lucie-train(1)).
 *
 *	struct lu_metrics m = { 0 };
 *	lu_metrics_read(&m, "run", &err);		the folder, or a file of its lines
 *	lu_metrics_text(&m, 1, &out);  lu_metrics_json(&m, 1, &out);
 *	lu_metrics_over(&m, LU_OVER_TOKENS, 1, &err);
 *	lu_metrics_release(&m);
 *
 * A run that was killed repeats the steps since its last checkpoint: the later line counts, and what
 * was logged behind the earlier one is forgotten. Unknown lines and members are ignored, for files of
 * a newer trainer. A line that is not a JSON object is an error, except an incomplete last one, which
 * a running trainer may have left.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/curves/curve.h"
#include "libcommon/curves/eval_curves.h"

struct lu_valid {
	char *name; /* of the validation set */
	struct lu_curve loss, bits_per_byte;
};

struct lu_metrics {
	char *name;			       /* of the folder */
	char *path;			       /* of the file */
	struct lu_curve loss, lr, norm, speed; /* by step; speed in tokens a second */
	struct lu_curve margin, accuracy;      /* of pairs of preferences; empty without any */
	struct lu_curve tokens_at, seconds_at; /* in all steps so far; of the step */
	struct lu_curve batch;		       /* samples of the step */
	/* When the step ended, in seconds since 1970: the date of its start, which is that of its first
	 * step, and the steps since then. What passed between steps is not in it. */
	struct lu_curve wall_at;
	uint64_t bytes;			      /* of the files of lines */
	struct LU_VEC(struct lu_valid) valid; /* in order of appearance */
	struct lu_evals evals;
	struct lu_phases phases;
	bool evals_over_tokens; /* even where the others are over steps */
	double step, tokens;	/* last step; trained on so far, NAN: not known */
	double last_loss;	/* of that step; NAN if it is no number */
	double seconds;		/* sum of the steps; NAN: not known */
	uint64_t without_loss;	/* steps whose loss is no number */
	char *config;		/* text of config.ini, or NULL */
	char *machine, *date;	/* of the first start, or NULL */
};

/* What the x axis shows. */
enum lu_over { LU_OVER_STEPS, LU_OVER_TOKENS, LU_OVER_TIME };

int lu_metrics_read(struct lu_metrics *m, const char *path, struct lu_err *err) LU_CHECKED;
/* Replace the steps in the curves of loss, lr, norm, speed and the validations by tokens or seconds,
 * in units of `unit`. Fails if the file has none. Evaluations and phases are over tokens instead of
 * steps, where tokens are known. */
int lu_metrics_over(struct lu_metrics *m, enum lu_over over, double unit,
		struct lu_err *err) LU_CHECKED;
/* Tokens a second, over all steps; NAN: not known. */
double lu_metrics_speed(const struct lu_metrics *m);
/* Give runs of the same name their paths as names. */
int lu_metrics_tell_apart(struct lu_metrics *m, size_t n, struct lu_err *err) LU_CHECKED;
/* A table of the runs, and the member "runs" of a JSON object. */
void lu_metrics_text(const struct lu_metrics *m, size_t n, struct lu_buf *out);
void lu_metrics_json(const struct lu_metrics *m, size_t n, struct lu_buf *out);
void lu_metrics_release(struct lu_metrics *m);

#endif
