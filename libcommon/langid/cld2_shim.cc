#include "libcommon/langid/cld2_shim.h"

#include <cstdio>

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

const char *lu_cld2_code(int i)
{
	return i < CLD2::NUM_LANGUAGES ? CLD2::LanguageCode(static_cast<CLD2::Language>(i))
				       : nullptr;
}

void lu_cld2_detect(const char *p, int n, struct lu_cld2 *out)
{
	CLD2::CLDHints hints = { nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE };
	CLD2::Language lang[3];
	double score[3];
	int letters;

	CLD2::ExtDetectLanguageSummary(p, n, true, &hints, 0, lang, out->percent, score, nullptr,
			&letters, &out->reliable);
	for (int i = 0; i < 3; i++)
		out->code[i] = CLD2::LanguageCode(lang[i]);
}
