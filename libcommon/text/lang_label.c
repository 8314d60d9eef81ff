#include "libcommon/text/lang_label.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/uscript.h>

#include "libcommon/base/utf8.h"

#define USUAL 10 /* one letter in so many is enough for the usual script of a language */

/* Frequent characters that were simplified, and their traditional forms. */
static const char simplified[] = "们国这来说时会对发个学为过还后东车长门问间见开关气与专业产从众优"
				 "传体让认语读书华马鱼鸟";
static const char traditional[] = "們國這來說時會對發個學為過還後東車長門問間見開關氣與專業產從眾優"
				  "傳體讓認語讀書華馬魚鳥";

static bool is_one_of(const char *p, size_t n, const char *set)
{
	for (; *set; set += n) {
		if (memcmp(set, p, n) == 0)
			return true;
	}
	return false;
}

static void add(struct lu_scripts *s, int32_t script)
{
	for (size_t i = 0; i < LU_SCRIPTS_KEPT; i++) {
		if (s->of[i].letters == 0)
			s->of[i].script = script;
		if (s->of[i].script == script) {
			s->of[i].letters++;
			return;
		}
	}
}

void lu_scripts_count(struct lu_scripts *s, struct lu_str text)
{
	const char *p = text.p, *end = p + text.n;

	while (p < end) {
		const char *from = p;
		UChar32 c = (UChar32)lu_utf8_next(&p);
		UErrorCode status = U_ZERO_ERROR;
		UScriptCode script;

		if (c < 0x80) {
			script = (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? USCRIPT_LATIN
									: USCRIPT_COMMON;
		} else {
			script = u_isalpha(c) ? uscript_getScript(c, &status) : USCRIPT_COMMON;
		}
		if (U_FAILURE(status) || script == USCRIPT_COMMON || script == USCRIPT_INHERITED)
			continue;
		add(s, script);
		s->letters++;
		if (script == USCRIPT_HAN && p - from == 3) {
			s->simplified += is_one_of(from, 3, simplified);
			s->traditional += is_one_of(from, 3, traditional);
		}
	}
}

static uint64_t letters_of(const struct lu_scripts *s, int32_t script)
{
	for (size_t i = 0; i < LU_SCRIPTS_KEPT; i++) {
		if (s->of[i].letters && s->of[i].script == script)
			return s->of[i].letters;
	}
	return 0;
}

static int32_t most_letters(const struct lu_scripts *s)
{
	size_t best = 0;

	for (size_t i = 1; i < LU_SCRIPTS_KEPT; i++) {
		if (s->of[i].letters > s->of[best].letters)
			best = i;
	}
	return s->of[best].letters ? s->of[best].script : USCRIPT_COMMON;
}

static const char *han(const struct lu_scripts *s)
{
	if (s->simplified > 2 * s->traditional)
		return "Hans";
	return s->traditional > 2 * s->simplified ? "Hant" : "Hani";
}

/* The usual script of a language by CLDR; USCRIPT_INVALID_CODE if it has none there. */
static int32_t usual(const char *lang)
{
	char likely[ULOC_FULLNAME_CAPACITY], script[ULOC_SCRIPT_CAPACITY];
	UErrorCode status = U_ZERO_ERROR;
	UScriptCode code[4];

	uloc_addLikelySubtags(lang, likely, sizeof(likely), &status);
	if (U_FAILURE(status) || uloc_getScript(likely, script, sizeof(script), &status) <= 0 ||
			U_FAILURE(status) || uscript_getCode(script, code, 4, &status) != 1 ||
			U_FAILURE(status))
		return USCRIPT_INVALID_CODE;
	return code[0];
}

static const char *script_of(const char *lang, const struct lu_scripts *s)
{
	int32_t script;
	const char *name;

	if (strcmp(lang, "zxx") == 0)
		return "Zxxx";
	if (strcmp(lang, "ja") == 0)
		return "Jpan";
	if (strcmp(lang, "ko") == 0)
		return "Hang";
	if (strcmp(lang, "zh") == 0)
		return han(s);
	script = strcmp(lang, "und") == 0 ? USCRIPT_INVALID_CODE : usual(lang);
	if (script == USCRIPT_INVALID_CODE || letters_of(s, script) * USUAL < s->letters)
		script = most_letters(s);
	name = uscript_getShortName(script);
	return name ? name : "Zyyy";
}

void lu_lang_label(const char *lang, const struct lu_scripts *s, char label[LU_LANG_LABEL])
{
	const char *three = uloc_getISO3Language(lang);

	(void)snprintf(label, LU_LANG_LABEL, "%.8s_%.4s", *three ? three : lang,
			script_of(lang, s));
}
