#include "libcommon/report/accounts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"

/* --- reading ------------------------------------------------------------------------------ */

/* One line, as it stands. */
struct entry {
	struct lu_str tool, dropped, mix; /* raw but for the tool */
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
	if (lu_json_object(m->value, arena, out, &fault) < 0)
		return lu_err_set(err, "\"%s\": %s", key, lu_json_fault_text(fault.kind));
	return 0;
}

static int get_u64(
		const struct lu_json_obj *obj, const char *key, uint64_t *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(obj, key);

	/* Sums of counts up to 2^48 never overflow. */
	if (!m || !lu_json_u64(m, out) || *out >> 48)
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

	if (get_object(obj, key, arena, &pair, err) < 0 ||
			get_u64(&pair, "docs", &out->docs, err) < 0 ||
			get_u64(&pair, "bytes", &out->bytes, err) < 0)
		return lu_err_wrap(err, "\"%s\"", key);
	return 0;
}

static int parse(struct lu_str line, struct lu_arena *arena, struct entry *e, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj obj, time;
	const struct lu_json_member *m;

	*e = (struct entry){ 0 };
	if (lu_json_object(line, arena, &obj, &fault) < 0)
		return lu_err_set(err, "%s", lu_json_fault_text(fault.kind));
	m = lu_json_get(&obj, "tool");
	if (!m || m->type != LU_JSON_STRING)
		return lu_err_set(err, "no accounting line: no string \"tool\"");
	if (lu_json_decode_known(m->value, m->escaped, arena, &e->tool) < 0)
		return lu_err_nomem(err);
	if (get_count(&obj, "in", arena, &e->in, err) < 0 ||
			get_count(&obj, "out", arena, &e->out, err) < 0 ||
			get_u64(&obj, "repeated", &e->repeated, err) < 0 ||
			get_object(&obj, "time", arena, &time, err) < 0 ||
			get_seconds(&time, "wall_s", &e->wall, err) < 0 ||
			get_seconds(&time, "cpu_s", &e->cpu, err) < 0 ||
			get_u64(&time, "rss_bytes", &e->rss, err) < 0)
		return -1;
	m = lu_json_get(&obj, "dropped");
	if (!m || m->type != LU_JSON_OBJECT)
		return lu_err_set(err, "no object \"dropped\"");
	e->dropped = m->value;
	m = lu_json_get(&obj, "mix");
	if (m && m->type == LU_JSON_OBJECT)
		e->mix = m->value;
	return 0;
}

static struct lu_stage *stage_of(struct lu_accounts *a, struct lu_str name)
{
	struct lu_stage *s;

	for (size_t i = 0; i < a->stages; i++) {
		if (lu_str_is(name, a->stage[i].name))
			return &a->stage[i];
	}
	s = realloc(a->stage, (a->stages + 1) * sizeof(*s));
	if (!s)
		return NULL;
	a->stage = s;
	s = &s[a->stages];
	*s = (struct lu_stage){ .name = lu_arena_str(&a->arena, name).p };
	if (!s->name)
		return NULL;
	a->stages++;
	return s;
}

static int drop(struct lu_accounts *a, struct lu_stage *s, struct lu_str reason, uint64_t n,
		struct lu_err *err)
{
	struct lu_reason *r;
	size_t i = 0;
	int order = 1;

	while (i < s->reasons && (order = lu_str_cmp(lu_str_of(s->dropped[i].name), reason)) < 0)
		i++;
	if (i < s->reasons && order == 0) {
		s->dropped[i].n += n;
		return 0;
	}
	r = realloc(s->dropped, (s->reasons + 1) * sizeof(*r));
	if (!r)
		return lu_err_nomem(err);
	s->dropped = r;
	memmove(r + i + 1, r + i, (s->reasons - i) * sizeof(*r));
	r[i] = (struct lu_reason){ NULL, n };
	s->reasons++;
	/* The struct is sys/stats.h's, which owns its names; here the arena does. */
	r[i].name = lu_arena_alloc(&a->arena, reason.n + 1);
	if (!r[i].name) {
		s->reasons = i;
		return lu_err_nomem(err);
	}
	memcpy(r[i].name, reason.p, reason.n);
	r[i].name[reason.n] = '\0';
	return 0;
}

