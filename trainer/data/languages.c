#include "trainer/data/languages.h"

#include <math.h>
#include <stdlib.h>

static int find_row(struct lt_languages *l, struct lu_str lang, size_t *out, struct lu_err *err)
{
	struct lt_language *grown;

	for (size_t i = 0; i < l->rows; i++) {
		if (lu_str_eq(l->row[i].name, lang)) {
			*out = i;
			return 0;
		}
	}
	grown = realloc(l->row, (l->rows + 1) * sizeof(*grown));
	if (!grown)
		return lu_err_nomem(err);
	l->row = grown;
	grown[l->rows] = (struct lt_language){ .name = lu_arena_str(&l->arena, lang) };
	if (l->vocab)
		grown[l->rows].count = calloc(l->vocab, sizeof(uint64_t));
	if (!grown[l->rows].name.p || (l->vocab && !grown[l->rows].count)) {
		free(grown[l->rows].count);
		return lu_err_nomem(err);
	}
	*out = l->rows++;
	return 0;
}

int lt_languages_document(struct lt_languages *l, struct lu_str lang, uint64_t tokens,
		uint64_t bytes, struct lu_err *err)
{
	uint64_t before = l->docs ? l->doc[l->docs - 1].end : 0;
	size_t row = 0;

	if (find_row(l, lang.n ? lang : LU_STR("und"), &row, err) < 0)
		return -1;
	if (l->docs == l->room) {
		size_t room = l->room ? 2 * l->room : 1024;
		struct lt_languages_doc *grown = realloc(l->doc, room * sizeof(*grown));

		if (!grown)
			return lu_err_nomem(err);
		l->doc = grown;
		l->room = room;
	}
	l->doc[l->docs++] = (struct lt_languages_doc){ before + tokens, row };
	l->row[row].documents++;
	l->row[row].bytes += bytes;
	return 0;
}

int lt_languages_score(void *ctx, uint64_t at, size_t n, const uint32_t *label, const lk_real *loss,
		struct lu_err *err)
{
	struct lt_languages *l = ctx;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct lt_language *row;

		while (l->at < l->docs && l->doc[l->at].end <= at + i)
			l->at++;
		LU_ASSERT(l->at < l->docs);
		row = &l->row[l->doc[l->at].row];
		row->loss += (double)loss[i];
		row->scored++;
		if (row->count)
			row->count[label[i]]++;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct lt_language *x = a, *y = b;

	return lu_str_cmp(x->name, y->name);
}

void lt_languages_finish(struct lt_languages *l)
{
	for (size_t r = 0; r < l->rows; r++) {
		struct lt_language *row = &l->row[r];

		for (size_t v = 0; row->count && v < l->vocab; v++) {
			double c = (double)row->count[v];

			if (row->count[v])
				row->unigram -= c * log(c / (double)row->scored);
		}
	}
	if (l->rows)
		qsort(l->row, l->rows, sizeof(*l->row), by_name);
}

void lt_languages_release(struct lt_languages *l)
{
	for (size_t r = 0; r < l->rows; r++)
		free(l->row[r].count);
	free(l->row);
	free(l->doc);
	lu_arena_release(&l->arena);
	*l = (struct lt_languages){ 0 };
}
