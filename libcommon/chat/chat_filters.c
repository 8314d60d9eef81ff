/* Filters and tests. */
#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/chat/chat_ast.h"

/* --- lists -------------------------------------------------------------------------------- */

/* The attribute of a filter's argument: names with dots between them, or a number. */
static int attribute_of(
		struct lu_ce *e, const struct lu_cv *v, const struct lu_cv *path, struct lu_cv *out)
{
	struct lu_str rest = lu_cv_text(path);

	*out = *v;
	if (path->type != LU_CV_STRING)
		return lu_ce_item(e, v, path, out);
	for (;;) {
		const char *dot = memchr(rest.p, '.', rest.n);
		struct lu_str name = { rest.p, dot ? (size_t)(dot - rest.p) : rest.n };
		struct lu_cv key = lu_cv_str(name, 0), of = *out;

		if (lu_ce_item(e, &of, &key, out) < 0)
			return -1;
		if (!dot)
			return 0;
		rest = (struct lu_str){ dot + 1, rest.n - name.n - 1 };
	}
}

static int new_list(struct lu_ce *e, struct lu_cv *out)
{
	*out = (struct lu_cv){ .type = LU_CV_LIST };
	out->list = lu_cv_list_new(&e->x);
	return out->list ? 0 : -1;
}

/* The elements of a value that is true; Jinja asks that first in select() and map(). */
static int some_elements(struct lu_ce *e, const struct lu_cv *v, struct lu_cv_list *out)
{
	*out = (struct lu_cv_list){ 0 };
	return lu_cv_true(v) ? lu_cv_elements(&e->x, v, out) : 0;
}

/* select, reject, selectattr, rejectattr: the elements whose (attribute's) test gives `want`. */
static int select_items(struct lu_ce *e, const struct lu_cv *v, const struct lu_ce_args *a,
		bool attribute, bool want, struct lu_cv *out)
{
	size_t skip = attribute, i;
	struct lu_ce_args rest = { 0 };
	struct lu_cv_list all;
	struct lu_cv item;
	int test = -1;

	if (a->keywords || (attribute && a->n == 0))
		return lu_cv_fail(&e->x, "the filter takes an attribute, a test and its argument");
	if (a->n > skip) {
		test = a->p[skip].type == LU_CV_STRING ? lu_cn_test(lu_cv_text(&a->p[skip])) : -1;
		if (test < 0)
			return lu_cv_fail(&e->x, "the test that a filter names is not supported");
		rest.p = a->p + skip + 1;
		rest.n = a->n - skip - 1;
	}
	if (new_list(e, out) < 0 || some_elements(e, v, &all) < 0)
		return -1;
	for (i = 0; i < all.n; i++) {
		bool is;

		item = all.p[i];
		if (lu_cv_step(&e->x, 1) < 0 ||
				(attribute && attribute_of(e, &all.p[i], &a->p[0], &item) < 0))
			return -1;
		is = lu_cv_true(&item);
		if (test >= 0 && lu_ce_test(e, (unsigned)test, &item, &rest, &is) < 0)
			return -1;
		if (is == want && lu_cv_list_add(&e->x, out->list, all.p[i]) < 0)
			return -1;
	}
	return 0;
}

static int map_items(struct lu_ce *e, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	const struct lu_cv *path = lu_ce_arg(a, SIZE_MAX, "attribute"),
			   *missing = lu_ce_arg(a, SIZE_MAX, "default");
	struct lu_ce_args rest = { .p = a->p + 1, .n = a->n ? a->n - 1 : 0 };
	int filter = a->n && a->p[0].type == LU_CV_STRING ? lu_cn_filter(lu_cv_text(&a->p[0])) : -1;
	struct lu_cv_list all;
	struct lu_cv item;

	if (!path && filter < 0)
		return lu_cv_fail(&e->x, "map() takes a filter that is supported, or attribute=");
	if (new_list(e, out) < 0 || some_elements(e, v, &all) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		int rc = lu_cv_step(&e->x, 1);

		if (rc == 0)
			rc = path ? attribute_of(e, &all.p[i], path, &item)
				  : lu_ce_filter(e, (unsigned)filter, &all.p[i], &rest, &item);
		if (rc == 0 && item.type == LU_CV_UNDEFINED && missing)
			item = *missing;
		if (rc < 0 || lu_cv_list_add(&e->x, out->list, item) < 0)
			return -1;
	}
	return 0;
}

