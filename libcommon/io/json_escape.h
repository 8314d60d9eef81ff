#ifndef LUCIE_IO_JSON_ESCAPE_H
#define LUCIE_IO_JSON_ESCAPE_H
/* \uXXXX escapes, for the files of json.h. */
#include <stdbool.h>

/* Value of the four hexadecimal digits at p, in *out; -1 if there are not four before `end`. */
static inline int lu_json_hex4(const char *p, const char *end, unsigned *out)
{
	unsigned v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v <<= 4;
		if (c >= '0' && c <= '9')
			v |= (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v |= (unsigned)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v |= (unsigned)(c - 'A' + 10);
		else
			return -1;
	}
	*out = v;
	return 0;
}

/* True if the six bytes at p are the escape of a low surrogate. */
static inline bool lu_json_low_surrogate(const char *p, const char *end)
{
	unsigned low;

	return end - p >= 6 && p[0] == '\\' && p[1] == 'u' && lu_json_hex4(p + 2, end, &low) == 0 &&
			low >= 0xDC00 && low <= 0xDFFF;
}

#endif
