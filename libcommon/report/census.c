#include "libcommon/report/census.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/report/plain.h"

#define MAX_STARS 50

static struct lu_census_row *find_row(struct lu_census *c, struct lu_str lang)
{
	/* Documents of a language tend to follow one another. */
	if (c->row.n && lu_str_is(lang, c->row.p[c->last].lang))
		return &c->row.p[c->last];
	for (size_t i = 0; i < c->row.n; i++) {
		if (lu_str_is(lang, c->row.p[i].lang)) {
			c->last = i;
			return &c->row.p[i];
		}
	}
	return NULL;
}

/* NULL when memory is out. */
static struct lu_census_row *find_or_add_row(struct lu_census *c, struct lu_str lang)
{
	struct lu_census_row *r, new = { 0 };

	if (lang.n == 0)
		lang = LU_STR("none");
	r = find_row(c, lang);
	if (!r && c->row.n >= LU_CENSUS_LANGS) {
		lang = LU_STR("other");
		r = find_row(c, lang);
	}
	if (r)
		return r;
	new.lang = strndup(lang.p, lang.n);
	if (!new.lang || !lu_vec_push(&c->row, new)) {
		free(new.lang);
		return NULL;
	}
	c->last = c->row.n - 1;
	return &c->row.p[c->last];
}

int lu_census_add(struct lu_census *c, struct lu_str lang, const struct lu_census_size *size,
		struct lu_err *err)
{
	struct lu_census_row *r = find_or_add_row(c, lang);
	size_t bin = 0;

	if (!r)
		return lu_err_nomem(err);
	while (bin < LU_CENSUS_BINS - 1 && size->characters >> (bin + 1))
		bin++;
	r->docs++;
	r->bytes += size->bytes;
	r->characters += size->characters;
	r->tokens += size->has_tokens ? size->tokens : 0;
	r->without_tokens += !size->has_tokens;
	r->bin[bin]++;
	return 0;
}

static int by_characters(const void *a, const void *b)
{
	const struct lu_census_row *p = a, *q = b;

	if (p->characters != q->characters)
		return p->characters > q->characters ? -1 : 1;
	return strcmp(p->lang, q->lang);
}

struct lu_census_row lu_census_sort(struct lu_census *c)
{
	struct lu_census_row all = { 0 };

	if (c->row.n)
		qsort(c->row.p, c->row.n, sizeof(*c->row.p), by_characters);
	for (size_t i = 0; i < c->row.n; i++) {
		const struct lu_census_row *r = &c->row.p[i];

		all.docs += r->docs;
		all.bytes += r->bytes;
		all.characters += r->characters;
		all.tokens += r->tokens;
		all.without_tokens += r->without_tokens;
		for (size_t k = 0; k < LU_CENSUS_BINS; k++)
			all.bin[k] += r->bin[k];
	}
	return all;
}

/* --- text --------------------------------------------------------------------------------- */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static void put_row(struct lu_buf *b, const char *name, const struct lu_census_row *r,
		const struct lu_census_row *all, bool tokens)
{
	lu_plain_str(b, lu_str_of(name), 12);
	lu_buf_printf(b, " %11" PRIu64 " %14" PRIu64 " %14" PRIu64 " %8.3f %%", r->docs, r->bytes,
			r->characters, percent(r->characters, all->characters));
	if (tokens)
		lu_buf_printf(b, " %14" PRIu64 " %8.3f %%", r->tokens,
				percent(r->tokens, all->tokens));
	lu_buf_putc(b, '\n');
}

/* One line for each bin from the first to the last that is not empty. */
static void put_histogram(struct lu_buf *b, const uint64_t bin[LU_CENSUS_BINS])
{
	size_t low = 0, high = LU_CENSUS_BINS;
	uint64_t max = 1;

	while (low < high && bin[low] == 0)
		low++;
	while (high > low && bin[high - 1] == 0)
		high--;
	for (size_t i = low; i < high; i++)
		max = bin[i] > max ? bin[i] : max;
	lu_buf_puts(b, "\ncharacters     documents\n");
	for (size_t i = low; i < high; i++) {
		uint64_t stars = (bin[i] * MAX_STARS + max - 1) / max;

		lu_buf_printf(b, "%-12" PRIu64 " %11" PRIu64 "  ", i ? UINT64_C(1) << i : 0,
				bin[i]);
		while (stars-- > 0)
			lu_buf_putc(b, '*');
		lu_buf_putc(b, '\n');
	}
}

void lu_census_text(struct lu_census *c, struct lu_buf *b)
{
	struct lu_census_row all = lu_census_sort(c);
	bool tokens = all.without_tokens == 0 && all.docs > 0;

	lu_buf_printf(b, "%-12s %11s %14s %14s %10s", "language", "documents", "bytes",
			"characters", "share");
	if (tokens)
		lu_buf_printf(b, " %14s %10s", "tokens", "share");
	lu_buf_putc(b, '\n');
	for (size_t i = 0; i < c->row.n; i++)
		put_row(b, c->row.p[i].lang, &c->row.p[i], &all, tokens);
	put_row(b, "total", &all, &all, tokens);
	put_histogram(b, all.bin);
}

/* --- JSON --------------------------------------------------------------------------------- */

void lu_census_json(struct lu_census *c, struct lu_buf *b)
{
	struct lu_census_row all = lu_census_sort(c);

	for (size_t i = 0; i < c->row.n; i++) {
		const struct lu_census_row *r = &c->row.p[i];
		size_t high = LU_CENSUS_BINS;

		lu_json_open_object(b, NULL);
		lu_json_put_cstr(b, "lang", r->lang);
		lu_json_put_u64(b, "docs", r->docs);
		lu_json_put_u64(b, "bytes", r->bytes);
		lu_json_put_u64(b, "characters", r->characters);
		lu_json_put_double(b, "share",
				all.characters ? (double)r->characters / (double)all.characters
					       : 0);
		if (r->without_tokens == 0)
			lu_json_put_u64(b, "tokens", r->tokens);
		while (high > 0 && r->bin[high - 1] == 0)
			high--;
		lu_json_open_array(b, "log2_characters");
		for (size_t k = 0; k < high; k++)
			lu_json_put_u64(b, NULL, r->bin[k]);
		lu_json_close_array(b);
		lu_json_close_object(b);
		lu_buf_putc(b, '\n');
	}
}

void lu_census_release(struct lu_census *c)
{
	for (size_t i = 0; i < c->row.n; i++)
		free(c->row.p[i].lang);
	lu_vec_release(&c->row);
	c->last = 0;
}
