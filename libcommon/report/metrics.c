#include "libcommon/report/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/utf8.h"
#include "libcommon/io/json.h"
#include "libcommon/report/plain.h"
#include "libcommon/sys/file.h"

#define MAX_FILE ((size_t)1 << 32)
#define MAX_CONFIG ((size_t)1 << 20)

/* --- lines -------------------------------------------------------------------------------- */

/* A file of lines as it is read. */
struct lines {
	struct lu_metrics *m;
	struct lu_arena arena; /* of the line */
	double wall;	       /* when the last step ended; negative: not known */
	bool started;	       /* that is of the step that comes next, the first of a start */
};

/* Forget what was logged of a step and those after it, which are made again. The validation of that
 * step stays until it is made again, too: a resumed run has the same. */
static void cut_steps(struct lu_metrics *m, double step)
{
	lu_curve_cut(&m->loss, step);
	lu_curve_cut(&m->lr, step);
	lu_curve_cut(&m->norm, step);
	lu_curve_cut(&m->margin, step);
	lu_curve_cut(&m->accuracy, step);
	lu_curve_cut(&m->batch, step);
	lu_curve_cut(&m->tokens_at, step);
	lu_evals_cut(&m->evals, step + 1);
	for (size_t i = 0; i < m->valid.n; i++) {
		lu_curve_cut(&m->valid.p[i].loss, step + 1);
		lu_curve_cut(&m->valid.p[i].bits_per_byte, step + 1);
	}
}

/* The curves of a validation set; NULL when memory is out. */
static struct lu_valid *find_or_add_valid(struct lu_metrics *m, struct lu_str name)
{
	struct lu_valid v = { 0 };

	for (size_t i = 0; i < m->valid.n; i++) {
		if (lu_str_is(name, m->valid.p[i].name))
			return &m->valid.p[i];
	}
	v.name = strndup(name.p, name.n);
	if (!v.name || !lu_vec_push(&m->valid, v)) {
		free(v.name);
		return NULL;
	}
	return &m->valid.p[m->valid.n - 1];
}

/* True if the object has a finite number under this key; 1e999 is JSON too. */
static bool get_number(const struct lu_json_obj *obj, const char *key, double *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	return m && lu_json_double(m, out) && isfinite(*out);
}

/* Add the number under a key, if there is one. */
static int add_number(struct lu_curve *c, const struct lu_json_obj *obj, const char *key,
		double step, struct lu_err *err)
{
	double v;

	return get_number(obj, key, &v) ? lu_curve_add(c, step, v, err) : 0;
}

static int add_valid(struct lu_metrics *m, const struct lu_json_obj *obj, double step,
		struct lu_arena *arena, struct lu_err *err)
{
	const struct lu_json_member *valid = lu_json_get(obj, "valid");
	struct lu_valid *v = NULL;
	struct lu_str name;

	if (lu_json_decode_known(valid->value, valid->escaped, arena, &name) == 0)
		v = find_or_add_valid(m, name);
	if (!v)
		return lu_err_nomem(err);
	lu_curve_cut(&v->loss, step);
	lu_curve_cut(&v->bits_per_byte, step);
	return add_number(&v->loss, obj, "loss", step, err) < 0
			? -1
			: add_number(&v->bits_per_byte, obj, "bits_per_byte", step, err);
}

/* Keep the first string of this name. */
static int keep_string(char **to, const struct lu_json_obj *obj, const char *key,
		struct lu_arena *arena, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);
	struct lu_str s;

	if (*to || !m || m->type != LU_JSON_STRING)
		return 0;
	if (lu_json_decode_known(m->value, m->escaped, arena, &s) < 0)
		return lu_err_nomem(err);
	*to = strndup(s.p, s.n);
	return *to ? 0 : lu_err_nomem(err);
}

/* RFC 3339 in UTC, as lu_date() writes it, to seconds since 1970; -1: not one. */
static double parse_date(struct lu_str date)
{
	char text[32];
	struct tm tm = { 0 };
	const char *end;

	snprintf(text, sizeof(text), LU_STR_FMT, LU_STR_ARG(date));
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return end && !*end ? (double)timegm(&tm) : -1;
}

/* The date of a start belongs to the step that follows. */
static int read_date(struct lines *r, const struct lu_json_obj *obj, struct lu_err *err)
{
	const struct lu_json_member *date = lu_json_get(obj, "date");
	struct lu_str s;

	if (!date || date->type != LU_JSON_STRING)
		return 0;
	if (lu_json_decode_known(date->value, date->escaped, &r->arena, &s) < 0)
		return lu_err_nomem(err);
	r->wall = parse_date(s);
	r->started = true;
	return 0;
}

