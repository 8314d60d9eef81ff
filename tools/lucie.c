/*
 * lucie: runs the programs of the toolkit, lists them, and begins datasets.
 *
 * The programs are those beside this one, then those on PATH.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/suggest.h"
#include "libcommon/io/text_field.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/installed.h"
#include "libcommon/sys/template.h"
#include "libcommon/sys/tool.h"

/* In the order of the pipeline; tests/lint/programs.sh compares with the programs. */
static const struct command {
	const char *name, *summary;
} programs[] = {
	{ "import", "converts archives, pages, tables, office files, mail to documents" },
	{ "normalize", "normalises the text of documents" },
	{ "lang", "tags documents with their language" },
	{ "filter", "drops documents that fail quality rules" },
	{ "dedup", "removes exact and near duplicates" },
	{ "tok-train", "trains a BPE tokenizer" },
	{ "tok-encode", "encodes the text of documents to token ids" },
	{ "tok-decode", "decodes token ids to text" },
	{ "tok-eval", "measures, audits and compares tokenizers" },
	{ "shard", "encodes documents into token shards" },
	{ "check", "verifies token shards, documents and other files" },
	{ "trace", "traces tokens to documents, sources and licences" },
	{ "mix", "mixes documents in the proportions of a recipe" },
	{ "stats", "adds up and reports the accounting of a build" },
	{ "plan", "predicts memory, traffic and speed of the layouts of a training run" },
	{ "train", "trains a language model from token shards" },
	{ "eval", "measures a model: loss by language, source and position, and tasks" },
	{ "generate", "continues texts with a trained model" },
	{ "export", "exports a model in the form of Hugging Face, or as GGUF" },
};
static const struct command own[] = {
	{ "new", "begins a dataset that builds from the files in DIR/raw" },
	{ "rules", "prints the folder of the shared rules for make" },
	{ "text-field", "prints which member of records holds the text" },
	{ "help", "shows the manual page of a program" },
};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))
#define OWN (sizeof(own) / sizeof(own[0]))

struct options {
	struct lu_std std;
};

static const struct lu_opt opts[] = { LU_OPT_END };

static const struct lu_tool tool = { "lucie",
	"runs the programs of the toolkit, lists them and begins datasets",
	"[COMMAND [ARGUMENT...]]", opts, 0, offsetof(struct options, std) };

/* ---- programs ---- */

static __attribute__((noreturn)) void unknown(const char *name)
{
	struct lu_suggest s = lu_suggest_for(lu_str_of(name + 6 * !strncmp(name, "lucie-", 6)));

	for (size_t i = 0; i < PROGRAMS + OWN; i++)
		lu_suggest_try(&s, i < PROGRAMS ? programs[i].name : own[i - PROGRAMS].name);
	lu_usage_error("unknown command '%s'%s", name, lu_suggest_hint(&s));
}

/* Become the program lucie-NAME, argv[0]. Returns only if that fails. */
static int run_program(const char *folder, char **argv, struct lu_err *err)
{
	const char *name = argv[0];
	char *program = lu_concat("lucie-", name, NULL);
	char *path = program ? lu_concat(folder, "/", program) : NULL;

	if (!path) {
		free(program);
		return lu_err_nomem(err);
	}
	if (!*name || strchr(name, '/'))
		unknown(name);
	argv[0] = program;
	execv(path, argv);
	if (errno == ENOENT)
		execvp(program, argv);
	if (errno == ENOENT)
		unknown(name);
	lu_err_sys(err, errno, "%s", program);
	argv[0] = NULL;
	free(path);
	free(program);
	return -1;
}

static void put_commands(const struct command *c, size_t n, struct lu_buf *out)
{
	for (size_t i = 0; i < n; i++)
		lu_buf_printf(out, "  %-11s%s\n", c[i].name, c[i].summary);
}

static int put(struct lu_buf *out, struct lu_err *err)
{
	int rc = lu_buf_check(out, err);

	if (rc == 0)
		rc = lu_write_all(STDOUT_FILENO, out->p, out->n, "standard output", err);
	lu_buf_release(out);
	return rc;
}

static int list(struct lu_err *err)
{
	struct lu_buf out = { 0 };

	lu_buf_puts(&out, "usage: lucie COMMAND [ARGUMENT...]\n\n");
	put_commands(programs, PROGRAMS, &out);
	lu_buf_putc(&out, '\n');
	put_commands(own, OWN, &out);
	return put(&out, err);
}

