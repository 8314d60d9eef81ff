#include "libcommon/tokaudit/lossless_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/tokaudit/show.h"

static const char *const kind_name[LU_LOSS_KINDS] = { "lost", "noncharacter", "normalised" };

/* --- text --------------------------------------------------------------------------------- */

static void put_context(struct lu_buf *b, const struct lu_loss_context *c)
{
	if (*c->before == '\n' || *c->before == '\t')
		lu_buf_puts(b, *c->before == '\n' ? "LF" : "TAB");
	else if (strcmp(c->before, "\u00A0") == 0)
		lu_buf_puts(b, "U+00A0");
	else
		lu_buf_puts(b, *c->before ? c->before : c->after);
}

/* List the contexts before c, or those after it, behind a separator and "after" or "before". */
static void put_side(struct lu_buf *b, uint32_t contexts, bool after, const char **separator)
{
	bool first = true;

	for (unsigned i = 1; i < LU_LOSS_CONTEXTS; i++) {
		const struct lu_loss_context *c = &lu_loss_contexts[i];

		if (!(contexts >> i & 1) || (*c->before != '\0') != after)
			continue;
		if (first)
			lu_buf_printf(b, "%s%s", *separator, after ? "after" : "before");
		first = false;
		*separator = ", ";
		lu_buf_putc(b, ' ');
		put_context(b, c);
	}
}

/* "alone, after ( [, before a"; "everywhere"; "everywhere but ..." if that is shorter. */
static void put_contexts(struct lu_buf *b, uint32_t contexts, uint32_t lossy)
{
	uint32_t all = ((UINT32_C(1) << LU_LOSS_CONTEXTS) - 1) & ~lossy;
	const char *separator = "";

	if (contexts == all) {
		lu_buf_puts(b, "everywhere");
		return;
	}
	if (__builtin_popcount(contexts) > LU_LOSS_CONTEXTS / 2) {
		lu_buf_puts(b, "everywhere but ");
		contexts = ~contexts & all;
	}
	if (contexts & 1) {
		lu_buf_puts(b, "alone");
		separator = ", ";
	}
	put_side(b, contexts, true, &separator);
	put_side(b, contexts, false, &separator);
}

static void put_round_trip(struct lu_buf *b, struct lu_str text, struct lu_str got)
{
	lu_buf_putc(b, ' ');
	lu_show(b, text);
	lu_buf_puts(b, " -> ");
	lu_show(b, got);
	lu_buf_puts(b, "  ");
}

static void put_lossy_contexts(struct lu_buf *b, const struct lu_losses *l)
{
	for (unsigned k = 0; l->lossy_contexts >> k; k++) {
		const struct lu_loss_context *c = &lu_loss_contexts[k];

		if (!(l->lossy_contexts >> k & 1))
			continue;
		lu_buf_printf(b, "%-12s  %" PRIu64 " scalar values %s ", kind_name[LU_LOSS_LOST],
				l->lost_in_context[k], *c->before ? "after" : "before");
		put_context(b, c);
		lu_buf_puts(b, ", which is lost by itself\n");
	}
}

static void put_range(struct lu_buf *b, const struct lu_losses *l, const struct lu_loss_range *r)
{
	char code[32];

	snprintf(code, sizeof(code),
			r->to > r->from ? "U+%04" PRIX32 "-%04" PRIX32 : "U+%04" PRIX32, r->from,
			r->to);
	lu_buf_printf(b, "%-12s  %-13s ", kind_name[r->kind], code);
	put_round_trip(b, r->text, r->got);
	put_contexts(b, r->contexts, l->lossy_contexts);
	lu_buf_putc(b, '\n');
}

static void put_string(struct lu_buf *b, const struct lu_loss_string *s)
{
	lu_buf_printf(b, "%-12s ", kind_name[s->kind]);
	put_round_trip(b, s->text, s->got);
	lu_buf_puts(b, s->name);
	if (s->first)
		lu_buf_printf(b, s->last > s->first ? ", %u to %u" : ", %u", s->first, s->last);
	lu_buf_putc(b, '\n');
}

