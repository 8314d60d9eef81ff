#include "libcommon/tokenizer/byte_piece.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t lu_byte_level_char(unsigned byte)
{
	if (byte <= 0x20)
		return 0x100 + byte;
	if (byte >= 0x7F && byte <= 0xA0)
		return 0x121 + byte - 0x7F;
	return byte == 0xAD ? 0x143 : byte;
}

int lu_byte_level_byte(uint32_t c)
{
	if (c >= 0x100 && c <= 0x120)
		return (int)(c - 0x100);
	if (c >= 0x121 && c <= 0x142)
		return (int)(c - 0x121 + 0x7F);
	if (c == 0x143)
		return 0xAD;
	return c < 0x100 && lu_byte_level_char(c) == c ? (int)c : -1;
}

struct lu_str lu_byte_token_name(unsigned byte, char buf[8])
{
	return (struct lu_str){ buf, (size_t)snprintf(buf, 8, "<0x%02X>", byte & 0xFF) };
}

int lu_byte_token_value(struct lu_str piece)
{
	char digits[3] = { 0 };

	if (piece.n != 6 || memcmp(piece.p, "<0x", 3) != 0 || piece.p[5] != '>' ||
			!isxdigit((unsigned char)piece.p[3]) ||
			!isxdigit((unsigned char)piece.p[4]))
		return -1;
	memcpy(digits, piece.p + 3, 2);
	return (int)strtol(digits, NULL, 16);
}