static int add_fault(struct lu_accounts *a, const struct lu_buf *text, struct lu_err *err)
{
	struct lu_fault *f;

	if (lu_buf_check(text, err) < 0)
		return -1;
	f = realloc(a->fault, (a->faults + 1) * sizeof(*f));
	if (!f)
		return lu_err_nomem(err);
	a->fault = f;
	f[a->faults].text = lu_arena_str(&a->arena, lu_buf_slice(text)).p;
	return f[a->faults++].text ? 0 : lu_err_nomem(err);
}

static int check(struct lu_accounts *a, const struct entry *e, uint64_t dropped, const char *file,
		uint64_t line, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	if (e->in.docs + e->repeated == e->out.docs + dropped)
		return 0;
	lu_buf_printf(&b, "%s:%" PRIu64 ": " LU_STR_FMT ": in %" PRIu64 " + repeated %" PRIu64,
			file, line, LU_STR_ARG(e->tool), e->in.docs, e->repeated);
	lu_buf_printf(&b, " is not out %" PRIu64 " + dropped %" PRIu64, e->out.docs, dropped);
	rc = add_fault(a, &b, err);
	lu_buf_release(&b);
	return rc;
}

/* "build/stats/filter.jsonl" -> "filter" */
static struct lu_str base_name(const char *file)
{
	const char *slash = strrchr(file, '/'), *p = slash ? slash + 1 : file;
	const char *dot = strchr(p + (*p == '.'), '.');

	return (struct lu_str){ p, dot ? (size_t)(dot - p) : strlen(p) };
}

static int add_line(struct lu_accounts *a, struct lu_str line, const char *file, uint64_t number,
		bool by_file, struct lu_arena *arena, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj reasons;
	struct lu_stage *s;
	struct entry e;
	uint64_t dropped = 0;

	if (parse(line, arena, &e, err) < 0)
		return -1;
	s = stage_of(a, by_file ? base_name(file) : e.tool);
	if (!s)
		return lu_err_nomem(err);
	if (lu_json_object(e.dropped, arena, &reasons, &fault) < 0)
		return lu_err_set(err, "\"dropped\": %s", lu_json_fault_text(fault.kind));
	for (size_t i = 0; i < reasons.members; i++) {
		const struct lu_json_member *m = &reasons.member[i];
		uint64_t n;

		if (!lu_json_u64(m, &n) || n >> 48)
			return lu_err_set(err, "\"dropped\": no count of " LU_STR_FMT,
					LU_STR_ARG(m->key));
		if (drop(a, s, m->key, n, err) < 0)
			return -1;
		dropped += n;
	}
	s->runs++;
	s->in.docs += e.in.docs;
	s->in.bytes += e.in.bytes;
	s->out.docs += e.out.docs;
	s->out.bytes += e.out.bytes;
	s->repeated += e.repeated;
	s->wall += e.wall;
	s->cpu += e.cpu;
	s->rss = e.rss > s->rss ? e.rss : s->rss;
	if (e.mix.n) {
		s->mix = lu_arena_str(&a->arena, e.mix);
		if (!s->mix.p)
			return lu_err_nomem(err);
	}
	return check(a, &e, dropped, file, number, err);
}

int lu_accounts_read(struct lu_accounts *a, char **file, size_t files, bool by_file,
		uint64_t max_line, struct lu_err *err)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_str line;
	int rc = -1;

	if (lu_lines_open(&lines, file, files, max_line, err) < 0)
		goto out;
	while ((rc = lu_lines_read(&lines, &slab, err)) > 0) {
		while (lu_slab_next(&slab, &line)) {
			if (line.n == 0 && slab.too_long != slab.line)
				continue;
			lu_arena_reset(&arena);
			if (add_line(a, line, slab.file, slab.line, by_file, &arena, err) < 0) {
				rc = lu_err_wrap(err, "%s:%" PRIu64, slab.file, slab.line);
				goto out;
			}
		}
	}
out:
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	lu_arena_release(&arena);
	return rc;
}

