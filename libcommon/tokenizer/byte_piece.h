#ifndef LUCIE_TOKENIZER_BYTE_PIECE_H
#define LUCIE_TOKENIZER_BYTE_PIECE_H
/*
 * The two ways in which pieces spell bytes.
 *
 * Byte-level vocabularies use GPT-2's byte alphabet, one printable character per byte: a printable
 * Latin-1 character represents itself; the 68 other bytes (00-20, 7F-A0, AD) are U+0100 to U+0143,
 * in order. Other vocabularies have byte tokens, "<0x00>" to "<0xFF>".
 */
#include <stdint.h>

#include "libcommon/base/buf.h"

/* The character of the byte alphabet that represents a byte. */
uint32_t lu_byte_level_char(unsigned byte);

/* The byte that a character of the byte alphabet represents, or -1. */
int lu_byte_level_byte(uint32_t c);

/* The spelling of a byte token; buf holds it. */
struct lu_str lu_byte_token_name(unsigned byte, char buf[8]);

/* The byte of a byte token, or -1. Digits may be of either case. */
int lu_byte_token_value(struct lu_str piece);

#endif
