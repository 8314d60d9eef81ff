#include "libcommon/sys/help.h"

#include "libcommon/sys/tool.h"

#define WIDTH 80
#define LINES 24
#define HELP_COLUMN 32
#define INDENT 10 /* of the shared options: "  common: " */

static bool has_default(const struct lu_opt *o, const void *config)
{
	const void *at = (const char *)config + o->offset;
	size_t n = strlen(o->help);

	if (n && o->help[n - 1] == ')')
		return false;
	switch (o->type) {
	case LU_OPT_T_STR: return *(const char *const *)at && **(const char *const *)at;
	case LU_OPT_T_INT: return *(const int *)at != 0 && *(const int *)at >= o->lo;
	case LU_OPT_T_U64:
	case LU_OPT_T_SIZE:
		return *(const uint64_t *)at != 0 && *(const uint64_t *)at != UINT64_MAX;
	case LU_OPT_T_DOUBLE: return *(const double *)at != 0;
	case LU_OPT_T_ENUM: return !o->given;
	case LU_OPT_T_FLAG:
	case LU_OPT_T_COUNT:
	case LU_OPT_T_LIST:
	case LU_OPT_T_ALIAS:
	case LU_OPT_T_END: break;
	}
	return false;
}

static void put_size(uint64_t v, struct lu_buf *out)
{
	static const char units[] = "KMGT";
	size_t unit = 0;

	for (; v && v % 1024 == 0 && units[unit]; v /= 1024)
		unit++;
	lu_buf_u64(out, v);
	if (unit)
		lu_buf_putc(out, units[unit - 1]);
}

static void put_default(const struct lu_opt *o, const void *config, struct lu_buf *out)
{
	if (!has_default(o, config))
		return;
	lu_buf_puts(out, " (");
	if (o->type == LU_OPT_T_SIZE)
		put_size(*(const uint64_t *)(const void *)((const char *)config + o->offset), out);
	else
		lu_opt_format(o, config, out);
	lu_buf_putc(out, ')');
}

/* Cut the list of an enumeration, which ends here, to what fits before the help; the page lists all
 * values. */
static void cut_values(const struct lu_opt *o, size_t start, struct lu_buf *out)
{
	size_t rest = strlen(o->help) + strlen("...  (default)");
	size_t n = out->n;

	if (o->type != LU_OPT_T_ENUM || !lu_buf_ok(out) || n - start + rest <= WIDTH)
		return;
	while (n > start && (out->p[n - 1] != '|' || n - start + rest > WIDTH))
		n--;
	if (n > start) {
		out->n = n;
		lu_buf_puts(out, "...");
	}
}

static void put_option(const struct lu_opt *o, const void *config, struct lu_buf *out)
{
	size_t start = out->n, used;

	if (o->letter)
		lu_buf_printf(out, "  -%c, --%s", o->letter, o->name);
	else
		lu_buf_printf(out, "      --%s", o->name);
	if (lu_opt_has_arg(o)) {
		lu_buf_putc(out, ' ');
		lu_opt_arg(o, out);
		cut_values(o, start, out);
	}
	used = out->n - start;
	lu_buf_printf(out, "%*s%s", used < HELP_COLUMN - 2 ? HELP_COLUMN - (int)used : 2, "",
			o->help);
	put_default(o, config, out);
	lu_buf_putc(out, '\n');
}

/* Append one word of the paragraph of shared options; returns the new column. */
static size_t put_word(const char *word, size_t column, struct lu_buf *out)
{
	size_t n = strlen(word);

	if (column + 2 + n > WIDTH) {
		lu_buf_printf(out, "\n%*s", INDENT, "");
		column = INDENT;
	} else if (column > INDENT) {
		lu_buf_puts(out, "  ");
		column += 2;
	}
	lu_buf_puts(out, word);
	return column + n;
}

/* Append an option without its help; returns the new column. The argument of an enumeration is too long
 * for a word; the page lists its values. */
static size_t put_brief(
		const struct lu_opt *o, const char *values, size_t column, struct lu_buf *out)
{
	const char *arg = o->type == LU_OPT_T_ENUM ? values : o->arg;
	char word[64];

	if (o->letter)
		snprintf(word, sizeof(word), "-%c%s%s", o->letter, arg ? " " : "", arg ? arg : "");
	else
		snprintf(word, sizeof(word), "--%s%s%s", o->name, arg ? " " : "", arg ? arg : "");
	return put_word(word, column, out);
}

static void put_shared(const struct lu_tool *tool, struct lu_buf *out)
{
	const struct lu_opt *o;
	size_t column = INDENT;

	lu_buf_puts(out, "  common: ");
	for (size_t i = 0; (o = lu_std_opt(tool->std, i)); i++)
		column = put_brief(o, "WHEN", column, out);
	put_word("-h  --version", column, out);
	lu_buf_putc(out, '\n');
}

/* The program's own options: `full` of them with their help, those behind them by name. */
static void put_own(const struct lu_tool *tool, const void *config, size_t full, struct lu_buf *out)
{
	size_t n = 0, column = INDENT;

	for (const struct lu_opt *o = tool->opts; o->type != LU_OPT_T_END; o++) {
		if (o->type == LU_OPT_T_ALIAS)
			continue;
		if (n++ < full) {
			put_option(o, config, out);
			continue;
		}
		if (n == full + 1)
			lu_buf_puts(out, "  more:   ");
		column = put_brief(o, "HOW", column, out);
	}
	if (n > full)
		lu_buf_putc(out, '\n');
}

static size_t lines_of(const struct lu_buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

void lu_help_put(const struct lu_tool *tool, const void *config, struct lu_buf *out)
{
	char first = tool->summary[0];
	struct lu_buf own = { 0 };
	size_t full = 0, rest;

	if (first >= 'a' && first <= 'z')
		first = (char)(first - 'a' + 'A');
	lu_buf_printf(out, "usage: %s [options]%s%s\n%c%s.\n\n", tool->name,
			*tool->operands ? " " : "", tool->operands, first, tool->summary + 1);
	put_shared(tool, &own);
	rest = lines_of(out) + lines_of(&own) + 1;
	while (tool->opts[full].type != LU_OPT_T_END)
		full++;
	/* As many in full as fit a screen: the table has the important ones first. */
	do {
		lu_buf_clear(&own);
		put_own(tool, config, full, &own);
	} while (rest + lines_of(&own) > LINES && full-- > 0);
	lu_buf_str(out, lu_buf_slice(&own));
	lu_buf_release(&own);
	put_shared(tool, out);
	lu_buf_printf(out, "Manual: man %s; the shared options: man 7 lucie\n", tool->name);
}