/* What elements are sorted by: themselves or an attribute, strings in lower case. */
static int sort_key(struct lu_ce *e, const struct lu_cv *v, const struct lu_cv *path, bool exact,
		struct lu_cv *key)
{
	*key = *v;
	if (path && path->type != LU_CV_NONE && attribute_of(e, v, path, key) < 0)
		return -1;
	if (key->type == LU_CV_STRING && !exact)
		return lu_ce_change_case(e, key, LU_CE_LOWER, key);
	return 0;
}

struct keyed {
	struct lu_cv key, item;
};

/* Merge sort, stable; `reverse` keeps the order of equals, as Python does. */
static int sort_keyed(struct lu_ce *e, struct keyed *p, struct keyed *room, size_t n, bool reverse)
{
	size_t half = n / 2, i = 0, k = half, at = 0;
	int order = 0;

	if (n < 2)
		return 0;
	if (sort_keyed(e, p, room, half, reverse) < 0 ||
			sort_keyed(e, p + half, room, n - half, reverse) < 0)
		return -1;
	memcpy(room, p, n * sizeof(*p));
	while (i < half || k < n) {
		if (i < half && k < n && lu_cv_order(&e->x, &room[i].key, &room[k].key, &order) < 0)
			return -1;
		if (k == n || (i < half && (reverse ? order >= 0 : order <= 0)))
			p[at++] = room[i++];
		else
			p[at++] = room[k++];
	}
	return 0;
}

static int sort_items(struct lu_ce *e, const struct lu_cv_list *all, const struct lu_cv *path,
		bool exact, bool reverse, struct lu_cv *out)
{
	struct keyed *p = lu_cv_alloc(&e->x, all->n * 2 * sizeof(*p));

	if (!p || new_list(e, out) < 0)
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		p[i].item = all->p[i];
		if (sort_key(e, &all->p[i], path, exact, &p[i].key) < 0)
			return -1;
	}
	if (sort_keyed(e, p, p + all->n, all->n, reverse) < 0)
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		if (lu_cv_list_add(&e->x, out->list, p[i].item) < 0)
			return -1;
	}
	return 0;
}

static int filter_sort(struct lu_ce *e, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	static const char *const keyword[] = { "reverse", "case_sensitive", "attribute", NULL };
	const struct lu_cv *reverse = lu_ce_arg(a, 0, "reverse"),
			   *exact = lu_ce_arg(a, 1, "case_sensitive"),
			   *path = lu_ce_arg(a, 2, "attribute");
	struct lu_cv_list all;

	if (lu_ce_check_args(e, a, 3, "sort", keyword) < 0 || lu_cv_elements(&e->x, v, &all) < 0)
		return -1;
	return sort_items(e, &all, path, exact && lu_cv_true(exact), reverse && lu_cv_true(reverse),
			out);
}

static int filter_dictsort(struct lu_ce *e, const struct lu_cv *v, struct lu_cv *out)
{
	struct lu_cv pairs, path = lu_cv_int(0);

	if (v->type != LU_CV_DICT)
		return lu_cv_fail(&e->x, "dictsort of %s", lu_cv_type_name(v));
	if (lu_ce_method(e, (unsigned)lu_cn_method(LU_STR("items")), v, &(struct lu_ce_args){ 0 },
			    &pairs) < 0)
		return -1;
	return sort_items(e, pairs.list, &path, false, false, out);
}

static int filter_unique(struct lu_ce *e, const struct lu_cv *v, struct lu_cv *out)
{
	struct lu_cv_list all, seen = { 0 };

	if (lu_cv_elements(&e->x, v, &all) < 0 || new_list(e, out) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		bool known = false;
		struct lu_cv key;

		if (sort_key(e, &all.p[i], NULL, false, &key) < 0)
			return -1;
		for (size_t k = 0; k < seen.n && !known; k++) {
			if (lu_cv_equal(&e->x, &seen.p[k], &key, &known) < 0)
				return -1;
		}
		if (!known &&
				(lu_cv_list_add(&e->x, &seen, key) < 0 ||
						lu_cv_list_add(&e->x, out->list, all.p[i]) < 0))
			return -1;
	}
	return 0;
}

