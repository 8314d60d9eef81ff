#ifndef LUCIE_REPORT_GNUPLOT_H
#define LUCIE_REPORT_GNUPLOT_H
/*
 * The loss curves of runs as a PNG, drawn by gnuplot(1), which must be on the PATH.
 */
#include "libcommon/report/metrics.h"

/* Append the bytes of the PNG. The script is passed in an unnamed file in tmpdir. Fails if gnuplot
 * cannot be started, exits with an error, or writes something else. */
int lu_gnuplot_loss(const struct lu_metrics *m, size_t n, const char *title, const char *x_name,
		const char *tmpdir, struct lu_buf *png, struct lu_err *err) LU_CHECKED;

#endif
