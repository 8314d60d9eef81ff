#include "libcommon/mix/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/rng.h"
#include "libcommon/io/json.h"
#include "libcommon/sys/file.h"

#define LARGEST ((size_t)1 << 32) /* a plan of more than 4 GiB is a mistake */
#define MAGIC "{\"lucie_plan\":"

/* FNV-1a: the plan is part of the bare build, which has no xxHash. */
static uint64_t fnv1a(const char *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* --- writing ------------------------------------------------------------------------------ */

static void put_group(struct lu_buf *b, size_t i, const struct lu_plan_group *g)
{
	lu_buf_printf(b, "{\"group\":%zu,\"name\":", i);
	lu_json_quote(b, lu_str_of(g->name));
	lu_buf_printf(b,
			",\"documents\":%" PRIu64 ",\"tokens\":%" PRIu64 ",\"quota\":%" PRIu64
			",\"passes\":%" PRIu64 ",\"last\":%" PRIu64 ",\"planned\":%" PRIu64
			",\"ranges\":[",
			g->documents, g->tokens, g->quota, g->passes, g->last, g->planned);
	for (size_t k = 0; k < g->ranges; k++)
		lu_buf_printf(b, "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", k ? "," : "",
				g->range[k].shard, g->range[k].first, g->range[k].count);
	lu_buf_puts(b, "]}\n");
}

void lu_plan_write(const struct lu_plan *p, struct lu_buf *b)
{
	size_t from = b->n;

	lu_buf_printf(b, MAGIC "%d,\"seed\":%" PRIu64 ",\"measure\":\"%s\"", LU_PLAN_VERSION,
			p->seed, p->by_documents ? "documents" : "tokens");
	lu_buf_printf(b, ",\"documents\":%" PRIu64 ",\"tokens\":%" PRIu64 "}\n", p->documents,
			p->tokens);
	for (size_t i = 0; i < p->shards; i++) {
		const struct lu_plan_shard *s = &p->shard[i];

		lu_buf_printf(b, "{\"shard\":%zu,\"prefix\":", i);
		lu_json_quote(b, lu_str_of(s->prefix));
		lu_buf_printf(b, ",\"documents\":%" PRIu64 ",\"tokens\":%" PRIu64, s->documents,
				s->tokens);
		lu_buf_puts(b, ",\"manifest\":");
		lu_json_quote(b, lu_str_of(s->manifest));
		lu_buf_puts(b, "}\n");
	}
	for (size_t i = 0; i < p->groups; i++)
		put_group(b, i, &p->group[i]);
	if (lu_buf_ok(b))
		lu_buf_printf(b, "{\"end\":%zu,\"fnv1a64\":\"%016" PRIx64 "\"}\n",
				1 + p->shards + p->groups, fnv1a(b->p + from, b->n - from));
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

struct reading {
	struct lu_plan *p;
	struct lu_arena scan; /* of one line */
	struct lu_json_obj obj;
	size_t shards_cap, groups_cap;
	bool head, done;
};

static int number(struct reading *r, const char *key, uint64_t *out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, key);

	if (!m || !lu_json_u64(m, out))
		return lu_err_set(err, "no whole number \"%s\"", key);
	return 0;
}

static int string(struct reading *r, const char *key, const char **out, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, key);
	struct lu_str s;

	if (!m || m->type != LU_JSON_STRING)
		return lu_err_set(err, "no string \"%s\"", key);
	if (lu_json_decode_known(m->value, m->escaped, &r->scan, &s) < 0)
		return lu_err_nomem(err);
	if (memchr(s.p, '\0', s.n))
		return lu_err_set(err, "NUL in \"%s\"", key);
	s = lu_arena_str(&r->p->arena, s);
	*out = s.p;
	return s.p ? 0 : lu_err_nomem(err);
}

/* The number is the place: lines are numbered from 0 without gaps. */
static int in_sequence(struct reading *r, const char *key, size_t n, struct lu_err *err)
{
	uint64_t i;

	if (number(r, key, &i, err) < 0)
		return -1;
	return i == n ? 0 : lu_err_set(err, "\"%s\" is not %zu", key, n);
}

