#include "libcommon/sys/help.h"

#include "libcommon/sys/tool.h"

#define WIDTH 80
#define HELP_COLUMN 32
#define INDENT 10 /* of the shared options: "  common: " */

static void put_option(const struct lu_opt *o, struct lu_buf *out)
{
	size_t start = out->n, used;

	if (o->letter)
		lu_buf_printf(out, "  -%c, --%s", o->letter, o->name);
	else
		lu_buf_printf(out, "      --%s", o->name);
	if (lu_opt_has_arg(o)) {
		lu_buf_putc(out, ' ');
		lu_opt_arg(o, out);
	}
	used = out->n - start;
	lu_buf_printf(out, "%*s%s\n", used < HELP_COLUMN - 2 ? HELP_COLUMN - (int)used : 2, "",
			o->help);
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

static void put_shared(const struct lu_tool *tool, struct lu_buf *out)
{
	const struct lu_opt *o;
	size_t column = INDENT;
	char word[64];

	lu_buf_puts(out, "  common: ");
	for (size_t i = 0; (o = lu_std_opt(tool->std, i)); i++) {
		/* The argument of --progress is too long for a word; lucie(7) lists its values. */
		const char *arg = o->type == LU_OPT_T_ENUM ? "WHEN" : o->arg;

		if (o->letter)
			snprintf(word, sizeof(word), "-%c%s%s", o->letter, arg ? " " : "",
					arg ? arg : "");
		else
			snprintf(word, sizeof(word), "--%s%s%s", o->name, arg ? " " : "",
					arg ? arg : "");
		column = put_word(word, column, out);
	}
	put_word("-h  --version", column, out);
	lu_buf_putc(out, '\n');
}

void lu_help_put(const struct lu_tool *tool, struct lu_buf *out)
{
	char first = tool->summary[0];

	if (first >= 'a' && first <= 'z')
		first = (char)(first - 'a' + 'A');
	lu_buf_printf(out, "usage: %s [options]%s%s\n%c%s.\n\n", tool->name,
			*tool->operands ? " " : "", tool->operands, first, tool->summary + 1);
	for (const struct lu_opt *o = tool->opts; o->type != LU_OPT_T_END; o++)
		put_option(o, out);
	put_shared(tool, out);
	lu_buf_printf(out, "Manual: man %s; the shared options: man 7 lucie\n", tool->name);
}
