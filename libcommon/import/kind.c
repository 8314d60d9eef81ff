#include "libcommon/import/kind.h"

#include <strings.h>

#include "libcommon/base/take_line.h"

const struct lu_enum lu_kind_names[] = {
	{ "auto", LU_KIND_AUTO },
	{ "html", LU_KIND_HTML },
	{ "text", LU_KIND_TEXT },
	{ "man", LU_KIND_MAN },
	{ "warc", LU_KIND_WARC },
	{ "code", LU_KIND_CODE },
	{ "json", LU_KIND_JSON },
	{ "csv", LU_KIND_CSV },
	{ "tsv", LU_KIND_TSV },
	{ "lines", LU_KIND_LINES },
	{ "docx", LU_KIND_DOCX },
	{ "odt", LU_KIND_ODT },
	{ "epub", LU_KIND_EPUB },
	{ "pdf", LU_KIND_PDF },
	{ "mbox", LU_KIND_MBOX },
	{ "mail", LU_KIND_MAIL },
	{ "notebook", LU_KIND_NOTEBOOK },
	{ "parquet", LU_KIND_PARQUET },
	{ "mediawiki", LU_KIND_MEDIAWIKI },
	{ "enterprise", LU_KIND_ENTERPRISE },
	LU_ENUM_END,
};

/* File extensions, and interpreters or editor modes, with the language names of The Stack. */
/* clang-format off */
static const struct {
	const char *name, *lang;
} by_extension[] = {
	{ "adb", "ada" }, { "ads", "ada" }, { "asm", "assembly" }, { "awk", "awk" },
	{ "bash", "shell" }, { "c", "c" }, { "cc", "c++" }, { "cjs", "javascript" },
	{ "clj", "clojure" }, { "cmake", "cmake" }, { "cpp", "c++" }, { "cs", "c#" },
	{ "css", "css" }, { "cu", "cuda" }, { "cxx", "c++" }, { "d", "d" }, { "dart", "dart" },
	{ "el", "emacs-lisp" }, { "erl", "erlang" }, { "ex", "elixir" }, { "exs", "elixir" },
	{ "f", "fortran" }, { "f90", "fortran" }, { "f95", "fortran" }, { "fs", "f#" },
	{ "go", "go" }, { "groovy", "groovy" }, { "h", "c" }, { "hh", "c++" }, { "hpp", "c++" },
	{ "hrl", "erlang" }, { "hs", "haskell" }, { "hxx", "c++" }, { "java", "java" },
	{ "jl", "julia" }, { "js", "javascript" }, { "kt", "kotlin" }, { "lisp", "common-lisp" },
	{ "lua", "lua" }, { "m4", "m4" }, { "mjs", "javascript" }, { "mk", "makefile" },
	{ "ml", "ocaml" }, { "mli", "ocaml" }, { "nim", "nim" }, { "pas", "pascal" },
	{ "php", "php" }, { "pl", "perl" }, { "pm", "perl" }, { "pp", "pascal" },
	{ "proto", "protocol-buffer" }, { "ps1", "powershell" }, { "py", "python" },
	{ "pyi", "python" }, { "pyx", "python" }, { "r", "r" }, { "rb", "ruby" },
	{ "rkt", "racket" }, { "rs", "rust" }, { "s", "assembly" }, { "scala", "scala" },
	{ "scm", "scheme" }, { "sh", "shell" }, { "sql", "sql" }, { "swift", "swift" },
	{ "tcl", "tcl" }, { "tex", "tex" }, { "ts", "typescript" }, { "tsx", "typescript" },
	{ "v", "verilog" }, { "vhd", "vhdl" }, { "vhdl", "vhdl" }, { "zsh", "shell" },
}, by_word[] = {
	{ "awk", "awk" }, { "bash", "shell" }, { "c", "c" }, { "c++", "c++" },
	{ "cperl", "perl" }, { "dash", "shell" }, { "emacs-lisp", "emacs-lisp" },
	{ "gawk", "awk" }, { "guile", "scheme" }, { "ksh", "shell" }, { "lua", "lua" },
	{ "makefile", "makefile" }, { "node", "javascript" }, { "perl", "perl" },
	{ "php", "php" }, { "python", "python" }, { "python2", "python" },
	{ "python3", "python" }, { "ruby", "ruby" }, { "scheme", "scheme" }, { "sh", "shell" },
	{ "shell-script", "shell" }, { "tcl", "tcl" }, { "tclsh", "tcl" }, { "zsh", "shell" },
};
/* clang-format on */

