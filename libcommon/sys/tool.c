#include "libcommon/sys/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/completion.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/help.h"
#include "libcommon/sys/mapped.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/threads.h"
#include "libcommon/sys/version.h"

/* State of the messages, set by lu_tool_start() before any thread exists. */
static struct {
	const char *name;
	bool quiet;
	int verbose;
	/* Reachable for as long as the process lives: argv as given, the items of --map. */
	char **argv;
	const char **map;
	bool finished; /* the exit status is ours */
} self = { "lucie", false, 0, NULL, NULL, false };

static LU_PRINTF(1, 0) void say(const char *fmt, va_list ap)
{
	char line[2048];
	int n = snprintf(line, sizeof(line), "%s: ", self.name);
	size_t len;

	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	lu_mask_controls(line);
	len = strlen(line);
	line[len++] = '\n';
	lu_progress_clear();
	/* A failing standard error cannot be reported anywhere. */
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

static __attribute__((noreturn)) void leave(int status)
{
	self.finished = true;
	exit(status);
}

/* A library that gives up calls exit() with 1, which here means "no": OpenMP's runtime when a thread
 * cannot start, mandoc when memory is out. It has said why. */
static void on_exit_by_others(void)
{
	if (self.finished)
		return;
	lu_atomic_remove_all();
	_exit(2);
}

static __attribute__((noreturn)) void usage_exit(bool hint)
{
	if (hint)
		fprintf(stderr, "Try '%s --help'.\n", self.name);
	lu_atomic_remove_all();
	leave(2);
}

void lu_usage_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	usage_exit(true);
}

void lu_usage_fail(const struct lu_err *err, const char *fmt, ...)
{
	char context[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	lu_warn("%s: %s", context, err->msg);
	usage_exit(err->errnum == 0);
}

static __attribute__((noreturn)) void fail(const struct lu_err *err)
{
	lu_warn("%s", err->msg);
	leave(2);
}

static int finish_stdout(void)
{
	/* Data are written with write(2); stdio may hold tables. Only close() reports a failed
	 * write on a network file system. */
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

/* Print the answer to --help and the like, and exit. */
static __attribute__((noreturn)) void answer(struct lu_buf *text)
{
	struct lu_err err;

	if (lu_buf_check(text, &err) < 0 ||
			lu_write_all(STDOUT_FILENO, text->p, text->n, "standard output", &err) < 0)
		fail(&err);
	lu_buf_release(text);
	leave(finish_stdout());
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

		if (id != ID_FIRST + (int)i && (id != o->letter || o->letter == 0))
			continue;
		if (lu_opt_store(o, ps->base[i], optarg, &err) < 0)
			lu_usage_fail(&err, "--%s", o->name);
		return;
	}
	LU_ASSERT(false);
}

static void parse_all(const struct lu_tool *tool, struct parse *ps, int argc, char **argv)
{
	static const struct option own[] = {
		{ "help", no_argument, NULL, ID_HELP },
		{ "version", no_argument, NULL, ID_VERSION },
		{ "print-options", no_argument, NULL, ID_OPTIONS },
		{ "print-completion", required_argument, NULL, ID_COMPLETION },
	};
	struct lu_buf text = { 0 };
	struct lu_err err;
	int id;

	memcpy(ps->longs + ps->n, own, sizeof(own));
	/* ':' comes first in `shorts`: getopt leaves the messages to us. */
	strncat(ps->shorts, "h", sizeof(ps->shorts) - strlen(ps->shorts) - 1);
	opterr = 0;
	optind = 0;
	while ((id = getopt_long(argc, argv, ps->shorts, ps->longs, NULL)) != -1) {
		switch (id) {
		case 'h':
		case ID_HELP: lu_help_put(tool, &text); answer(&text);
		case ID_VERSION: lu_version_put(tool->name, &text); answer(&text);
		case ID_OPTIONS: lu_completion_options(tool, &text); answer(&text);
		case ID_COMPLETION:
			if (lu_completion_script(tool, optarg, &text, &err) < 0)
				lu_usage_fail(&err, "--print-completion");
			answer(&text);
		case ':': lu_usage_error("option '%s' needs an argument", argv[optind - 1]);
		case '?':
			if (optopt && optopt < 256)
				lu_usage_error("unknown option '-%c'", optopt);
			lu_usage_error("unknown or ambiguous option '%s'", argv[optind - 1]);
		default: parse_one(ps, id);
		}
	}
}

/* Report an error in a signal handler, clean up and exit: async-signal-safe calls only. */
static void end_by_signal(const char *sentence)
{
	const char *part[] = { isatty(STDERR_FILENO) ? "\r\033[K" : "", self.name, ": ", sentence,
		"\n" };

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (write(STDERR_FILENO, part[i], strlen(part[i])) < 0)
			break;
	}
	lu_atomic_remove_all();
	_exit(2);
}

