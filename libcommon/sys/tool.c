#include "libcommon/sys/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <omp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/version.h"

/* What lu_warn() needs to know; set once before any thread exists. */
static struct {
	const char *name;
	bool quiet;
	int verbose;
	char **given; /* the command line, for as long as the process lives */
} self = { "lucie", false, 0, NULL };

/* Rows shared by all programs. `letter`s below 256 are short options. */
static const struct lu_opt std_opts[] = {
	LU_OPT_STR('o', "output", struct lu_std, output, "FILE", "write FILE, atomically"),
	LU_OPT_STR('z', "compress", struct lu_std, compress, "HOW", "zstd[:N], gz, xz or none"),
	LU_OPT_INT('j', "threads", struct lu_std, threads, "N", 1, 1024, "threads"),
	LU_OPT_SIZE('m', "memory", struct lu_std, memory, "SIZE", "memory bound"),
	LU_OPT_STR('T', "tmpdir", struct lu_std, tmpdir, "DIR", "temporary files"),
	LU_OPT_STR(0, "rejects", struct lu_std, rejects, "FILE", "keep bad and dropped records"),
	LU_OPT_U64_GIVEN(0, "max-bad", struct lu_std, max_bad, max_bad_given, "N",
			"skip up to N bad records"),
	LU_OPT_SIZE(0, "max-line", struct lu_std, max_line, "SIZE", "longest record"),
	LU_OPT_STR(0, "stats", struct lu_std, stats, "FILE", "append the accounting line"),
	LU_OPT_U64(0, "seed", struct lu_std, seed, "N", "random seed"),
	LU_OPT_CHOICE(0, "progress", struct lu_std, progress, "auto|always|never", "progress line"),
	LU_OPT_FLAG('q', "quiet", struct lu_std, quiet, "only errors"),
	LU_OPT_COUNT('v', "verbose", struct lu_std, verbose, "say more"),
	LU_OPT_END,
};

const struct lu_opt *lu_std_opts(void)
{
	return std_opts;
}

bool lu_std_has(unsigned std, const struct lu_opt *o)
{
	static const struct {
		const char *name;
		unsigned bits;
	} when[] = {
		{ "output", LU_STD_OUTPUT | LU_STD_OUTNAME },
		{ "compress", LU_STD_OUTPUT },
		{ "threads", LU_STD_THREADS },
		{ "memory", LU_STD_MEMORY },
		{ "tmpdir", LU_STD_TMPDIR },
		{ "rejects", LU_STD_RECORDS },
		{ "max-bad", LU_STD_RECORDS },
		{ "max-line", LU_STD_RECORDS },
		{ "stats", LU_STD_STATS },
		{ "seed", LU_STD_SEED },
		{ "progress", LU_STD_PROGRESS },
		{ "quiet", ~0u },
		{ "verbose", ~0u },
	};

	for (size_t i = 0; i < sizeof(when) / sizeof(when[0]); i++) {
		if (strcmp(when[i].name, o->name) == 0)
			return when[i].bits == ~0u || (std & when[i].bits);
	}
	return false;
}

static LU_PRINTF(1, 0) void say(const char *fmt, va_list ap)
{
	char line[2048];
	int n = snprintf(line, sizeof(line), "%s: ", self.name);
	size_t len;

	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	len = strlen(line);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
	line[len++] = '\n';
	lu_progress_clear();
	/* Nothing sensible is left to do when standard error itself fails. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void lu_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void lu_note(const char *fmt, ...)
{
	va_list ap;

	if (self.quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void lu_detail(const char *fmt, ...)
{
	va_list ap;

	if (self.verbose < 1 || self.quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void lu_usage_error(const char *fmt, ...)
{
	va_list ap;
	struct lu_err err;

	va_start(ap, fmt);
	vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
	va_end(ap);
	lu_warn("%s", err.msg);
	/* Where memory ran out while options were read, the usage was right. */
	if (!strstr(err.msg, "out of memory"))
		fprintf(stderr, "Try '%s --help'.\n", self.name);
	lu_atomic_remove_all();
	exit(2);
}

static void help_row(const struct lu_opt *o)
{
	struct lu_buf left = { 0 };

	if (o->letter)
		lu_buf_printf(&left, "-%c, --%s", o->letter, o->name);
	else
		lu_buf_printf(&left, "    --%s", o->name);
	if (lu_opt_has_arg(o)) {
		lu_buf_putc(&left, ' ');
		lu_opt_arg(o, &left);
	}
	printf("  %-28s  %s\n", left.p ? left.p : "", o->help);
	lu_buf_release(&left);
}

