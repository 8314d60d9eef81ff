#ifndef LUCIE_REPORT_GNUPLOT_H
#define LUCIE_REPORT_GNUPLOT_H
/*
 * The loss curve of a run as a PNG, drawn by gnuplot(1), which must be on the PATH.
 */
#include "libcommon/report/metrics.h"

/* Appends the PNG's bytes. The script goes to gnuplot through an unnamed file in tmpdir. Fails when
 * gnuplot cannot be started, says that something is wrong, or gives no PNG. */
int lu_gnuplot_loss(const struct lu_metrics *m, const char *title, const char *tmpdir,
		struct lu_buf *png, struct lu_err *err) LU_CHECKED;

#endif
