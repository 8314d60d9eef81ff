#include "trainer/export/model_card.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/num.h"
#include "libcommon/sys/file.h"
#include "trainer/export/card_data.h"
#include "trainer/model/rotary.h"
#include "trainer/run/config.h"
#include "trainer/run/folder.h"
#include "trainer/run/json_members.h"

#define LOG_MAX ((size_t)1 << 33)
#define RESULTS_MAX ((size_t)64 << 20)

/* --- logs of the run -------------------------------------------------------------------------- */

/* What metrics.jsonl and timing.jsonl say up to the exported step. */
struct phase_log {
	struct lu_str name;	      /* raw JSON */
	uint64_t steps, tokens, last; /* its last step so far */
	double loss;
};

struct valid_log {
	struct lu_str name; /* raw JSON */
	uint64_t step;
	double loss, perplexity, bits;
};

struct run_log {
	struct LU_VEC(struct phase_log) phase;
	struct LU_VEC(struct valid_log) valid;
	struct LU_VEC(struct lu_str) machine; /* raw JSON */
	double seconds;
	uint64_t timed; /* steps */
	struct lu_arena arena;
};

/* After a kill steps are logged again, with the same values. */
static int note_step(
		struct run_log *log, const struct lu_json_obj *o, uint64_t step, struct lu_err *err)
{
	const struct lu_json_member *name = lu_json_get(o, "phase");
	struct phase_log *p = log->phase.p, *end = p + log->phase.n, new = { .loss = (double)NAN };

	if (!name || name->type != LU_JSON_STRING)
		return 0;
	while (p < end && !lu_str_eq(p->name, name->value))
		p++;
	if (p == end) {
		new.name = lu_arena_str(&log->arena, name->value);
		if (!new.name.p || !lu_vec_push(&log->phase, new))
			return lu_err_nomem(err);
		p = &log->phase.p[log->phase.n - 1];
	}
	p->steps += step > p->last;
	p->last = step > p->last ? step : p->last;
	lt_json_get_u64(o, "tokens", &p->tokens);
	lt_json_get_double(o, "loss", &p->loss);
	return 0;
}

static int note_valid(
		struct run_log *log, const struct lu_json_obj *o, uint64_t step, struct lu_err *err)
{
	const struct lu_json_member *name = lu_json_get(o, "valid");
	struct valid_log *v = log->valid.p, *end = v + log->valid.n, new = { .loss = (double)NAN };

	if (name->type != LU_JSON_STRING)
		return 0;
	while (v < end && !lu_str_eq(v->name, name->value))
		v++;
	if (v == end) {
		new.name = lu_arena_str(&log->arena, name->value);
		if (!new.name.p || !lu_vec_push(&log->valid, new))
			return lu_err_nomem(err);
		v = &log->valid.p[log->valid.n - 1];
	}
	v->step = step;
	v->perplexity = v->bits = (double)NAN;
	lt_json_get_double(o, "loss", &v->loss);
	lt_json_get_double(o, "perplexity", &v->perplexity);
	lt_json_get_double(o, "bits_per_byte", &v->bits);
	return 0;
}

static int note_machine(struct run_log *log, struct lu_str name, struct lu_err *err)
{
	for (size_t i = 0; i < log->machine.n; i++) {
		if (lu_str_eq(log->machine.p[i], name))
			return 0;
	}
	name = lu_arena_str(&log->arena, name);
	return name.p && lu_vec_push(&log->machine, name) ? 0 : lu_err_nomem(err);
}

/* A line of either file. */
static int note_line(struct run_log *log, struct lu_str line, uint64_t last, struct lu_err *err)
{
	const struct lu_json_member *m;
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj o;
	double seconds;
	uint64_t step;
	int rc = 0;

	if (lu_json_object(line, &arena, &o, &fault) < 0) {
		/* The last line may be cut off, if the run was killed. */
		rc = fault.kind == LU_JSON_NO_MEMORY ? lu_json_fail(&fault, err) : 0;
	} else {
		m = lu_json_get(&o, "machine");
		if (m && m->type == LU_JSON_STRING)
			rc = note_machine(log, m->value, err);
		else if (!lt_json_get_u64(&o, "step", &step) || step > last)
			rc = 0;
		else if (lt_json_get_double(&o, "seconds", &seconds))
			log->seconds += seconds, log->timed++;
		else if (lu_json_get(&o, "valid"))
			rc = note_valid(log, &o, step, err);
		else
			rc = note_step(log, &o, step, err);
	}
	lu_arena_release(&arena);
	return rc;
}