static void prepare_process(void)
{
	sigset_t pipe_set;

	/* A closed descriptor 0-2 would be given to the next file opened; then a message to
	 * standard error would land in the data. */
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) < 0)
			leave(2);
	}
	atexit(on_exit_by_others);
	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &pipe_set, NULL);
	lu_atomic_install();
	lu_mapped_install(end_by_signal);
}

/* Parse the command line; `self.argv` keeps its order, since getopt moves operands to the end. */
static void parse_args(
		const struct lu_tool *tool, int argc, char **argv, void *config, struct lu_std *std)
{
	size_t size = ((size_t)argc + 1) * sizeof(*argv);
	struct parse *ps = calloc(1, sizeof(*ps));
	const struct lu_opt *shared;
	struct lu_err err;

	self.argv = malloc(size);
	if (!ps || !self.argv) {
		lu_err_nomem(&err);
		fail(&err);
	}
	memcpy(self.argv, argv, size);
	ps->shorts[0] = ':';
	for (const struct lu_opt *o = tool->opts; o->type != LU_OPT_T_END; o++)
		parse_add(ps, o, config);
	for (size_t i = 0; (shared = lu_std_opt(tool->std, i)); i++)
		parse_add(ps, shared, std);
	parse_all(tool, ps, argc, argv);
	free(ps);
	if (optind < argc && !*tool->operands)
		lu_usage_error("unexpected argument '%s'", argv[optind]);
}

static void complete_std(struct lu_std *std, unsigned groups)
{
	struct lu_err err;

	if (std->threads == 0)
		std->threads = lu_threads_default();
	if (!std->tmpdir)
		std->tmpdir = getenv("TMPDIR");
	if (!std->tmpdir || !*std->tmpdir)
		std->tmpdir = "/tmp";
	if (std->max_line == 0)
		lu_usage_error("--max-line: '0' is too small");
	self.quiet = std->quiet;
	self.verbose = std->verbose;
	self.map = std->map.item;
	/* Fail on an unwritable path now, not after hours of work. */
	if (lu_stats_check(std->stats, &err) < 0)
		fail(&err);
	if ((groups & LU_STD_THREADS) && lu_threads_check(std->threads, &err) < 0)
		fail(&err);
}

void lu_tool_start(const struct lu_tool *tool, int argc, char **argv, void *config,
		struct lu_args *args)
{
	struct lu_std *std = (struct lu_std *)(void *)((char *)config + tool->std_offset);
	static char dash[] = "-";
	static char *only_dash[] = { dash, NULL };

	prepare_process();
	self.name = tool->name;
	parse_args(tool, argc, argv, config, std);
	complete_std(std, tool->std);
	*args = (struct lu_args){
		.tool = tool,
		.argc = argc,
		.argv = self.argv,
		.file = optind < argc ? argv + optind : only_dash,
		.files = optind < argc ? (size_t)(argc - optind) : 1,
		.start_wall = lu_clock(),
	};
}

int lu_tool_finish(int rc, const struct lu_err *err)
{
	struct lu_err cut;
	int out;

	lu_progress_clear();
	if (rc < 0) {
		lu_warn("%s", err->msg[0] ? err->msg : "failed");
		rc = 2;
	} else if (lu_mapped_check(&cut) < 0) {
		lu_warn("%s", cut.msg);
		rc = 2;
	}
	if (rc != 0)
		lu_atomic_remove_all();
	out = finish_stdout();
	self.finished = true;
	return out ? out : rc;
}
