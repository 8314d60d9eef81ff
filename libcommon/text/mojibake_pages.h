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

/* The byte that decodes to c, or -1. Controls U+0080-009F, which the pages of Windows leave out, are
 * themselves. */
int lu_mojibake_byte(enum lu_mojibake_page page, uint32_t c);

#endif
