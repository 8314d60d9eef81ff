#include "libcommon/order/step.h"

#include <stdlib.h>

#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/sys/file.h"

#define MAX_LINE ((uint64_t)1 << 30)

/* --- metrics.jsonl ------------------------------------------------------------------------ */

struct search {
	struct lu_step *step;
	const char *number;
	const char *phase; /* NULL: not found */
	struct lu_arena scan;
};

/* One range of `left_out`. What is none is passed over, as elsewhere in the line. */
static int read_skip(struct lu_str array, struct lu_skips *s, struct lu_err *err)
{
	struct lu_json_iter it = lu_json_iter(array);
	uint64_t v[2] = { 0, 0 };

	for (size_t n = 0; n < 2 && lu_json_next(&it); n++) {
		struct lu_json_member m = { .type = it.type, .value = it.value };

		if (!lu_json_u64(&m, &v[n]))
			return 0;
	}
	return v[0] < v[1] ? lu_skips_add(s, 0, v[0], v[1], err) : 0;
}

/* The samples that the phase had left out by then. */
static int read_skips(const struct lu_json_obj *o, struct lu_skips *s, struct lu_err *err)
{
	const struct lu_json_member *list = lu_json_get(o, "left_out");
	struct lu_json_iter it;

	s->n = 0;
	if (!list || list->type != LU_JSON_ARRAY)
		return 0;
	for (it = lu_json_iter(list->value); lu_json_next(&it);) {
		if (it.type == LU_JSON_ARRAY && read_skip(it.value, s, err) < 0)
			return -1;
	}
	return 0;
}

/* Take the phase and the samples from the line of the step; a later one replaces them. Anything
 * else is skipped, such as the half line at the end of a killed run. */
static int read_line(struct search *s, struct lu_str line, struct lu_err *err)
{
	const struct lu_json_member *number, *phase, *samples, *batch;
	struct lu_json_fault fault;
	struct lu_json_obj o;
	struct lu_str name;
	uint64_t end, n;

	lu_arena_reset(&s->scan);
	if (lu_json_object(line, &s->scan, &o, &fault) < 0)
		return fault.kind == LU_JSON_NO_MEMORY ? lu_err_nomem(err) : 0;
	number = lu_json_get(&o, "step");
	phase = lu_json_get(&o, "phase");
	samples = lu_json_get(&o, "samples");
	batch = lu_json_get(&o, "batch");
	if (!number || !phase || !samples || !batch || !lu_str_is(number->value, s->number) ||
			phase->type != LU_JSON_STRING || !lu_json_u64(samples, &end) ||
			!lu_json_u64(batch, &n) || n > end)
		return 0;
	if (lu_json_decode(phase->value, &s->scan, &name) < 0)
		return lu_err_nomem(err);
	name = lu_arena_str(&s->step->arena, name);
	if (!name.p)
		return lu_err_nomem(err);
	s->phase = name.p;
	s->step->first = end - n;
	s->step->samples = n;
	return read_skips(&o, &s->step->skips, err);
}

static int read_metrics(struct search *s, char *path, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_str line;
	int rc = lu_lines_open(&lines, &path, 1, MAX_LINE, err);

	if (rc < 0)
		return -1;
	while (rc >= 0 && (rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc >= 0 && lu_slab_next(&slab, &line))
			rc = read_line(s, line, err);
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	if (rc == 0 && !s->phase)
		rc = lu_err_set(err, "%s: no step %s", path, s->number);
	return rc;
}

/* --- config.ini --------------------------------------------------------------------------- */

static const struct lu_opt data_rows[] = {
	LU_OPT_STR(0, "train", struct lu_step, train, "", ""),
	LU_OPT_ENUM(0, "rows", struct lu_step, rows.mode, lu_rows_modes, ""),
	LU_OPT_FLAG(0, "shuffle", struct lu_step, rows.shuffle, ""),
	LU_OPT_U64(0, "goldfish", struct lu_step, goldfish, "", ""),
	LU_OPT_END,
};
static const struct lu_opt train_rows[] = {
	LU_OPT_U64(0, "context", struct lu_step, rows.context, "", ""),
	LU_OPT_U64(0, "seed", struct lu_step, rows.seed, "", ""),
	LU_OPT_END,
};

static const struct lu_opt *rows_of(const char *section, size_t n)
{
	struct lu_str s = { section, n };

	return lu_str_is(s, "data") ? data_rows : lu_str_is(s, "train") ? train_rows : NULL;
}

/* config.ini has every setting, and after [phase NAME] the phase's own as "section.key". */
static int on_setting(void *ctx, const char *section, const char *name, const char *key,
		const char *value, struct lu_err *err)
{
	struct search *s = ctx;
	const struct lu_opt *row;
	const char *dot;

	if (!key)
		return 0;
	row = rows_of(section, strlen(section));
	if (strcmp(section, "phase") == 0) {
		dot = strchr(key, '.');
		if (strcmp(name, s->phase) != 0 || !dot)
			return 0;
		row = rows_of(key, (size_t)(dot - key));
		key = dot + 1;
	}
	for (; row && row->type != LU_OPT_T_END; row++) {
		if (strcmp(row->name, key) == 0)
			return lu_opt_store(row, s->step, value, err);
	}
	return 0;
}

static int read_config(struct search *s, const char *path, struct lu_err *err)
{
	struct lu_step *step = s->step;

	if (lu_conf_open(&step->conf, path, err) < 0 ||
			lu_conf_each(&step->conf, on_setting, s, err) < 0)
		return -1;
	if (!step->train || step->rows.context == 0)
		return lu_err_set(err, "%s: no data.train or train.context", path);
	return 0;
}

int lu_step_read(struct lu_step *step, const char *run, const char *number, struct lu_err *err)
{
	struct search s = { .step = step, .number = number };
	char *metrics = lu_concat(run, "/metrics.jsonl", NULL);
	char *config = lu_concat(run, "/config.ini", NULL);
	int rc = -1;

	/* What is damaged is found where it is read; lucie-check reads all. */
	*step = (struct lu_step){ .rows.trust = true };
	if (!metrics || !config)
		lu_err_nomem(err);
	else if (read_metrics(&s, metrics, err) == 0)
		rc = read_config(&s, config, err);
	free(metrics);
	free(config);
	lu_arena_release(&s.scan);
	if (rc < 0)
		lu_step_release(step);
	return rc;
}

void lu_step_release(struct lu_step *s)
{
	lu_conf_close(&s->conf);
	lu_arena_release(&s->arena);
	*s = (struct lu_step){ 0 };
}
