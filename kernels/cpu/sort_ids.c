#include <string.h>

#include "kernels/cpu/cpu.h"

#define DIGIT 11 /* bits */
#define VALUES (1u << DIGIT)

/* Move the rows of `from` to `to`, in ascending order of one digit of their ids. */
static void sort_digit(
		uint32_t *to, const uint32_t *from, const uint32_t *ids, size_t rows, int shift)
{
	uint32_t at[VALUES] = { 0 }, sum = 0;

	for (size_t i = 0; i < rows; i++)
		at[ids[i] >> shift & (VALUES - 1)]++;
	for (size_t d = 0; d < VALUES; d++) {
		uint32_t n = at[d];

		at[d] = sum;
		sum += n;
	}
	for (size_t i = 0; i < rows; i++)
		to[at[ids[from[i]] >> shift & (VALUES - 1)]++] = from[i];
}

/* By digits, the lowest first; begin[] is the second array until the end. */
size_t lk_sort_ids(uint32_t *id, uint32_t *begin, uint32_t *row, const uint32_t *ids, size_t rows)
{
	uint32_t *from = row, *to = begin, *other, any = 0;
	size_t segments = 0;

	for (size_t i = 0; i < rows; i++) {
		row[i] = (uint32_t)i;
		any |= ids[i];
	}
	for (int shift = 0; shift < 32 && any >> shift != 0; shift += DIGIT) {
		sort_digit(to, from, ids, rows, shift);
		other = from;
		from = to;
		to = other;
	}
	if (from != row)
		memcpy(row, from, rows * sizeof(*row));
	for (size_t i = 0; i < rows; i++)
		if (i == 0 || ids[row[i]] != id[segments - 1]) {
			id[segments] = ids[row[i]];
			begin[segments++] = (uint32_t)i;
		}
	begin[segments] = (uint32_t)rows;
	return segments;
}
