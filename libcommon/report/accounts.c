#include "libcommon/report/accounts.h"

#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"

/* --- one line ----------------------------------------------------------------------------- */

struct entry {
	struct lu_str tool, mix; /* mix is raw JSON */
	struct lu_json_obj dropped;
	struct lu_count in, out;
	uint64_t repeated;
	double wall, cpu;
	uint64_t rss;
};

static int get_object(const struct lu_json_obj *obj, const char *key, struct lu_arena *arena,
		struct lu_json_obj *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);
	struct lu_json_fault fault;

	if (!m || m->type != LU_JSON_OBJECT)
		return lu_err_set(err, "no object \"%s\"", key);
	if (lu_json_object(m->value, arena, out, &fault) < 0) {
		lu_json_fail(&fault, err);
		return lu_err_wrap(err, "\"%s\"", key);
	}
	return 0;
}

/* Counts are below 2^48, so that their sums never overflow. */
static bool read_count(const struct lu_json_member *m, uint64_t *out)
{
	return m && lu_json_u64(m, out) && *out >> 48 == 0;
}

static int get_u64(
		const struct lu_json_obj *obj, const char *key, uint64_t *out, struct lu_err *err)
{
	if (!read_count(lu_json_get(obj, key), out))
		return lu_err_set(err, "no count \"%s\"", key);
	return 0;
}

static int get_seconds(
		const struct lu_json_obj *obj, const char *key, double *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	if (!m || !lu_json_double(m, out) || !(*out >= 0 && *out < 1e15))
		return lu_err_set(err, "no seconds \"%s\"", key);
	return 0;
}

static int get_count(const struct lu_json_obj *obj, const char *key, struct lu_arena *arena,
		struct lu_count *out, struct lu_err *err)
{
	struct lu_json_obj pair;

	if (get_object(obj, key, arena, &pair, err) < 0)
		return -1;
	if (get_u64(&pair, "docs", &out->docs, err) < 0 ||
			get_u64(&pair, "bytes", &out->bytes, err) < 0)
		return lu_err_wrap(err, "\"%s\"", key);
	return 0;
}

