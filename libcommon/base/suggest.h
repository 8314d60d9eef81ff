#ifndef LUCIE_BASE_SUGGEST_H
#define LUCIE_BASE_SUGGEST_H
/*
 * "Did you mean": the name of a list that is nearest to a word which is not in it.
 *
 *	struct lu_suggest s = lu_suggest_for(word);
 *
 *	for (i = 0; i < n; i++)
 *		lu_suggest_try(&s, names[i]);
 *	return lu_err_set(err, "unknown key '%s'%s", word, lu_suggest_hint(&s));
 *
 * Nearest is, in this order: the same but for case and the kind of separator (max_len, MAX-LEN); a
 * name that the word begins, or a few edits away (an edit is a letter too many, missing, wrong, or
 * two neighbours exchanged, one edit for every three letters); a name that ends with the word, as
 * min-score does with score; a name that the word goes on from, as french does from fr. Of equally
 * near ones the first wins. Where nothing is near there is no suggestion: a wild guess is worse
 * than none.
 *
 * Words and names of more than LU_SUGGEST_MAX bytes are not compared.
 */
#include "libcommon/base/buf.h"

#define LU_SUGGEST_MAX 63

struct lu_suggest {
	struct lu_str word;
	const char *best;   /* the caller's string; NULL: none */
	unsigned cost;	    /* of `best`; lower is nearer */
	const char *before; /* "--" for options: comes before the name in the hint; NULL: none */
	char hint[LU_SUGGEST_MAX + 24];
};

struct lu_suggest lu_suggest_for(struct lu_str word);
void lu_suggest_try(struct lu_suggest *s, const char *name);

/* ", did you mean 'NAME'", or "" where there is no suggestion; valid as long as `s`. */
const char *lu_suggest_hint(struct lu_suggest *s);

/* Edits that turn `a` into `b`, case aside (Damerau-Levenshtein, optimal string alignment), or
 * `limit` + 1 where it takes more. Neither is longer than LU_SUGGEST_MAX. */
unsigned lu_edit_distance(struct lu_str a, struct lu_str b, unsigned limit);

#endif
