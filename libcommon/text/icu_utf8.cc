#include "libcommon/text/icu_utf8.h"

#include <cstring>
#include <unicode/bytestream.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

namespace
{
class Sink : public icu::ByteSink
{
      public:
	Sink(void (*callback)(void *, const char *, size_t), void *context)
	    : append(callback), out(context)
	{
	}
	void Append(const char *bytes, int32_t n) override
	{
		append(out, bytes, static_cast<size_t>(n));
	}

      private:
	void (*append)(void *, const char *, size_t);
	void *out;
};
} // namespace

bool lu_icu_normalize(const char *data, bool compose, const char *p, size_t n,
		void (*append)(void *, const char *, size_t), void *out, const char **error)
{
	UErrorCode code = U_ZERO_ERROR;
	const icu::Normalizer2 *norm = icu::Normalizer2::getInstance(
			nullptr, data, compose ? UNORM2_COMPOSE : UNORM2_DECOMPOSE, code);

	if (U_SUCCESS(code)) {
		Sink sink(append, out);

		norm->normalizeUTF8(0, icu::StringPiece(p, static_cast<int32_t>(n)), sink, nullptr,
				code);
	}
	*error = u_errorName(code);
	return U_SUCCESS(code);
}

bool lu_icu_language(const char *tag, char *out, size_t size)
{
	UErrorCode code = U_ZERO_ERROR;
	icu::Locale locale(tag);

	locale.canonicalize(code);
	if (U_FAILURE(code) || locale.isBogus())
		return false;

	size_t n = std::strlen(locale.getLanguage());

	if (n < 2 || n >= size)
		return false;
	std::memcpy(out, locale.getLanguage(), n + 1);
	return true;
}
