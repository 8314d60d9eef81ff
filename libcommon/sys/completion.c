#include "libcommon/sys/completion.h"

#include "libcommon/sys/cmdline.h"
#include "libcommon/sys/tool.h"

void lu_completion_options(const struct lu_tool *tool, struct lu_buf *out)
{
	const struct lu_opt *o;

	for (size_t i = 0; (o = lu_cmdline_row(tool, i)); i++) {
		if (o->letter)
			lu_buf_putc(out, (char)o->letter);
		lu_buf_printf(out, "\t%s\t", o->name);
		lu_opt_arg(o, out);
		lu_buf_putc(out, '\n');
	}
}

static void put_bash(const struct lu_tool *tool, struct lu_buf *out)
{
	const struct lu_opt *o;

	lu_buf_puts(out, "complete -o default -W \"");
	for (size_t i = 0; (o = lu_cmdline_row(tool, i)); i++)
		lu_buf_printf(out, "--%s ", o->name);
	lu_buf_printf(out, "\" %s\n", tool->name);
}

/* Text inside '--name[text]': neither the quote nor the bracket may end there. */
static void put_zsh_text(const char *text, struct lu_buf *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			lu_buf_puts(out, "'\\'");
		else if (*text == '[' || *text == ']')
			lu_buf_putc(out, '\\');
		lu_buf_putc(out, *text);
	}
}

static void put_zsh(const struct lu_tool *tool, struct lu_buf *out)
{
	const struct lu_opt *o;

	lu_buf_printf(out, "#compdef %s\n_arguments \\\n", tool->name);
	for (size_t i = 0; (o = lu_cmdline_row(tool, i)); i++) {
		lu_buf_printf(out, "  '--%s[", o->name);
		put_zsh_text(o->help, out);
		lu_buf_puts(out, "]' \\\n");
	}
	lu_buf_puts(out, "  '*:file:_files'\n");
}

int lu_completion_script(const struct lu_tool *tool, const char *shell, struct lu_buf *out,
		struct lu_err *err)
{
	if (strcmp(shell, "bash") == 0)
		put_bash(tool, out);
	else if (strcmp(shell, "zsh") == 0)
		put_zsh(tool, out);
	else
		return lu_err_set(err, "'%s' is not one of bash|zsh", shell);
	return 0;
}
