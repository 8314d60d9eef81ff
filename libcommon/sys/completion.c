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

/* ---- what to offer ---- */

enum offer { OFFER_NOTHING, OFFER_FILES, OFFER_FOLDERS, OFFER_WORDS };

/* The languages that CLD2 tells best, and no language. */
static const char languages[] =
		"af ar az be bg bn bs ca ceb cs cy da de el en es et eu fa fi fr ga gl gu he hi hr "
		"ht hu hy id is it ja ka kk km kn ko la lt lv mk ml mr ms mt my ne nl no pa pl pt "
		"ro "
		"ru si sk sl sq sr sv sw ta te th tr uk und ur uz vi yi zh";

static const struct {
	const char *arg, *words; /* NULL: a kind of file */
	enum offer offer;
} by_argument[] = {
	{ "FILE", NULL, OFFER_FILES },
	{ "PREFIX", NULL, OFFER_FILES },
	{ "DIR", NULL, OFFER_FOLDERS },
	{ "RUN", NULL, OFFER_FOLDERS },
	{ "LANG", languages, OFFER_WORDS },
	{ "LANG,...", languages, OFFER_WORDS },
	{ "CODE", languages, OFFER_WORDS },
	{ "MARK,...", "bos eos template", OFFER_WORDS },
	{ "HOW", "zstd gz xz none", OFFER_WORDS },
};

/* Append the words between blanks if it is words that are offered. */
static enum offer offer_of(const struct lu_opt *o, struct lu_buf *words)
{
	lu_buf_clear(words);
	if (!lu_opt_has_arg(o))
		return OFFER_NOTHING;
	for (const struct lu_enum *v = o->values; v && v->name; v++)
		lu_buf_printf(words, "%s%s", words->n ? " " : "", v->name);
	if (o->values)
		return OFFER_WORDS;
	for (size_t i = 0; i < sizeof(by_argument) / sizeof(by_argument[0]); i++) {
		if (strcmp(by_argument[i].arg, o->arg) != 0)
			continue;
		if (by_argument[i].words)
			lu_buf_puts(words, by_argument[i].words);
		return by_argument[i].offer;
	}
	return OFFER_NOTHING;
}

static bool is_comma_list(const struct lu_opt *o)
{
	return o->arg && strstr(o->arg, "...");
}

/* ---- bash ---- */

/* The name of the function: only letters, digits and underscores. */
static void put_function(const struct lu_tool *tool, struct lu_buf *out)
{
	lu_buf_putc(out, '_');
	for (const char *c = tool->name; *c; c++)
		lu_buf_putc(out, *c == '-' ? '_' : *c);
}

static void put_bash_case(const struct lu_opt *o, struct lu_buf *words, struct lu_buf *out)
{
	enum offer offer = offer_of(o, words);

	if (!lu_opt_has_arg(o))
		return;
	lu_buf_putc(out, '\t');
	if (o->letter)
		lu_buf_printf(out, "-%c|", o->letter);
	lu_buf_printf(out, "--%s) ", o->name);
	switch (offer) {
	case OFFER_NOTHING: lu_buf_puts(out, "compopt +o default 2>/dev/null; return"); break;
	case OFFER_FILES: lu_buf_puts(out, "return"); break;
	case OFFER_FOLDERS:
		lu_buf_puts(out, "compopt +o default -o dirnames 2>/dev/null; return");
		break;
	case OFFER_WORDS:
		lu_buf_printf(out, "words='" LU_STR_FMT "'%s", LU_STR_ARG(lu_buf_slice(words)),
				is_comma_list(o) ? " before=${cur%\"${cur##*,}\"}" : "");
		break;
	}
	lu_buf_puts(out, " ;;\n");
}

