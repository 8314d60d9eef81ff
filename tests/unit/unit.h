#ifndef LUCIE_TESTS_UNIT_H
#define LUCIE_TESTS_UNIT_H
/*
 * Shared by the unit tests: cmocka with the headers it needs, and files.
 *
 * scratch_make() and scratch_remove() are the set-up and tear-down of a group that runs in a new
 * temporary folder. The other functions fail the test when they fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcommon/base/buf.h"

int scratch_make(void **state);
int scratch_remove(void **state);

void put_file(const char *name, const void *p, size_t n);
void put_text(const char *name, const char *text);
/* Contents of a file, NUL-terminated; free() them. */
char *get_file(const char *name, size_t *n);
/* The same for tests/data/NAME, also from the scratch folder. */
char *get_data(const char *name, size_t *n);
/* Fail unless the file holds exactly this text. */
void assert_file(const char *name, const char *text);
void assert_same_files(const char *a, const char *b);

/* Number of unfinished output files (sys/atomicfile.h) in a folder. */
int unfinished_in(const char *folder);

/* Random numbers for mutations, independent of base/rng.h (splitmix64; Steele, Lea, Flood 2014). */
uint64_t unit_random(uint64_t *state);

/* Append p[0..n) compressed as one member with a checksum where there is one, by the encoder of each
 * library. Those before UNIT_CODINGS have marks. */
enum unit_coding {
	UNIT_GZIP,
	UNIT_ZSTD,
	UNIT_XZ,
	UNIT_BZIP2,
	UNIT_LZ4,
	UNIT_CODINGS,
	UNIT_ZLIB = UNIT_CODINGS,
	UNIT_DEFLATE,
	UNIT_BROTLI,
};
void encode(struct lu_buf *out, enum unit_coding coding, const void *p, size_t n);

#endif
