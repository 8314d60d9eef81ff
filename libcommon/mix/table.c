#include "libcommon/mix/table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/base/json_writer.h"

#define NAME_WIDTH 20

struct rows LU_VEC(struct lu_mix_row);

/* The largest in the mix first, ties by name, so that the order does not depend on the input's. */
static int by_size(const void *a, const void *b)
{
	const struct lu_mix_row *p = a, *q = b;

	if (p->size_after != q->size_after)
		return p->size_after > q->size_after ? -1 : 1;
	return lu_str_cmp(p->name, q->name);
}

static void add(uint64_t *sum, uint64_t more)
{
	*sum = *sum == LU_MIX_UNKNOWN || more == LU_MIX_UNKNOWN ? LU_MIX_UNKNOWN : *sum + more;
}

static void add_row(struct lu_mix_row *sum, const struct lu_mix_row *r)
{
	add(&sum->docs, r->docs);
	add(&sum->size, r->size);
	add(&sum->docs_after, r->docs_after);
	add(&sum->size_after, r->size_after);
}

static struct lu_mix_row total_of(const struct lu_mix_row *r, size_t n)
{
	struct lu_mix_row total = { .name = LU_STR("total") };

	for (size_t i = 0; i < n; i++)
		add_row(&total, &r[i]);
	return total;
}

/* --- classes ------------------------------------------------------------------------------ */

/* Dimension i of the recipe, in the order in which its groups name them; NULL: no more. */
static const char *dimension(const struct lu_recipe *r, size_t i)
{
	const char *seen[LU_CLASSES_MAX];
	size_t n = 0;

	for (size_t g = 0; g < r->group.n; g++) {
		for (size_t c = 0; c < r->group.p[g].classes; c++) {
			const char *name = r->group.p[g].as[c].dimension;
			size_t k = 0;

			while (k < n && strcmp(seen[k], name) != 0)
				k++;
			if (k == n && n == i)
				return name;
			if (k == n && n < LU_CLASSES_MAX)
				seen[n++] = name;
		}
	}
	return NULL;
}

/* The groups added up by class, the largest first. */
static bool class_rows(const struct lu_mix_view *v, const char *of, struct rows *out)
{
	for (size_t g = 0; g < v->recipe->group.n; g++) {
		struct lu_mix_row r = v->group[g], none = { .name = LU_STR("none") };
		size_t k = 0;

		if (!lu_recipe_class(&v->recipe->group.p[g], of, &r.name))
			r.name = none.name;
		while (k < out->n && !lu_str_eq(out->p[k].name, r.name))
			k++;
		none.name = r.name;
		if (k == out->n && !lu_vec_push(out, none))
			return false;
		add_row(&out->p[k], &r);
	}
	if (out->n)
		qsort(out->p, out->n, sizeof(*out->p), by_size);
	return true;
}

/* The share that the target's groups have in the mix. */
static double achieved(const struct lu_mix_view *v, const struct lu_target *t)
{
	uint64_t total = 0, part = 0;
	struct lu_str class;

	for (size_t g = 0; g < v->recipe->group.n; g++) {
		const struct lu_mix_row *r = &v->group[g];
		uint64_t size = v->by_documents ? r->docs_after : r->size_after;

		total += size;
		if (lu_recipe_class(&v->recipe->group.p[g], t->dimension, &class) &&
				lu_target_match(t, class))
			part += size;
	}
	return total ? (double)part / (double)total : 0;
}

/* --- text --------------------------------------------------------------------------------- */

/* Names come from documents: control characters would break the line, or move the cursor. */
static void put_name(struct lu_buf *b, struct lu_str name, size_t width)
{
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		lu_buf_putc(b, (char)(c < 0x20 || c == 0x7f ? '?' : c));
	}
	for (size_t i = name.n; i < width; i++)
		lu_buf_putc(b, ' ');
}

static void put_number(struct lu_buf *b, int width, uint64_t n)
{
	if (n == LU_MIX_UNKNOWN)
		lu_buf_printf(b, " %*s", width, "-");
	else
		lu_buf_printf(b, " %*" PRIu64, width, n);
}

static void put_percent(struct lu_buf *b, uint64_t part, uint64_t whole)
{
	if (part == LU_MIX_UNKNOWN || whole == LU_MIX_UNKNOWN)
		lu_buf_printf(b, " %8s  ", "-");
	else
		lu_buf_printf(b, " %8.3f %%", whole ? 100 * (double)part / (double)whole : 0);
}

static void put_row(struct lu_buf *b, const struct lu_mix_row *r, const struct lu_mix_row *total,
		size_t width)
{
	put_name(b, r->name, width);
	put_number(b, 11, r->docs);
	put_number(b, 15, r->size);
	put_percent(b, r->size, total->size);
	put_number(b, 11, r->docs_after);
	put_number(b, 15, r->size_after);
	put_percent(b, r->size_after, total->size_after);
	if (r->size == LU_MIX_UNKNOWN)
		lu_buf_printf(b, " %7s\n", "-");
	else
		lu_buf_printf(b, " %7.3f\n", r->size ? (double)r->size_after / (double)r->size : 0);
}

