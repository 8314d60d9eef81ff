#ifndef LUCIE_FILTER_BY_LANG_H
#define LUCIE_FILTER_BY_LANG_H
/*
 * Rules by language: which rules a document is judged by.
 *
 *	struct lu_by_lang b = { 0 };
 *	lu_by_lang_preset(&b, "fr=fineweb2-fr,en=gopher+fineweb,code=code,*=none", &err);
 *	lu_by_lang_set(&b, "min_words=20", &err);	everywhere
 *	lu_by_lang_set(&b, "fr:min_words=20", &err);	in French
 *	set = lu_by_lang_find(&b, lang);
 *	lu_by_lang_release(&b);
 *
 * A preset without a language is for every document, and its rules come first. With LANG= it is for
 * the documents of that language, several joined by '+'. `*` stands for all languages that are not
 * named, `code` for code:NAME of every NAME, `und` also for documents without a language. The preset
 * `none` has no rule, and `drop` drops.
 *
 * A language is found by its code, else by its beginning up to one of ":-_": pt-BR by pt, code:c by
 * code. fra and fra_Latn are fr.
 */
#include "libcommon/filter/rules.h"
#include "libcommon/text/lang_code.h"

struct lu_by_lang_set {
	struct lu_str lang;	     /* points into the option */
	char code[LU_LANG_CODE_MAX]; /* its shorter code, "fr" of "fra", or "" */
	bool drop;
	struct lu_rules rules;
};
struct lu_by_lang {
	struct lu_rules every;
	struct LU_VEC(struct lu_by_lang_set) sets;
};

int lu_by_lang_preset(struct lu_by_lang *b, const char *given, struct lu_err *err) LU_CHECKED;
int lu_by_lang_set(struct lu_by_lang *b, const char *assignment, struct lu_err *err) LU_CHECKED;
void lu_by_lang_release(struct lu_by_lang *b);

/* The rules for a language, besides those for every document; NULL if none were given for it. */
const struct lu_by_lang_set *lu_by_lang_find(const struct lu_by_lang *b, struct lu_str lang);

/* True if there is nothing to judge by. */
bool lu_by_lang_empty(const struct lu_by_lang *b);
/* True if some rules cut lines. */
bool lu_by_lang_cuts(const struct lu_by_lang *b);
/* Append a table of all rules. */
void lu_by_lang_list(const struct lu_by_lang *b, struct lu_buf *out);

#endif
