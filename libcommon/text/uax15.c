#include "libcommon/text/uax15.h"

#include <stdlib.h>

#include "libcommon/base/utf8.h"

/* Code points with their combining class in the upper eight bits. */
struct cells {
	uint32_t *p, small[64];
	size_t n, cap;
};

static bool push_cell(const UNormalizer2 *norm, struct cells *cells, uint32_t c)
{
	if (cells->n == cells->cap) {
		uint32_t *old = cells->p == cells->small ? NULL : cells->p;
		uint32_t *p = realloc(old, 2 * cells->cap * sizeof(*p));

		if (!p)
			return false;
		if (!old)
			memcpy(p, cells->small, sizeof(cells->small));
		cells->p = p;
		cells->cap *= 2;
	}
	cells->p[cells->n++] = c | (uint32_t)unorm2_getCombiningClass(norm, (UChar32)c) << 24;
	return true;
}

static bool decompose(const UNormalizer2 *norm, struct lu_str s, struct cells *cells)
{
	for (const char *p = s.p; p < s.p + s.n;) {
		UErrorCode status = U_ZERO_ERROR;
		uint32_t c = lu_utf8_next(&p);
		UChar units[32]; /* the longest decomposition has 18 */
		int32_t len = unorm2_getDecomposition(norm, (UChar32)c, units, 32, &status);

		if (len < 0 || U_FAILURE(status)) {
			if (!push_cell(norm, cells, c))
				return false;
			continue;
		}
		for (int32_t i = 0; i < len;) {
			UChar32 part;

			U16_NEXT(units, i, len, part);
			if (!push_cell(norm, cells, (uint32_t)part))
				return false;
		}
	}
	return true;
}

/* Sort marks by combining class, stably: by insertion when few, else by counting. */
static bool sort_marks(uint32_t *p, size_t n)
{
	size_t count[257] = { 0 };
	uint32_t *unsorted;

	if (n <= 32) {
		for (size_t i = 1; i < n; i++) {
			uint32_t v = p[i];
			size_t k = i;

			for (; k > 0 && p[k - 1] >> 24 > v >> 24; k--)
				p[k] = p[k - 1];
			p[k] = v;
		}
		return true;
	}
	unsorted = malloc(n * sizeof(*unsorted));
	if (!unsorted)
		return false;
	memcpy(unsorted, p, n * sizeof(*unsorted));
	for (size_t i = 0; i < n; i++)
		count[(unsorted[i] >> 24) + 1]++;
	for (size_t i = 1; i < 256; i++)
		count[i] += count[i - 1];
	for (size_t i = 0; i < n; i++)
		p[count[unsorted[i] >> 24]++] = unsorted[i];
	free(unsorted);
	return true;
}

static bool reorder(struct cells *cells)
{
	for (size_t i = 0, end; i < cells->n; i = end) {
		end = i + 1;
		if (!(cells->p[i] >> 24))
			continue;
		while (end < cells->n && cells->p[end] >> 24)
			end++;
		if (!sort_marks(cells->p + i, end - i))
			return false;
	}
	return true;
}

/* Compose in place. A mark is blocked from the last starter by a starter or a mark of the same
 * class between them; marks are in order, so comparing with the last one kept is enough. */
static void compose_cells(const UNormalizer2 *norm, struct cells *cells)
{
	uint32_t *p = cells->p, *starter = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < cells->n; i++) {
		uint32_t v = p[i];
		bool adjacent = starter && starter == p + kept - 1;

		if (starter && (adjacent || p[kept - 1] >> 24 < v >> 24)) {
			UChar32 composite = unorm2_composePair(norm, (UChar32)(*starter & 0xFFFFFF),
					(UChar32)(v & 0xFFFFFF));

			if (composite >= 0) {
				*starter = (uint32_t)composite;
				continue;
			}
		}
		p[kept++] = v;
		if (!(v >> 24))
			starter = p + kept - 1;
	}
	cells->n = kept;
}

int lu_uax15(const UNormalizer2 *norm, bool compose, struct lu_str s, struct lu_buf *out,
		struct lu_err *err)
{
	struct cells cells = { .cap = sizeof(cells.small) / sizeof(cells.small[0]) };
	int rc = -1;

	cells.p = cells.small;
	if (!decompose(norm, s, &cells) || !reorder(&cells)) {
		lu_err_nomem(err);
		goto out;
	}
	if (compose)
		compose_cells(norm, &cells);
	if (!lu_buf_reserve(out, 4 * cells.n)) {
		lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < cells.n; i++)
		out->n += lu_utf8_put(cells.p[i] & 0xFFFFFF, out->p + out->n);
	out->p[out->n] = '\0';
	rc = 0;
out:
	if (cells.p != cells.small)
		free(cells.p);
	return rc;
}
