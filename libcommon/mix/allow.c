#include "libcommon/mix/allow.h"

#include <inttypes.h>
#include <stdlib.h>

bool lu_allow_has_empty(const char *patterns)
{
	struct lu_str pattern;
	bool empty = false;

	while (lu_pattern_next(&patterns, &pattern))
		empty |= pattern.n == 0;
	return empty;
}

bool lu_allow_match(const struct lu_allow *a, struct lu_str license)
{
	const char *list = a->patterns;
	struct lu_str pattern;

	if (!list)
		return true;
	while (license.n && lu_pattern_next(&list, &pattern)) {
		if (lu_pattern_match(pattern, license))
			return true;
	}
	return false;
}

int lu_allow_refuse(struct lu_allow *a, struct lu_str license, struct lu_err *err)
{
	uint32_t number;

	a->docs++;
	return lu_langs_add(&a->refused, license, 0, &number, err);
}

static int by_documents(const void *a, const void *b)
{
	const struct lu_mix_row *p = a, *q = b;

	if (p->docs != q->docs)
		return p->docs > q->docs ? -1 : 1;
	return lu_str_cmp(p->name, q->name);
}

void lu_allow_tell(const struct lu_allow *a, struct lu_buf *out)
{
	size_t n = a->refused.sum.n;
	struct lu_mix_row *r = lu_langs_rows(&a->refused);

	if (!r) {
		out->failed = true;
		return;
	}
	if (n)
		qsort(r, n, sizeof(*r), by_documents);
	for (size_t i = 0; i < n; i++) {
		lu_buf_printf(out, "%s%" PRIu64 "%s of ", i ? ", " : "", r[i].docs,
				i				 ? ""
						: r[i].docs == 1 ? " document"
								 : " documents");
		lu_buf_str(out, r[i].name);
	}
	free(r);
}

void lu_allow_release(struct lu_allow *a)
{
	lu_langs_release(&a->refused);
}