static int read_log(struct run_log *log, const char *run, const char *name, uint64_t last,
		struct lu_err *err)
{
	char *path, *text = NULL, *line, *end;
	size_t n = 0;
	int rc;

	if (!lt_folder_has(run, name))
		return 0;
	path = lu_concat(run, "/", name);
	rc = path ? lu_read_file(path, LOG_MAX, &text, &n, err) : lu_err_nomem(err);
	for (line = text; rc == 0 && line < text + n; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + n - line));
		if (!end)
			break;
		rc = note_line(log, (struct lu_str){ line, (size_t)(end - line) }, last, err);
	}
	free(text);
	free(path);
	return rc;
}

static void release_log(struct run_log *log)
{
	lu_vec_release(&log->phase);
	lu_vec_release(&log->valid);
	lu_vec_release(&log->machine);
	lu_arena_release(&log->arena);
}

/* --- results of evaluations ------------------------------------------------------------------- */

/* Text of a raw JSON string without its quotes. */
static struct lu_str inside(struct lu_str raw)
{
	return raw.n >= 2 && raw.p[0] == '"' ? (struct lu_str){ raw.p + 1, raw.n - 2 } : raw;
}

/* A perplexity of whole answers may have a hundred digits. */
static void put_value(struct lu_buf *out, double v)
{
	lu_buf_printf(out, fabs(v) < 1e6 ? "%.4f" : "%.4g", v);
}

/* "acc,none": the number of the metric and, where there is one, "acc_stderr,none". */
static void put_metric(struct lu_buf *out, struct lu_str task, const struct lu_json_obj *o,
		const struct lu_json_member *m)
{
	const char *comma = memchr(m->key.p, ',', m->key.n);
	size_t n = comma ? (size_t)(comma - m->key.p) : m->key.n;
	const struct lu_json_member *error;
	struct lu_buf key = { 0 };
	double v, e;

	if (!lu_json_double(m, &v) || !comma || memmem(m->key.p, n, "_stderr", 7))
		return;
	lu_buf_append(&key, m->key.p, n);
	lu_buf_puts(&key, "_stderr");
	lu_buf_append(&key, comma, m->key.n - n);
	error = lu_buf_ok(&key) ? lu_json_find(o, lu_buf_slice(&key)) : NULL;
	out->failed |= !lu_buf_ok(&key);
	lu_buf_puts(out, "| ");
	lt_card_cell(out, task);
	lu_buf_puts(out, " | ");
	lt_card_cell(out, (struct lu_str){ m->key.p, n });
	lu_buf_puts(out, " | ");
	put_value(out, v);
	lu_buf_puts(out, " | ");
	if (error && lu_json_double(error, &e))
		put_value(out, e);
	else
		lu_buf_puts(out, "not known");
	lu_buf_puts(out, " |\n");
	lu_buf_release(&key);
}

/* The tables that files of results fill. */
struct results {
	struct lu_buf tasks, text;
};

static void put_task(struct results *r, struct lu_str task, const struct lu_json_obj *o)
{
	for (size_t i = 0; i < o->members; i++)
		put_metric(&r->tasks, task, o, &o->member[i]);
}

/* A cell of a number; null, a mean of nothing, is not known. */
static void put_number(struct lu_buf *out, const struct lu_json_obj *o, const char *key)
{
	const struct lu_json_member *m = lu_json_get(o, key);
	double v;

	lu_buf_puts(out, " | ");
	if (m && lu_json_double(m, &v))
		put_value(out, v);
	else
		lu_buf_puts(out, "not known");
}

