#include "libcommon/report/accounts.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/report/each_object.h"
#include "libcommon/report/flow_sums.h"
#include "libcommon/report/plain.h"

#define MAX_MACHINES 100
#define MAX_WIDTH 40 /* of the names of stages in the table */

/* --- one line ----------------------------------------------------------------------------- */

struct entry {
	struct lu_str tool, args, shards, mix; /* but the first raw JSON */
	struct lu_str date, machine;
	struct lu_json_obj dropped;
	struct lu_run run;
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

/* Seconds with the three decimals that programs write, in thousandths: sums of whole numbers do not
 * depend on the order of the lines. */
static int get_seconds(
		const struct lu_json_obj *obj, const char *key, uint64_t *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);
	double v;

	if (!m || !lu_json_double(m, &v) || !(v >= 0 && v < 1e12))
		return lu_err_set(err, "no seconds \"%s\"", key);
	*out = (uint64_t)(v * 1000 + 0.5);
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

/* The raw value of a member of this type, or empty. */
static struct lu_str get_raw(const struct lu_json_obj *obj, const char *key, enum lu_json_type type)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	return m && m->type == type ? m->value : LU_STR("");
}

static int parse(const struct lu_json_obj *obj, struct lu_arena *arena, struct entry *e,
		struct lu_err *err)
{
	struct lu_json_obj time;
	struct lu_run *run = &e->run;

	*e = (struct entry){ .run.pass = 1 };
	if (get_raw(obj, "tool", LU_JSON_STRING).n == 0)
		return lu_err_set(err, "not an accounting line: no string \"tool\"");
	e->args = get_raw(obj, "args", LU_JSON_ARRAY);
	e->shards = get_raw(obj, "shards", LU_JSON_ARRAY);
	e->mix = get_raw(obj, "mix", LU_JSON_OBJECT);
	if (lu_object_string(obj, "tool", arena, &e->tool, err) < 0 ||
			get_count(obj, "in", arena, &run->in, err) < 0 ||
			get_count(obj, "out", arena, &run->out, err) < 0 ||
			get_u64(obj, "repeated", &run->repeated, err) < 0 ||
			get_object(obj, "time", arena, &time, err) < 0 ||
			get_seconds(&time, "wall_s", &run->wall_ms, err) < 0 ||
			get_seconds(&time, "cpu_s", &run->cpu_ms, err) < 0 ||
			get_u64(&time, "rss_bytes", &run->rss, err) < 0 ||
			lu_object_string(&time, "date", arena, &e->date, err) < 0 ||
			lu_object_string(&time, "machine", arena, &e->machine, err) < 0 ||
			get_object(obj, "dropped", arena, &e->dropped, err) < 0)
		return -1;
	return 0;
}

static int check_sums(struct lu_accounts *a, const struct entry *e, uint64_t dropped,
		const struct lu_place *at, struct lu_err *err)
{
	const struct lu_run *run = &e->run;
	struct lu_buf b = { 0 };

	if (run->in.docs + run->repeated == run->out.docs + dropped)
		return 0;
	lu_buf_printf(&b, "%s:%" PRIu64 ": " LU_STR_FMT ": in %" PRIu64 " + repeated %" PRIu64,
			at->file, at->line, LU_STR_ARG(e->tool), run->in.docs, run->repeated);
	lu_buf_printf(&b, " is not out %" PRIu64 " + dropped %" PRIu64, run->out.docs, dropped);
	return lu_flow_fault(a, &b, err);
}

/* Copy the reasons into the run. *dropped becomes their sum. */
static int keep_reasons(
		struct lu_accounts *a, struct entry *e, uint64_t *dropped, struct lu_err *err)
{
	size_t n = e->dropped.members;
	struct lu_stage_reason *r = lu_arena_alloc(&a->arena, n * sizeof(*r));

	if (!r)
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct lu_json_member *m = &e->dropped.member[i];

		if (!read_count(m, &r[i].docs))
			return lu_err_set(err, "\"dropped\": no count of " LU_STR_FMT,
					LU_STR_ARG(m->key));
		r[i].name = lu_arena_str(&a->arena, m->key).p;
		if (!r[i].name)
			return lu_err_nomem(err);
		*dropped += r[i].docs;
	}
	e->run.reason = r;
	e->run.reasons = n;
	return 0;
}

