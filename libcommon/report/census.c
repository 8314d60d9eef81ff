#include "libcommon/report/census.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/report/plain.h"

#define MAX_STARS 50
/* Of struct lu_census_sum, as values of name_sums.h. */
#define SUMS (offsetof(struct lu_census_sum, bin) / sizeof(uint64_t))
#define BY_CHARACTERS (offsetof(struct lu_census_sum, characters) / sizeof(uint64_t))
_Static_assert(sizeof(struct lu_census_sum) == (SUMS + LU_CENSUS_BINS) * sizeof(uint64_t),
		"only numbers");
_Static_assert(SUMS + LU_CENSUS_BINS <= LU_SUMS_VALUES, "room in name_sums.h");

static const struct {
	const char *title, *member, *none;
} kinds[LU_CENSUS_WHATS] = {
	[LU_CENSUS_LANG] = { "language", "lang", "none" },
	[LU_CENSUS_SOURCE] = { "source", "source", "none" },
	[LU_CENSUS_LICENSE] = { "licence", "license", "unknown" },
	[LU_CENSUS_DOMAIN] = { "domain", "domain", "none" },
};

const char *lu_census_title(const struct lu_census *c)
{
	return kinds[c->what].title;
}

const char *lu_census_member(enum lu_census_what what)
{
	return kinds[what].member;
}

void lu_census_init(
		struct lu_census *c, enum lu_census_what what, const struct lu_census_room *room)
{
	*c = (struct lu_census){ .what = what };
	c->names.values = SUMS + (what == LU_CENSUS_LANG ? LU_CENSUS_BINS : 0);
	c->names.by = BY_CHARACTERS;
	c->names.top = room->top;
	c->names.memory = room->memory;
	c->names.tmpdir = room->tmpdir;
}

static bool says_unknown(struct lu_str s)
{
	return (s.n == 7 && strncasecmp(s.p, "unknown", 7) == 0) ||
			(s.n == 11 && strncasecmp(s.p, "NOASSERTION", 11) == 0);
}

int lu_census_add(struct lu_census *c, struct lu_str name, const struct lu_census_size *size,
		struct lu_err *err)
{
	struct lu_census_sum one = { .docs = 1,
		.bytes = size->bytes,
		.characters = size->characters,
		.tokens = size->has_tokens ? size->tokens : 0,
		.without_tokens = !size->has_tokens };
	size_t bin = 0;

	while (bin < LU_CENSUS_BINS - 1 && size->characters >> (bin + 1))
		bin++;
	one.bin[bin] = 1;
	if (c->what == LU_CENSUS_LICENSE && says_unknown(name))
		name.n = 0;
	return lu_sums_add(&c->names, name, &one.docs, err);
}

/* --- rows --------------------------------------------------------------------------------- */

static int add_row(struct lu_census *c, struct lu_str name, const uint64_t *value, bool is_rest,
		struct lu_err *err)
{
	struct lu_census_row row = { .name = name, .is_rest = is_rest };
	uint64_t *all = &c->all.docs;

	memcpy(&row.sum, value, c->names.values * sizeof(*value));
	for (size_t i = 0; i < c->names.values; i++)
		all[i] += value[i];
	return lu_vec_push(&c->row, row) ? 0 : lu_err_nomem(err);
}

static int by_characters(const void *a, const void *b)
{
	const struct lu_census_row *p = a, *q = b;

	if (p->sum.characters != q->sum.characters)
		return p->sum.characters > q->sum.characters ? -1 : 1;
	return lu_str_cmp(p->name, q->name);
}

int lu_census_finish(struct lu_census *c, struct lu_err *err)
{
	struct lu_sums *t = &c->names;

	if (lu_sums_finish(t, err) < 0)
		return -1;
	for (size_t i = 0; i < t->row.n; i++) {
		if (add_row(c, t->row.p[i].name, t->row.p[i].value, false, err) < 0)
			return -1;
	}
	if ((t->without[0] || c->what == LU_CENSUS_LICENSE) &&
			add_row(c, lu_str_of(kinds[c->what].none), t->without, false, err) < 0)
		return -1;
	if (c->row.n)
		qsort(c->row.p, c->row.n, sizeof(*c->row.p), by_characters);
	if (t->names == t->row.n)
		return 0;
	snprintf(c->rest, sizeof(c->rest), "%" PRIu64 " other%s", t->names - t->row.n,
			t->names - t->row.n == 1 ? "" : "s");
	return add_row(c, lu_str_of(c->rest), t->rest, true, err);
}

const struct lu_census_row *lu_census_find(
		const struct lu_census *c, struct lu_str name, bool *exact)
{
	*exact = c->names.names == c->names.row.n;
	for (size_t i = 0; i < c->row.n; i++) {
		if (!c->row.p[i].is_rest && lu_str_eq(c->row.p[i].name, name))
			return &c->row.p[i];
	}
	return NULL;
}

