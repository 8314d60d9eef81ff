#include "libcommon/mix/langs.h"

#include <stdlib.h>

#define LANGS_SHOWN 8

int lu_langs_add(struct lu_langs *l, struct lu_str lang, uint64_t size, uint32_t *number,
		struct lu_err *err)
{
	struct lu_langs_sum none = { 0 };

	if (lu_labels_add(&l->label, lang, number, err) < 0)
		return -1;
	if (*number == l->sum.n && !lu_vec_push(&l->sum, none))
		return lu_err_nomem(err);
	l->sum.p[*number].docs++;
	l->sum.p[*number].size += size;
	return 0;
}

void lu_langs_count(struct lu_langs *l, uint32_t number, uint64_t size, uint64_t times)
{
	l->sum.p[number].docs_after += times;
	l->sum.p[number].size_after += times * size;
}

struct lu_mix_row *lu_langs_rows(const struct lu_langs *l)
{
	struct lu_mix_row *r = malloc((l->sum.n + 1) * sizeof(*r));

	for (size_t i = 0; r && i < l->sum.n; i++) {
		const struct lu_langs_sum *s = &l->sum.p[i];

		r[i] = (struct lu_mix_row){ l->label.name.p[i], s->docs, s->size, s->docs_after,
			s->size_after, 0 };
	}
	return r;
}

/* Append the languages of the documents, the first few by name. */
static void list_langs(const struct lu_langs *l, struct lu_buf *out)
{
	size_t n = l->label.name.n, shown = n > LANGS_SHOWN + 1 ? LANGS_SHOWN : n;

	for (size_t i = 0; i < shown; i++) {
		lu_buf_puts(out, i ? ", " : "");
		lu_buf_str(out, l->label.name.p[i]);
	}
	if (shown < n)
		lu_buf_printf(out, " and %zu others", n - shown);
}

static bool has_lang(const struct lu_langs *l, struct lu_str pattern)
{
	for (size_t i = 0; i < l->label.name.n; i++) {
		if (lu_pattern_match(pattern, l->label.name.p[i]))
			return true;
	}
	/* Above the limit not all of them have a label. */
	return l->label.name.n >= LU_LABELS_MAX;
}

void lu_langs_unused(const struct lu_langs *l, const struct lu_recipe *r, struct lu_buf *out)
{
	size_t unused = 0;

	for (size_t i = 0; i < r->group.n; i++) {
		const char *list = r->group.p[i].selector[LU_BY_LANG];
		struct lu_str pattern;

		while (lu_pattern_next(&list, &pattern)) {
			if (has_lang(l, pattern))
				continue;
			lu_buf_puts(out, unused++ ? ", " : "no document has lang = ");
			lu_buf_str(out, pattern);
		}
	}
	if (unused) {
		lu_buf_puts(out, "; the documents have ");
		list_langs(l, out);
	}
}

int lu_langs_no_document(
		const struct lu_langs *l, const struct lu_recipe *r, size_t i, struct lu_err *err)
{
	const struct lu_recipe_group *g = &r->group.p[i];
	const char *list = g->selector[LU_BY_LANG];
	struct lu_buf langs = { 0 };
	struct lu_str pattern;
	bool known = !list || l->label.name.n == 0;

	while (!known && lu_pattern_next(&list, &pattern))
		known = has_lang(l, pattern);
	list_langs(l, &langs);
	if (!known && lu_buf_ok(&langs))
		lu_err_set(err, "group %s: no document matches (lang = %s; the documents have %s)",
				g->name, g->selector[LU_BY_LANG], langs.p);
	else
		lu_err_set(err, "group %s: no document matches%s", g->name,
				i ? ", or the groups before it take them all" : "");
	lu_buf_release(&langs);
	return -1;
}

void lu_langs_release(struct lu_langs *l)
{
	lu_vec_release(&l->sum);
	lu_labels_release(&l->label);
}