/* The shared options fill whole lines, so that the help of every program stays on a screen. */
static void help_std(const struct lu_tool *tool)
{
	size_t column = 0;

	for (const struct lu_opt *o = std_opts; o->type != LU_OPT_T_END; o++) {
		char word[64];
		size_t n;

		if (!lu_std_has(tool->std, o))
			continue;
		if (o->letter)
			snprintf(word, sizeof(word), "-%c%s%s", o->letter, o->arg ? " " : "",
					o->arg ? o->arg : "");
		else
			snprintf(word, sizeof(word), "--%s %s", o->name,
					o->type == LU_OPT_T_CHOICE ? "WHEN" : o->arg);
		n = strlen(word);
		if (column == 0 || column + n + 2 > 78) {
			printf("%s%s", column ? "\n" : "", column ? "          " : "  common: ");
			column = 10;
		} else {
			printf("  ");
			column += 2;
		}
		printf("%s", word);
		column += n;
	}
	/* "  -h  --version" */
	printf("%s-h  --version\n", column + 15 > 80 ? "\n          " : "  ");
}

static void help(const struct lu_tool *tool)
{
	printf("usage: %s [options]%s%s\n%c%s.\n\n", tool->name, *tool->operands ? " " : "",
			tool->operands,
			tool->does[0] >= 'a' && tool->does[0] <= 'z' ? tool->does[0] - 32
								     : tool->does[0],
			tool->does + 1);
	for (const struct lu_opt *o = tool->opts; o->type != LU_OPT_T_END; o++)
		help_row(o);
	help_std(tool);
	printf("Manual: man %s; the shared options: man 7 lucie\n", tool->name);
}

/* For tests/lint: "letter<TAB>name<TAB>argument" for each option the program takes. */
static void print_options(const struct lu_tool *tool)
{
	struct lu_buf arg = { 0 };

	for (int pass = 0; pass < 2; pass++) {
		const struct lu_opt *o = pass ? std_opts : tool->opts;

		for (; o->type != LU_OPT_T_END; o++) {
			if (pass && !lu_std_has(tool->std, o))
				continue;
			if (o->letter)
				printf("%c", o->letter);
			lu_opt_arg(o, &arg);
			printf("\t%s\t%s\n", o->name, arg.p ? arg.p : "");
			lu_buf_release(&arg);
		}
	}
}

static void print_completion(const struct lu_tool *tool, const char *shell)
{
	bool zsh = strcmp(shell, "zsh") == 0;

	if (zsh)
		printf("#compdef %s\n_arguments \\\n", tool->name);
	else
		printf("complete -o default -W \"");
	for (int pass = 0; pass < 2; pass++) {
		const struct lu_opt *o = pass ? std_opts : tool->opts;

		for (; o->type != LU_OPT_T_END; o++) {
			if (pass && !lu_std_has(tool->std, o))
				continue;
			if (zsh)
				printf("  '--%s[%s]' \\\n", o->name, o->help);
			else
				printf("--%s ", o->name);
		}
	}
	if (zsh)
		printf("  '--help[show the help]' '--version[show the version]' '*:file:_files'\n");
	else
		printf("--help --version\" %s\n", tool->name);
}

static int finish_stdout(void)
{
	/* Programs write data with write(2); stdio holds only help and tables. close() is where
	 * a network file system reports a failed write. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		lu_warn("standard output: %s", strerror(errno));
		return 2;
	}
	if (close(STDOUT_FILENO) < 0 && errno != EBADF) {
		lu_warn("standard output: %s", strerror(errno));
		return 2;
	}
	return 0;
}

static __attribute__((noreturn)) void answer_and_exit(void)
{
	exit(finish_stdout());
}

enum { ID_HELP = 1000, ID_VERSION, ID_OPTIONS, ID_COMPLETION, ID_FIRST };
#define OPTS_MAX 96

struct parse {
	struct option longs[OPTS_MAX];
	const struct lu_opt *row[OPTS_MAX];
	void *base[OPTS_MAX];
	char shorts[2 * OPTS_MAX + 8];
	size_t n;
};

static void parse_add(struct parse *ps, const struct lu_opt *o, void *base)
{
	char *s = ps->shorts + strlen(ps->shorts);
	bool has_arg = lu_opt_has_arg(o);

	LU_ASSERT(ps->n < OPTS_MAX - 5);
	ps->longs[ps->n] = (struct option){ o->name, has_arg ? required_argument : no_argument,
		NULL, ID_FIRST + (int)ps->n };
	ps->row[ps->n] = o;
	ps->base[ps->n++] = base;
	if (o->letter) {
		*s++ = (char)o->letter;
		if (has_arg)
			*s++ = ':';
		*s = '\0';
	}
}

static void parse_one(struct parse *ps, int id)
{
	struct lu_err err;

	for (size_t i = 0; i < ps->n; i++) {
		const struct lu_opt *o = ps->row[i];

		if (id != ID_FIRST + (int)i && id != o->letter)
			continue;
		if (o->letter == 0 && id == 0)
			continue;
		if (lu_opt_store(o, ps->base[i], optarg, &err) == 0)
			return;
		if (!err.errnum)
			lu_usage_error("--%s: %s", o->name, err.msg);
		lu_warn("%s", err.msg);
		exit(2);
	}
	exit(2);
}

static void parse_all(const struct lu_tool *tool, struct parse *ps, int argc, char **argv)
{
	static const struct option own[] = {
		{ "help", no_argument, NULL, ID_HELP },
		{ "version", no_argument, NULL, ID_VERSION },
		{ "print-options", no_argument, NULL, ID_OPTIONS },
		{ "print-completion", required_argument, NULL, ID_COMPLETION },
	};
	int id;

	memcpy(ps->longs + ps->n, own, sizeof(own));
	/* "h", and ':' first so that getopt reports through us, in our form. */
	strncat(ps->shorts, "h", sizeof(ps->shorts) - strlen(ps->shorts) - 1);
	opterr = 0;
	optind = 0;
	while ((id = getopt_long(argc, argv, ps->shorts, ps->longs, NULL)) != -1) {
		switch (id) {
		case 'h':
		case ID_HELP: help(tool); answer_and_exit();
		case ID_VERSION: lu_version_print(tool->name); answer_and_exit();
		case ID_OPTIONS: print_options(tool); answer_and_exit();
		case ID_COMPLETION: print_completion(tool, optarg); answer_and_exit();
		case ':': lu_usage_error("option '%s' needs an argument", argv[optind - 1]);
		case '?':
			if (optopt && optopt < 256)
				lu_usage_error("unknown option '-%c'", optopt);
			lu_usage_error("unknown or ambiguous option '%s'", argv[optind - 1]);
		default: parse_one(ps, id);
		}
	}
}

