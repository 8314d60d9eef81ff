#include "libcommon/mix/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/fnv.h"
#include "libcommon/base/json_writer.h"
#include "libcommon/base/vec.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

#define LIMIT ((size_t)1 << 32) /* of the file, in bytes */
#define MAGIC "{\"lucie_plan\":"

/* The checksum is FNV-1a because the bare build has no xxHash. */
static uint64_t put_checksum(const char *p, size_t n, char out[17])
{
	uint64_t h = lu_fnv1a(LU_FNV_BASIS, p, n);

	snprintf(out, 17, "%016" PRIx64, h);
	return h;
}

/* --- writing ------------------------------------------------------------------------------ */

static void put_shard(struct lu_buf *b, size_t i, const struct lu_plan_shard *s)
{
	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "shard", i);
	lu_json_put_cstr(b, "prefix", s->prefix);
	lu_json_put_u64(b, "documents", s->documents);
	lu_json_put_u64(b, "tokens", s->tokens);
	lu_json_put_cstr(b, "manifest", s->manifest);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

static void put_group(struct lu_buf *b, size_t i, const struct lu_plan_group *g)
{
	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "group", i);
	lu_json_put_cstr(b, "name", g->name);
	lu_json_put_u64(b, "documents", g->documents);
	lu_json_put_u64(b, "tokens", g->tokens);
	lu_json_put_u64(b, "quota", g->quota);
	lu_json_put_u64(b, "passes", g->passes);
	lu_json_put_u64(b, "last", g->last);
	lu_json_put_u64(b, "planned", g->planned);
	lu_json_open_array(b, "ranges");
	for (size_t k = 0; k < g->ranges; k++) {
		lu_json_open_array(b, NULL);
		lu_json_put_u64(b, NULL, g->range[k].shard);
		lu_json_put_u64(b, NULL, g->range[k].first);
		lu_json_put_u64(b, NULL, g->range[k].count);
		lu_json_close_array(b);
	}
	lu_json_close_array(b);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

void lu_plan_write(struct lu_plan *p, struct lu_buf *b)
{
	size_t from = b->n;
	char checksum[17];

	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "lucie_plan", LU_PLAN_VERSION);
	lu_json_put_u64(b, "seed", p->seed);
	lu_json_put_cstr(b, "measure", p->by_documents ? "documents" : "tokens");
	lu_json_put_u64(b, "documents", p->documents);
	lu_json_put_u64(b, "tokens", p->tokens);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
	for (size_t i = 0; i < p->shards; i++)
		put_shard(b, i, &p->shard[i]);
	for (size_t i = 0; i < p->groups; i++)
		put_group(b, i, &p->group[i]);
	if (!lu_buf_ok(b))
		return;
	p->checksum = put_checksum(b->p + from, b->n - from, checksum);
	lu_json_open_object(b, NULL);
	lu_json_put_u64(b, "end", 1 + p->shards + p->groups);
	lu_json_put_cstr(b, "fnv1a64", checksum);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}

/* --- reading ------------------------------------------------------------------------------ */

bool lu_plan_is(const char *path)
{
	char head[sizeof(MAGIC)] = "";
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(head, 1, sizeof(MAGIC) - 1, f) : 0;

	if (f)
		fclose(f);
	return n == sizeof(MAGIC) - 1 && memcmp(head, MAGIC, n) == 0;
}

struct reader {
	struct lu_plan *plan;
	struct LU_VEC(struct lu_plan_shard) shard;
	struct LU_VEC(struct lu_plan_group) group;
	struct lu_arena scan; /* of one line */
	struct lu_json_obj obj;
	bool head, done;
};

static int get_u64(struct reader *r, const char *key, uint64_t *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, key);

	if (!m || !lu_json_u64(m, out))
		return lu_err_set(err, "\"%s\" is missing or not a whole number", key);
	return 0;
}

static int get_string(struct reader *r, const char *key, const char **out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, key);
	struct lu_str s;

	if (!m || m->type != LU_JSON_STRING)
		return lu_err_set(err, "\"%s\" is missing or not a string", key);
	if (lu_json_decode_known(m->value, m->escaped, &r->scan, &s) < 0)
		return lu_err_nomem(err);
	if (memchr(s.p, '\0', s.n))
		return lu_err_set(err, "\"%s\" contains NUL", key);
	s = lu_arena_str(&r->plan->arena, s);
	*out = s.p;
	return s.p ? 0 : lu_err_nomem(err);
}