/* first and last; a list without elements has an undefined one. */
static int filter_end(struct lu_ce *e, const struct lu_cv *v, bool last, struct lu_cv *out)
{
	struct lu_cv_list all;

	if (lu_cv_elements(&e->x, v, &all) < 0)
		return -1;
	*out = all.n ? all.p[last ? all.n - 1 : 0]
		     : lu_cv_undefined(LU_STR("an element of an empty list"));
	return 0;
}

static int filter_extreme(struct lu_ce *e, const struct lu_cv *v, bool max, struct lu_cv *out)
{
	struct lu_cv_list all;
	struct lu_cv sorted;

	if (lu_cv_elements(&e->x, v, &all) < 0)
		return -1;
	*out = lu_cv_undefined(LU_STR("an element of an empty list"));
	if (all.n == 0)
		return 0;
	if (sort_items(e, &all, NULL, false, max, &sorted) < 0)
		return -1;
	*out = sorted.list->p[0];
	return 0;
}

static int filter_reverse(struct lu_ce *e, const struct lu_cv *v, struct lu_cv *out)
{
	struct lu_cv_list all;

	if (lu_cv_elements(&e->x, v, &all) < 0 || new_list(e, out) < 0)
		return -1;
	for (size_t i = all.n; i-- > 0;) {
		if (lu_cv_list_add(&e->x, out->list, all.p[i]) < 0)
			return -1;
	}
	if (v->type != LU_CV_STRING)
		return 0;
	return lu_cv_join(&e->x, out->list->p, out->list->n, out);
}

static int filter_list(struct lu_ce *e, const struct lu_cv *v, struct lu_cv *out)
{
	struct lu_cv_list all;

	if (lu_cv_elements(&e->x, v, &all) < 0 || new_list(e, out) < 0)
		return -1;
	*out->list = all;
	return 0;
}

/* --- values ------------------------------------------------------------------------------- */

static int filter_tojson(struct lu_ce *e, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	static const char *const keyword[] = { "ensure_ascii", "indent", "separators", "sort_keys",
		NULL };
	const struct lu_cv *ascii = lu_ce_arg(a, 0, "ensure_ascii"),
			   *indent = lu_ce_arg(a, 1, "indent"),
			   *separators = lu_ce_arg(a, 2, "separators"),
			   *sort = lu_ce_arg(a, 3, "sort_keys");
	struct lu_cv_dump how = {
		.indent = -1, .ascii = ascii && lu_cv_true(ascii), .sort = sort && lu_cv_true(sort)
	};

	if (lu_ce_check_args(e, a, 4, "tojson", keyword) < 0)
		return -1;
	if (indent && indent->type != LU_CV_NONE &&
			(!lu_cv_integer(indent, &how.indent) || how.indent < 0 || how.indent > 64))
		return lu_cv_fail(&e->x, "tojson: the indent is not a number up to 64");
	if (separators && separators->type != LU_CV_NONE)
		return lu_cv_fail(&e->x, "tojson: separators are not supported");
	return lu_cv_to_json(&e->x, v, &how, out);
}

static int filter_default(const struct lu_cv *v, const struct lu_ce_args *a, struct lu_cv *out)
{
	const struct lu_cv *value = lu_ce_arg(a, 0, "default_value"),
			   *falsy = lu_ce_arg(a, 1, "boolean");

	*out = *v;
	if (v->type == LU_CV_UNDEFINED || (falsy && lu_cv_true(falsy) && !lu_cv_true(v)))
		*out = value ? *value : lu_cv_str(LU_STR(""), 0);
	return 0;
}

static int filter_int(struct lu_ce *e, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	const struct lu_cv *missing = lu_ce_arg(a, 0, "default");
	struct lu_cv s;
	char text[24] = "";
	struct lu_err ignored;
	int64_t i;

	*out = missing ? *missing : lu_cv_int(0);
	if (lu_cv_integer(v, &i)) {
		*out = lu_cv_int(i);
	} else if (v->type == LU_CV_FLOAT && v->d > -9e18 && v->d < 9e18) {
		*out = lu_cv_int((int64_t)v->d);
	} else if (v->type == LU_CV_STRING) {
		if (lu_ce_strip(e, v, NULL, LU_CE_LEFT | LU_CE_RIGHT, &s) < 0)
			return -1;
		if (s.s.n < sizeof(text) && s.s.n)
			memcpy(text, s.s.p, s.s.n);
		if (lu_num_i64(text, &i, &ignored) == 0)
			*out = lu_cv_int(i);
	} else if (v->type == LU_CV_UNDEFINED) {
		return lu_cv_fail(
				&e->x, "'" LU_STR_FMT "' is undefined", LU_STR_ARG(lu_cv_text(v)));
	}
	return 0;
}

