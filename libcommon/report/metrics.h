#ifndef LUCIE_REPORT_METRICS_H
#define LUCIE_REPORT_METRICS_H
/*
 * The curves of a training run, from RUN/metrics.jsonl and the timing.jsonl beside it, if there is
 * one (lucie-train(1)).
 *
 *	struct lu_metrics m = { 0 };
 *	lu_metrics_read(&m, "run/metrics.jsonl", &err);
 *	lu_metrics_release(&m);
 *
 * A run that was killed repeats the steps since its last checkpoint: the later line counts. Unknown
 * lines and members are ignored, for files of a newer trainer. A line that is not a JSON object is
 * an error, except an incomplete last one, which a running trainer may have left.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"

struct lu_point {
	double x, y;
};

/* Points in ascending order of x. */
struct lu_curve {
	char *name; /* of the validation set, or NULL */
	struct LU_VEC(struct lu_point) point;
};

struct lu_metrics {
	struct lu_curve loss, lr, speed;      /* by step; speed in tokens a second */
	struct LU_VEC(struct lu_curve) valid; /* loss of each validation set */
	double tokens;			      /* trained on so far */
	double seconds;			      /* sum of the steps */
};

int lu_metrics_read(struct lu_metrics *m, const char *path, struct lu_err *err) LU_CHECKED;
void lu_metrics_release(struct lu_metrics *m);

/* Append a point, after removing those at or beyond its x. */
int lu_curve_add(struct lu_curve *c, double x, double y, struct lu_err *err) LU_CHECKED;
void lu_curve_release(struct lu_curve *c);

#endif
