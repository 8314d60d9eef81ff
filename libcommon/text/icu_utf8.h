#ifndef LUCIE_TEXT_ICU_UTF8_H
#define LUCIE_TEXT_ICU_UTF8_H
/* The parts of ICU that work on UTF-8 or exist in C++ only. Used by unicode.c alone. */
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Run Normalizer2::normalizeUTF8 over at most INT32_MAX bytes. `data` is "nfc" or "nfkc"; `compose`
 * chooses between composing and decomposing. append(out, bytes, n) receives the result in pieces.
 * False when ICU fails; *error is then the name of its error code, a static string. */
bool lu_icu_normalize(const char *data, bool compose, const char *p, size_t n,
		void (*append)(void *out, const char *bytes, size_t n), void *out,
		const char **error);

/* The language subtag of a locale identifier, after CLDR's aliases. False when it has none or the
 * result does not fit. */
bool lu_icu_language(const char *tag, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
