#include "libcommon/mix/curriculum.h"

#include "libcommon/base/num.h"

enum { NUMBER = 1, STRING, NEITHER };

/* The bits of a double as an unsigned number of the same order (IEEE 754: sign and magnitude). */
static uint64_t ordered(double v)
{
	uint64_t bits;

	/* -0 is 0. */
	v = v == 0 ? 0 : v;
	memcpy(&bits, &v, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

bool lu_curriculum_key(struct lu_doc *doc, const char *field, unsigned char key[LU_ARRANGE_KEY])
{
	const struct lu_json_member *m = lu_json_get(&doc->obj, field);
	struct lu_str s;
	double v;

	memset(key, 0, LU_ARRANGE_KEY);
	key[0] = NEITHER;
	if (m && lu_json_double(m, &v)) {
		key[0] = NUMBER;
		lu_store64_be(key + 1, ordered(v));
	} else if (lu_doc_string(doc, field, &s)) {
		key[0] = STRING;
		memcpy(key + 1, s.p, s.n < LU_ARRANGE_KEY - 1 ? s.n : LU_ARRANGE_KEY - 1);
	}
	return key[0] != NEITHER;
}
