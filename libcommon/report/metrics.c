#include "libcommon/report/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

#define MAX_FILE ((size_t)1 << 32)

int lu_curve_add(struct lu_curve *c, double x, double y, struct lu_err *err)
{
	while (c->point.n > 0 && c->point.p[c->point.n - 1].x >= x)
		c->point.n--;
	return lu_vec_push(&c->point, (struct lu_point){ x, y }) ? 0 : lu_err_nomem(err);
}

void lu_curve_release(struct lu_curve *c)
{
	free(c->name);
	c->name = NULL;
	lu_vec_release(&c->point);
}

/* The curve of a validation set; NULL when memory is out. */
static struct lu_curve *find_or_add_valid(struct lu_metrics *m, struct lu_str name)
{
	struct lu_curve c = { 0 };

	for (size_t i = 0; i < m->valid.n; i++) {
		if (lu_str_is(name, m->valid.p[i].name))
			return &m->valid.p[i];
	}
	c.name = strndup(name.p, name.n);
	if (!c.name || !lu_vec_push(&m->valid, c)) {
		free(c.name);
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

static int add_object(struct lu_metrics *m, const struct lu_json_obj *obj, struct lu_arena *arena,
		struct lu_err *err)
{
	const struct lu_json_member *valid = lu_json_get(obj, "valid");
	struct lu_str name;
	double step, loss, v;

	if (!get_number(obj, "step", &step))
		return 0;
	if (get_number(obj, "tokens_per_s", &v) && lu_curve_add(&m->speed, step, v, err) < 0)
		return -1;
	if (get_number(obj, "seconds", &v))
		m->seconds += v;
	if (!get_number(obj, "loss", &loss))
		return 0;
	if (valid && valid->type == LU_JSON_STRING) {
		struct lu_curve *c = NULL;

		if (lu_json_decode_known(valid->value, valid->escaped, arena, &name) == 0)
			c = find_or_add_valid(m, name);
		return c ? lu_curve_add(c, step, loss, err) : lu_err_nomem(err);
	}
	if (lu_curve_add(&m->loss, step, loss, err) < 0)
		return -1;
	if (get_number(obj, "lr", &v) && lu_curve_add(&m->lr, step, v, err) < 0)
		return -1;
	if (get_number(obj, "tokens", &v))
		m->tokens = v;
	return 0;
}

static int add_line(struct lu_metrics *m, struct lu_str line, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	lu_arena_reset(arena);
	if (lu_json_object(line, arena, &obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	return add_object(m, &obj, arena, err);
}

static int read_lines(struct lu_metrics *m, const char *path, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	char *text = NULL, *end, *next;
	uint64_t number = 0;
	size_t n;
	int rc = 0;

	if (lu_read_file(path, MAX_FILE, &text, &n, err) < 0)
		return -1;
	end = text + n;
	for (char *p = text; rc == 0 && p < end; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (!next)
			break;
		number++;
		rc = add_line(m, (struct lu_str){ p, (size_t)(next - p) }, &arena, err);
		if (rc < 0)
			lu_err_wrap(err, "%s:%" PRIu64, path, number);
	}
	free(text);
	lu_arena_release(&arena);
	return rc;
}

int lu_metrics_read(struct lu_metrics *m, const char *path, struct lu_err *err)
{
	const char *slash = strrchr(path, '/');
	char *timing;
	int rc = read_lines(m, path, err);

	if (rc < 0)
		return -1;
	if (asprintf(&timing, "%.*stiming.jsonl", slash ? (int)(slash + 1 - path) : 0, path) < 0)
		return lu_err_nomem(err);
	if (access(timing, F_OK) == 0)
		rc = read_lines(m, timing, err);
	free(timing);
	return rc;
}

void lu_metrics_release(struct lu_metrics *m)
{
	lu_curve_release(&m->loss);
	lu_curve_release(&m->lr);
	lu_curve_release(&m->speed);
	for (size_t i = 0; i < m->valid.n; i++)
		lu_curve_release(&m->valid.p[i]);
	lu_vec_release(&m->valid);
}
