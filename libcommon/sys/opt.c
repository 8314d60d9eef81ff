#include "libcommon/sys/opt.h"

#include <stdlib.h>

#include "libcommon/base/num.h"

int lu_choice_index(const char *choices, const char *value)
{
	size_t n = strlen(value);
	const char *p = choices;

	for (int i = 0; p; i++) {
		const char *bar = strchr(p, '|');
		size_t len = bar ? (size_t)(bar - p) : strlen(p);

		if (len == n && memcmp(p, value, n) == 0)
			return i;
		p = bar ? bar + 1 : NULL;
	}
	return -1;
}

struct lu_str lu_choice_name(const char *choices, int i)
{
	const char *p = choices;
	const char *bar;

	while (i-- > 0 && (bar = strchr(p, '|')))
		p = bar + 1;
	bar = strchr(p, '|');
	return (struct lu_str){ p, bar ? (size_t)(bar - p) : strlen(p) };
}

void lu_list_release(struct lu_list *l)
{
	free(l->item);
	*l = (struct lu_list){ 0 };
}

static int list_add(struct lu_list *l, const char *value, struct lu_err *err)
{
	const char **p = realloc(l->item, (l->n + 1) * sizeof(*p));

	if (!p)
		return lu_err_nomem(err);
	l->item = p;
	l->item[l->n++] = value;
	return 0;
}

static int store_int(const struct lu_opt *o, int *at, const char *value, struct lu_err *err)
{
	int64_t v;

	if (lu_num_i64(value, &v, err) < 0)
		return -1;
	if ((double)v < o->lo || (double)v > o->hi)
		return lu_err_set(err, "'%s' is not between %.0f and %.0f", value, o->lo, o->hi);
	*at = (int)v;
	return 0;
}

static int store_double(const struct lu_opt *o, double *at, const char *value, struct lu_err *err)
{
	double v;

	if (lu_num_double(value, &v, err) < 0)
		return -1;
	if (v < o->lo || v > o->hi)
		return lu_err_set(err, "'%s' is not between %g and %g", value, o->lo, o->hi);
	*at = v;
	return 0;
}

static int store_flag(bool *at, const char *value, struct lu_err *err)
{
	/* The command line gives no value; a configuration file says which. */
	int i = value ? lu_choice_index("no|yes|false|true|0|1|off|on", value) : 1;

	if (i < 0)
		return lu_err_set(err, "'%s' is neither yes nor no", value);
	*at = i & 1;
	return 0;
}

int lu_opt_store(const struct lu_opt *o, void *base, const char *value, struct lu_err *err)
{
	void *at = (char *)base + o->offset;
	int i;

	if (o->given)
		*(bool *)(void *)((char *)base + o->given) = true;
	switch (o->type) {
	case LU_OPT_T_FLAG: return store_flag(at, value, err);
	case LU_OPT_T_COUNT: ++*(int *)at; return 0;
	case LU_OPT_T_STR: *(const char **)at = value; return 0;
	case LU_OPT_T_INT: return store_int(o, at, value, err);
	case LU_OPT_T_U64: return lu_num_u64(value, at, err);
	case LU_OPT_T_SIZE: return lu_num_size(value, at, err);
	case LU_OPT_T_DOUBLE: return store_double(o, at, value, err);
	case LU_OPT_T_CHOICE:
		i = lu_choice_index(o->arg, value);
		if (i < 0)
			return lu_err_set(err, "'%s' is not one of %s", value, o->arg);
		*(int *)at = i;
		return 0;
	case LU_OPT_T_LIST: return list_add(at, value, err);
	case LU_OPT_T_END: break;
	}
	return lu_err_set(err, "no such option");
}

void lu_opt_format(const struct lu_opt *o, const void *base, struct lu_buf *out)
{
	const void *at = (const char *)base + o->offset;
	const struct lu_list *list = at;
	char text[32];

	switch (o->type) {
	case LU_OPT_T_FLAG: lu_buf_puts(out, *(const bool *)at ? "yes" : "no"); break;
	case LU_OPT_T_STR:
		lu_buf_puts(out, *(const char *const *)at ? *(const char *const *)at : "");
		break;
	case LU_OPT_T_COUNT:
	case LU_OPT_T_INT: lu_buf_printf(out, "%d", *(const int *)at); break;
	case LU_OPT_T_U64:
	case LU_OPT_T_SIZE: lu_buf_u64(out, *(const uint64_t *)at); break;
	case LU_OPT_T_DOUBLE:
		lu_num_format(*(const double *)at, text);
		lu_buf_puts(out, text);
		break;
	case LU_OPT_T_CHOICE: lu_buf_str(out, lu_choice_name(o->arg, *(const int *)at)); break;
	case LU_OPT_T_LIST:
		for (size_t i = 0; i < list->n; i++) {
			lu_buf_puts(out, i ? " " : "");
			lu_buf_puts(out, list->item[i]);
		}
		break;
	case LU_OPT_T_END: break;
	}
}
