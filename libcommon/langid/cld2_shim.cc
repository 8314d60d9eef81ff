#include "libcommon/langid/cld2_shim.h"

#include <cstdio>

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

/* A reference to the tables of libcld2_full makes the linker keep the library. */
namespace CLD2
{
extern const unsigned kAvgDeltaOctaScoreSize;
}

const char *lu_cld2_code(int i)
{
	return CLD2::kAvgDeltaOctaScoreSize > 0 && i < CLD2::NUM_LANGUAGES
			? CLD2::LanguageCode(static_cast<CLD2::Language>(i))
			: nullptr;
}

void lu_cld2_detect(const char *p, int n, const char *hint, bool guess, struct lu_cld2 *out)
{
	CLD2::CLDHints hints = { nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE };
	CLD2::Language lang[3];
	int letters;
	bool reliable;

	/* Each of the two adds to the language's score. */
	if (hint) {
		hints.content_language_hint = hint;
		hints.language_hint = CLD2::GetLanguageFromName(hint);
	}
	out->best = CLD2::LanguageCode(CLD2::ExtDetectLanguageSummary(p, n, true, &hints,
			guess ? CLD2::kCLDFlagBestEffort : 0, lang, out->percent, out->density,
			nullptr, &letters, &reliable));
	for (int i = 0; i < 3; i++)
		out->code[i] = CLD2::LanguageCode(lang[i]);
}
