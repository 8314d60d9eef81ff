#include "libcommon/base/suggest.h"

#include <stdio.h>

/* Costs are in eighths of an edit, so that kinds of nearness sort between numbers of edits. */
enum {
	EDIT = 8,
	COST_SAME = 0,
	COST_BEGINS = 9,   /* one edit is nearer */
	COST_ENDS = 20,	   /* as are two */
	COST_GOES_ON = 28, /* as are three */
	COST_NONE = 1 << 16,
};

static char plain(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' || c == '.' || c == ' ' ? '-' : c;
}

/* Compare the first n bytes, case and kind of separator aside. */
static bool same(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (plain(a[i]) != plain(b[i]))
			return false;
	}
	return true;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

unsigned lu_edit_distance(struct lu_str a, struct lu_str b, unsigned limit)
{
	unsigned rows[3][LU_SUGGEST_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	LU_ASSERT(a.n <= LU_SUGGEST_MAX && b.n <= LU_SUGGEST_MAX);
	for (size_t j = 0; j <= b.n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		unsigned *spare = before;

		before = last;
		last = row;
		row = spare;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			char x = plain(a.p[i - 1]), y = plain(b.p[j - 1]);

			row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == plain(b.p[j - 2]) && plain(a.p[i - 2]) == y &&
					before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return row[b.n] > limit ? limit + 1 : row[b.n];
}

static unsigned cost_of(struct lu_str word, struct lu_str name)
{
	size_t longer = word.n > name.n ? word.n : name.n;
	unsigned limit = (unsigned)longer / 3, edits;

	if (word.n == name.n && same(word.p, name.p, word.n))
		return COST_SAME;
	edits = lu_edit_distance(word, name, limit);
	if (edits == 1 && limit >= 1)
		return EDIT;
	if (word.n >= 2 && word.n < name.n && same(word.p, name.p, word.n))
		return COST_BEGINS;
	if (edits == 2 && limit >= 2)
		return 2 * EDIT;
	if (word.n >= 3 && word.n < name.n && same(word.p, name.p + name.n - word.n, word.n) &&
			plain(name.p[name.n - word.n - 1]) == '-')
		return COST_ENDS;
	if (edits <= limit)
		return edits * EDIT;
	if (name.n >= 2 && name.n < word.n && same(word.p, name.p, name.n))
		return COST_GOES_ON;
	return COST_NONE;
}

struct lu_suggest lu_suggest_for(struct lu_str word)
{
	return (struct lu_suggest){ .word = word, .cost = COST_NONE };
}

void lu_suggest_try(struct lu_suggest *s, const char *name)
{
	struct lu_str n = lu_str_of(name);
	unsigned cost;

	if (s->word.n > LU_SUGGEST_MAX || n.n > LU_SUGGEST_MAX || s->word.n == 0 || n.n == 0)
		return;
	cost = cost_of(s->word, n);
	if (cost >= s->cost)
		return;
	s->cost = cost;
	s->best = name;
}

const char *lu_suggest_hint(struct lu_suggest *s)
{
	s->hint[0] = '\0';
	if (s->best)
		snprintf(s->hint, sizeof(s->hint), ", did you mean '%s%s'",
				s->before ? s->before : "", s->best);
	return s->hint;
}
