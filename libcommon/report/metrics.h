#ifndef LUCIE_REPORT_METRICS_H
#define LUCIE_REPORT_METRICS_H
/*
 * The curves of a training run, from RUN/metrics.jsonl and, for what was measured, the timing.jsonl
 * beside it (lucie-train(1)).
 *
 *	struct lu_metrics m = { 0 };
 *	lu_metrics_read(&m, "run/metrics.jsonl", &err);
 *	lu_metrics_release(&m);
 *
 * A run that was killed repeats the steps since its last checkpoint: the later line counts. Lines
 * and members that are not known are passed over, so that a newer trainer can be read; a line that
 * is no JSON object is an error, except an unfinished last one, which a running trainer may have
 * left.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/base/buf.h"

struct lu_curve {
	char *name;
	double *x, *y;
	size_t n, cap;
};

struct lu_metrics {
	struct lu_curve loss, lr, speed; /* by step; tokens a second */
	struct lu_curve *valid;		 /* loss of each validation set */
	size_t valids;
	double tokens;	/* trained on so far */
	double seconds; /* sum of the steps */
};

int lu_metrics_read(struct lu_metrics *m, const char *path, struct lu_err *err) LU_CHECKED;
void lu_metrics_release(struct lu_metrics *m);

/* Adds a point; points at or beyond x are removed first. */
int lu_curve_add(struct lu_curve *c, double x, double y, struct lu_err *err) LU_CHECKED;
void lu_curve_release(struct lu_curve *c);

#endif