/* ISO 639-1. */
static const char languages[] =
		"aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce "
		"ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr "
		"fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is "
		"it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln "
		"lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv "
		"ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk "
		"sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw "
		"ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ";

static struct lu_str base_of(struct lu_str path)
{
	size_t i = path.n;

	while (i > 0 && path.p[i - 1] != '/')
		i--;
	return (struct lu_str){ path.p + i, path.n - i };
}

/* The extension, without its dot; empty when there is none. */
static struct lu_str extension_of(struct lu_str name)
{
	for (size_t i = name.n; i > 1; i--) {
		if (name.p[i - 1] == '.')
			return (struct lu_str){ name.p + i, name.n - i };
	}
	return (struct lu_str){ name.p + name.n, 0 };
}

/* Compares without regard to case. */
static bool same(struct lu_str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static struct lu_str without_compression(struct lu_str name)
{
	struct lu_str e = extension_of(name);

	if (same(e, "gz") || same(e, "xz") || same(e, "zst") || same(e, "bz2") || same(e, "lz4") ||
			same(e, "br"))
		name.n -= e.n + 1;
	return name;
}

struct lu_str lu_extension_of(struct lu_str path)
{
	return extension_of(without_compression(base_of(path)));
}

static const char *lang_of_word(struct lu_str word)
{
	for (size_t i = 0; i < sizeof(by_word) / sizeof(by_word[0]); i++) {
		if (same(word, by_word[i].name))
			return by_word[i].lang;
	}
	return NULL;
}

/* The interpreter of "#!/usr/bin/env python3.11 -E", without folder and version: "python". */
static struct lu_str interpreter(struct lu_str line)
{
	struct lu_str word = { line.p, 0 };
	size_t i = 2;

	for (int k = 0; k < 2; k++) {
		size_t from;

		while (i < line.n && line.p[i] == ' ')
			i++;
		from = i;
		while (i < line.n && !strchr(" \t\r", line.p[i]))
			i++;
		word = base_of((struct lu_str){ line.p + from, i - from });
		if (!same(word, "env"))
			break;
	}
	while (word.n &&
			(word.p[word.n - 1] == '.' ||
					(word.p[word.n - 1] >= '0' && word.p[word.n - 1] <= '9')))
		word.n--;
	return word;
}

/* The mode of an Emacs mode line: "-*- shell-script -*-" or "-*- mode: perl; ... -*-". */
static struct lu_str mode_of(struct lu_str line)
{
	const char *a = memmem(line.p, line.n, "-*-", 3), *b, *mode;

	if (!a)
		return (struct lu_str){ line.p, 0 };
	a += 3;
	b = memmem(a, (size_t)(line.p + line.n - a), "-*-", 3);
	if (!b)
		return (struct lu_str){ line.p, 0 };
	mode = memmem(a, (size_t)(b - a), "mode:", 5);
	a = mode ? mode + 5 : a;
	while (a < b && *a == ' ')
		a++;
	for (mode = a; mode < b && !strchr(" ;", *mode); mode++)
		;
	return (struct lu_str){ a, (size_t)(mode - a) };
}

const char *lu_kind_code(struct lu_str path, struct lu_str head)
{
	struct lu_str name = without_compression(base_of(path)), e = extension_of(name);
	struct lu_str line;

	for (size_t i = 0; i < sizeof(by_extension) / sizeof(by_extension[0]); i++) {
		if (same(e, by_extension[i].name))
			return by_extension[i].lang;
	}
	if (same(name, "makefile") || same(name, "gnumakefile"))
		return "makefile";
	lu_take_line(&head, &line);
	if (line.n > 2 && line.p[0] == '#' && line.p[1] == '!')
		return lang_of_word(interpreter(line));
	return line.n ? lang_of_word(mode_of(line)) : NULL;
}

static bool contains(struct lu_str s, const char *word)
{
	return s.n && memmem(s.p, s.n, word, strlen(word));
}

/* A section ("1", "3pm") as extension, and a folder of manual pages or a request at the start. */
static bool is_man(struct lu_str path, struct lu_str extension, struct lu_str head)
{
	if (extension.n == 0 || extension.p[0] < '1' || extension.p[0] > '9' || extension.n > 12)
		return false;
	if (contains(path, "/man/") || contains(path, "man/man"))
		return true;
	return head.n > 2 && (head.p[0] == '.' || head.p[0] == '\'');
}

static bool is_html(struct lu_str head)
{
	size_t i = 0;

	if (head.n >= 3 && memcmp(head.p, "\xEF\xBB\xBF", 3) == 0)
		i = 3;
	while (i < head.n && strchr(" \t\r\n", head.p[i]) && head.p[i])
		i++;
	head.p += i;
	head.n -= i;
	return (head.n >= 14 && strncasecmp(head.p, "<!doctype html", 14) == 0) ||
			(head.n >= 5 && strncasecmp(head.p, "<html", 5) == 0) ||
			(head.n >= 5 && memcmp(head.p, "<?xml", 5) == 0 &&
					(contains(head, "<html") ||
							contains(head, "<!DOCTYPE html")));
}

static bool one_of(struct lu_str s, const char *const *words)
{
	for (; *words; words++) {
		if (same(s, *words))
			return true;
	}
	return false;
}

enum lu_kind lu_kind_of(struct lu_str path, struct lu_str head, const char **lang)
{
	static const char *const html[] = { "html", "htm", "xhtml", NULL };
	static const char *const text[] = { "txt", "text", "md", "markdown", "rst", "asc", "adoc",
		NULL };
	static const char *const named[] = { "readme", "news", "authors", "contributing", "faq",
		"history", "install", "todo", NULL };
	struct lu_str name = without_compression(base_of(path)), e = extension_of(name);

	if (head.n > 512)
		head.n = 512;
	*lang = NULL;
	if (one_of(e, html) || is_html(head))
		return LU_KIND_HTML;
	if (is_man(path, e, head))
		return LU_KIND_MAN;
	if (one_of(e, text) || (e.n == 0 && one_of(name, named)))
		return LU_KIND_TEXT;
	*lang = lu_kind_code(path, head);
	return *lang ? LU_KIND_CODE : LU_KIND_AUTO;
}

/* --- language ------------------------------------------------------------------------------ */

/* True if the two characters are a language code. */
static bool is_language(const char *p)
{
	for (const char *l = languages; *l; l += 3) {
		if (l[0] == p[0] && l[1] == p[1])
			return true;
	}
	return false;
}

/* True for "fr", "fr_FR", "fr-FR", "fr.UTF-8", "fr@euro". */
static bool is_locale(struct lu_str s)
{
	if (s.n < 2 || !is_language(s.p))
		return false;
	if (s.n > 2 && (s.p[2] == '.' || s.p[2] == '@'))
		return true;
	return s.n == 2 ||
			(s.n >= 5 && (s.p[2] == '_' || s.p[2] == '-') && s.p[3] >= 'A' &&
					s.p[3] <= 'Z' && s.p[4] >= 'A' && s.p[4] <= 'Z');
}

bool lu_lang_of_path(struct lu_str path, char code[3])
{
	struct lu_str name = without_compression(base_of(path)), part;
	size_t end = (size_t)(name.p - path.p);
	bool manual = false;

	code[2] = '\0';
	/* x.fr.html */
	part = extension_of(name);
	name.n -= part.n ? part.n + 1 : 0;
	part = extension_of(name);
	if (part.n == 2 && is_language(part.p)) {
		memcpy(code, part.p, 2);
		return true;
	}
	while (end > 1) {
		size_t from = --end; /* the slash */

		while (from > 0 && path.p[from - 1] != '/')
			from--;
		part = (struct lu_str){ path.p + from, end - from };
		end = from;
		if (is_locale(part)) {
			memcpy(code, part.p, 2);
			return true;
		}
		if (manual && same(part, "man")) {
			memcpy(code, "en", 2);
			return true;
		}
		manual = part.n > 3 && memcmp(part.p, "man", 3) == 0 && part.p[3] >= '1' &&
				part.p[3] <= '9';
	}
	return false;
}
