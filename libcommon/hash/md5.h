#ifndef LUCIE_HASH_MD5_H
#define LUCIE_HASH_MD5_H
/*
 * MD5 (RFC 1321), for the lists that other programs check files by (md5sum -c). No protection against
 * intent; the toolkit's own files are checked by XXH3. No library that is linked anyway offers it.
 *
 *	struct lu_md5 h;
 *	lu_md5_init(&h);
 *	lu_md5_add(&h, p, n);		any number of times
 *	lu_md5_end(&h, text);		32 hexadecimal digits
 */
#include <stddef.h>
#include <stdint.h>

struct lu_md5 {
	uint32_t state[4];
	uint64_t bytes;
	unsigned char block[64];
};

void lu_md5_init(struct lu_md5 *h);
void lu_md5_add(struct lu_md5 *h, const void *p, size_t n);
void lu_md5_end(struct lu_md5 *h, char text[33]);

#endif