/* Note where and when a line was written. */
static int keep_origin(struct lu_accounts *a, const struct entry *e, struct lu_err *err)
{
	const char *date, *machine;

	if (e->date.n) {
		date = lu_arena_str(&a->arena, e->date).p;
		if (!date)
			return lu_err_nomem(err);
		if (!a->first_date || strcmp(date, a->first_date) < 0)
			a->first_date = date;
		if (!a->last_date || strcmp(date, a->last_date) > 0)
			a->last_date = date;
	}
	for (size_t i = 0; i < a->machine.n; i++) {
		if (lu_str_is(e->machine, a->machine.p[i]))
			return 0;
	}
	if (e->machine.n == 0 || a->machine.n == MAX_MACHINES)
		return 0;
	machine = lu_arena_str(&a->arena, e->machine).p;
	return machine && lu_vec_push(&a->machine, machine) ? 0 : lu_err_nomem(err);
}

static void add_count(const struct lu_json_obj *obj, const char *key, uint64_t *sum)
{
	uint64_t n;

	if (read_count(lu_json_get(obj, key), &n))
		*sum += n;
}

/* "build/stats/filter.jsonl" -> "filter" */
static struct lu_str base_name(const char *file)
{
	const char *slash = strrchr(file, '/'), *p = slash ? slash + 1 : file;
	const char *dot = strchr(p + (*p == '.'), '.');

	return (struct lu_str){ p, dot ? (size_t)(dot - p) : strlen(p) };
}

/* What lu_accounts_read() is reading. */
struct reading {
	struct lu_accounts *a;
	bool by_file;
};

static int add_line(void *ctx, const struct lu_json_obj *obj, const struct lu_place *at,
		struct lu_arena *scan, struct lu_err *err)
{
	const struct reading *r = ctx;
	struct lu_accounts *a = r->a;
	struct entry e;
	uint64_t dropped = 0;

	if (parse(obj, scan, &e, err) < 0 || keep_reasons(a, &e, &dropped, err) < 0 ||
			keep_origin(a, &e, err) < 0)
		return -1;
	if (!lu_flow_kind(a, e.tool, e.args, &e.run))
		return lu_err_nomem(err);
	e.run.file = r->by_file ? lu_arena_str(&a->arena, base_name(at->file)).p : "";
	if (e.mix.n)
		e.run.mix = lu_arena_str(&a->arena, e.mix);
	if (!e.run.file || (e.mix.n && !e.run.mix.p))
		return lu_err_nomem(err);
	if (e.run.source) {
		add_count(obj, "excluded", &a->excluded);
		add_count(obj, "links", &a->links);
		add_count(obj, "special", &a->special);
	}
	if (lu_flow_note(a, &e.run, e.args, e.shards, scan, err) < 0)
		return -1;
	if (!lu_vec_push(&a->run, e.run))
		return lu_err_nomem(err);
	return check_sums(a, &e, dropped, at, err);
}

/* --- the sums ----------------------------------------------------------------------------- */

/* The index of a stage, in *stage. */
static int find_or_add_stage(struct lu_accounts *a, const char *name, const char *kind,
		size_t *stage, struct lu_err *err)
{
	struct lu_stage s = { .kind = kind, .passes = true };

	for (*stage = 0; *stage < a->stage.n; ++*stage) {
		if (name == a->stage.p[*stage].kind || strcmp(name, a->stage.p[*stage].name) == 0)
			return 0;
	}
	s.name = lu_arena_str(&a->arena, lu_str_of(name)).p;
	return s.name && lu_vec_push(&a->stage, s) ? 0 : lu_err_nomem(err);
}

/* Insert a reason in its order, or add to it. */
static int add_dropped(struct lu_stage *s, const struct lu_stage_reason *r, struct lu_err *err)
{
	struct lu_stage_reason *p = s->dropped.p;
	size_t i = 0;
	int order = 1;

	while (i < s->dropped.n && (order = strcmp(p[i].name, r->name)) < 0)
		i++;
	if (i < s->dropped.n && order == 0) {
		p[i].docs += r->docs;
		return 0;
	}
	if (!lu_vec_push(&s->dropped, *r))
		return lu_err_nomem(err);
	p = s->dropped.p + i;
	memmove(p + 1, p, (s->dropped.n - 1 - i) * sizeof(*p));
	*p = *r;
	return 0;
}