static int filter_replace(struct lu_ce *e, const struct lu_cv *s, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	static const char *const keyword[] = { "old", "new", "count", NULL };
	const struct lu_cv *old = lu_ce_arg(a, 0, "old"), *by = lu_ce_arg(a, 1, "new"),
			   *most = lu_ce_arg(a, 2, "count");
	struct lu_cv from, to;
	int64_t count = -1;

	if (lu_ce_check_args(e, a, 3, "replace", keyword) < 0)
		return -1;
	if (!old || !by || (most && most->type != LU_CV_NONE && !lu_cv_integer(most, &count)))
		return lu_cv_fail(&e->x, "replace takes two strings, and a number");
	if (lu_cv_to_str(&e->x, old, &from) < 0 || lu_cv_to_str(&e->x, by, &to) < 0)
		return -1;
	return lu_ce_replace(e, s, &from, &to, count, out);
}

static int filter_indent(struct lu_ce *e, const struct lu_cv *s, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	static const char *const keyword[] = { "width", "first", "blank", NULL };
	const struct lu_cv *width = lu_ce_arg(a, 0, "width"), *first = lu_ce_arg(a, 1, "first"),
			   *blank = lu_ce_arg(a, 2, "blank");
	struct lu_cv pad = lu_cv_str(LU_STR("    "), 0), lines, line;
	struct lu_cv_list l = { 0 };
	int64_t n = 4;

	if (lu_ce_check_args(e, a, 3, "indent", keyword) < 0)
		return -1;
	if (width && width->type == LU_CV_STRING)
		pad = *width;
	else if (width && (!lu_cv_integer(width, &n) || n < 0 || n > 1000))
		return lu_cv_fail(&e->x, "indent: the width is not a number up to 1000");
	else if (width) {
		line = lu_cv_str(LU_STR(" "), 0);
		line = (struct lu_cv){ .type = LU_CV_STRING, .s = line.s };
		if (lu_ce_operation(e, LU_CN_MULTIPLY, &line,
				    &(struct lu_cv){ .type = LU_CV_INT, .i = n }, &pad) < 0)
			return -1;
	}
	/* Jinja adds a line feed, so that a last empty line counts, and splits at line ends. */
	line = lu_cv_str(LU_STR("\n"), 0);
	if (lu_ce_operation(e, LU_CN_ADD, s, &line, &lines) < 0 ||
			lu_ce_method(e, (unsigned)lu_cn_method(LU_STR("splitlines")), &lines,
					&(struct lu_ce_args){ 0 }, &lines) < 0)
		return -1;
	for (size_t i = 0; i < lines.list->n; i++) {
		bool padded = i ? lines.list->p[i].s.n || (blank && lu_cv_true(blank))
				: first && lu_cv_true(first);

		if ((i && lu_cv_list_add(&e->x, &l, line) < 0) ||
				(padded && lu_cv_list_add(&e->x, &l, pad) < 0) ||
				lu_cv_list_add(&e->x, &l, lines.list->p[i]) < 0)
			return -1;
	}
	return lu_cv_join(&e->x, l.p, l.n, out);
}

/* --- by name ------------------------------------------------------------------------------ */

enum {
	TRIM,
	UPPER,
	LOWER,
	CAPITALIZE,
	STRING,
	SAFE,
	REPLACE,
	INDENT, /* of the value as a string */
	TOJSON,
	LENGTH,
	COUNT,
	DEFAULT,
	D,
	JOIN,
	ITEMS,
	LIST,
	FIRST,
	LAST,
	REVERSE,
	SORT,
	DICTSORT,
	UNIQUE,
	MAP,
	SELECT,
	REJECT,
	SELECTATTR,
	REJECTATTR,
	MIN,
	MAX,
	INT,
	ABS,
	FILTERS
};

