#include "libcommon/report/census.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"

static struct lu_census_row *row_of(struct lu_census *c, struct lu_str lang)
{
	struct lu_census_row *r;

	if (!lang.p || lang.n == 0)
		lang = LU_STR("none");
	if (c->rows && lu_str_is(lang, c->row[c->last].lang))
		return &c->row[c->last];
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < c->rows; i++) {
			if (lu_str_is(lang, c->row[i].lang)) {
				c->last = i;
				return &c->row[i];
			}
		}
		if (c->rows < LU_CENSUS_LANGS)
			break;
		lang = LU_STR("other");
	}
	r = realloc(c->row, (c->rows + 1) * sizeof(*r));
	if (!r)
		return NULL;
	c->row = r;
	r = &r[c->rows];
	*r = (struct lu_census_row){ .lang = strndup(lang.p, lang.n) };
	if (!r->lang)
		return NULL;
	c->last = c->rows++;
	return r;
}

int lu_census_add(struct lu_census *c, struct lu_str lang, const struct lu_census_size *size,
		struct lu_err *err)
{
	struct lu_census_row *r = row_of(c, lang);
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

static struct lu_census_row sort_and_sum(struct lu_census *c)
{
	struct lu_census_row all = { 0 };

	if (c->rows)
		qsort(c->row, c->rows, sizeof(*c->row), by_characters);
	c->last = 0;
	for (size_t i = 0; i < c->rows; i++) {
		all.docs += c->row[i].docs;
		all.bytes += c->row[i].bytes;
		all.characters += c->row[i].characters;
		all.tokens += c->row[i].tokens;
		all.without_tokens += c->row[i].without_tokens;
		for (size_t k = 0; k < LU_CENSUS_BINS; k++)
			all.bin[k] += c->row[i].bin[k];
	}
	return all;
}

static void put_row(struct lu_buf *b, const char *name, const struct lu_census_row *r,
		const struct lu_census_row *all, bool tokens)
{
	lu_buf_printf(b, "%-12s %11" PRIu64 " %14" PRIu64 " %14" PRIu64 " %8.3f %%", name, r->docs,
			r->bytes, r->characters,
			all->characters ? 100 * (double)r->characters / (double)all->characters
					: 0);
	if (tokens)
		lu_buf_printf(b, " %14" PRIu64 " %8.3f %%", r->tokens,
				all->tokens ? 100 * (double)r->tokens / (double)all->tokens : 0);
	lu_buf_putc(b, '\n');
}

void lu_census_text(struct lu_census *c, struct lu_buf *b)
{
	struct lu_census_row all = sort_and_sum(c);
	bool tokens = all.without_tokens == 0 && all.docs > 0;
	size_t low = 0, high = LU_CENSUS_BINS;
	uint64_t most = 1;

	lu_buf_printf(b, "%-12s %11s %14s %14s %10s", "language", "documents", "bytes",
			"characters", "share");
	if (tokens)
		lu_buf_printf(b, " %14s %10s", "tokens", "share");
	lu_buf_putc(b, '\n');
	for (size_t i = 0; i < c->rows; i++)
		put_row(b, c->row[i].lang, &c->row[i], &all, tokens);
	put_row(b, "total", &all, &all, tokens);
	while (low < high && all.bin[low] == 0)
		low++;
	while (high > low && all.bin[high - 1] == 0)
		high--;
	for (size_t i = low; i < high; i++)
		most = all.bin[i] > most ? all.bin[i] : most;
	lu_buf_puts(b, "\ncharacters     documents\n");
	for (size_t i = low; i < high; i++) {
		uint64_t stars = (all.bin[i] * 50 + most - 1) / most;

		lu_buf_printf(b, "%-12" PRIu64 " %11" PRIu64 "  ", i ? UINT64_C(1) << i : 0,
				all.bin[i]);
		while (stars-- > 0)
			lu_buf_putc(b, '*');
		lu_buf_putc(b, '\n');
	}
}

void lu_census_json(struct lu_census *c, struct lu_buf *b)
{
	struct lu_census_row all = sort_and_sum(c);

	for (size_t i = 0; i < c->rows; i++) {
		const struct lu_census_row *r = &c->row[i];
		size_t high = LU_CENSUS_BINS;

		lu_buf_puts(b, "{\"lang\":");
		lu_json_quote(b, lu_str_of(r->lang));
		lu_buf_printf(b,
				",\"docs\":%" PRIu64 ",\"bytes\":%" PRIu64
				",\"characters\":%" PRIu64,
				r->docs, r->bytes, r->characters);
		lu_buf_puts(b, ",\"share\":");
		lu_json_number(b,
				all.characters ? (double)r->characters / (double)all.characters
					       : 0);
		if (r->without_tokens == 0)
			lu_buf_printf(b, ",\"tokens\":%" PRIu64, r->tokens);
		while (high > 0 && r->bin[high - 1] == 0)
			high--;
		lu_buf_puts(b, ",\"log2_characters\":[");
		for (size_t k = 0; k < high; k++)
			lu_buf_printf(b, "%s%" PRIu64, k ? "," : "", r->bin[k]);
		lu_buf_puts(b, "]}\n");
	}
}

void lu_census_release(struct lu_census *c)
{
	for (size_t i = 0; i < c->rows; i++)
		free(c->row[i].lang);
	free(c->row);
	*c = (struct lu_census){ 0 };
}