static int read_head(struct reading *r, struct lu_err *err)
{
	uint64_t version;
	const char *measure;

	if (number(r, "lucie_plan", &version, err) < 0)
		return -1;
	if (version != LU_PLAN_VERSION)
		return lu_err_set(err, "plan of version %" PRIu64 ", this is %d", version,
				LU_PLAN_VERSION);
	if (number(r, "seed", &r->p->seed, err) < 0 || string(r, "measure", &measure, err) < 0 ||
			number(r, "documents", &r->p->documents, err) < 0 ||
			number(r, "tokens", &r->p->tokens, err) < 0)
		return -1;
	r->p->by_documents = strcmp(measure, "documents") == 0;
	if (!r->p->by_documents && strcmp(measure, "tokens") != 0)
		return lu_err_set(err, "\"measure\" is neither tokens nor documents");
	r->head = true;
	return 0;
}

static int read_shard(struct reading *r, struct lu_err *err)
{
	struct lu_plan *p = r->p;
	struct lu_plan_shard *s;

	if (p->groups)
		return lu_err_set(err, "a shard after a group");
	if (p->shards == r->shards_cap) {
		size_t cap = r->shards_cap ? 2 * r->shards_cap : 16;

		s = lu_arena_alloc(&p->arena, cap * sizeof(*s));
		if (!s)
			return lu_err_nomem(err);
		if (p->shards)
			memcpy(s, p->shard, p->shards * sizeof(*s));
		p->shard = s;
		r->shards_cap = cap;
	}
	s = &p->shard[p->shards];
	if (in_sequence(r, "shard", p->shards, err) < 0 ||
			string(r, "prefix", &s->prefix, err) < 0 ||
			number(r, "documents", &s->documents, err) < 0 ||
			number(r, "tokens", &s->tokens, err) < 0 ||
			string(r, "manifest", &s->manifest, err) < 0)
		return -1;
	p->shards++;
	return 0;
}

static int read_range(struct lu_plan *p, struct lu_str raw, struct lu_plan_range *out)
{
	struct lu_json_iter it = lu_json_iter(raw);
	uint64_t v[3];
	size_t n = 0;

	for (; lu_json_next(&it); n++) {
		struct lu_json_member m = { .value = it.value, .type = it.type };

		if (n == 3 || !lu_json_u64(&m, &v[n]))
			return -1;
	}
	if (n != 3 || v[0] >= p->shards || v[2] == 0 || v[1] >= p->shard[v[0]].documents ||
			v[2] > p->shard[v[0]].documents - v[1])
		return -1;
	*out = (struct lu_plan_range){ v[0], v[1], v[2] };
	return 0;
}

static int read_ranges(struct reading *r, struct lu_plan_group *g, struct lu_err *err)
{
	const struct lu_json_member *m = lu_json_get(&r->obj, "ranges");
	struct lu_json_iter it;
	uint64_t documents = 0;

	if (!m || m->type != LU_JSON_ARRAY)
		return lu_err_set(err, "no array \"ranges\"");
	g->ranges = 0;
	for (it = lu_json_iter(m->value); lu_json_next(&it);)
		g->ranges++;
	g->range = lu_arena_alloc(&r->p->arena, g->ranges * sizeof(*g->range));
	g->before = lu_arena_alloc(&r->p->arena, g->ranges * sizeof(*g->before));
	if (!g->range || !g->before)
		return lu_err_nomem(err);
	it = lu_json_iter(m->value);
	for (size_t i = 0; lu_json_next(&it); i++) {
		if (it.type != LU_JSON_ARRAY || read_range(r->p, it.value, &g->range[i]) < 0)
			return lu_err_set(err, "range %zu is not one of documents of a shard", i);
		g->before[i] = documents;
		documents += g->range[i].count;
	}
	if (documents != g->documents)
		return lu_err_set(err, "the ranges have %" PRIu64 " documents, not %" PRIu64,
				documents, g->documents);
	return 0;
}