int lu_cn_filter(struct lu_str name)
{
	static const char *const known[FILTERS] = { "trim", "upper", "lower", "capitalize",
		"string", "safe", "replace", "indent", "tojson", "length", "count", "default", "d",
		"join", "items", "list", "first", "last", "reverse", "sort", "dictsort", "unique",
		"map", "select", "reject", "selectattr", "rejectattr", "min", "max", "int", "abs" };

	for (int i = 0; i < FILTERS; i++) {
		if (lu_str_is(name, known[i]))
			return i;
	}
	return -1;
}

static int filter_string(struct lu_ce *e, unsigned which, const struct lu_cv *v,
		const struct lu_ce_args *a, struct lu_cv *out)
{
	struct lu_cv s;

	if (lu_cv_to_str(&e->x, v, &s) < 0)
		return -1;
	switch (which) {
	case TRIM:
		return lu_ce_strip(e, &s, lu_ce_arg(a, 0, "chars"), LU_CE_LEFT | LU_CE_RIGHT, out);
	case UPPER:
	case LOWER:
	case CAPITALIZE:
		return lu_ce_change_case(e, &s,
				which == UPPER			 ? LU_CE_UPPER
						: which == LOWER ? LU_CE_LOWER
								 : LU_CE_CAPITALIZE,
				out);
	case REPLACE: return filter_replace(e, &s, a, out);
	case INDENT: return filter_indent(e, &s, a, out);
	default:
		*out = s;
		out->s.markup = which == SAFE || s.s.markup;
		return 0;
	}
}

static int filter_join(struct lu_ce *e, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	const struct lu_cv *between = lu_ce_arg(a, 0, "d"), *path = lu_ce_arg(a, 1, "attribute");
	struct lu_cv mapped = *v, s;

	if (path) {
		struct lu_str keyword = LU_STR("attribute");
		struct lu_cv value = *path;
		struct lu_ce_args map = { .keyword = &keyword, .value = &value, .keywords = 1 };

		if (map_items(e, v, &map, &mapped) < 0)
			return -1;
	}
	if (between && lu_cv_to_str(&e->x, between, &s) < 0)
		return -1;
	return lu_ce_join(e, &mapped, between ? &s : NULL, out);
}

static int filter_items(struct lu_ce *e, const struct lu_cv *v, struct lu_cv *out)
{
	if (v->type == LU_CV_UNDEFINED)
		return new_list(e, out);
	if (v->type != LU_CV_DICT)
		return lu_cv_fail(&e->x, "items of %s", lu_cv_type_name(v));
	return lu_ce_method(e, (unsigned)lu_cn_method(LU_STR("items")), v,
			&(struct lu_ce_args){ 0 }, out);
}

static int filter_abs(struct lu_ce *e, const struct lu_cv *v, struct lu_cv *out)
{
	double d;

	if (!lu_cv_number(v, &d))
		return lu_cv_fail(&e->x, "abs of %s", lu_cv_type_name(v));
	return lu_ce_operation(e, d < 0 ? LU_CN_MINUS : LU_CN_PLUS, v, NULL, out);
}

int lu_ce_filter(struct lu_ce *e, unsigned which, const struct lu_cv *v, const struct lu_ce_args *a,
		struct lu_cv *out)
{
	int64_t n;

	if (which <= INDENT)
		return filter_string(e, which, v, a, out);
	switch (which) {
	case TOJSON: return filter_tojson(e, v, a, out);
	case LENGTH:
	case COUNT:
		if (lu_cv_length(&e->x, v, &n) < 0)
			return -1;
		*out = lu_cv_int(n);
		return 0;
	case DEFAULT:
	case D: return filter_default(v, a, out);
	case JOIN: return filter_join(e, v, a, out);
	case ITEMS: return filter_items(e, v, out);
	case LIST: return filter_list(e, v, out);
	case FIRST:
	case LAST: return filter_end(e, v, which == LAST, out);
	case REVERSE: return filter_reverse(e, v, out);
	case SORT: return filter_sort(e, v, a, out);
	case DICTSORT:
		return lu_ce_check_args(e, a, 0, "dictsort", NULL) < 0 ? -1
								       : filter_dictsort(e, v, out);
	case UNIQUE:
		return lu_ce_check_args(e, a, 0, "unique", NULL) < 0 ? -1
								     : filter_unique(e, v, out);
	case MAP: return map_items(e, v, a, out);
	case SELECT:
	case REJECT: return select_items(e, v, a, false, which == SELECT, out);
	case SELECTATTR:
	case REJECTATTR: return select_items(e, v, a, true, which == SELECTATTR, out);
	case MIN:
	case MAX: return filter_extreme(e, v, which == MAX, out);
	case INT: return filter_int(e, v, a, out);
	default: return filter_abs(e, v, out);
	}
}