/* Text that lucie-eval scored, of one language. */
static void put_language(struct results *r, struct lu_str language, const struct lu_json_obj *o)
{
	const struct lu_json_member *m = lu_json_get(o, "scored");
	uint64_t scored;

	if (!m || !lu_json_u64(m, &scored))
		return;
	lu_buf_puts(&r->text, "| ");
	lt_card_cell(&r->text, language);
	lu_buf_printf(&r->text, " | %" PRIu64, scored);
	put_number(&r->text, o, "loss");
	put_number(&r->text, o, "perplexity");
	put_number(&r->text, o, "bits_per_byte");
	lu_buf_puts(&r->text, " |\n");
}

/* Hand over each object of the object `key` of a file; a file may lack it. */
static int each_result(const struct lu_json_obj *file, const char *key, struct lu_arena *arena,
		void (*put)(struct results *, struct lu_str, const struct lu_json_obj *),
		struct results *r, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(file, key);
	struct lu_json_fault fault;
	struct lu_json_obj list, one;

	if (!m)
		return 0;
	if (m->type != LU_JSON_OBJECT)
		return lu_err_set(err, "\"%s\" is not an object: not a file of results", key);
	if (lu_json_object(m->value, arena, &list, &fault) < 0)
		return lu_json_fail(&fault, err);
	for (size_t i = 0; i < list.members; i++) {
		if (list.member[i].type != LU_JSON_OBJECT)
			continue;
		if (lu_json_object(list.member[i].value, arena, &one, &fault) < 0)
			return lu_json_fail(&fault, err);
		put(r, list.member[i].key, &one);
	}
	return 0;
}

static int read_results(const char *path, struct results *r, struct lu_err *err)
{
	size_t before = r->tasks.n + r->text.n, n;
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj file;
	char *text;
	int rc = 0;

	if (lu_read_input(path, RESULTS_MAX, &text, &n, err) < 0)
		return -1;
	if (lu_json_object((struct lu_str){ text, n }, &arena, &file, &fault) < 0)
		rc = lu_json_fail(&fault, err);
	if (rc == 0)
		rc = each_result(&file, "results", &arena, put_task, r, err);
	if (rc == 0)
		rc = each_result(&file, "languages", &arena, put_language, r, err);
	if (rc == 0 && r->tasks.n + r->text.n == before)
		rc = lu_err_set(err,
				"no result of a task or a language: not the JSON of lucie-eval "
				"or lm-evaluation-harness");
	lu_arena_release(&arena);
	free(text);
	return rc < 0 ? lu_err_wrap(err, "%s", path) : 0;
}

/* --- the card --------------------------------------------------------------------------------- */

static void put_model(const struct lt_card *c, struct lu_buf *b)
{
	const struct lt_shape *s = &c->table->shape;
	char number[40];

	lu_buf_puts(b, "\n## The model\n\n| | |\n|---|---|\n");
	lu_buf_printf(b, "| architecture | Llama (`LlamaForCausalLM`)%s |\n",
			s->tied ? ", the head is the embedding" : "");
	lu_buf_printf(b, "| parameters | %zu |\n", c->table->all);
	lu_buf_printf(b, "| layers, width | %zu, %zu |\n", s->layers, s->hidden);
	lu_buf_printf(b, "| heads, key heads, width of a head | %zu, %zu, %zu |\n", s->heads,
			s->kv_heads, s->dim);
	lu_buf_printf(b, "| feed-forward | %zu, SwiGLU |\n", s->ffn);
	lu_buf_printf(b, "| vocabulary | %zu |\n", s->vocab);
	lu_buf_printf(b, "| context | %" PRIu64 " tokens |\n", c->pos->context);
	lu_num_format(s->rope_theta, number);
	lu_buf_printf(b, "| rotary positions | base %s, scaling: %s |\n", number,
			lt_rope_name(s->rope_scaling));
	lu_buf_printf(b, "| weights | %s |\n", lu_st_type_name(c->type));
	lu_buf_printf(b, "| chat template | %s |\n", c->chat ? "yes" : "no");
}