/* When a step of so many seconds ended. */
static int add_wall(struct lines *r, double step, double seconds, struct lu_err *err)
{
	if (r->wall < 0)
		return 0;
	if (!r->started)
		r->wall += seconds;
	r->started = false;
	return lu_curve_add(&r->m->wall_at, step, r->wall, err);
}

static int add_phase(struct lu_metrics *m, const struct lu_json_obj *obj, double step,
		struct lu_arena *arena, struct lu_err *err)
{
	const struct lu_json_member *phase = lu_json_get(obj, "phase");
	struct lu_str name;

	if (!phase || phase->type != LU_JSON_STRING)
		return 0;
	if (lu_json_decode_known(phase->value, phase->escaped, arena, &name) < 0)
		return lu_err_nomem(err);
	return lu_phases_add(&m->phases, name, step, err);
}

static int add_object(struct lines *r, const struct lu_json_obj *obj, struct lu_err *err)
{
	const struct lu_json_member *valid = lu_json_get(obj, "valid");
	const struct lu_json_member *eval = lu_json_get(obj, "eval");
	struct lu_metrics *m = r->m;
	struct lu_arena *arena = &r->arena;
	double step, v;

	if (read_date(r, obj, err) < 0)
		return -1;
	if (keep_string(&m->machine, obj, "machine", arena, err) < 0 ||
			keep_string(&m->date, obj, "date", arena, err) < 0)
		return -1;
	if (!get_number(obj, "step", &step))
		return 0;
	if (valid && valid->type == LU_JSON_STRING)
		return add_valid(m, obj, step, arena, err);
	if (eval && eval->type == LU_JSON_STRING)
		return lu_evals_add(&m->evals, obj, step, arena, err);
	if (get_number(obj, "tokens", &v))
		m->tokens = v;
	if (lu_json_get(obj, "loss")) {
		m->step = step;
		cut_steps(m, step);
		if (add_phase(m, obj, step, arena, err) < 0)
			return -1;
		m->last_loss = (double)NAN;
		if (get_number(obj, "loss", &v))
			m->last_loss = v;
		else
			m->without_loss++;
	}
	if (add_number(&m->loss, obj, "loss", step, err) < 0 ||
			add_number(&m->lr, obj, "lr", step, err) < 0 ||
			add_number(&m->norm, obj, "norm", step, err) < 0 ||
			add_number(&m->margin, obj, "margin", step, err) < 0 ||
			add_number(&m->accuracy, obj, "accuracy", step, err) < 0 ||
			add_number(&m->speed, obj, "tokens_per_s", step, err) < 0 ||
			add_number(&m->tokens_at, obj, "tokens", step, err) < 0 ||
			add_number(&m->batch, obj, "batch", step, err) < 0 ||
			add_number(&m->seconds_at, obj, "seconds", step, err) < 0)
		return -1;
	return get_number(obj, "seconds", &v) ? add_wall(r, step, v, err) : 0;
}

static int add_line(struct lines *r, struct lu_str line, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	lu_arena_reset(&r->arena);
	if (lu_json_object(line, &r->arena, &obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	return add_object(r, &obj, err);
}

static int read_lines(struct lu_metrics *m, const char *path, struct lu_err *err)
{
	struct lines r = { .m = m, .wall = -1 };
	char *text = NULL, *end, *next;
	uint64_t number = 0;
	size_t n;
	int rc = 0;

	if (lu_read_input(path, MAX_FILE, &text, &n, err) < 0)
		return -1;
	m->bytes += n;
	end = text + n;
	for (char *p = text; rc == 0 && p < end; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (!next)
			break;
		number++;
		if (next > p)
			rc = add_line(&r, (struct lu_str){ p, (size_t)(next - p) }, err);
		if (rc < 0)
			lu_err_wrap(err, "%s:%" PRIu64, path, number);
	}
	free(text);
	lu_arena_release(&r.arena);
	return rc;
}

/* --- files -------------------------------------------------------------------------------- */

/* The path of a file beside this one. */
static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	char *p;

	return asprintf(&p, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name) < 0 ? NULL
											   : p;
}

/* run/metrics.jsonl -> "run"; small.jsonl -> "small". */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path, *dot;

	if (slash && strcmp(file, "metrics.jsonl") == 0) {
		const char *end = slash, *start;

		while (end > path && end[-1] == '/')
			end--;
		for (start = end; start > path && start[-1] != '/';)
			start--;
		if (end > start)
			return strndup(start, (size_t)(end - start));
	}
	dot = strchr(file + (*file == '.'), '.');
	return strndup(file, dot ? (size_t)(dot - file) : strlen(file));
}