/* Become a program that shows the manual page of a command. Returns only if that fails. */
static int help(const char *folder, const char *name, struct lu_err *err)
{
	static char man[] = "man", mandoc[] = "mandoc", file[] = "-l", pager[] = "-a";
	bool mine = strcmp(name, "lucie") == 0;
	struct lu_buf tail = { 0 };
	char *page, *args[] = { man, file, NULL, NULL };

	for (size_t i = 0; i < OWN; i++)
		mine |= strcmp(name, own[i].name) == 0;
	lu_buf_printf(&tail, "man/man1/lucie%s%s.1",
			mine || strncmp(name, "lucie-", 6) == 0 ? "" : "-",
			mine						  ? ""
					: strncmp(name, "lucie-", 6) == 0 ? name + 5
									  : name);
	if (lu_buf_check(&tail, err) < 0)
		return -1;
	page = lu_installed_file(folder, tail.p, tail.p);
	lu_buf_release(&tail);
	if (!page)
		unknown(name);
	args[2] = page;
	execvp(man, args);
	args[0] = mandoc;
	args[1] = pager;
	execvp(mandoc, args);
	lu_err_set(err, "%s: neither man nor mandoc is there to show it", page);
	free(page);
	return -1;
}

/* ---- lucie new ---- */

/* The Makefile comes last: a dataset without it can be begun again. */
static const char *const made[] = { "recipe.ini", "train.ini", "README.md", "Makefile" };
#define MADE (sizeof(made) / sizeof(made[0]))

static int rules(const char *folder, struct lu_err *err)
{
	char *path = lu_installed_pipelines(folder, "mk", err);
	struct lu_buf out = { 0 };

	if (!path)
		return -1;
	lu_buf_printf(&out, "%s\n", path);
	free(path);
	return put(&out, err);
}

/* Append a word of a command line as a shell reads it. */
static void put_word(struct lu_buf *b, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "_-./+,:@%";

	if (word[strspn(word, plain)] == '\0') {
		lu_buf_puts(b, word);
		return;
	}
	lu_buf_putc(b, '\'');
	for (; *word; word++)
		lu_buf_puts(b, *word == '\'' ? "'\\''" : (char[]){ *word, '\0' });
	lu_buf_putc(b, '\'');
}

static int new_dataset(const char *folder, const char *dir, struct lu_err *err)
{
	char *templates = lu_installed_pipelines(folder, "new", err);
	char *raw = lu_concat(dir, "/raw", NULL), *full = NULL;
	struct lu_buf word = { 0 };
	int rc = -1;

	if (!templates)
		goto out;
	if (strpbrk(folder, " \t$#:%")) {
		lu_err_set(err, "%s: make cannot run programs in a folder of this name", folder);
		goto out;
	}
	if (!raw) {
		lu_err_nomem(err);
		goto out;
	}
	if (lu_template_absent(dir, made, MADE, err) < 0 || lu_make_folders(raw, err) < 0)
		goto out;
	full = realpath(dir, NULL);
	if (!full) {
		lu_err_sys(err, errno, "%s", dir);
		goto out;
	}
	const struct lu_blank blanks[] = { { "@BIN@", folder },
		{ "@NAME@", strrchr(full, '/') + 1 } };
	rc = lu_template_write(templates, dir, made, MADE, blanks, 2, err);
	put_word(&word, dir);
	if (rc == 0)
		rc = lu_buf_check(&word, err);
	if (rc == 0)
		lu_note("%s is ready: put texts into %s, then run: make -C %s", dir, raw, word.p);
out:
	lu_buf_release(&word);
	free(templates);
	free(raw);
	free(full);
	return rc;
}

/* ---- the other commands ---- */

/* Print the member that holds the text in all of the files. */
static int text_field(char **file, struct lu_err *err)
{
	struct lu_buf first = { 0 }, other = { 0 };
	int rc = file[0] ? lu_text_field(file[0], &first, err) : 0;

	if (!file[0])
		lu_usage_error("text-field: name a file");
	for (size_t i = 1; file[i] && rc == 0; i++) {
		lu_buf_clear(&other);
		rc = lu_text_field(file[i], &other, err);
		if (rc == 0 && !lu_str_eq(lu_buf_slice(&first), lu_buf_slice(&other)))
			rc = lu_err_set(err, "the text is in \"%s\" in %s, in \"%s\" in %s",
					first.p, file[0], other.p, file[i]);
	}
	lu_buf_release(&other);
	if (rc < 0) {
		lu_buf_release(&first);
		return -1;
	}
	lu_buf_putc(&first, '\n');
	return put(&first, err);
}