static void open_standard_descriptors(void)
{
	/* A closed descriptor 0-2 would be given to the next file opened; then a message to
	 * standard error would land in the data. */
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) < 0)
			exit(2);
	}
}

static void std_complete(struct lu_std *std)
{
	struct lu_err err;

	if (std->threads == 0)
		std->threads = omp_get_max_threads();
	if (!std->tmpdir)
		std->tmpdir = getenv("TMPDIR");
	if (!std->tmpdir || !*std->tmpdir)
		std->tmpdir = "/tmp";
	if (std->max_line == 0)
		lu_usage_error("--max-line: '0' is too small");
	self.quiet = std->quiet;
	self.verbose = std->verbose;
	/* A name that cannot be written is told before the work, not after hours of it. */
	if (lu_stats_check(std->stats, &err) < 0) {
		lu_warn("%s", err.msg);
		exit(2);
	}
}

void lu_tool_start(const struct lu_tool *tool, int argc, char **argv, void *config,
		struct lu_args *args)
{
	struct lu_std *std = (struct lu_std *)(void *)((char *)config + tool->std_offset);
	static char dash[] = "-";
	static char *only_dash[] = { dash, NULL };
	struct parse *ps;
	char **given;
	sigset_t pipe_set;
	struct timespec now;

	open_standard_descriptors();
	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &pipe_set, NULL);
	lu_atomic_install();
	self.name = tool->name;
	ps = calloc(1, sizeof(*ps));
	given = malloc(((size_t)argc + 1) * sizeof(*given));
	if (!ps || !given) {
		lu_warn("out of memory");
		exit(2);
	}
	/* getopt moves the operands to the end; the accounting line keeps the order as given. */
	memcpy(given, argv, ((size_t)argc + 1) * sizeof(*given));
	self.given = given;
	ps->shorts[0] = ':';
	for (const struct lu_opt *o = tool->opts; o->type != LU_OPT_T_END; o++)
		parse_add(ps, o, config);
	for (const struct lu_opt *o = std_opts; o->type != LU_OPT_T_END; o++) {
		if (lu_std_has(tool->std, o))
			parse_add(ps, o, std);
	}
	parse_all(tool, ps, argc, argv);
	free(ps);
	std_complete(std);
	clock_gettime(CLOCK_MONOTONIC, &now);
	*args = (struct lu_args){
		.tool = tool,
		.argc = argc,
		.argv = given,
		.file = optind < argc ? argv + optind : only_dash,
		.files = optind < argc ? (size_t)(argc - optind) : 1,
		.start_wall = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec,
	};
	if (optind < argc && !*tool->operands)
		lu_usage_error("unexpected argument '%s'", argv[optind]);
}

int lu_tool_finish(int rc, const struct lu_err *err)
{
	int out;

	lu_progress_clear();
	if (rc < 0) {
		lu_warn("%s", err->msg[0] ? err->msg : "failed");
		rc = 2;
	}
	if (rc != 0)
		lu_atomic_remove_all();
	out = finish_stdout();
	return out && rc != 2 ? out : rc;
}