/* The context that a phase was trained with; that of the model if the configuration does not know it. */
static uint64_t context_of(
		const struct lt_card *c, const struct lt_config *config, struct lu_str name)
{
	struct lt_settings s;
	struct lu_err ignored;

	for (size_t i = 0; i < config->phase.n; i++) {
		if (lu_str_is(name, config->phase.p[i].name) &&
				lt_config_phase(config, i, &s, &ignored) == 0)
			return s.train.context;
	}
	return c->pos->context;
}

/* Each token counts with the context of its phase. */
static double compute(
		const struct lt_card *c, const struct lt_config *config, const struct run_log *log)
{
	uint64_t done = 0, tokens;
	double flops = 0;

	for (size_t i = 0; i < log->phase.n; i++) {
		const struct phase_log *p = &log->phase.p[i];

		tokens = p->tokens > done ? p->tokens - done : 0;
		flops += (double)tokens *
				lt_flops_per_token(c->table,
						(size_t)context_of(c, config, inside(p->name)),
						false);
		done += tokens;
	}
	tokens = c->pos->tokens > done ? c->pos->tokens - done : 0;
	return flops +
			(double)tokens *
			lt_flops_per_token(c->table, (size_t)c->pos->context, false);
}

static void put_training(const struct lt_card *c, const struct lt_config *config,
		const struct run_log *log, struct lu_buf *b)
{
	lu_buf_puts(b, "\n## Training\n\n");
	if (c->initial) {
		lu_buf_puts(b, "None: these are the weights before the first step.\n");
		return;
	}
	if (c->pos->step == 0) {
		lu_buf_puts(b, "Not known: the model has no record of its training.\n");
		return;
	}
	lu_buf_printf(b, "%" PRIu64 " steps, %" PRIu64 " tokens.\n", c->pos->step, c->pos->tokens);
	if (log->phase.n)
		lu_buf_puts(b,
				"\n| phase | steps | tokens at its end | last training loss |\n"
				"|---|---:|---:|---:|\n");
	for (size_t i = 0; i < log->phase.n; i++) {
		const struct phase_log *p = &log->phase.p[i];

		lu_buf_puts(b, "| ");
		lt_card_cell(b, inside(p->name));
		lu_buf_printf(b, " | %" PRIu64 " | %" PRIu64 " | %.4f |\n", p->steps, p->tokens,
				p->loss);
	}
	lu_buf_printf(b,
			"\nCompute: %.3g FLOPs, at 6 for each parameter of a matrix and token, and "
			"attention in ",
			compute(c, config, log));
	if (log->phase.n > 1)
		lu_buf_puts(b, "the context of each phase.\n");
	else
		lu_buf_printf(b, "a context of %" PRIu64 " tokens.\n",
				log->phase.n ? context_of(c, config, inside(log->phase.p[0].name))
					     : c->pos->context);
	if (log->timed)
		lu_buf_printf(b, "Time: %.2f hours in %" PRIu64 " steps", log->seconds / 3600,
				log->timed);
	else
		lu_buf_puts(b, "Time: not known");
	for (size_t i = 0; i < log->machine.n; i++) {
		lu_buf_puts(b, i ? "; " : ", on ");
		lt_card_cell(b, inside(log->machine.p[i]));
	}
	lu_buf_puts(b, ".\nEnergy: not known.\n");
}

static void put_validation(const struct run_log *log, struct lu_buf *b)
{
	if (log->valid.n == 0)
		return;
	lu_buf_puts(b,
			"\n## Validation\n\n| set | after step | loss | perplexity | bits a byte "
			"|\n"
			"|---|---:|---:|---:|---:|\n");
	for (size_t i = 0; i < log->valid.n; i++) {
		const struct valid_log *v = &log->valid.p[i];

		lu_buf_puts(b, "| ");
		lt_card_cell(b, inside(v->name));
		lu_buf_printf(b, " | %" PRIu64 " | %.4f | %.2f | ", v->step, v->loss,
				v->perplexity);
		if (isnan(v->bits))
			lu_buf_puts(b, "not known |\n");
		else
			lu_buf_printf(b, "%.4f |\n", v->bits);
	}
}