static void put_table(struct lu_buf *b, const char *title, const char *unit,
		const struct lu_mix_row *r, size_t n)
{
	struct lu_mix_row total = total_of(r, n);
	size_t width = NAME_WIDTH;

	for (size_t i = 0; i < n; i++)
		width = r[i].name.n > width ? r[i].name.n : width;
	lu_buf_printf(b, "%s%-*s %11s %15s %10s %11s %15s %10s %7s\n", b->n ? "\n" : "", (int)width,
			title, "documents", unit, "before", "documents", unit, "after", "epochs");
	for (size_t i = 0; i < n; i++)
		put_row(b, &r[i], &total, width);
	put_row(b, &total, &total, width);
}

static void put_targets(struct lu_buf *b, const struct lu_mix_view *v)
{
	lu_buf_printf(b, "\n%-32s %10s %10s\n", "target", "wanted", "share");
	for (size_t i = 0; i < v->recipe->target.n; i++) {
		const struct lu_target *t = &v->recipe->target.p[i];

		put_name(b, lu_str_of(t->name), 29);
		lu_buf_printf(b, " %2s %8.3f %% %8.3f %%\n", lu_target_sign(t->op),
				(double)t->share * 100 / LU_SHARE_ONE, 100 * achieved(v, t));
	}
}

void lu_mix_text(const struct lu_mix_view *v, struct lu_buf *out)
{
	const struct lu_recipe *r = v->recipe;
	uint64_t size = total_of(v->group, r->group.n).size_after;
	const char *of;

	put_table(out, "group", v->unit, v->group, r->group.n);
	if (v->lang) {
		if (v->langs)
			qsort(v->lang, v->langs, sizeof(*v->lang), by_size);
		put_table(out, "language", v->unit, v->lang, v->langs);
	}
	for (size_t i = 0; (of = dimension(r, i)) != NULL; i++) {
		struct rows rows = { 0 };

		if (class_rows(v, of, &rows))
			put_table(out, of, v->unit, rows.p, rows.n);
		else
			out->failed = true;
		lu_vec_release(&rows);
	}
	if (r->target.n)
		put_targets(out, v);
	if (r->context && r->unit == LU_MIX_TOKENS)
		lu_buf_printf(out, "\nsequences of %" PRIu64 " tokens: %" PRIu64 "\n", r->context,
				size / r->context + (size % r->context != 0));
}

/* --- JSON --------------------------------------------------------------------------------- */

static void put_known(struct lu_buf *b, const char *key, uint64_t n)
{
	if (n == LU_MIX_UNKNOWN)
		lu_json_put_null(b, key);
	else
		lu_json_put_u64(b, key, n);
}

/* Leaves the object open. */
static void put_members(struct lu_buf *b, const struct lu_mix_row *r)
{
	lu_json_open_object(b, NULL);
	lu_json_put_str(b, "name", r->name);
	put_known(b, "docs", r->docs);
	put_known(b, "size", r->size);
	put_known(b, "docs_after", r->docs_after);
	put_known(b, "size_after", r->size_after);
}

static void put_array(struct lu_buf *b, const char *key, const struct lu_mix_row *r, size_t n,
		bool quotas)
{
	lu_json_open_array(b, key);
	for (size_t i = 0; i < n; i++) {
		put_members(b, &r[i]);
		if (quotas)
			lu_json_put_u64(b, "quota", r[i].quota);
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
}

static void put_classes(struct lu_buf *b, const struct lu_mix_view *v)
{
	const char *of;

	lu_json_open_array(b, "classes");
	for (size_t i = 0; (of = dimension(v->recipe, i)) != NULL; i++) {
		struct rows rows = { 0 };

		lu_json_open_object(b, NULL);
		lu_json_put_cstr(b, "by", of);
		if (class_rows(v, of, &rows))
			put_array(b, "classes", rows.p, rows.n, false);
		else
			b->failed = true;
		lu_json_close_object(b);
		lu_vec_release(&rows);
	}
	lu_json_close_array(b);
}

void lu_mix_json(const struct lu_mix_view *v, struct lu_buf *out)
{
	const struct lu_recipe *r = v->recipe;

	if (v->langs)
		qsort(v->lang, v->langs, sizeof(*v->lang), by_size);
	lu_json_open_object(out, "mix");
	lu_json_put_cstr(out, "measure", v->unit);
	put_array(out, "groups", v->group, r->group.n, true);
	put_array(out, "languages", v->lang, v->langs, false);
	if (r->tables)
		put_classes(out, v);
	if (r->target.n) {
		lu_json_open_array(out, "targets");
		for (size_t i = 0; i < r->target.n; i++) {
			const struct lu_target *t = &r->target.p[i];

			lu_json_open_object(out, NULL);
			lu_json_put_cstr(out, "target", t->name);
			lu_json_put_cstr(out, "sign", lu_target_sign(t->op));
			lu_json_put_double(out, "wanted", (double)t->share / LU_SHARE_ONE);
			lu_json_put_double(out, "share", achieved(v, t));
			lu_json_close_object(out);
		}
		lu_json_close_array(out);
	}
	lu_json_close_object(out);
}
