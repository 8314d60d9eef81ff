#ifndef LUCIE_TEXT_ICU_UTF8_H
#define LUCIE_TEXT_ICU_UTF8_H
/* What ICU offers over UTF-8 in C++ only. Used by unicode.c alone. */
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Normalizer2::normalizeUTF8 with the data "nfc" or "nfkc", composing or decomposing, over at
 * most INT32_MAX bytes. append(out, bytes, n) takes the result in pieces. False: ICU failed,
 * *why is its name for the error (a static string). */
bool lu_icu_normalize(const char *data, bool compose, const char *p, size_t n,
		void (*append)(void *out, const char *bytes, size_t n), void *out,
		const char **why);

/* The language of a locale's name after CLDR's aliases. False: no such name, or too long. */
bool lu_icu_language(const char *tag, char *out, size_t room);

#ifdef __cplusplus
}
#endif

#endif
