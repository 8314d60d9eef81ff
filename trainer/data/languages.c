#include "trainer/data/languages.h"

#include <math.h>
#include <stdlib.h>

static int add_language(struct lt_languages *l, struct lu_str name, struct lu_err *err)
{
	struct lt_language language = { .name = lu_arena_str(&l->arena, name) };

	if (!language.name.p)
		return lu_err_nomem(err);
	if (l->vocab) {
		language.count = calloc(l->vocab, sizeof(*language.count));
		if (!language.count)
			return lu_err_nomem(err);
	}
	if (!lu_vec_push(&l->language, language)) {
		free(language.count);
		return lu_err_nomem(err);
	}
	return 0;
}

/* Index of the language, which is added if it is new. There are few, so the search is linear. */
static int find_language(
		struct lt_languages *l, struct lu_str name, size_t *index, struct lu_err *err)
{
	for (*index = 0; *index < l->language.n; ++*index) {
		if (lu_str_eq(l->language.p[*index].name, name))
			return 0;
	}
	return add_language(l, name, err);
}

int lt_languages_add(struct lt_languages *l, struct lu_str lang, uint64_t tokens, uint64_t bytes,
		struct lu_err *err)
{
	uint64_t before = l->doc.n ? l->doc.p[l->doc.n - 1].end : 0;
	size_t i;

	if (lang.n == 0)
		lang = lu_str_of(l->unnamed ? l->unnamed : "und");
	if (find_language(l, lang, &i, err) < 0)
		return -1;
	if (!lu_vec_push(&l->doc, (struct lt_languages_doc){ before + tokens, i }))
		return lu_err_nomem(err);
	l->language.p[i].documents++;
	l->language.p[i].bytes += bytes;
	return 0;
}

void lt_languages_forget_bytes(struct lt_languages *l)
{
	for (size_t i = 0; i < l->language.n; i++)
		l->language.p[i].bytes = 0;
}

int lt_languages_score(void *ctx, uint64_t offset, size_t n, const uint32_t *label,
		const lk_real *loss, struct lu_err *err)
{
	struct lt_languages *l = ctx;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct lt_language *language;

		while (l->current < l->doc.n && l->doc.p[l->current].end <= offset + i)
			l->current++;
		LU_ASSERT(l->current < l->doc.n);
		language = &l->language.p[l->doc.p[l->current].language];
		language->loss += (double)loss[i];
		language->scored++;
		if (language->count)
			language->count[label[i]]++;
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
	for (size_t i = 0; i < l->language.n; i++) {
		struct lt_language *language = &l->language.p[i];

		for (size_t v = 0; language->count && v < l->vocab; v++) {
			double c = (double)language->count[v];

			if (language->count[v])
				language->unigram -= c * log(c / (double)language->scored);
		}
	}
	if (l->language.n)
		qsort(l->language.p, l->language.n, sizeof(*l->language.p), by_name);
}

void lt_languages_release(struct lt_languages *l)
{
	for (size_t i = 0; i < l->language.n; i++)
		free(l->language.p[i].count);
	lu_vec_release(&l->language);
	lu_vec_release(&l->doc);
	lu_arena_release(&l->arena);
	*l = (struct lt_languages){ 0 };
}