/* --- tests -------------------------------------------------------------------------------- */

enum {
	IS_DEFINED,
	IS_UNDEFINED,
	IS_NONE,
	IS_BOOLEAN,
	IS_TRUE,
	IS_FALSE,
	IS_STRING,
	IS_NUMBER,
	IS_INTEGER,
	IS_FLOAT,
	IS_MAPPING,
	IS_SEQUENCE,
	IS_ITERABLE,
	IS_CALLABLE,
	IS_ODD,
	IS_EVEN,
	IS_DIVISIBLEBY,
	IS_IN,
	IS_EQUALTO,
	IS_EQ,
	IS_NE,
	IS_LT,
	IS_LE,
	IS_GT,
	IS_GE,
	TESTS
};

int lu_cn_test(struct lu_str name)
{
	static const char *const known[TESTS] = { "defined", "undefined", "none", "boolean", "true",
		"false", "string", "number", "integer", "float", "mapping", "sequence", "iterable",
		"callable", "odd", "even", "divisibleby", "in", "equalto", "eq", "ne", "lt", "le",
		"gt", "ge" };

	for (int i = 0; i < TESTS; i++) {
		if (lu_str_is(name, known[i]))
			return i;
	}
	/* The comparisons that filters name by their sign. */
	if (lu_str_is(name, "=="))
		return IS_EQ;
	return lu_str_is(name, "!=") ? IS_NE : -1;
}

/* Tests with an operand. */
static int test_with(struct lu_ce *e, unsigned which, const struct lu_cv *v,
		const struct lu_ce_args *a, bool *out)
{
	static const unsigned op[] = { LU_CN_IN, LU_CN_EQ, LU_CN_EQ, LU_CN_NE, LU_CN_LT, LU_CN_LE,
		LU_CN_GT, LU_CN_GE };
	struct lu_cv rest, by = lu_cv_int(2);
	int64_t n;

	if (a->n != (which > IS_EVEN) || a->keywords)
		return lu_cv_fail(&e->x, "a test with the wrong number of arguments");
	if (which >= IS_IN)
		return lu_ce_compare(e, op[which - IS_IN], v, &a->p[0], out);
	if (which == IS_DIVISIBLEBY)
		by = a->p[0];
	if (lu_ce_operation(e, LU_CN_MODULO, v, &by, &rest) < 0)
		return -1;
	*out = lu_cv_integer(&rest, &n) && n == (which == IS_ODD);
	return 0;
}

int lu_ce_test(struct lu_ce *e, unsigned which, const struct lu_cv *v, const struct lu_ce_args *a,
		bool *out)
{
	enum lu_cv_type t = v->type;
	bool list = t == LU_CV_STRING || t == LU_CV_LIST || t == LU_CV_TUPLE || t == LU_CV_DICT ||
			t == LU_CV_UNDEFINED;

	if (which >= IS_ODD)
		return test_with(e, which, v, a, out);
	if (a->n || a->keywords)
		return lu_cv_fail(&e->x, "a test with an argument that it does not take");
	*out = which == IS_DEFINED		? t != LU_CV_UNDEFINED
			: which == IS_UNDEFINED ? t == LU_CV_UNDEFINED
			: which == IS_NONE	? t == LU_CV_NONE
			: which == IS_BOOLEAN	? t == LU_CV_BOOL
			: which == IS_TRUE	? t == LU_CV_BOOL && v->b
			: which == IS_FALSE	? t == LU_CV_BOOL && !v->b
			: which == IS_STRING	? t == LU_CV_STRING
			: which == IS_NUMBER ? t == LU_CV_BOOL || t == LU_CV_INT || t == LU_CV_FLOAT
			: which == IS_INTEGER ? t == LU_CV_INT
			: which == IS_FLOAT   ? t == LU_CV_FLOAT
			: which == IS_MAPPING ? t == LU_CV_DICT
			: which == IS_CALLABLE
			? t == LU_CV_METHOD || t == LU_CV_FUNCTION || t == LU_CV_MACRO
			: list;
	return 0;
}
