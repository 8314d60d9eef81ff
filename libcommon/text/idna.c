#include "libcommon/text/idna.h"

#include <unicode/uidna.h>

#define HOST_MAX 1024 /* a name has at most 253 bytes; its UTF-8 form may have more */

bool lu_idna(struct lu_str host, struct lu_buf *out)
{
	UErrorCode code = U_ZERO_ERROR;
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	UIDNA *idna;
	char name[HOST_MAX];
	int32_t n = 0;

	if (host.n > HOST_MAX)
		return false;
	idna = uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII, &code);
	if (U_FAILURE(code))
		return false;
	n = uidna_nameToASCII_UTF8(idna, host.p, (int32_t)host.n, name, HOST_MAX, &info, &code);
	uidna_close(idna);
	if (U_FAILURE(code) || n > HOST_MAX || info.errors)
		return false;
	lu_buf_append(out, name, (size_t)n);
	return true;
}
