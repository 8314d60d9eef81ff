#include "trainer/run/step_log.h"

#include <stdlib.h>
#include <string.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/sys/machine.h"
#include "trainer/model/model.h"

/* What the phase has left out before the end of this step, by which the samples of the step are known
 * (lucie-trace). */
static void format_left_out(const struct lt_position *pos, struct lu_buf *b)
{
	uint64_t last = lu_skips_sample(&pos->skips, pos->phase, pos->samples - 1);
	bool any = false;

	for (size_t i = 0; i < pos->skips.n; i++) {
		const struct lu_skip *r = &pos->skips.range[i];

		if (r->phase != pos->phase || r->from > last)
			continue;
		if (!any)
			lu_json_open_array(b, "left_out");
		any = true;
		lu_json_open_array(b, NULL);
		lu_json_put_u64(b, NULL, r->from);
		lu_json_put_u64(b, NULL, r->to);
		lu_json_close_array(b);
	}
	if (any)
		lu_json_close_array(b);
}

static void format_metrics(
		const struct lt_position *pos, const struct lt_step_result *s, struct lu_buf *b)
{
	const struct lt_update *u = &s->update;

	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "step", pos->step);
	lu_json_put_cstr(b, "phase", pos->phase_name);
	lu_json_put_u64(b, "samples", pos->samples);
	lu_json_put_u64(b, "batch", s->batch);
	lu_json_put_u64(b, "tokens", pos->tokens);
	if (s->targets)
		lu_json_put_u64(b, "targets", s->targets);
	lu_json_put_double(b, "loss", s->loss);
	if (s->pairs) {
		lu_json_put_double(b, "margin", (u->chosen - u->rejected) / u->weights);
		lu_json_put_double(b, "accuracy", u->right / u->weights);
		lu_json_put_double(b, "chosen", u->chosen / u->weights);
		lu_json_put_double(b, "rejected", u->rejected / u->weights);
	}
	lu_json_put_double(b, "lr", s->lr);
	lu_json_put_double(b, "norm", s->update.norm);
	lu_json_put_double(b, "clip", s->update.clip);
	if (s->update.skipped)
		lu_json_put_bool(b, "skipped", true);
	format_left_out(pos, b);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

static void format_timing(uint64_t step, const struct lt_step_result *s,
		const struct lt_speed *speed, struct lu_buf *b)
{
	double rate = (double)s->tokens / s->seconds;

	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "step", step);
	lu_json_put_fixed(b, "seconds", s->seconds, 6);
	lu_json_put_fixed(b, "data_seconds", s->data_seconds, 6);
	lu_json_put_fixed(b, "tokens_per_s", rate, 1);
	lu_json_put_fixed(b, "gflops", rate * speed->token_flops_causal * 1e-9, 2);
	if (speed->peak > 0) {
		lu_json_put_fixed(b, "mfu", rate * speed->token_flops / speed->peak, 4);
		lu_json_put_fixed(
				b, "mfu_causal", rate * speed->token_flops_causal / speed->peak, 4);
	}
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

/* The algorithms that the queue of a GPU chose, a string each. */
static void format_choices(const struct lt_weights *w, struct lu_buf *b)
{
	size_t n = lk_cuda_choices(w->q, NULL, 0);
	char *text = malloc(n + 1), *line = text, *end;

	b->failed |= !text;
	if (!text)
		return;
	(void)lk_cuda_choices(w->q, text, n + 1);
	lu_json_open_array(b, "choices");
	for (; (end = strchr(line, '\n')); line = end + 1)
		lu_json_put_str(b, NULL, (struct lu_str){ line, (size_t)(end - line) });
	lu_json_close_array(b);
	free(text);
}

/* Where and when this start made its first step. */
static void format_start(const struct lt_weights *w, struct lu_buf *b)
{
	struct lu_buf date = { 0 }, machine = { 0 };

	lu_date(&date);
	lu_machine(&machine);
	b->failed |= date.failed || machine.failed;
	lu_json_open_object(b, NULL);
	lu_json_put_str(b, "date", lu_buf_slice(&date));
	lu_json_put_str(b, "machine", lu_buf_slice(&machine));
	if (lt_model_on_gpu(w->ops))
		format_choices(w, b);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
	lu_buf_release(&date);
	lu_buf_release(&machine);
}

int lt_step_log(struct lt_run *run, const struct lt_position *pos, const struct lt_step_result *s,
		const struct lt_weights *first, const struct lt_speed *speed, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	format_metrics(pos, s, &b);
	rc = lt_run_log(run, LT_METRICS, &b, err);
	lu_buf_clear(&b);
	if (first)
		format_start(first, &b);
	format_timing(pos->step, s, speed, &b);
	if (rc == 0)
		rc = lt_run_log(run, LT_TIMING, &b, err);
	lu_buf_release(&b);
	return rc;
}
