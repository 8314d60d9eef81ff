/* An expression and, behind the first line feed, a record: any expression is parsed or refused with
 * a column, and what is parsed judges any record, twice alike. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/base/utf8.h"
#include "libcommon/filter/expr.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct lu_measurer *measurer;
static struct lu_measures w;

static int score(void *ctx, size_t i, double *value, struct lu_err *err)
{
	(void)ctx, (void)err;
	*value = (double)i / 2;
	return 0;
}

static void judge(const struct lu_expr *e, struct lu_str line)
{
	struct lu_arena arena = { 0 };
	struct lu_json_obj obj;
	struct lu_json_fault fault;
	struct lu_expr_count *counts = calloc(lu_expr_fields(e) + 1, sizeof(*counts));
	struct lu_expr_scope scope = { &w, &obj, &arena, score, NULL, counts };
	const char *failed[2];
	struct lu_str value;
	struct lu_err err;

	if (!counts)
		abort();
	line.n = lu_utf8_valid(line.p, line.n);
	lu_measures_start(measurer, &w, line, LU_STOP_FR);
	if (lu_json_object(line, &arena, &obj, &fault) < 0)
		obj = (struct lu_json_obj){ .line = line };
	for (int i = 0; i < 2; i++) {
		if (lu_expr_judge(e, &scope, &failed[i], &value, &err) < 0)
			abort();
	}
	if (failed[0] != failed[1] || (failed[0] && !value.p))
		abort();
	for (size_t i = 0; i < lu_expr_fields(e); i++) {
		if (counts[i].missing > counts[i].reads || !*lu_expr_field(e, i))
			abort();
	}
	free(counts);
	lu_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "quality", "spam" };
	const char *p = (const char *)data;
	const char *nl = size ? memchr(p, '\n', size) : NULL;
	size_t n = nl ? (size_t)(nl - p) : size;
	char *text = calloc(1, n + 1);
	struct lu_expr *e;
	struct lu_err err;

	if (!measurer)
		measurer = lu_measurer_new(&err);
	if (!measurer || !text)
		abort();
	if (n)
		memcpy(text, p, n);
	if (lu_expr_parse(&e, text, (struct lu_expr_scores){ names, 2 }, &err) == 0) {
		judge(e, nl ? (struct lu_str){ nl + 1, size - n - 1 } : LU_STR(""));
		lu_expr_free(e);
	} else if (strncmp(err.msg, "column ", 7) != 0 && !strstr(err.msg, "UTF-8")) {
		abort();
	}
	free(text);
	return 0;
}
