#include "libcommon/hash/md5.h"

#include <stdio.h>
#include <string.h>

#include "libcommon/base/num.h"

/* Floor of 2^32 |sin(i + 1)|. */
static const uint32_t sines[64] = { 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf,
	0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51,
	0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6,
	0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
	0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8,
	0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
	0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82,
	0xbd3af235, 0x2ad7d2bb, 0xeb86d391 };
/* By round and step modulo 4. */
static const unsigned char shifts[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 },
	{ 6, 10, 15, 21 } };
/* The word of step i of a round is (a i + b) modulo 16. */
static const unsigned char words[4][2] = { { 1, 0 }, { 5, 1 }, { 3, 5 }, { 7, 0 } };

static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round) {
	case 0: return (b & c) | (~b & d);
	case 1: return (d & b) | (~d & c);
	case 2: return b ^ c ^ d;
	default: return c ^ (b | ~d);
	}
}

static void add_block(struct lu_md5 *h, const unsigned char *p)
{
	uint32_t a = h->state[0], b = h->state[1], c = h->state[2], d = h->state[3];

	for (unsigned i = 0; i < 64; i++) {
		unsigned round = i / 16, s = shifts[round][i % 4];
		unsigned word = (words[round][0] * i + words[round][1]) % 16;
		uint32_t f = a + mix(round, b, c, d) + sines[i] + lu_load32(p + 4 * word);

		a = d;
		d = c;
		c = b;
		b += f << s | f >> (32 - s);
	}
	h->state[0] += a;
	h->state[1] += b;
	h->state[2] += c;
	h->state[3] += d;
}

void lu_md5_init(struct lu_md5 *h)
{
	*h = (struct lu_md5){ .state = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476 } };
}

void lu_md5_add(struct lu_md5 *h, const void *p, size_t n)
{
	const unsigned char *at = p;
	size_t have = h->bytes % 64;

	h->bytes += n;
	if (have) {
		size_t more = n < 64 - have ? n : 64 - have;

		memcpy(h->block + have, at, more);
		at += more;
		n -= more;
		if (have + more < 64)
			return;
		add_block(h, h->block);
	}
	for (; n >= 64; at += 64, n -= 64)
		add_block(h, at);
	if (n)
		memcpy(h->block, at, n);
}

void lu_md5_end(struct lu_md5 *h, char text[33])
{
	static const unsigned char padding[64] = { 0x80 };
	unsigned char length[8];

	lu_store64(length, h->bytes * 8);
	lu_md5_add(h, padding, 1 + (119 - h->bytes % 64) % 64);
	lu_md5_add(h, length, sizeof(length));
	for (unsigned i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x",
				(unsigned)(h->state[i / 4] >> 8 * (i % 4) & 0xFF));
}
