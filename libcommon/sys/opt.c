#include "libcommon/sys/opt.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/base/suggest.h"
#include "libcommon/base/vec.h"

const struct lu_enum *lu_enum_find(const struct lu_enum *values, struct lu_str name)
{
	for (; values->name; values++) {
		if (lu_str_is(name, values->name))
			return values;
	}
	return NULL;
}

const char *lu_enum_name(const struct lu_enum *values, int value)
{
	while (values->name && values->value != value)
		values++;
	return values->name;
}

void lu_enum_list(const struct lu_enum *values, struct lu_buf *out)
{
	for (const struct lu_enum *v = values; v->name; v++) {
		lu_buf_puts(out, v == values ? "" : "|");
		lu_buf_puts(out, v->name);
	}
}

bool lu_opt_has_arg(const struct lu_opt *o)
{
	return o->type != LU_OPT_T_FLAG && o->type != LU_OPT_T_COUNT && o->type != LU_OPT_T_ALIAS;
}

void lu_opt_arg(const struct lu_opt *o, struct lu_buf *out)
{
	if (o->type == LU_OPT_T_ENUM)
		lu_enum_list(o->values, out);
	else if (lu_opt_has_arg(o))
		lu_buf_puts(out, o->arg);
}

void lu_list_release(struct lu_list *l)
{
	free(l->item);
	*l = (struct lu_list){ 0 };
}

static int list_add(struct lu_list *l, const char *value, struct lu_err *err)
{
	size_t cap = l->n; /* lists of options are short: one reallocation per item */

	if (!lu_vec_grow(&l->item, &cap, l->n, 1, sizeof(*l->item)))
		return lu_err_nomem(err);
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

/* Only a configuration file gives a value. */
static int store_flag(bool *at, const char *value, struct lu_err *err)
{
	static const struct lu_enum words[] = {
		{ "no", false },
		{ "yes", true },
		{ "false", false },
		{ "true", true },
		{ "0", false },
		{ "1", true },
		{ "off", false },
		{ "on", true },
		LU_ENUM_END,
	};
	const struct lu_enum *word = value ? lu_enum_find(words, lu_str_of(value)) : NULL;

	if (value && !word)
		return lu_err_set(err, "'%s' is neither yes nor no", value);
	*at = !word || word->value;
	return 0;
}

static int store_enum(const struct lu_opt *o, int *at, const char *value, struct lu_err *err)
{
	const struct lu_enum *v = lu_enum_find(o->values, lu_str_of(value));
	struct lu_suggest near = lu_suggest_for(lu_str_of(value));
	struct lu_buf names = { 0 };

	if (v) {
		*at = v->value;
		return 0;
	}
	lu_enum_list(o->values, &names);
	for (v = o->values; v->name; v++)
		lu_suggest_try(&near, v->name);
	lu_err_set(err, "'%s' is not one of " LU_STR_FMT "%s", value,
			LU_STR_ARG(lu_buf_slice(&names)), lu_suggest_hint(&near));
	lu_buf_release(&names);
	return -1;
}

static int store(const struct lu_opt *o, void *at, const char *value, struct lu_err *err)
{
	switch (o->type) {
	case LU_OPT_T_FLAG: return store_flag(at, value, err);
	case LU_OPT_T_COUNT: ++*(int *)at; return 0;
	case LU_OPT_T_STR: *(const char **)at = value; return 0;
	case LU_OPT_T_INT: return store_int(o, at, value, err);
	case LU_OPT_T_U64: return lu_num_u64(value, at, err);
	case LU_OPT_T_SIZE: return lu_num_size(value, at, err);
	case LU_OPT_T_DOUBLE: return store_double(o, at, value, err);
	case LU_OPT_T_ENUM: return store_enum(o, at, value, err);
	case LU_OPT_T_LIST: return list_add(at, value, err);
	case LU_OPT_T_ALIAS:
	case LU_OPT_T_END: break;
	}
	return lu_err_set(err, "no such option");
}

int lu_opt_store(const struct lu_opt *o, void *base, const char *value, struct lu_err *err)
{
	if (store(o, (char *)base + o->offset, value, err) < 0)
		return -1;
	if (o->given)
		*(bool *)(void *)((char *)base + o->given) = true;
	return 0;
}

void lu_opt_format(const struct lu_opt *o, const void *base, struct lu_buf *out)
{
	const void *at = (const char *)base + o->offset;
	const struct lu_list *list = at;
	const char *name;
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
	case LU_OPT_T_ENUM:
		name = lu_enum_name(o->values, *(const int *)at);
		lu_buf_puts(out, name ? name : "");
		break;
	case LU_OPT_T_LIST:
		for (size_t i = 0; i < list->n; i++) {
			lu_buf_puts(out, i ? " " : "");
			lu_buf_puts(out, list->item[i]);
		}
		break;
	case LU_OPT_T_ALIAS:
	case LU_OPT_T_END: break;
	}
}
