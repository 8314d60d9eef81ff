#include "libcommon/base/suggest.h"

#include <stdint.h>
#include <string.h>

/* Longer names are no typing errors. */
#define NAME_MAX_BYTES 64

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c == '_' ? '-' : c;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance, by rows: row[i & 3] holds the distances of the first i bytes of
 * a to each prefix of b. */
static size_t edits(const char *a, size_t an, const char *b, size_t bn)
{
	size_t row[4][NAME_MAX_BYTES + 1];

	for (size_t j = 0; j <= bn; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= an; i++) {
		size_t *now = row[i & 3];
		const size_t *above = row[(i - 1) & 3], *two_above = row[(i + 2) & 3];

		now[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			size_t cost = fold(a[i - 1]) != fold(b[j - 1]);

			now[j] = min(min(above[j], now[j - 1]) + 1, above[j - 1] + cost);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
					fold(a[i - 2]) == fold(b[j - 1]))
				now[j] = min(now[j], two_above[j - 2] + 1);
		}
	}
	return row[an & 3][bn];
}

const char *lu_suggest(const char *name, const char *const *known, size_t n)
{
	size_t len = strlen(name), best = SIZE_MAX;
	const char *meant = NULL;

	for (size_t i = 0; i < n && len > 0; i++) {
		size_t other = strlen(known[i]), longer = len > other ? len : other, far;

		if (longer > NAME_MAX_BYTES)
			continue;
		far = edits(name, len, known[i], other);
		if (far < best && far < longer && far <= (longer < 6 ? 1 : longer / 3)) {
			best = far;
			meant = known[i];
		}
	}
	return meant;
}