static int parse(struct lu_str line, struct lu_arena *arena, struct entry *e, struct lu_err *err)
{
	const struct lu_json_member *m;
	struct lu_json_fault fault;
	struct lu_json_obj obj, time;

	*e = (struct entry){ 0 };
	if (lu_json_object(line, arena, &obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	m = lu_json_get(&obj, "tool");
	if (!m || m->type != LU_JSON_STRING)
		return lu_err_set(err, "not an accounting line: no string \"tool\"");
	if (lu_json_decode_known(m->value, m->escaped, arena, &e->tool) < 0)
		return lu_err_nomem(err);
	m = lu_json_get(&obj, "mix");
	if (m && m->type == LU_JSON_OBJECT)
		e->mix = m->value;
	if (get_count(&obj, "in", arena, &e->in, err) < 0 ||
			get_count(&obj, "out", arena, &e->out, err) < 0 ||
			get_u64(&obj, "repeated", &e->repeated, err) < 0 ||
			get_object(&obj, "time", arena, &time, err) < 0 ||
			get_seconds(&time, "wall_s", &e->wall, err) < 0 ||
			get_seconds(&time, "cpu_s", &e->cpu, err) < 0 ||
			get_u64(&time, "rss_bytes", &e->rss, err) < 0 ||
			get_object(&obj, "dropped", arena, &e->dropped, err) < 0)
		return -1;
	return 0;
}

/* --- the sums ----------------------------------------------------------------------------- */

/* NULL when memory is out. */
static struct lu_stage *find_or_add_stage(struct lu_accounts *a, struct lu_str name)
{
	struct lu_stage s = { 0 };

	for (size_t i = 0; i < a->stage.n; i++) {
		if (lu_str_is(name, a->stage.p[i].name))
			return &a->stage.p[i];
	}
	s.name = lu_arena_str(&a->arena, name).p;
	if (!s.name || !lu_vec_push(&a->stage, s))
		return NULL;
	return &a->stage.p[a->stage.n - 1];
}

/* Insert a reason in its order, or add to it. */
static int add_dropped(struct lu_accounts *a, struct lu_stage *s, struct lu_str name, uint64_t docs,
		struct lu_err *err)
{
	struct lu_stage_reason r = { .docs = docs }, *p = s->dropped.p;
	size_t i = 0;
	int order = 1;

	while (i < s->dropped.n && (order = lu_str_cmp(lu_str_of(p[i].name), name)) < 0)
		i++;
	if (i < s->dropped.n && order == 0) {
		p[i].docs += docs;
		return 0;
	}
	r.name = lu_arena_str(&a->arena, name).p;
	if (!r.name || !lu_vec_push(&s->dropped, r))
		return lu_err_nomem(err);
	p = s->dropped.p + i;
	memmove(p + 1, p, (s->dropped.n - 1 - i) * sizeof(*p));
	*p = r;
	return 0;
}

/* Keep a fault, and release its text. */
static int add_fault(struct lu_accounts *a, struct lu_buf *text, struct lu_err *err)
{
	int rc = lu_buf_check(text, err);

	if (rc == 0) {
		const char *copy = lu_arena_str(&a->arena, lu_buf_slice(text)).p;

		if (!copy || !lu_vec_push(&a->fault, copy))
			rc = lu_err_nomem(err);
	}
	lu_buf_release(text);
	return rc;
}

static int check_sums(struct lu_accounts *a, const struct entry *e, uint64_t dropped,
		const char *file, uint64_t line, struct lu_err *err)
{
	struct lu_buf b = { 0 };

	if (e->in.docs + e->repeated == e->out.docs + dropped)
		return 0;
	lu_buf_printf(&b, "%s:%" PRIu64 ": " LU_STR_FMT ": in %" PRIu64 " + repeated %" PRIu64,
			file, line, LU_STR_ARG(e->tool), e->in.docs, e->repeated);
	lu_buf_printf(&b, " is not out %" PRIu64 " + dropped %" PRIu64, e->out.docs, dropped);
	return add_fault(a, &b, err);
}

/* "build/stats/filter.jsonl" -> "filter" */
static struct lu_str base_name(const char *file)
{
	const char *slash = strrchr(file, '/'), *p = slash ? slash + 1 : file;
	const char *dot = strchr(p + (*p == '.'), '.');

	return (struct lu_str){ p, dot ? (size_t)(dot - p) : strlen(p) };
}

/* Add a line to its stage. *dropped becomes the sum over its reasons. */
static int add_entry(struct lu_accounts *a, const struct entry *e, struct lu_str name,
		uint64_t *dropped, struct lu_err *err)
{
	struct lu_stage *s = find_or_add_stage(a, name);

	if (!s)
		return lu_err_nomem(err);
	for (size_t i = 0; i < e->dropped.members; i++) {
		const struct lu_json_member *m = &e->dropped.member[i];
		uint64_t docs;

		if (!read_count(m, &docs))
			return lu_err_set(err, "\"dropped\": no count of " LU_STR_FMT,
					LU_STR_ARG(m->key));
		if (add_dropped(a, s, m->key, docs, err) < 0)
			return -1;
		*dropped += docs;
	}
	s->runs++;
	s->in.docs += e->in.docs;
	s->in.bytes += e->in.bytes;
	s->out.docs += e->out.docs;
	s->out.bytes += e->out.bytes;
	s->repeated += e->repeated;
	s->wall += e->wall;
	s->cpu += e->cpu;
	s->rss = e->rss > s->rss ? e->rss : s->rss;
	if (e->mix.n) {
		s->mix = lu_arena_str(&a->arena, e->mix);
		if (!s->mix.p)
			return lu_err_nomem(err);
	}
	return 0;
}

static int add_line(struct lu_accounts *a, struct lu_str line, const struct lu_slab *slab,
		bool by_file, struct lu_arena *scan, struct lu_err *err)
{
	struct entry e;
	uint64_t dropped = 0;

	lu_arena_reset(scan);
	if (slab->too_long)
		return lu_err_set(err, "%s:%" PRIu64 ": longer than --max-line", slab->file,
				slab->line);
	if (parse(line, scan, &e, err) < 0 ||
			add_entry(a, &e, by_file ? base_name(slab->file) : e.tool, &dropped, err) <
					0)
		return lu_err_wrap(err, "%s:%" PRIu64, slab->file, slab->line);
	return check_sums(a, &e, dropped, slab->file, slab->line, err);
}

int lu_accounts_read(struct lu_accounts *a, char **file, size_t files, bool by_file,
		uint64_t max_line, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_arena scan = { 0 };
	struct lu_str line;
	int rc = lu_lines_open(&lines, file, files, max_line, err);

	if (rc < 0)
		return -1;
	while (rc >= 0 && (rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (rc >= 0 && lu_slab_next(&slab, &line)) {
			if (line.n || slab.too_long)
				rc = add_line(a, line, &slab, by_file, &scan, err);
		}
	}
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	lu_arena_release(&scan);
	return rc;
}

int lu_accounts_chain(struct lu_accounts *a, struct lu_err *err)
{
	for (size_t i = 1; i < a->stage.n; i++) {
		const struct lu_stage *from = &a->stage.p[i - 1], *to = &a->stage.p[i];
		struct lu_buf b = { 0 };

		if (from->out.docs == to->in.docs)
			continue;
		lu_buf_printf(&b, "%s put out %" PRIu64 " documents, %s took in %" PRIu64,
				from->name, from->out.docs, to->name, to->in.docs);
		if (add_fault(a, &b, err) < 0)
			return -1;
	}
	return 0;
}

uint64_t lu_stage_dropped(const struct lu_stage *s)
{
	uint64_t docs = 0;

	for (size_t i = 0; i < s->dropped.n; i++)
		docs += s->dropped.p[i].docs;
	return docs;
}

void lu_accounts_release(struct lu_accounts *a)
{
	for (size_t i = 0; i < a->stage.n; i++)
		lu_vec_release(&a->stage.p[i].dropped);
	lu_vec_release(&a->stage);
	lu_vec_release(&a->fault);
	lu_arena_release(&a->arena);
}

/* --- writing ------------------------------------------------------------------------------ */

void lu_accounts_text(const struct lu_accounts *a, struct lu_buf *b)
{
	lu_buf_printf(b, "%-20s %5s %11s %10s %10s %11s %9s %9s %9s %9s\n", "stage", "runs",
			"docs in", "dropped", "repeated", "docs out", "MB in", "MB out", "wall s",
			"cpu s");
	for (size_t i = 0; i < a->stage.n; i++) {
		const struct lu_stage *s = &a->stage.p[i];

		lu_buf_printf(b,
				"%-20s %5" PRIu64 " %11" PRIu64 " %10" PRIu64 " %10" PRIu64
				" %11" PRIu64,
				s->name, s->runs, s->in.docs, lu_stage_dropped(s), s->repeated,
				s->out.docs);
		lu_buf_printf(b, " %9.2f %9.2f %9.2f %9.2f\n", (double)s->in.bytes / 1e6,
				(double)s->out.bytes / 1e6, s->wall, s->cpu);
		for (size_t k = 0; k < s->dropped.n; k++)
			lu_buf_printf(b, "  %-36s %10" PRIu64 "\n", s->dropped.p[k].name,
					s->dropped.p[k].docs);
	}
}

static void put_stage(struct lu_buf *b, const struct lu_stage *s)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "stage", s->name);
	lu_json_put_u64(b, "runs", s->runs);
	for (int i = 0; i < 2; i++) {
		const struct lu_count *count = i == 0 ? &s->in : &s->out;

		lu_json_open_object(b, i == 0 ? "in" : "out");
		lu_json_put_u64(b, "docs", count->docs);
		lu_json_put_u64(b, "bytes", count->bytes);
		lu_json_close_object(b);
	}
	lu_json_open_object(b, "dropped");
	for (size_t i = 0; i < s->dropped.n; i++) {
		lu_json_key(b, lu_str_of(s->dropped.p[i].name));
		lu_json_put_u64(b, NULL, s->dropped.p[i].docs);
	}
	lu_json_close_object(b);
	lu_json_put_u64(b, "repeated", s->repeated);
	lu_json_open_object(b, "time");
	lu_json_put_double(b, "wall_s", s->wall);
	lu_json_put_double(b, "cpu_s", s->cpu);
	lu_json_put_u64(b, "rss_bytes", s->rss);
	lu_json_close_object(b);
	lu_json_close_object(b);
}

void lu_accounts_json(const struct lu_accounts *a, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	lu_json_open_array(b, "stages");
	for (size_t i = 0; i < a->stage.n; i++)
		put_stage(b, &a->stage.p[i]);
	lu_json_close_array(b);
	lu_json_open_array(b, "faults");
	for (size_t i = 0; i < a->fault.n; i++)
		lu_json_put_cstr(b, NULL, a->fault.p[i]);
	lu_json_close_array(b);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}