/* Completion: the commands; behind one, what its program has. */
static const char bash_completion[] =
		"_lucie() {\n"
		"\tlocal word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
		"\tlocal complete=_lucie_${COMP_WORDS[1]//-/_}\n"
		"\tCOMPREPLY=()\n"
		"\tif [ \"$COMP_CWORD\" = 1 ] || [ \"$COMP_CWORD$command\" = 2help ]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$_lucie_commands --help --version\" -- "
		"\"$word\")\n"
		"\t\treturn\n"
		"\tfi\n"
		"\tdeclare -F \"$complete\" >/dev/null ||\n"
		"\t\teval \"$(\"lucie-$command\" --print-completion bash 2>/dev/null)\"\n"
		"\tdeclare -F \"$complete\" >/dev/null || return\n"
		"\tCOMP_WORDS=(\"lucie-$command\" \"${COMP_WORDS[@]:2}\")\n"
		"\tCOMP_CWORD=$((COMP_CWORD - 1))\n"
		"\t\"$complete\"\n"
		"}\n"
		"complete -o default -F _lucie lucie\n";
static const char zsh_completion[] = "if (( CURRENT == 2 )); then\n"
				     "\t_describe command lucie_commands\n"
				     "elif [[ $words[2] == help ]]; then\n"
				     "\t_describe program lucie_commands\n"
				     "elif [[ $words[2] == (new|rules|text-field) ]]; then\n"
				     "\t_files\n"
				     "else\n"
				     "\tshift words\n"
				     "\twords[1]=lucie-$words[1]\n"
				     "\t(( CURRENT -= 1 ))\n"
				     "\t_normal\n"
				     "fi\n";

static int completion(const char *shell, struct lu_err *err)
{
	struct lu_buf out = { 0 };
	bool bash = strcmp(shell, "bash") == 0;

	lu_buf_puts(&out,
			bash ? "_lucie_commands='" : "#compdef lucie\nlocal -a lucie_commands=(\n");
	for (size_t i = 0; i < PROGRAMS + OWN; i++) {
		const struct command *c = i < PROGRAMS ? &programs[i] : &own[i - PROGRAMS];

		if (bash)
			lu_buf_printf(&out, "%s%s", i ? " " : "", c->name);
		else
			lu_buf_printf(&out, "\t'%s:%s'\n", c->name, c->summary);
	}
	lu_buf_puts(&out, bash ? "'\n" : ")\n");
	lu_buf_puts(&out, bash ? bash_completion : zsh_completion);
	return put(&out, err);
}

static const char *one_folder(char **operand)
{
	bool any = operand[0] && strcmp(operand[0], "--") == 0;
	const char *dir = operand[any];

	if (!dir || !*dir || operand[any + 1])
		lu_usage_error("new: give one folder");
	if (*dir == '-' && !any)
		lu_usage_error("new: '%s' is no option; the folder would be ./%s", dir, dir);
	return dir;
}

static int run(char **argv, struct lu_err *err)
{
	char *folder = lu_own_folder(err);
	int rc = -1;

	if (!folder)
		return -1;
	if (!argv[0])
		rc = list(err);
	else if (strcmp(argv[0], "help") == 0)
		rc = argv[1] ? help(folder, argv[1], err) : list(err);
	else if (strcmp(argv[0], "rules") == 0)
		rc = rules(folder, err);
	else if (strcmp(argv[0], "text-field") == 0)
		rc = text_field(argv + 1, err);
	else if (strcmp(argv[0], "new") != 0)
		rc = run_program(folder, argv, err);
	else
		rc = new_dataset(folder, one_folder(argv + 1), err);
	free(folder);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };
	int command = 1;

	if (argc == 3 && strcmp(argv[1], "--print-completion") == 0 &&
			(strcmp(argv[2], "bash") == 0 || strcmp(argv[2], "zsh") == 0))
		return lu_tool_finish(completion(argv[2], &err), &err);
	/* Options behind the command are the program's. */
	while (command < argc && argv[command][0] == '-')
		command += strcmp(argv[command], "--print-completion") == 0 ? 2 : 1;
	if (command > argc)
		command = argc;
	lu_tool_start(&tool, command, argv, &o, &args);
	return lu_tool_finish(run(argv + command, &err), &err);
}
