#include "libcommon/text/lang_code.h"

#include <string.h>

#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include "libcommon/base/suggest.h"
#include "libcommon/text/unicode.h"

#define NAME_MAX_UNITS 128

static bool is_lower(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < 'a' || p[i] > 'z')
			return false;
	}
	return true;
}

/* True if ISO 639 has this code; ICU lists all of two letters and hundreds of three. */
static bool is_listed(const char *code, size_t n)
{
	for (const char *const *l = uloc_getISOLanguages(); *l; l++) {
		if (strlen(*l) == n && memcmp(*l, code, n) == 0)
			return true;
	}
	return false;
}

int lu_lang_code_check(const char *code, struct lu_err *err)
{
	size_t n = strcspn(code, "-"), all = strlen(code);
	char meant[LU_LANG_CODE_MAX];

	if (strncmp(code, "code:", 5) == 0 && all > 5)
		return 0;
	if (is_lower(code, n) && (n == 3 || (n == 2 && is_listed(code, n))) &&
			(all == n || all > n + 2))
		return 0;
	lu_lang_code_meant(lu_str_of(code), meant);
	if (*meant)
		return lu_err_set(err, "unknown language '%s', did you mean '%s'", code, meant);
	return lu_err_set(err,
			"unknown language '%s'; codes are those of ISO 639 such as fr and pt-BR, "
			"or code:python",
			code);
}

/* The language of a tag in another spelling, if ISO 639 has it. */
static bool respelled(struct lu_str word, char code[LU_LANG_CODE_MAX])
{
	char tag[32];

	if (word.n >= sizeof(tag))
		return false;
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];

		tag[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	tag[word.n] = '\0';
	return strcspn(tag, "-_") <= 3 && lu_unicode_language(tag, code, LU_LANG_CODE_MAX) &&
			is_listed(code, strlen(code));
}

/* The name of a language in the language `in`; false if ICU has none. */
static bool name_of(const char *code, const char *in, char name[LU_SUGGEST_MAX + 1])
{
	UErrorCode status = U_ZERO_ERROR;
	UChar units[NAME_MAX_UNITS];
	int32_t n = uloc_getDisplayLanguage(code, in, units, NAME_MAX_UNITS, &status);

	if (U_FAILURE(status) || status == U_USING_DEFAULT_WARNING)
		return false;
	u_strToUTF8(name, LU_SUGGEST_MAX + 1, NULL, units, n, &status);
	return U_SUCCESS(status) && status != U_STRING_NOT_TERMINATED_WARNING;
}

void lu_lang_code_meant(struct lu_str word, char code[LU_LANG_CODE_MAX])
{
	struct lu_suggest s = lu_suggest_for(word);
	char name[LU_SUGGEST_MAX + 1];

	code[0] = '\0';
	if (respelled(word, code))
		return;
	code[0] = '\0';
	if (word.n < 4)
		return;
	for (const char *const *l = uloc_getISOLanguages(); *l; l++) {
		const char *in[] = { "en", *l };

		for (size_t i = 0; i < 2; i++) {
			unsigned before = s.cost;

			if (strlen(*l) >= LU_LANG_CODE_MAX || !name_of(*l, in[i], name))
				continue;
			lu_suggest_try(&s, name);
			if (s.cost < before)
				memcpy(code, *l, strlen(*l) + 1);
		}
	}
}