static int put_evaluation(const struct lt_card *c, struct lu_buf *b, struct lu_err *err)
{
	struct results r = { 0 };
	int rc = 0;

	lu_buf_puts(b, "\n## Evaluation\n\n");
	if (c->n_results == 0) {
		lu_buf_puts(b, "No results were given.\n");
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < c->n_results; i++)
		rc = read_results(c->results[i], &r, err);
	if (rc == 0 && r.tasks.n) {
		lu_buf_puts(b, "| task | metric | value | standard error |\n|---|---|---:|---:|\n");
		lu_buf_append(b, r.tasks.p, r.tasks.n);
	}
	if (rc == 0 && r.text.n) {
		lu_buf_printf(b, "%s| text | tokens | loss | perplexity | bits per byte |\n",
				r.tasks.n ? "\n" : "");
		lu_buf_puts(b, "|---|---:|---:|---:|---:|\n");
		lu_buf_append(b, r.text.p, r.text.n);
	}
	if (rc == 0 && (!lu_buf_ok(&r.tasks) || !lu_buf_ok(&r.text)))
		rc = lu_err_nomem(err);
	lu_buf_release(&r.tasks);
	lu_buf_release(&r.text);
	return rc;
}

static int put_card(const struct lt_card *c, const struct lt_config *config,
		const struct lt_card_data *data, const struct run_log *log, struct lu_buf *b,
		struct lu_err *err)
{
	lu_buf_puts(b, "---\nlibrary_name: transformers\npipeline_tag: text-generation\n");
	lt_card_data_languages(data, b);
	lu_buf_puts(b, "---\n\n# ");
	lt_card_cell(b, lu_str_of(c->name ? c->name : "A language model"));
	lu_buf_puts(b,
			"\n\nWritten by `lucie-export` from the files of the training run. What "
			"they do "
			"not say is marked as not known.\n");
	put_model(c, b);
	put_training(c, config, log, b);
	lu_buf_puts(b, "\n## Data\n");
	if (data->part.n)
		lt_card_data_put(data, b);
	else
		lu_buf_puts(b, "\nNot known: the model has no record of its data.\n");
	put_validation(log, b);
	if (put_evaluation(c, b, err) < 0)
		return -1;
	lu_buf_puts(b,
			"\n## Licence and use\n\nThe licence of the model, its intended use and "
			"its "
			"limits: not known. Whoever publishes it states them.\n");
	return lu_buf_check(b, err);
}

/* The folder with the run's files; malloc'd, NULL if there is none. */
static int find_run(const char *path, char **run, struct lu_err *err)
{
	*run = NULL;
	if (lt_folder_has(path, "config.ini"))
		*run = strdup(path);
	else if (lt_folder_has(path, "../config.ini") && lt_folder_has(path, "manifest.json"))
		*run = lu_concat(path, "/", "..");
	else
		return 0;
	return *run ? 0 : lu_err_nomem(err);
}

static int read_run(const struct lt_card *c, const char *run, struct lt_config *config,
		struct lt_card_data *data, struct run_log *log, struct lu_err *err)
{
	char *path = lu_concat(run, "/", "config.ini");
	int rc = path ? lt_config_read(config, path, err) : lu_err_nomem(err);

	free(path);
	if (rc < 0 || lt_config_check(config, err) < 0 ||
			lt_card_data_collect(data, config, err) < 0)
		return -1;
	if (c->initial)
		return 0;
	if (read_log(log, run, "metrics.jsonl", c->pos->step, err) < 0)
		return -1;
	return read_log(log, run, "timing.jsonl", c->pos->step, err);
}

int lt_card_write(const struct lt_card *c, struct lu_buf *out, struct lu_err *err)
{
	struct lt_config config = { 0 };
	struct lt_card_data data = { 0 };
	struct run_log log = { 0 };
	char *run = NULL;
	int rc = find_run(c->run, &run, err);

	if (rc == 0 && run) {
		rc = lt_config_init(&config, err);
		if (rc == 0)
			rc = read_run(c, run, &config, &data, &log, err);
	}
	if (rc == 0)
		rc = put_card(c, &config, &data, &log, out, err);
	free(run);
	release_log(&log);
	lt_card_data_release(&data);
	lt_config_release(&config);
	return rc;
}