/* Lines of one kind are numbered from 0 without gaps. */
static int expect_number(struct reader *r, const char *key, size_t n, struct lu_err *err)
{
	uint64_t i;

	if (get_u64(r, key, &i, err) < 0)
		return -1;
	return i == n ? 0 : lu_err_set(err, "\"%s\" is %" PRIu64 ", not %zu", key, i, n);
}

static int read_head(struct reader *r, struct lu_err *err)
{
	struct lu_plan *p = r->plan;
	uint64_t version;
	const char *unit;

	if (get_u64(r, "lucie_plan", &version, err) < 0)
		return -1;
	if (version != LU_PLAN_VERSION)
		return lu_err_set(err, "version %" PRIu64 " is not supported, only %d", version,
				LU_PLAN_VERSION);
	if (get_u64(r, "seed", &p->seed, err) < 0 || get_string(r, "measure", &unit, err) < 0 ||
			get_u64(r, "documents", &p->documents, err) < 0 ||
			get_u64(r, "tokens", &p->tokens, err) < 0)
		return -1;
	p->by_documents = strcmp(unit, "documents") == 0;
	if (!p->by_documents && strcmp(unit, "tokens") != 0)
		return lu_err_set(err, "\"measure\" is neither tokens nor documents");
	r->head = true;
	return 0;
}

static int read_shard(struct reader *r, struct lu_err *err)
{
	struct lu_plan_shard s;

	if (r->group.n)
		return lu_err_set(err, "a shard after a group");
	if (expect_number(r, "shard", r->shard.n, err) < 0 ||
			get_string(r, "prefix", &s.prefix, err) < 0 ||
			get_u64(r, "documents", &s.documents, err) < 0 ||
			get_u64(r, "tokens", &s.tokens, err) < 0 ||
			get_string(r, "manifest", &s.manifest, err) < 0)
		return -1;
	return lu_vec_push(&r->shard, s) ? 0 : lu_err_nomem(err);
}

/* [shard, first document, count] */
static int read_range(const struct reader *r, struct lu_str raw, struct lu_plan_range *out)
{
	struct lu_json_iter it = lu_json_iter(raw);
	uint64_t v[3], documents;
	size_t n = 0;

	for (; lu_json_next(&it); n++) {
		struct lu_json_member m = { .value = it.value, .type = it.type };

		if (n == 3 || !lu_json_u64(&m, &v[n]))
			return -1;
	}
	if (n != 3 || v[0] >= r->shard.n)
		return -1;
	documents = r->shard.p[v[0]].documents;
	if (v[2] == 0 || v[1] >= documents || v[2] > documents - v[1])
		return -1;
	*out = (struct lu_plan_range){ v[0], v[1], v[2] };
	return 0;
}

static int read_ranges(struct reader *r, struct lu_plan_group *g, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, "ranges");
	struct lu_arena *arena = &r->plan->arena;
	struct lu_json_iter it;
	uint64_t documents = 0;

	if (!m || m->type != LU_JSON_ARRAY)
		return lu_err_set(err, "\"ranges\" is missing or not an array");
	g->ranges = 0;
	for (it = lu_json_iter(m->value); lu_json_next(&it);)
		g->ranges++;
	g->range = lu_arena_alloc(arena, g->ranges * sizeof(*g->range));
	g->before = lu_arena_alloc(arena, g->ranges * sizeof(*g->before));
	if (!g->range || !g->before)
		return lu_err_nomem(err);
	it = lu_json_iter(m->value);
	for (size_t i = 0; lu_json_next(&it); i++) {
		if (it.type != LU_JSON_ARRAY || read_range(r, it.value, &g->range[i]) < 0)
			return lu_err_set(
					err, "range %zu is not a range of documents of a shard", i);
		g->before[i] = documents;
		documents += g->range[i].count;
	}
	if (documents != g->documents)
		return lu_err_set(err, "the ranges have %" PRIu64 " documents, not %" PRIu64,
				documents, g->documents);
	return 0;
}

static int read_group(struct reader *r, struct lu_err *err)
{
	struct lu_plan_group g;

	if (expect_number(r, "group", r->group.n, err) < 0 ||
			get_string(r, "name", &g.name, err) < 0 ||
			get_u64(r, "documents", &g.documents, err) < 0 ||
			get_u64(r, "tokens", &g.tokens, err) < 0 ||
			get_u64(r, "quota", &g.quota, err) < 0 ||
			get_u64(r, "passes", &g.passes, err) < 0 ||
			get_u64(r, "last", &g.last, err) < 0 ||
			get_u64(r, "planned", &g.planned, err) < 0 || read_ranges(r, &g, err) < 0)
		return -1;
	if (g.documents == 0 || g.last >= g.documents)
		return lu_err_set(err, "\"last\" is not below \"documents\"");
	return lu_vec_push(&r->group, g) ? 0 : lu_err_nomem(err);
}

