#include "libcommon/report/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

#define LARGEST ((size_t)1 << 32)

int lu_curve_add(struct lu_curve *c, double x, double y, struct lu_err *err)
{
	while (c->n > 0 && c->x[c->n - 1] >= x)
		c->n--;
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 256;
		double *p = realloc(c->x, cap * sizeof(*p));

		if (!p)
			return lu_err_nomem(err);
		c->x = p;
		p = realloc(c->y, cap * sizeof(*p));
		if (!p)
			return lu_err_nomem(err);
		c->y = p;
		c->cap = cap;
	}
	c->x[c->n] = x;
	c->y[c->n++] = y;
	return 0;
}

void lu_curve_release(struct lu_curve *c)
{
	free(c->name);
	free(c->x);
	free(c->y);
	*c = (struct lu_curve){ 0 };
}

static struct lu_curve *valid_of(struct lu_metrics *m, struct lu_str name)
{
	struct lu_curve *c;

	for (size_t i = 0; i < m->valids; i++) {
		if (lu_str_is(name, m->valid[i].name))
			return &m->valid[i];
	}
	c = realloc(m->valid, (m->valids + 1) * sizeof(*c));
	if (!c)
		return NULL;
	m->valid = c;
	c = &c[m->valids];
	*c = (struct lu_curve){ .name = strndup(name.p, name.n) };
	if (!c->name)
		return NULL;
	m->valids++;
	return c;
}

static bool get(const struct lu_json_obj *obj, const char *key, double *out)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	/* 1e999 is a JSON number. */
	return m && lu_json_double(m, out) && isfinite(*out);
}

static int add_line(struct lu_metrics *m, const struct lu_json_obj *obj, struct lu_arena *arena,
		struct lu_err *err)
{
	const struct lu_json_member *valid = lu_json_get(obj, "valid");
	struct lu_curve *c = &m->loss;
	struct lu_str name;
	double step, loss, v;

	if (!get(obj, "step", &step))
		return 0;
	if (get(obj, "tokens_per_s", &v) && lu_curve_add(&m->speed, step, v, err) < 0)
		return -1;
	if (get(obj, "seconds", &v))
		m->seconds += v;
	if (!get(obj, "loss", &loss))
		return 0;
	if (valid && valid->type == LU_JSON_STRING) {
		if (lu_json_decode_known(valid->value, valid->escaped, arena, &name) < 0)
			return lu_err_nomem(err);
		c = valid_of(m, name);
		if (!c)
			return lu_err_nomem(err);
		return lu_curve_add(c, step, loss, err);
	}
	if (lu_curve_add(c, step, loss, err) < 0)
		return -1;
	if (get(obj, "lr", &v) && lu_curve_add(&m->lr, step, v, err) < 0)
		return -1;
	if (get(obj, "tokens", &v))
		m->tokens = v;
	return 0;
}

static int read_lines(struct lu_metrics *m, const char *path, struct lu_err *err)
{
	struct lu_arena arena = { 0 };
	struct lu_json_fault fault;
	struct lu_json_obj obj;
	char *text = NULL, *line, *end, *next;
	uint64_t number = 0;
	size_t n;
	int rc = -1;

	if (lu_read_file(path, LARGEST, &text, &n, err) < 0)
		return -1;
	end = text + n;
	for (line = text; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (!next)
			break;
		number++;
		lu_arena_reset(&arena);
		if (lu_json_object((struct lu_str){ line, (size_t)(next - line) }, &arena, &obj,
				    &fault) < 0) {
			lu_err_set(err, "%s:%" PRIu64 ": %s", path, number,
					lu_json_fault_text(fault.kind));
			goto out;
		}
		if (add_line(m, &obj, &arena, err) < 0)
			goto out;
		next++;
	}
	rc = 0;
out:
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
	for (size_t i = 0; i < m->valids; i++)
		lu_curve_release(&m->valid[i]);
	free(m->valid);
	*m = (struct lu_metrics){ 0 };
}