/* --- text --------------------------------------------------------------------------------- */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static void put_row(struct lu_buf *b, const struct lu_census *c, struct lu_str name,
		const struct lu_census_sum *r, bool tokens)
{
	lu_plain_str(b, name, c->what == LU_CENSUS_LANG ? 12 : 32);
	lu_buf_printf(b, " %11" PRIu64 " %14" PRIu64 " %14" PRIu64 " %8.3f %%", r->docs, r->bytes,
			r->characters, percent(r->characters, c->all.characters));
	if (tokens)
		lu_buf_printf(b, " %14" PRIu64 " %8.3f %%", r->tokens,
				percent(r->tokens, c->all.tokens));
	lu_buf_putc(b, '\n');
}

static const char *unit(const struct lu_census *c)
{
	return c->in_tokens ? "tokens" : "characters";
}

/* One line for each bin from the first to the last that is not empty. */
static void put_histogram(struct lu_buf *b, const struct lu_census *c)
{
	const uint64_t *bin = c->all.bin;
	size_t low = 0, high = LU_CENSUS_BINS;
	uint64_t max = 1;

	while (low < high && bin[low] == 0)
		low++;
	while (high > low && bin[high - 1] == 0)
		high--;
	for (size_t i = low; i < high; i++)
		max = bin[i] > max ? bin[i] : max;
	lu_buf_printf(b, "\n%-10s     documents\n", unit(c));
	for (size_t i = low; i < high; i++) {
		uint64_t stars = (bin[i] * MAX_STARS + max - 1) / max;

		lu_buf_printf(b, "%-12" PRIu64 " %11" PRIu64 "  ", i ? UINT64_C(1) << i : 0,
				bin[i]);
		while (stars-- > 0)
			lu_buf_putc(b, '*');
		lu_buf_putc(b, '\n');
	}
}

void lu_census_text(const struct lu_census *c, struct lu_buf *b)
{
	bool tokens = !c->in_tokens && c->all.without_tokens == 0 && c->all.docs > 0;

	lu_plain_str(b, lu_str_of(lu_census_title(c)), c->what == LU_CENSUS_LANG ? 12 : 32);
	lu_buf_printf(b, " %11s %14s %14s %10s", "documents", "bytes", unit(c), "share");
	if (tokens)
		lu_buf_printf(b, " %14s %10s", "tokens", "share");
	lu_buf_putc(b, '\n');
	for (size_t i = 0; i < c->row.n; i++)
		put_row(b, c, c->row.p[i].name, &c->row.p[i].sum, tokens);
	put_row(b, c, LU_STR("total"), &c->all, tokens);
	if (c->what == LU_CENSUS_LANG)
		put_histogram(b, c);
}

/* --- JSON --------------------------------------------------------------------------------- */

static void put_object(struct lu_buf *b, const struct lu_census *c, const struct lu_census_row *r)
{
	const struct lu_census_sum *s = &r->sum;
	size_t high = LU_CENSUS_BINS;

	lu_json_open_object(b, NULL);
	if (r->is_rest)
		lu_json_put_u64(b, "others", c->names.names - c->names.row.n);
	else
		lu_json_put_str(b, lu_census_member(c->what), r->name);
	lu_json_put_u64(b, "docs", s->docs);
	lu_json_put_u64(b, "bytes", s->bytes);
	lu_json_put_u64(b, unit(c), s->characters);
	lu_json_put_double(b, "share",
			c->all.characters ? (double)s->characters / (double)c->all.characters : 0);
	if (!c->in_tokens && s->without_tokens == 0 && s->docs)
		lu_json_put_u64(b, "tokens", s->tokens);
	if (c->what == LU_CENSUS_LANG) {
		while (high > 0 && s->bin[high - 1] == 0)
			high--;
		lu_json_open_array(b, c->in_tokens ? "log2_tokens" : "log2_characters");
		for (size_t k = 0; k < high; k++)
			lu_json_put_u64(b, NULL, s->bin[k]);
		lu_json_close_array(b);
	}
	lu_json_close_object(b);
}

void lu_census_json(const struct lu_census *c, struct lu_buf *b)
{
	for (size_t i = 0; i < c->row.n; i++) {
		put_object(b, c, &c->row.p[i]);
		lu_buf_putc(b, '\n');
	}
}

void lu_census_json_array(const struct lu_census *c, const char *key, struct lu_buf *b)
{
	lu_json_open_array(b, key);
	for (size_t i = 0; i < c->row.n; i++)
		put_object(b, c, &c->row.p[i]);
	lu_json_close_array(b);
}

void lu_census_release(struct lu_census *c)
{
	lu_vec_release(&c->row);
	lu_sums_release(&c->names);
}