static int add_run(struct lu_accounts *a, const struct lu_run *run, struct lu_err *err)
{
	struct lu_stage *s = &a->stage.p[run->stage];

	for (size_t i = 0; i < run->reasons; i++) {
		if (add_dropped(s, &run->reason[i], err) < 0)
			return -1;
	}
	s->runs++;
	s->in.docs += run->in.docs;
	s->in.bytes += run->in.bytes;
	s->out.docs += run->out.docs;
	s->out.bytes += run->out.bytes;
	s->repeated += run->repeated;
	s->held_out += run->held_out;
	s->wall_ms += run->wall_ms;
	s->cpu_ms += run->cpu_ms;
	s->rss = run->rss > s->rss ? run->rss : s->rss;
	s->passes &= run->passes;
	if (run->mix.n)
		s->mix = run->mix;
	return 0;
}

/* Give a run of a later pass a stage of its own. */
static int set_pass(struct lu_accounts *a, struct lu_run *run, struct lu_err *err)
{
	struct lu_buf name = { 0 };
	int rc;

	if (run->pass == 1)
		return 0;
	lu_buf_printf(&name, "%s, pass %" PRIu32, run->kind, run->pass);
	rc = lu_buf_check(&name, err);
	if (rc == 0)
		rc = find_or_add_stage(a, name.p, run->kind, &run->stage, err);
	lu_buf_release(&name);
	return rc;
}

static int make_stages(struct lu_accounts *a, struct lu_err *err)
{
	for (size_t i = 0; i < a->run.n; i++) {
		if (find_or_add_stage(a, a->run.p[i].kind, a->run.p[i].kind, &a->run.p[i].stage,
				    err) < 0)
			return -1;
	}
	if (lu_flow_link(a, &a->flow, err) < 0 || lu_flow_passes(a, &a->flow, err) < 0)
		return -1;
	for (size_t i = 0; i < a->run.n; i++) {
		if (set_pass(a, &a->run.p[i], err) < 0 || add_run(a, &a->run.p[i], err) < 0)
			return -1;
	}
	if (lu_flow_order(a, &a->flow, err) < 0)
		return -1;
	return lu_flow_total(a, err);
}

static void release_stages(struct lu_accounts *a)
{
	for (size_t i = 0; i < a->stage.n; i++)
		lu_vec_release(&a->stage.p[i].dropped);
	lu_vec_release(&a->stage);
}

/* Replace the stages of programs, which have given the total, by those of files. */
static int group_by_file(struct lu_accounts *a, struct lu_err *err)
{
	release_stages(a);
	for (size_t i = 0; i < a->run.n; i++) {
		struct lu_run *run = &a->run.p[i];

		if (find_or_add_stage(a, run->file, run->file, &run->stage, err) < 0 ||
				add_run(a, run, err) < 0)
			return -1;
	}
	return 0;
}

int lu_accounts_read(struct lu_accounts *a, char **file, size_t files, bool by_file,
		uint64_t max_line, struct lu_err *err)
{
	struct reading r = { a, by_file };

	if (lu_each_object(file, files, max_line, add_line, &r, err) < 0 || make_stages(a, err) < 0)
		return -1;
	return by_file ? group_by_file(a, err) : 0;
}

int lu_accounts_chain(struct lu_accounts *a, struct lu_err *err)
{
	return lu_flow_chain(a, &a->flow, err);
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
	release_stages(a);
	lu_vec_release(&a->fault);
	lu_vec_release(&a->again);
	lu_vec_release(&a->machine);
	lu_vec_release(&a->run);
	lu_vec_release(&a->name);
	lu_vec_release(&a->output);
	lu_vec_release(&a->flow.edge);
	lu_arena_release(&a->arena);
}

/* --- writing ------------------------------------------------------------------------------ */