/* The text of config.ini, repaired; no file is no text. */
static int read_config(struct lu_metrics *m, struct lu_err *err)
{
	struct lu_buf repaired = { 0 };
	char *path = beside(m->path, "config.ini"), *text = NULL;
	size_t n;
	int rc = path ? 0 : lu_err_nomem(err);

	if (rc == 0 && access(path, F_OK) == 0) {
		rc = lu_read_input(path, MAX_CONFIG, &text, &n, err);
		if (rc == 0) {
			lu_utf8_repair(&repaired, (struct lu_str){ text, n });
			rc = lu_buf_check(&repaired, err);
		}
		if (rc == 0) {
			m->config = strndup(repaired.p ? repaired.p : "", repaired.n);
			rc = m->config ? 0 : lu_err_nomem(err);
		}
	}
	free(path);
	free(text);
	lu_buf_release(&repaired);
	return rc;
}

int lu_metrics_read(struct lu_metrics *m, const char *path, struct lu_err *err)
{
	struct stat st;
	char *timing = NULL;
	int rc;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		m->path = lu_concat(path, "/", "metrics.jsonl");
	else
		m->path = strdup(path);
	m->tokens = m->last_loss = (double)NAN;
	m->name = m->path ? name_of(m->path) : NULL;
	if (!m->name)
		return lu_err_nomem(err);
	rc = read_lines(m, m->path, err);
	if (rc < 0)
		return -1;
	timing = beside(m->path, "timing.jsonl");
	if (!timing)
		return lu_err_nomem(err);
	if (access(timing, F_OK) == 0)
		rc = read_lines(m, timing, err);
	free(timing);
	/* Killed between the two lines of a step that it repeated: those behind it are of before. */
	if (m->step > 0) {
		lu_curve_cut(&m->speed, m->step + 1);
		lu_curve_cut(&m->seconds_at, m->step + 1);
		lu_curve_cut(&m->wall_at, m->step + 1);
	}
	for (size_t i = 0; i < m->seconds_at.point.n; i++)
		m->seconds += m->seconds_at.point.p[i].y;
	if (m->seconds_at.point.n == 0)
		m->seconds = (double)NAN;
	return rc < 0 ? -1 : read_config(m, err);
}

int lu_metrics_tell_apart(struct lu_metrics *m, size_t n, struct lu_err *err)
{
	for (size_t i = 0; i < n; i++) {
		bool same = false;

		for (size_t k = 0; k < n; k++)
			same |= k != i && strcmp(m[k].name, m[i].name) == 0;
		for (size_t k = 0; same && k < n; k++) {
			char *path = strdup(m[k].path);

			if (!path)
				return lu_err_nomem(err);
			free(m[k].name);
			m[k].name = path;
		}
	}
	return 0;
}

void lu_metrics_release(struct lu_metrics *m)
{
	lu_curve_release(&m->loss);
	lu_curve_release(&m->lr);
	lu_curve_release(&m->norm);
	lu_curve_release(&m->margin);
	lu_curve_release(&m->accuracy);
	lu_curve_release(&m->speed);
	lu_curve_release(&m->tokens_at);
	lu_curve_release(&m->seconds_at);
	lu_curve_release(&m->batch);
	lu_curve_release(&m->wall_at);
	for (size_t i = 0; i < m->valid.n; i++) {
		free(m->valid.p[i].name);
		lu_curve_release(&m->valid.p[i].loss);
		lu_curve_release(&m->valid.p[i].bits_per_byte);
	}
	lu_vec_release(&m->valid);
	lu_evals_release(&m->evals);
	lu_phases_release(&m->phases);
	free(m->name);
	free(m->path);
	free(m->config);
	free(m->machine);
	free(m->date);
}

/* --- the x axis --------------------------------------------------------------------------- */

/* Replace steps by what `at` has there. */
static void map_evals(struct lu_metrics *m, const struct lu_curve *at)
{
	for (size_t i = 0; i < m->evals.eval.n; i++)
		lu_curve_map(&m->evals.eval.p[i].curve, at);
	for (size_t i = 0; i < m->phases.phase.n; i++)
		m->phases.phase.p[i].x = lu_curve_at(at, m->phases.phase.p[i].x);
}