static int read_group(struct reading *r, struct lu_err *err)
{
	struct lu_plan *p = r->p;
	struct lu_plan_group *g;

	if (p->groups == r->groups_cap) {
		size_t cap = r->groups_cap ? 2 * r->groups_cap : 16;

		g = lu_arena_alloc(&p->arena, cap * sizeof(*g));
		if (!g)
			return lu_err_nomem(err);
		if (p->groups)
			memcpy(g, p->group, p->groups * sizeof(*g));
		p->group = g;
		r->groups_cap = cap;
	}
	g = &p->group[p->groups];
	if (in_sequence(r, "group", p->groups, err) < 0 || string(r, "name", &g->name, err) < 0 ||
			number(r, "documents", &g->documents, err) < 0 ||
			number(r, "tokens", &g->tokens, err) < 0 ||
			number(r, "quota", &g->quota, err) < 0 ||
			number(r, "passes", &g->passes, err) < 0 ||
			number(r, "last", &g->last, err) < 0 ||
			number(r, "planned", &g->planned, err) < 0 || read_ranges(r, g, err) < 0)
		return -1;
	if (g->documents == 0 || g->last >= g->documents)
		return lu_err_set(err, "\"last\" is not below \"documents\"");
	p->groups++;
	return 0;
}

static int read_end(struct reading *r, const char *text, size_t before, struct lu_err *err)
{
	const char *sum;
	char ours[17];

	if (in_sequence(r, "end", 1 + r->p->shards + r->p->groups, err) < 0 ||
			string(r, "fnv1a64", &sum, err) < 0)
		return -1;
	snprintf(ours, sizeof(ours), "%016" PRIx64, fnv1a(text, before));
	if (strcmp(ours, sum) != 0)
		return lu_err_set(err, "wrong checksum");
	r->done = true;
	return 0;
}

static int read_line(
		struct reading *r, const char *text, const char *line, size_t n, struct lu_err *err)
{
	struct lu_json_fault fault;

	if (r->done)
		return lu_err_set(err, "text after the last line");
	if (lu_json_object((struct lu_str){ line, n }, &r->scan, &r->obj, &fault) < 0)
		return lu_err_set(err, "%s", lu_json_fault_text(fault.kind));
	if (!r->head)
		return read_head(r, err);
	if (lu_json_get(&r->obj, "shard"))
		return read_shard(r, err);
	if (lu_json_get(&r->obj, "group"))
		return read_group(r, err);
	return read_end(r, text, (size_t)(line - text), err);
}

/* What the lines say of each other. */
static int check_sums(const struct lu_plan *p, struct lu_err *err)
{
	uint64_t documents = 0, tokens = 0;

	for (size_t i = 0; i < p->groups; i++) {
		const struct lu_plan_group *g = &p->group[i];
		uint64_t all;

		if (__builtin_mul_overflow(g->passes, g->documents, &all) ||
				__builtin_add_overflow(all, g->last, &all) ||
				__builtin_add_overflow(documents, all, &documents) ||
				__builtin_add_overflow(tokens, g->planned, &tokens))
			return lu_err_set(err, "group %zu: numbers too large", i);
	}
	if (documents != p->documents || tokens != p->tokens || tokens > UINT64_MAX / 4)
		return lu_err_set(err, "the groups do not add up to the first line");
	return 0;
}

int lu_plan_read(struct lu_plan *p, const char *path, struct lu_err *err)
{
	struct reading r = { .p = p };
	char *text = NULL, *line, *next;
	size_t n, number_of = 0;
	int rc = -1;

	*p = (struct lu_plan){ 0 };
	if (lu_read_file(path, LARGEST, &text, &n, err) < 0)
		return -1;
	for (line = text; line < text + n; line = next) {
		next = memchr(line, '\n', (size_t)(text + n - line));
		number_of++;
		lu_arena_reset(&r.scan);
		if (!next) {
			lu_err_set(err, "%s:%zu: cut in the middle", path, number_of);
			goto out;
		}
		if (read_line(&r, text, line, (size_t)(next - line), err) < 0) {
			lu_err_wrap(err, "%s:%zu", path, number_of);
			goto out;
		}
		next++;
	}
	if (!r.done) {
		lu_err_set(err, "%s: %s", path, r.head ? "ends without its last line" : "no plan");
		goto out;
	}
	rc = check_sums(p, err);
	if (rc < 0)
		lu_err_wrap(err, "%s", path);
out:
	free(text);
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