void lu_losses_text(const struct lu_losses *l, const char *file, bool verbose, struct lu_buf *b)
{
	lu_buf_masked(b, lu_str_of(file));
	lu_buf_printf(b, ": %" PRIu64 " scalar values in %d contexts, %" PRIu64 " strings\n",
			l->scalars_tried, LU_LOSS_CONTEXTS, l->strings_tried);
	for (int k = 0; k < LU_LOSS_KINDS; k++)
		lu_buf_printf(b, "%-12s  %7" PRIu64 " scalar values, %3" PRIu64 " strings\n",
				kind_name[k], l->scalars[k], l->strings[k]);
	put_lossy_contexts(b, l);
	for (size_t i = 0; i < l->range.n; i++) {
		if (verbose || l->range.p[i].kind != LU_LOSS_NORMALISED)
			put_range(b, l, &l->range.p[i]);
	}
	for (size_t i = 0; i < l->string.n; i++) {
		if (verbose || l->string.p[i].kind != LU_LOSS_NORMALISED)
			put_string(b, &l->string.p[i]);
	}
}

/* --- JSON --------------------------------------------------------------------------------- */

static void json_contexts(struct lu_buf *b, const struct lu_losses *l)
{
	lu_json_open_array(b, "contexts");
	for (size_t i = 0; i < LU_LOSS_CONTEXTS; i++) {
		lu_json_open_object(b, NULL);
		lu_json_put_cstr(b, "before", lu_loss_contexts[i].before);
		lu_json_put_cstr(b, "after", lu_loss_contexts[i].after);
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
	lu_json_open_array(b, "lost_contexts");
	for (unsigned k = 0; l->lossy_contexts >> k; k++) {
		if (!(l->lossy_contexts >> k & 1))
			continue;
		lu_json_open_object(b, NULL);
		lu_json_put_u64(b, "context", k);
		lu_json_put_u64(b, "scalar_values", l->lost_in_context[k]);
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
}

static void json_range(struct lu_buf *b, const struct lu_loss_range *r)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "fate", kind_name[r->kind]);
	lu_json_put_u64(b, "from", r->from);
	lu_json_put_u64(b, "to", r->to);
	lu_json_open_array(b, "contexts");
	for (unsigned k = 0; k < LU_LOSS_CONTEXTS; k++) {
		if (r->contexts >> k & 1)
			lu_json_put_u64(b, NULL, k);
	}
	lu_json_close_array(b);
	lu_json_put_str(b, "text", r->text);
	lu_json_put_str(b, "decoded", r->got);
	lu_json_close_object(b);
}

static void json_string(struct lu_buf *b, const struct lu_loss_string *s)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "fate", kind_name[s->kind]);
	lu_json_put_cstr(b, "name", s->name);
	if (s->first) {
		lu_json_put_u64(b, "first", s->first);
		lu_json_put_u64(b, "last", s->last);
	}
	lu_json_put_str(b, "text", s->text);
	lu_json_put_str(b, "decoded", s->got);
	lu_json_close_object(b);
}

void lu_losses_json(const struct lu_losses *l, const char *file, struct lu_buf *b)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "tokenizer", file);
	lu_json_open_object(b, "tried");
	lu_json_put_u64(b, "scalar_values", l->scalars_tried);
	lu_json_put_u64(b, "strings", l->strings_tried);
	lu_json_close_object(b);
	lu_json_open_object(b, "scalar_values");
	for (int k = 0; k < LU_LOSS_KINDS; k++)
		lu_json_put_u64(b, kind_name[k], l->scalars[k]);
	lu_json_close_object(b);
	json_contexts(b, l);
	lu_json_open_array(b, "ranges");
	for (size_t i = 0; i < l->range.n; i++)
		json_range(b, &l->range.p[i]);
	lu_json_close_array(b);
	lu_json_open_array(b, "strings");
	for (size_t i = 0; i < l->string.n; i++)
		json_string(b, &l->string.p[i]);
	lu_json_close_array(b);
	lu_json_close_object(b);
}
