#ifndef LUCIE_TESTS_UNIT_H
#define LUCIE_TESTS_UNIT_H
/*
 * What the unit tests share: cmocka with its headers in order, and files in a scratch folder.
 *
 * scratch_make() and scratch_remove() are a group's set-up and tear-down: the test runs inside a
 * new folder. The others fail the test when they cannot do what they say.
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
/* The whole file, followed by NUL; free() it. */
char *get_file(const char *name, size_t *n);
/* Fails the test unless the file holds exactly this text. */
void assert_file(const char *name, const char *text);

/* Numbers for mutations: a small generator of its own, so that a test of ours does not hang on
 * what it tests (splitmix64, Steele, Lea, Flood 2014). */
uint64_t unit_random(uint64_t *state);

/* Appends what the library's encoder makes of p[0..n) as one member, with a checksum. */
enum unit_coding { UNIT_GZIP, UNIT_ZSTD, UNIT_XZ };
void encode(struct lu_buf *out, enum unit_coding coding, const void *p, size_t n);

#endif
