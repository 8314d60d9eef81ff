#include "trainer/eval/eval_report.h"

#include "libcommon/base/json_writer.h"
#include "trainer/eval/alone.h"
#include "trainer/eval/task_prompt.h"

static int put_rules(const struct lt_eval_report *r, struct lu_buf *out, struct lu_err *err)
{
	struct lt_prompter p;

	if (r->text && r->alone)
		lt_alone_rule(r->tok, r->context, out);
	else if (r->text)
		lt_text_rule(r->text, r->context, out);
	if (r->text && r->results)
		lu_buf_puts(out, "; ");
	if (r->results == 0)
		return lu_buf_check(out, err);
	if (lt_prompter_init(&p, r->tok, err) < 0)
		return -1;
	lu_buf_puts(out, "tasks: ");
	lt_prompter_rule(&p, out);
	lu_buf_printf(out, ", at most %zu tokens", r->context);
	lt_prompter_release(&p);
	return lu_buf_check(out, err);
}

static void put_json(const struct lt_eval_report *r, struct lu_str rules, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "model", r->model);
	lu_json_put_u64(b, "step", r->step);
	lu_json_put_cstr(b, "dtype", r->dtype);
	lu_json_put_u64(b, "context", r->context);
	lu_json_put_str(b, "rules", rules);
	if (r->text)
		lt_text_json(r->text, b);
	if (r->results)
		lt_results_json(r->result, r->results, b);
	if (r->needle)
		lt_needle_json(r->needle, b);
	if (r->results) {
		lu_json_open_object(b, "config");
		lu_json_put_cstr(b, "model", "lucie");
		lu_json_put_cstr(b, "model_args", r->model);
		lu_json_put_u64(b, "batch_size", r->batch);
		lu_json_put_u64(b, "random_seed", r->seed);
		lu_json_close_object(b);
	}
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

static int put_tables(const struct lt_eval_report *r, struct lu_str rules, struct lu_buf *b,
		struct lu_err *err)
{
	if (r->text && lt_text_table(r->text, b, err) < 0)
		return -1;
	if (r->text && r->results)
		lu_buf_putc(b, '\n');
	if (r->results && lt_results_table(r->result, r->results, b, err) < 0)
		return -1;
	if (r->needle) {
		lu_buf_putc(b, '\n');
		if (lt_needle_table(r->needle, b, err) < 0)
			return -1;
	}
	lu_buf_putc(b, '\n');
	lu_buf_masked(b, rules);
	lu_buf_putc(b, '\n');
	return 0;
}

int lt_eval_report(
		const struct lt_eval_report *r, bool json, struct lu_buf *out, struct lu_err *err)
{
	struct lu_buf rules = { 0 };
	int rc = put_rules(r, &rules, err);

	if (rc == 0 && json)
		put_json(r, lu_buf_slice(&rules), out);
	else if (rc == 0)
		rc = put_tables(r, lu_buf_slice(&rules), out, err);
	lu_buf_release(&rules);
	return rc < 0 ? -1 : lu_buf_check(out, err);
}
