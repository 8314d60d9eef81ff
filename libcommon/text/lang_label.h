#ifndef LUCIE_TEXT_LANG_LABEL_H
#define LUCIE_TEXT_LANG_LABEL_H
/*
 * Labels of language and script, "fra_Latn": ISO 639-3 and ISO 15924, as the corpora FineWeb2 and
 * FLORES and the models GlotLID and OpenLID have them.
 *
 *	struct lu_scripts scripts = { 0 };
 *	lu_scripts_count(&scripts, text);
 *	lu_lang_label("fr", &scripts, label);
 */
#include <stdint.h>

#include "libcommon/base/buf.h"

#define LU_LANG_LABEL 24   /* size of a label with its NUL */
#define LU_SCRIPTS_KEPT 24 /* different scripts that are told apart in a text */

/* Letters of each script, and what tells simplified Chinese from traditional. */
struct lu_scripts {
	struct {
		int32_t script; /* ICU's */
		uint64_t letters;
	} of[LU_SCRIPTS_KEPT];
	uint64_t letters, simplified, traditional;
};

/* Add the letters of a text, which is valid UTF-8. */
void lu_scripts_count(struct lu_scripts *s, struct lu_str text);

/*
 * Write the label of a language, "fr" or "ceb", in a text. The script is the usual one of the language
 * if a tenth of the letters or more are in it, else that of most letters: srp_Cyrl, but srp_Latn.
 * Japanese is Jpan, Korean Hang, Chinese Hans or Hant if either kind of characters prevails, else
 * Hani. Languages that ISO 639-3 counts as macrolanguages keep that code: zho, ara, nor.
 * und has the script of most letters (und_Latn), or Zyyy without letters. zxx is zxx_Zxxx.
 */
void lu_lang_label(const char *lang, const struct lu_scripts *s, char label[LU_LANG_LABEL]);

#endif
