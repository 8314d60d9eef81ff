#ifndef LUCIE_TEXT_MOJIBAKE_PAGES_H
#define LUCIE_TEXT_MOJIBAKE_PAGES_H
/*
 * The code pages as which UTF-8 is mistaken.
 */
#include <stdint.h>

enum lu_mojibake_page {
	LU_PAGE_1252,
	LU_PAGE_1250,
	LU_PAGE_1251,
	LU_PAGE_MAC,
	LU_PAGE_437,
	LU_PAGE_LATIN2,
	LU_PAGE_1257,
	LU_MOJIBAKE_PAGES,
};

/* Characters below this are looked up at once; a few ligatures and a logo of Apple's are above. */
#define LU_MOJIBAKE_DIRECT 0x2600

struct lu_mojibake {
	uint8_t byte[LU_MOJIBAKE_PAGES][LU_MOJIBAKE_DIRECT]; /* 0: none */
	/* Bit i: begins a sequence of UTF-8 in page i; continues one. */
	uint8_t lead[LU_MOJIBAKE_DIRECT], rest[LU_MOJIBAKE_DIRECT];
};

/* The byte that decodes to c, or -1. Controls U+0080-009F, which Windows-1252 leaves out in part, are
 * themselves in it. */
int lu_mojibake_byte(const struct lu_mojibake *m, enum lu_mojibake_page page, uint32_t c);

/* The character of a byte; bytes below 0x80 are ASCII. */
uint32_t lu_page_char(enum lu_mojibake_page page, unsigned char byte);

#endif