int lu_accounts_chain(struct lu_accounts *a, struct lu_err *err)
{
	for (size_t i = 1; i < a->stages; i++) {
		const struct lu_stage *from = &a->stage[i - 1], *to = &a->stage[i];
		struct lu_buf b = { 0 };
		int rc;

		if (from->out.docs == to->in.docs)
			continue;
		lu_buf_printf(&b, "%s put out %" PRIu64 " documents, %s took in %" PRIu64,
				from->name, from->out.docs, to->name, to->in.docs);
		rc = add_fault(a, &b, err);
		lu_buf_release(&b);
		if (rc < 0)
			return -1;
	}
	return 0;
}

uint64_t lu_stage_dropped(const struct lu_stage *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->reasons; i++)
		n += s->dropped[i].n;
	return n;
}

void lu_accounts_release(struct lu_accounts *a)
{
	for (size_t i = 0; i < a->stages; i++)
		free(a->stage[i].dropped);
	free(a->stage);
	free(a->fault);
	lu_arena_release(&a->arena);
	*a = (struct lu_accounts){ 0 };
}

/* --- writing ------------------------------------------------------------------------------ */

void lu_accounts_text(const struct lu_accounts *a, struct lu_buf *b)
{
	lu_buf_printf(b, "%-20s %5s %11s %10s %10s %11s %9s %9s %9s %9s\n", "stage", "runs",
			"docs in", "dropped", "repeated", "docs out", "MB in", "MB out", "wall s",
			"cpu s");
	for (size_t i = 0; i < a->stages; i++) {
		const struct lu_stage *s = &a->stage[i];

		lu_buf_printf(b,
				"%-20s %5" PRIu64 " %11" PRIu64 " %10" PRIu64 " %10" PRIu64
				" %11" PRIu64,
				s->name, s->runs, s->in.docs, lu_stage_dropped(s), s->repeated,
				s->out.docs);
		lu_buf_printf(b, " %9.2f %9.2f %9.2f %9.2f\n", (double)s->in.bytes / 1e6,
				(double)s->out.bytes / 1e6, s->wall, s->cpu);
		for (size_t k = 0; k < s->reasons; k++)
			lu_buf_printf(b, "  %-36s %10" PRIu64 "\n", s->dropped[k].name,
					s->dropped[k].n);
	}
}

static void json_count(struct lu_buf *b, const char *name, struct lu_count c)
{
	lu_buf_printf(b, ",\"%s\":{\"docs\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", name, c.docs,
			c.bytes);
}

void lu_accounts_json(const struct lu_accounts *a, struct lu_buf *b)
{
	lu_buf_puts(b, "{\"stages\":[");
	for (size_t i = 0; i < a->stages; i++) {
		const struct lu_stage *s = &a->stage[i];

		lu_buf_puts(b, i ? ",{\"stage\":" : "{\"stage\":");
		lu_json_quote(b, lu_str_of(s->name));
		lu_buf_printf(b, ",\"runs\":%" PRIu64, s->runs);
		json_count(b, "in", s->in);
		json_count(b, "out", s->out);
		lu_buf_puts(b, ",\"dropped\":{");
		for (size_t k = 0; k < s->reasons; k++) {
			lu_buf_puts(b, k ? "," : "");
			lu_json_quote(b, lu_str_of(s->dropped[k].name));
			lu_buf_printf(b, ":%" PRIu64, s->dropped[k].n);
		}
		lu_buf_printf(b, "},\"repeated\":%" PRIu64 ",\"time\":{\"wall_s\":", s->repeated);
		lu_json_number(b, s->wall);
		lu_buf_puts(b, ",\"cpu_s\":");
		lu_json_number(b, s->cpu);
		lu_buf_printf(b, ",\"rss_bytes\":%" PRIu64 "}}", s->rss);
	}
	lu_buf_puts(b, "],\"faults\":[");
	for (size_t i = 0; i < a->faults; i++) {
		lu_buf_puts(b, i ? "," : "");
		lu_json_quote(b, lu_str_of(a->fault[i].text));
	}
	lu_buf_puts(b, "]}\n");
}