/* The widest name of a stage, at least 20 characters. */
static size_t name_width(const struct lu_accounts *a)
{
	size_t width = 20;

	for (size_t i = 0; i < a->stage.n; i++) {
		size_t n = strlen(a->stage.p[i].name);

		width = n > width && n <= MAX_WIDTH ? n : width;
	}
	return width;
}

static void put_row(struct lu_buf *b, size_t width, const char *name, const char *runs, uint64_t in,
		uint64_t dropped, uint64_t repeated, uint64_t out)
{
	lu_plain_str(b, lu_str_of(name), width);
	lu_buf_printf(b, " %5s %11" PRIu64 " %10" PRIu64 " %10" PRIu64 " %11" PRIu64, runs, in,
			dropped, repeated, out);
}

static void put_reason(struct lu_buf *b, const char *name, uint64_t docs)
{
	lu_buf_puts(b, "  ");
	lu_plain_str(b, lu_str_of(name), 36);
	lu_buf_printf(b, " %10" PRIu64 "\n", docs);
}

void lu_accounts_text(const struct lu_accounts *a, struct lu_buf *b)
{
	const struct lu_total *t = &a->total;
	size_t width = name_width(a);

	lu_plain_str(b, LU_STR("stage"), width);
	lu_buf_printf(b, " %5s %11s %10s %10s %11s %9s %9s %9s %9s\n", "runs", "docs in", "dropped",
			"repeated", "docs out", "MB in", "MB out", "wall s", "cpu s");
	for (size_t i = 0; i < a->stage.n; i++) {
		const struct lu_stage *s = &a->stage.p[i];
		char runs[24];

		snprintf(runs, sizeof(runs), "%" PRIu64, s->runs);
		put_row(b, width, s->name, runs, s->in.docs, lu_stage_dropped(s), s->repeated,
				s->out.docs);
		lu_buf_printf(b, " %9.2f %9.2f %9.2f %9.2f\n", (double)s->in.bytes / 1e6,
				(double)s->out.bytes / 1e6, (double)s->wall_ms / 1000,
				(double)s->cpu_ms / 1000);
		for (size_t k = 0; k < s->dropped.n; k++)
			put_reason(b, s->dropped.p[k].name, s->dropped.p[k].docs);
	}
	if (a->stage.n < 2 && t->held_out == 0)
		return;
	put_row(b, width, "total", "", t->in, t->dropped, t->repeated, t->out);
	lu_buf_printf(b, " %9s %9s %9.2f %9.2f\n", "", "", (double)t->wall_ms / 1000,
			(double)t->cpu_ms / 1000);
	if (t->held_out)
		put_reason(b, "held out", t->held_out);
	if (t->unread)
		put_reason(b, "not read by a later stage", t->unread);
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
	if (s->held_out)
		lu_json_put_u64(b, "held_out", s->held_out);
	lu_json_open_object(b, "time");
	lu_json_put_double(b, "wall_s", (double)s->wall_ms / 1000);
	lu_json_put_double(b, "cpu_s", (double)s->cpu_ms / 1000);
	lu_json_put_u64(b, "rss_bytes", s->rss);
	lu_json_close_object(b);
	lu_json_close_object(b);
}

static void put_total(struct lu_buf *b, const struct lu_total *t)
{
	lu_json_open_object(b, "total");
	lu_json_put_u64(b, "in", t->in);
	lu_json_put_u64(b, "repeated", t->repeated);
	lu_json_put_u64(b, "out", t->out);
	lu_json_put_u64(b, "dropped", t->dropped);
	lu_json_put_u64(b, "held_out", t->held_out);
	lu_json_put_u64(b, "unread", t->unread);
	lu_json_close_object(b);
}

void lu_accounts_json(const struct lu_accounts *a, struct lu_buf *b)
{
	lu_json_open_array(b, "stages");
	for (size_t i = 0; i < a->stage.n; i++)
		put_stage(b, &a->stage.p[i]);
	lu_json_close_array(b);
	lu_json_open_array(b, "faults");
	for (size_t i = 0; i < a->fault.n; i++)
		lu_json_put_cstr(b, NULL, a->fault.p[i]);
	lu_json_close_array(b);
	put_total(b, &a->total);
}
