#ifndef LUCIE_TEXT_LANG_CODE_H
#define LUCIE_TEXT_LANG_CODE_H
/*
 * Codes of languages as people write them: ISO 639-1 ("fr"), ISO 639-3 where that has none ("ceb"),
 * with subtags ("pt-BR"), and "code:NAME" for programming languages.
 */
#include "libcommon/base/buf.h"

#define LU_LANG_CODE_MAX 12 /* size of a suggested code with its NUL */

/* Fail unless `code` may stand in the member "lang". The sentence names the code that was probably
 * meant: "unknown language 'french', did you mean 'fr'". A code of three letters passes: there are
 * thousands. */
int lu_lang_code_check(const char *code, struct lu_err *err) LU_CHECKED;

/* The code that a word stands for: of a code in another spelling ("FR", "fra", "fr_FR"), or of the
 * name of a language in English or in that language, misspelt at most a little ("french",
 * "Deutsch"). "" if there is none. */
void lu_lang_code_meant(struct lu_str word, char code[LU_LANG_CODE_MAX]);

#endif
