#ifndef LUCIE_REPORT_TENSORBOARD_H
#define LUCIE_REPORT_TENSORBOARD_H
/*
 * The curves of runs as event files of TensorBoard.
 *
 *	lu_metrics_read(&m[i], path, &err);	all runs; before lu_metrics_over()
 *	lu_metrics_tell_apart(m, n, &err);
 *	lu_tensorboard_events(&m[i], &events[i], &err);
 *	lu_tensorboard_write(dir, m, events, n, &err);
 *
 * A file is a sequence of TFRecords: the length as 64 bits and its masked CRC-32C, the data and their
 * masked CRC-32C, little-endian. Masked: rotated right by 15 bits, plus 0xa282ead8 (tensorflow:
 * core/lib/io/record_writer.h, core/lib/hash/crc32c.h). A record is an Event, a protocol buffer with
 * the fields (tensorflow: core/util/event.proto, core/framework/summary.proto)
 *	1 double wall_time, 2 int64 step, and one of
 *	3 string file_version		the first record: "brain.Event:2"
 *	5 Summary summary		1 Value, repeated: 1 string tag, 2 float simple_value
 *	7 SessionLog session_log	1 enum status: 1 is START
 *
 * There is an event for each step with the values train/loss, train/lr, train/norm, train/batch,
 * train/tokens and train/tokens_per_s, and for each validation set valid/NAME/loss and
 * valid/NAME/bits_per_byte, as far as they are known. Values are floats: tokens are rounded to 24
 * bits. Wall times are those of lu_metrics.wall_at, 0 where they are not known.
 *
 * The bytes and the name of the file follow from the logs alone. The name has the size of the logs,
 * which only grow, so that a TensorBoard that watches the folder takes the file for the next one of
 * the run; that begins with a START at step 0, which replaces the steps that it has seen.
 */
#include "libcommon/report/metrics.h"

int lu_tensorboard_events(
		const struct lu_metrics *m, struct lu_buf *out, struct lu_err *err) LU_CHECKED;

/* Write the events of each run to DIR/RUN/events.out.tfevents.SIZE.lucie, atomically, and remove the
 * file of an earlier export. Folders are created. RUN is the name of the run, in which "/" becomes
 * "_"; two runs of one name are refused before anything is written. */
int lu_tensorboard_write(const char *dir, const struct lu_metrics *m, const struct lu_buf *events,
		size_t n, struct lu_err *err) LU_CHECKED;

#endif
