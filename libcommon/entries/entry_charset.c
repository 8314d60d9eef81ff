#include "libcommon/entries/entry_charset.h"

#include "libcommon/base/utf8.h"

int lu_entry_utf8(const struct lu_charset *how, struct lu_charset_work *work, struct lu_str *s,
		struct lu_entry *e, struct lu_err *err)
{
	const struct lu_charset_in in = { .bytes = *s };
	struct lu_charset_result result;
	int rc;

	if (lu_utf8_valid(s->p, s->n) == s->n)
		return 0;
	if (!lu_charset_given(how)) {
		e->drop = "not valid in its charset";
		return 0;
	}
	rc = lu_charset_convert(how, work, &in, &result, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		e->drop = result.reason;
		return 0;
	}
	e->recoded = true;
	e->charset_errors = result.errors;
	*s = result.text;
	return 0;
}
