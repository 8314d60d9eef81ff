#include "libcommon/par/account.h"

#include <inttypes.h>
#include <unistd.h>

#include "libcommon/base/base64.h"
#include "libcommon/base/json_writer.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/summary.h"

static bool is_stdout(const char *name)
{
	return !name || strcmp(name, "-") == 0;
}

static int open_output(struct lu_out **out, const char *target, const char *compress,
		const struct lu_account *a, struct lu_err *err)
{
	if (lu_out_open(out, target, compress, a->std->threads, err) < 0)
		return -1;
	return lu_out_refuse_inputs(*out, a->args->file, a->args->files, err);
}

/* Open the output of the documents. */
static int open_documents(struct lu_account *a, struct lu_err *err)
{
	const struct lu_std *std = a->std;
	int level;

	if (!lu_pq_is_name(std->output))
		return open_output(&a->out, std->output, std->compress, a, err);
	if (lu_pq_level(std->compress, &level, err) < 0 ||
			open_output(&a->out, std->output, "none", a, err) < 0)
		return -1;
	return lu_pq_writer_open(&a->parquet, a->out, std->output, level, err);
}

int lu_account_open(struct lu_account *a, const struct lu_std *std, const struct lu_args *args,
		bool silent, struct lu_err *err)
{
	*a = (struct lu_account){ .std = std, .args = args, .silent = silent };
	if (!silent && std->rejects && is_stdout(std->rejects) && is_stdout(std->output))
		return lu_err_set(err,
				"--rejects: standard output carries the documents, name a file");
	if (!silent && open_documents(a, err) < 0)
		return -1;
	if (std->rejects && open_output(&a->rejects, std->rejects, NULL, a, err) < 0)
		return -1;
	return 0;
}

enum lu_progress_mode lu_account_progress(const struct lu_account *a)
{
	bool scrolls = a->out && is_stdout(a->std->output) && isatty(STDOUT_FILENO);

	return scrolls && a->std->progress == LU_PROGRESS_AUTO ? LU_PROGRESS_NEVER
							       : a->std->progress;
}

int lu_account_write(struct lu_account *a, struct lu_str bytes, uint64_t docs, struct lu_err *err)
{
	if (a->parquet ? lu_pq_writer_lines(a->parquet, bytes, err) < 0
		       : a->out && lu_out_write(a->out, bytes.p, bytes.n, err) < 0)
		return -1;
	a->stats.out.docs += docs;
	a->stats.out.bytes += bytes.n;
	return 0;
}

static int write_reject(struct lu_account *a, const struct lu_reject *r, struct lu_err *err)
{
	struct lu_buf *b = &a->line;
	struct lu_str record = r->record;
	struct lu_json_fault fault;
	enum lu_json_type type;

	lu_buf_clear(b);
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "file", r->file);
	lu_json_put_u64(b, "line", r->line);
	lu_json_put_cstr(b, "reason", r->reason);
	lu_json_put_raw(b, "value", r->value);
	if (lu_json_check(record, &type, &fault) == 0) {
		while (record.n && record.p[record.n - 1] == '\r')
			record.n--;
		lu_json_put_raw(b, "record", record);
	} else {
		lu_json_key(b, LU_STR("raw_base64"));
		lu_buf_putc(b, '"');
		lu_base64(b, record);
		lu_buf_putc(b, '"');
	}
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
	return lu_out_buf(a->rejects, b, err);
}

int lu_account_reject(struct lu_account *a, const struct lu_reject *r, struct lu_err *err)
{
	return a->rejects ? write_reject(a, r, err) : 0;
}

int lu_account_drop(struct lu_account *a, const struct lu_reject *r, struct lu_err *err)
{
	if (lu_stats_drop(&a->stats, r->reason, 1, err) < 0)
		return -1;
	return lu_account_reject(a, r, err);
}

int lu_account_bad(struct lu_account *a, const char *message, struct lu_err *err)
{
	const struct lu_std *std = a->std;
	uint64_t limit = std->max_bad_given ? std->max_bad : std->rejects ? UINT64_MAX : 0;

	if (a->bad++ < limit) {
		lu_detail("%s (skipped)", message);
		return 0;
	}
	if (limit == 0)
		return lu_err_set(err, "%s", message);
	return lu_err_set(err, "%s (beyond --max-bad %" PRIu64 ")", message, limit);
}

int lu_account_settle(struct lu_account *a, struct lu_err *err)
{
	if (a->parquet && lu_pq_writer_finish(a->parquet, err) < 0)
		return -1;
	if (a->rejects && lu_out_settle(a->rejects, err) < 0)
		return -1;
	return a->out ? lu_out_settle(a->out, err) : 0;
}

int lu_account_commit(struct lu_account *a, struct lu_err *err)
{
	struct lu_out *rejects = a->rejects, *out = a->out;

	/* A commit frees the stream, also when it fails. */
	a->rejects = NULL;
	if (rejects && lu_out_commit(rejects, err) < 0)
		return -1;
	a->out = NULL;
	return out ? lu_out_commit(out, err) : 0;
}

int lu_account_append(struct lu_account *a, struct lu_err *err)
{
	return lu_stats_append(&a->stats, a->args, a->std->stats, err);
}

void lu_account_summary(const struct lu_account *a, const char *noun, bool selects)
{
	uint64_t in = a->stats.in.docs, dropped = lu_stats_dropped(&a->stats);

	if (lu_summary(&a->stats, a->args, noun, a->silent ? "used" : "out"))
		return;
	/* A program that does not select says so only of a loss that cannot be meant. */
	if (dropped == in && in > 0 && !selects)
		lu_note("all %" PRIu64 " %s dropped: %s", in, noun,
				lu_stats_main_reason(&a->stats));
	else if (selects && dropped > in / 2)
		lu_note("%" PRIu64 " of %" PRIu64 " %s dropped, more than half", dropped, in, noun);
}

void lu_account_close(struct lu_account *a)
{
	lu_pq_writer_free(a->parquet);
	lu_out_abort(a->out);
	lu_out_abort(a->rejects);
	lu_buf_release(&a->line);
	lu_stats_release(&a->stats);
	*a = (struct lu_account){ 0 };
}