static void put_bash(const struct lu_tool *tool, struct lu_buf *words, struct lu_buf *out)
{
	const struct lu_opt *o;

	put_function(tool, out);
	lu_buf_puts(out,
			"() {\n"
			"\tlocal cur=${COMP_WORDS[COMP_CWORD]} opt=${COMP_WORDS[COMP_CWORD-1]}\n"
			"\tlocal words= before=\n"
			"\tCOMPREPLY=()\n"
			"\t# The word break after an option is a word of its own.\n"
			"\tif [[ $cur == = ]]; then cur=\n"
			"\telif [[ $opt == = ]]; then opt=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
			"\t[[ \" ${COMP_WORDS[*]:1:COMP_CWORD-1} \" != *' -- '* ]] || return\n"
			"\tcase $opt in\n");
	for (size_t i = 0; (o = lu_cmdline_row(tool, i)); i++)
		put_bash_case(o, words, out);
	lu_buf_puts(out, "\t*) [[ $cur == -* ]] || return\n\t\twords='");
	for (size_t i = 0; (o = lu_cmdline_row(tool, i)); i++)
		lu_buf_printf(out, "%s--%s", i ? " " : "", o->name);
	lu_buf_puts(out,
			"' ;;\n"
			"\tesac\n"
			"\tcompopt +o default 2>/dev/null\n"
			"\tCOMPREPLY=($(compgen -P \"$before\" -W \"$words\" -- "
			"\"${cur#\"$before\"}\"))\n"
			"}\n"
			"complete -o default -F ");
	put_function(tool, out);
	lu_buf_printf(out, " %s\n", tool->name);
}

/* ---- zsh ---- */

/* Text in a specification of _arguments: none of its delimiters may end there, nor the quotes. */
static void put_zsh_text(const char *text, struct lu_buf *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			lu_buf_puts(out, "'\\'");
		else if (strchr("[]:\\", *text))
			lu_buf_putc(out, '\\');
		lu_buf_putc(out, *text);
	}
}

static void put_zsh_argument(const struct lu_opt *o, struct lu_buf *words, struct lu_buf *out)
{
	enum offer offer = offer_of(o, words);
	struct lu_str w = lu_buf_slice(words);

	lu_buf_putc(out, ':');
	put_zsh_text(o->arg ? o->arg : o->name, out);
	lu_buf_putc(out, ':');
	switch (offer) {
	case OFFER_NOTHING: lu_buf_putc(out, ' '); break;
	case OFFER_FILES: lu_buf_puts(out, "_files"); break;
	case OFFER_FOLDERS: lu_buf_puts(out, "_files -/"); break;
	case OFFER_WORDS:
		lu_buf_printf(out,
				is_comma_list(o) ? "_values -s , item " LU_STR_FMT
						 : "(" LU_STR_FMT ")",
				LU_STR_ARG(w));
		break;
	}
}

static void put_zsh_option(const struct lu_opt *o, struct lu_buf *words, struct lu_buf *out)
{
	bool arg = lu_opt_has_arg(o), again = o->type == LU_OPT_T_LIST || o->type == LU_OPT_T_COUNT;

	lu_buf_puts(out, "  '");
	if (again)
		lu_buf_putc(out, '*');
	else if (o->letter)
		lu_buf_printf(out, "(-%c --%s)", o->letter, o->name);
	if (o->letter)
		lu_buf_printf(out, "'{-%c%s,--%s%s}'", o->letter, arg ? "+" : "", o->name,
				arg ? "=" : "");
	else
		lu_buf_printf(out, "--%s%s", o->name, arg ? "=" : "");
	lu_buf_putc(out, '[');
	put_zsh_text(o->help, out);
	lu_buf_putc(out, ']');
	if (arg)
		put_zsh_argument(o, words, out);
	lu_buf_puts(out, "' \\\n");
}

static void put_zsh(const struct lu_tool *tool, struct lu_buf *words, struct lu_buf *out)
{
	const struct lu_opt *o;

	lu_buf_printf(out, "#compdef %s\n_arguments -s -S \\\n", tool->name);
	for (size_t i = 0; (o = lu_cmdline_row(tool, i)); i++)
		put_zsh_option(o, words, out);
	lu_buf_puts(out, *tool->operands ? "  '*:file:_files'\n" : "  ':'\n");
}

int lu_completion_script(const struct lu_tool *tool, const char *shell, struct lu_buf *out,
		struct lu_err *err)
{
	struct lu_buf words = { 0 };
	int rc = 0;

	if (strcmp(shell, "bash") == 0)
		put_bash(tool, &words, out);
	else if (strcmp(shell, "zsh") == 0)
		put_zsh(tool, &words, out);
	else
		rc = lu_err_set(err, "'%s' is not one of bash|zsh", shell);
	if (rc == 0 && lu_buf_check(&words, err) < 0)
		rc = -1;
	lu_buf_release(&words);
	return rc;
}