int lu_metrics_over(struct lu_metrics *m, enum lu_over over, double unit, struct lu_err *err)
{
	struct lu_curve *from = over == LU_OVER_TOKENS ? &m->tokens_at : &m->seconds_at;
	struct lu_curve at = { 0 };
	double sum = 0;
	int rc = 0;

	if (over == LU_OVER_STEPS && m->tokens_at.point.n) {
		m->evals_over_tokens = true;
		map_evals(m, &m->tokens_at);
	}
	if (over == LU_OVER_STEPS ||
			(m->loss.point.n == 0 && m->valid.n == 0 && m->evals.eval.n == 0))
		return 0;
	if (from->point.n == 0)
		return lu_err_set(err, "%s: no step has \"%s\", which --over %s needs", m->path,
				over == LU_OVER_TOKENS ? "tokens" : "seconds",
				over == LU_OVER_TOKENS ? "tokens" : "time");
	for (size_t i = 0; rc == 0 && i < from->point.n; i++) {
		const struct lu_point *p = &from->point.p[i];

		sum += p->y;
		rc = lu_curve_add(&at, p->x, (over == LU_OVER_TOKENS ? p->y : sum) / unit, err);
	}
	if (rc == 0) {
		lu_curve_map(&m->loss, &at);
		lu_curve_map(&m->lr, &at);
		lu_curve_map(&m->norm, &at);
		lu_curve_map(&m->margin, &at);
		lu_curve_map(&m->accuracy, &at);
		lu_curve_map(&m->speed, &at);
		map_evals(m, &at);
	}
	for (size_t i = 0; rc == 0 && i < m->valid.n; i++) {
		lu_curve_map(&m->valid.p[i].loss, &at);
		lu_curve_map(&m->valid.p[i].bits_per_byte, &at);
	}
	lu_curve_release(&at);
	return rc;
}

/* --- writing ------------------------------------------------------------------------------ */

double lu_metrics_speed(const struct lu_metrics *m)
{
	return m->tokens / m->seconds;
}

/* What became of pairs of preferences, where there are some. */
static void put_pairs_text(const struct lu_metrics *m, const char *prefix, struct lu_buf *b)
{
	const struct {
		const char *name;
		const struct lu_curve *curve;
	} row[] = { { "margin", &m->margin }, { "accuracy", &m->accuracy } };

	if (m->margin.point.n == 0)
		return;
	lu_buf_printf(b, "\n%-24s %-14s %10s %10s\n", "preferences", "", "first", "last");
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		lu_plain_str(b, lu_str_of(prefix), 24);
		lu_buf_printf(b, " %-14s", row[i].name);
		lu_plain_number(b, lu_curve_first(row[i].curve).y, 11, 4);
		lu_plain_number(b, lu_curve_last(row[i].curve).y, 11, 4);
		lu_buf_putc(b, '\n');
	}
}

static void put_evals_text(const struct lu_metrics *m, const char *prefix, struct lu_buf *b)
{
	if (m->evals.eval.n)
		lu_buf_printf(b, "\n%-24s %-14s %10s %10s %10s\n", "evaluation", "measure", "first",
				"last", "best");
	for (size_t i = 0; i < m->evals.eval.n; i++) {
		const struct lu_eval *e = &m->evals.eval.p[i];
		struct lu_buf name = { 0 };

		lu_buf_printf(&name, "%s%s%s", prefix, *prefix ? "/" : "", e->name);
		b->failed |= name.failed;
		lu_plain_str(b, lu_buf_slice(&name), 24);
		lu_buf_release(&name);
		lu_buf_putc(b, ' ');
		lu_plain_str(b, lu_str_of(e->what), 14);
		lu_plain_number(b, lu_curve_first(&e->curve).y, 11, 4);
		lu_plain_number(b, lu_curve_last(&e->curve).y, 11, 4);
		lu_plain_number(b, lu_eval_best(e), 11, 4);
		lu_buf_putc(b, '\n');
	}
}