/* `before` is the number of bytes before this line. */
static int read_end(struct reader *r, const char *text, size_t before, struct lu_err *err)
{
	const char *theirs;
	char ours[17];

	if (expect_number(r, "end", 1 + r->shard.n + r->group.n, err) < 0 ||
			get_string(r, "fnv1a64", &theirs, err) < 0)
		return -1;
	r->plan->checksum = put_checksum(text, before, ours);
	if (strcmp(ours, theirs) != 0)
		return lu_err_set(err, "checksum mismatch");
	r->done = true;
	return 0;
}

static int read_line(struct reader *r, const char *text, struct lu_str line, struct lu_err *err)
{
	struct lu_json_fault fault;

	if (r->done)
		return lu_err_set(err, "text after the last line of the plan");
	lu_arena_reset(&r->scan);
	if (lu_json_object(line, &r->scan, &r->obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	if (!r->head)
		return read_head(r, err);
	if (lu_json_get(&r->obj, "shard"))
		return read_shard(r, err);
	if (lu_json_get(&r->obj, "group"))
		return read_group(r, err);
	return read_end(r, text, (size_t)(line.p - text), err);
}

static int read_lines(struct reader *r, const char *path, struct lu_str text, struct lu_err *err)
{
	const char *end = text.p + text.n, *next;
	size_t number = 0;

	for (const char *line = text.p; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		number++;
		if (!next)
			return lu_err_set(err, "%s:%zu: truncated line", path, number);
		if (read_line(r, text.p, (struct lu_str){ line, (size_t)(next - line) }, err) < 0)
			return lu_err_wrap(err, "%s:%zu", path, number);
	}
	if (!r->head)
		return lu_err_set(err, "%s: not a plan", path);
	return r->done ? 0 : lu_err_set(err, "%s: truncated: no last line", path);
}

/* Check that the lines agree with each other. */
static int check_sums(const struct lu_plan *p, struct lu_err *err)
{
	uint64_t documents = 0, tokens = 0;

	for (size_t i = 0; i < p->groups; i++) {
		const struct lu_plan_group *g = &p->group[i];
		uint64_t n;

		if (__builtin_mul_overflow(g->passes, g->documents, &n) ||
				__builtin_add_overflow(n, g->last, &n) ||
				__builtin_add_overflow(documents, n, &documents) ||
				__builtin_add_overflow(tokens, g->planned, &tokens))
			return lu_err_set(err, "group %zu: numbers too large", i);
	}
	if (documents != p->documents || tokens != p->tokens || tokens > UINT64_MAX / 4)
		return lu_err_set(err, "the groups do not add up to the first line");
	return 0;
}

/* Move shards and groups to the plan's arena. */
static int keep_arrays(struct reader *r, struct lu_err *err)
{
	struct lu_plan *p = r->plan;
	size_t shard_bytes = r->shard.n * sizeof(*p->shard);
	size_t group_bytes = r->group.n * sizeof(*p->group);

	p->shard = lu_arena_alloc(&p->arena, shard_bytes);
	p->group = lu_arena_alloc(&p->arena, group_bytes);
	if (!p->shard || !p->group)
		return lu_err_nomem(err);
	if (shard_bytes)
		memcpy(p->shard, r->shard.p, shard_bytes);
	if (group_bytes)
		memcpy(p->group, r->group.p, group_bytes);
	p->shards = r->shard.n;
	p->groups = r->group.n;
	return 0;
}

int lu_plan_read(struct lu_plan *p, const char *path, struct lu_err *err)
{
	struct reader r = { .plan = p };
	char *text;
	size_t n;
	int rc;

	*p = (struct lu_plan){ 0 };
	if (lu_read_input(path, LIMIT, &text, &n, err) < 0)
		return -1;
	rc = read_lines(&r, path, (struct lu_str){ text, n }, err);
	if (rc == 0)
		rc = keep_arrays(&r, err);
	if (rc == 0 && check_sums(p, err) < 0)
		rc = lu_err_wrap(err, "%s", path);
	free(text);
	lu_vec_release(&r.shard);
	lu_vec_release(&r.group);
	lu_arena_release(&r.scan);
	if (rc < 0)
		lu_plan_release(p);
	return rc;
}

void lu_plan_release(struct lu_plan *p)
{
	lu_arena_release(&p->arena);
	*p = (struct lu_plan){ 0 };
}
