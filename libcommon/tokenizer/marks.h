#ifndef LUCIE_TOKENIZER_MARKS_H
#define LUCIE_TOKENIZER_MARKS_H
/*
 * The tokens that a program adds around each text, and the check that they are not there already: a
 * model that has seen <s> <s> in training and <s> in use, or the other way round, is worse for it,
 * and nothing else shows it.
 *
 *	struct lu_marks m = { 0 };
 *	lu_marks_parse(&m, tok, "bos,eos", false, &err);
 *	const char *fault = lu_marks_doubled(&m, ids.p[0], ids.p[ids.n - 1], &id);
 *	lu_marks_release(&m);
 */
#include "libcommon/tokenizer/tokenizer.h"

struct lu_marks {
	struct lu_ids before, after;
};

/* Add a list of bos, eos and template, separated by commas. Fails for another word, for a role that
 * no special token has, and, unless `again` allows it, for a token that the list adds twice on one
 * side. */
int lu_marks_parse(struct lu_marks *m, const struct lu_tok *tok, const char *list, bool again,
		struct lu_err *err) LU_CHECKED;

/* What is wrong with the ids of a text, of which these are the first and the last: that it begins
 * with one of `before` or ends with one of `after`, *id; NULL: nothing. */
const char *lu_marks_doubled(const struct lu_marks *m, uint32_t first, uint32_t last, uint32_t *id);

void lu_marks_release(struct lu_marks *m);

#endif