void lu_metrics_text(const struct lu_metrics *m, size_t n, struct lu_buf *b)
{
	lu_buf_printf(b, "%-24s %9s %13s %9s %9s %10s\n", "run", "steps", "tokens", "seconds",
			"tokens/s", "loss");
	for (size_t i = 0; i < n; i++) {
		lu_plain_str(b, lu_str_of(m[i].name), 24);
		lu_buf_putc(b, ' ');
		lu_plain_number(b, m[i].step, 9, 0);
		lu_plain_number(b, m[i].tokens, 14, 0);
		lu_plain_number(b, m[i].seconds, 10, 1);
		lu_plain_number(b, lu_metrics_speed(&m[i]), 10, 0);
		lu_plain_number(b, m[i].last_loss, 11, 4);
		lu_buf_putc(b, '\n');
	}
	for (size_t i = 0; i < n; i++) {
		if (m[i].valid.n)
			lu_buf_printf(b, "\n%-24s %10s %10s %10s %9s %10s\n", "validation", "first",
					"last", "lowest", "at step", "bits/byte");
		for (size_t k = 0; k < m[i].valid.n; k++) {
			const struct lu_valid *v = &m[i].valid.p[k];
			struct lu_buf name = { 0 };

			lu_buf_printf(&name, "%s%s%s", n > 1 ? m[i].name : "", n > 1 ? "/" : "",
					v->name);
			b->failed |= name.failed;
			lu_plain_str(b, lu_buf_slice(&name), 24);
			lu_buf_release(&name);
			lu_plain_number(b, lu_curve_first(&v->loss).y, 11, 4);
			lu_plain_number(b, lu_curve_last(&v->loss).y, 11, 4);
			lu_plain_number(b, lu_curve_lowest(&v->loss).y, 11, 4);
			lu_plain_number(b, lu_curve_lowest(&v->loss).x, 10, 0);
			lu_plain_number(b, lu_curve_last(&v->bits_per_byte).y, 11, 4);
			lu_buf_putc(b, '\n');
		}
		put_pairs_text(&m[i], m[i].name, b);
		put_evals_text(&m[i], n > 1 ? m[i].name : "", b);
	}
}

static void put_evals_json(const struct lu_metrics *m, struct lu_buf *b)
{
	lu_json_open_array(b, "evals");
	for (size_t i = 0; i < m->evals.eval.n; i++) {
		const struct lu_eval *e = &m->evals.eval.p[i];

		lu_json_open_object(b, NULL);
		lu_json_put_cstr(b, "name", e->name);
		lu_json_put_cstr(b, e->language ? "lang" : "measure", e->what);
		lu_json_put_double(b, "first", lu_curve_first(&e->curve).y);
		lu_json_put_double(b, "last", lu_curve_last(&e->curve).y);
		lu_json_put_double(b, "best", lu_eval_best(e));
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
}

/* A count that was read as a number; null when it is unknown. */
static void put_count(struct lu_buf *b, const char *key, double v)
{
	if (v >= 0 && v < 0x1p63)
		lu_json_put_u64(b, key, (uint64_t)v);
	else
		lu_json_put_double(b, key, v);
}

void lu_metrics_json(const struct lu_metrics *m, size_t n, struct lu_buf *b)
{
	lu_json_open_array(b, "runs");
	for (size_t i = 0; i < n; i++) {
		lu_json_open_object(b, NULL);
		lu_json_put_cstr(b, "name", m[i].name);
		lu_json_put_cstr(b, "file", m[i].path);
		put_count(b, "steps", m[i].step);
		put_count(b, "tokens", m[i].tokens);
		lu_json_put_double(b, "seconds", m[i].seconds);
		lu_json_put_double(b, "tokens_per_s", lu_metrics_speed(&m[i]));
		lu_json_put_double(b, "first_loss", lu_curve_first(&m[i].loss).y);
		lu_json_put_double(b, "loss", m[i].last_loss);
		lu_json_put_u64(b, "steps_without_loss", m[i].without_loss);
		if (m[i].margin.point.n) {
			lu_json_put_double(b, "margin", lu_curve_last(&m[i].margin).y);
			lu_json_put_double(b, "accuracy", lu_curve_last(&m[i].accuracy).y);
		}
		lu_json_open_array(b, "valid");
		for (size_t k = 0; k < m[i].valid.n; k++) {
			const struct lu_valid *v = &m[i].valid.p[k];

			lu_json_open_object(b, NULL);
			lu_json_put_cstr(b, "name", v->name);
			lu_json_put_double(b, "first_loss", lu_curve_first(&v->loss).y);
			lu_json_put_double(b, "loss", lu_curve_last(&v->loss).y);
			lu_json_put_double(b, "lowest_loss", lu_curve_lowest(&v->loss).y);
			put_count(b, "lowest_step", lu_curve_lowest(&v->loss).x);
			lu_json_put_double(b, "bits_per_byte", lu_curve_last(&v->bits_per_byte).y);
			lu_json_close_object(b);
		}
		lu_json_close_array(b);
		put_evals_json(&m[i], b);
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
}
