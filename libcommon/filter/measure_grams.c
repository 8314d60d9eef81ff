/* The measures of repeated n-grams of tokens. */
#include "libcommon/filter/measure_grams.h"

#include "libcommon/filter/measurer.h"
#include "libcommon/filter/ngrams.h"

/* Characters of repeated n-grams. A repeat is skipped as a whole, and an n-gram inside it does not
 * count as having occurred. What occurs once cannot be a repeat, so only the candidates are walked. */
static uint64_t repeated_chars(struct lu_grams *g, const struct lu_token *t)
{
	uint64_t chars = 0, from = 0;

	for (size_t i = 0; i < g->grams; i++) {
		struct lu_gram_slot *slot = &g->set.slot[g->gram[i].slot];
		size_t at = g->gram[i].at;

		if (at < from)
			continue;
		if (slot->first == UINT32_MAX) {
			chars += t[at + g->n].chars - t[at].chars;
			from = at + g->n;
		}
		slot->first = UINT32_MAX; /* it has occurred */
	}
	return chars;
}

int lu_measure_grams(struct lu_measures *w, struct lu_err *err)
{
	const struct lu_token *t = w->tokens.p;
	size_t tokens = w->tokens.n - 1;
	struct lu_grams g;

	if (lu_grams_start(&g, &w->grams, &t->hash, sizeof(*t) / sizeof(uint64_t), tokens, err) < 0)
		return -1;
	for (size_t n = 2; n <= 10 && n <= tokens; n++, lu_grams_grow(&g)) {
		if (g.grams == 0 && n > 4)
			break;
		if (lu_grams_count(&g, &w->seen, err) < 0)
			return -1;
		if (n > 4) {
			w->value[LU_M_DUP_5GRAM + n - 5] =
					lu_ratio(repeated_chars(&g, t), w->chars);
			continue;
		}
		w->value[LU_M_TOP_2GRAM + n - 2] =
				lu_ratio(g.most * (t[g.first + n].chars - t[g.first].chars + n - 1),
						w->chars);
	}
	return 0;
}
