#ifndef LUCIE_HASH_CRC32C_H
#define LUCIE_HASH_CRC32C_H
/*
 * CRC-32C (Castagnoli): the checksum of RFC 3720, appendix B.4, and of the records of TensorFlow's
 * files. Reflected, polynomial 0x1edc6f41, initial value and final exclusive or 0xffffffff.
 */
#include <stddef.h>
#include <stdint.h>

uint32_t lu_crc32c(const void *p, size_t n);

#endif
