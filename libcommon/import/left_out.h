#ifndef LUCIE_IMPORT_LEFT_OUT_H
#define LUCIE_IMPORT_LEFT_OUT_H
/*
 * What was left out, by kind of file and by reason, in words for people. The accounting line counts
 * by reason alone.
 *
 *	struct lu_left_out l = { 0 };
 *	lu_left_out_add(&l, &member, &result, &err);
 *	lu_left_out_list(&l, &buf);	"30 .png (PNG image), 5 .txt (not UTF-8); .txt: --charset ..."
 *	lu_left_out_release(&l);
 */
#include <stdint.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/vec.h"
#include "libcommon/import/import.h"

struct lu_left_kind {
	char label[16];	  /* ".png"; "record"; "without suffix"; "": not told apart */
	const char *what; /* the format or the reason */
	const char *advice;
	uint64_t n;
};

struct lu_left_out {
	uint64_t n;
	/* Private. */
	char hint[200]; /* what the first record without a text has; "": there is none */
	struct LU_VEC(struct lu_left_kind)
			kinds; /* in the order in which they came first, a few dozen */
};

/* Count a member, or an entry of it, that was dropped. */
int lu_left_out_add(struct lu_left_out *l, const struct lu_member *m,
		const struct lu_import_result *res, struct lu_err *err) LU_CHECKED;
/* Append the most frequent kinds with their numbers, and a way out for the first that has one. */
void lu_left_out_list(const struct lu_left_out *l, struct lu_buf *out);
/* Fail with a sentence that says why the operand `name` gave no document, and the way out. `itself`:
 * the one member is the operand. Returns -1. */
int lu_left_out_fail(
		const struct lu_left_out *l, const char *name, bool itself, struct lu_err *err);
/* Forget all, keeping the memory. */
void lu_left_out_clear(struct lu_left_out *l);
void lu_left_out_release(struct lu_left_out *l);

/* Describe a bad member as "file: path: reason", without repeating a name that an operand, its only
 * member and the detail have in common; with the options that go on without it if `way_on`. */
void lu_left_out_describe(const struct lu_member *m, const struct lu_import_result *res,
		bool way_on, struct lu_err *message);

#endif
