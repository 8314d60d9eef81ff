#include "libcommon/sys/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/cmdline.h"
#include "libcommon/sys/completion.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/help.h"
#include "libcommon/sys/mapped.h"
#include "libcommon/sys/progress.h"
#include "libcommon/sys/readset.h"
#include "libcommon/sys/stats.h"
#include "libcommon/sys/threads.h"
#include "libcommon/sys/version.h"

/* State of the messages, set by lu_tool_start() before any thread exists. */
static struct {
	const char *name;
	bool quiet, mute;
	int verbose;
	/* Reachable for as long as the process lives. */
	struct lu_cmdline cmdline;
	const char **map; /* the items of --map */
	bool finished;	  /* the exit status is ours */
} self = { .name = "lucie" };

static LU_PRINTF(1, 0) void say(const char *fmt, va_list ap)
{
	char line[2048];
	int n = snprintf(line, sizeof(line), "%s: ", self.name);
	size_t len;

	if (self.mute)
		return;
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

void lu_tool_mute(bool errors)
{
	self.quiet = true;
	self.mute = errors;
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
	if (hint && !self.mute)
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

/* Answer --help and the like. */
static void answer_question(
		const struct lu_tool *tool, const struct lu_cmdline *c, const void *config)
{
	struct lu_buf text = { 0 };
	struct lu_err err;

	if (c->help)
		lu_help_put(tool, config, &text);
	else if (c->version)
		lu_version_put(tool->name, &text);
	else if (c->print_options)
		lu_completion_options(tool, &text);
	else if (!c->shell)
		return;
	else if (lu_completion_script(tool, c->shell, &text, &err) < 0)
		lu_usage_fail(&err, "--print-completion");
	answer(&text);
}

static void parse_args(const struct lu_tool *tool, int argc, char **argv, void *config)
{
	struct lu_cmdline *c = &self.cmdline;
	static char dash[] = "-";
	struct lu_err err;

	if (lu_cmdline_parse(tool, argc, argv, config, c, &err) < 0) {
		lu_warn("%s", err.msg);
		usage_exit(err.errnum == 0);
	}
	answer_question(tool, c, config);
	if (c->file.n == 0 && !lu_vec_push(&c->file, dash)) {
		lu_err_nomem(&err);
		fail(&err);
	}
}

static void note_old_names(const struct lu_cmdline *c)
{
	for (size_t i = 0; i < c->old.n; i++) {
		const struct lu_opt *o = c->old.p[i];

		if (!o->arg)
			lu_note("--%s: %s", o->name, o->help);
		else if (o->name)
			lu_note("--%s is now --%s", o->name, o->arg);
		else
			lu_note("-%c is now --%s", o->letter, o->arg);
	}
}

/* The operands are inputs, unless they are the prefixes of shards, whose files are known when they
 * are opened. */
static void add_operands(const struct lu_tool *tool)
{
	struct lu_err err;

	if (!(tool->std & LU_STD_RUN))
		lu_readset_watch();
	for (size_t i = 0; !strstr(tool->operands, "PREFIX") && i < self.cmdline.file.n; i++) {
		if (lu_readset_add(self.cmdline.file.p[i], &err) < 0)
			fail(&err);
	}
}

static void complete_std(struct lu_std *std, const struct lu_tool *tool)
{
	struct lu_err err;

	bool choose = std->threads == 0;

	if (choose)
		std->threads = lu_threads_default();
	if (!std->tmpdir)
		std->tmpdir = getenv("TMPDIR");
	if (!std->tmpdir || !*std->tmpdir)
		std->tmpdir = "/tmp";
	if (std->max_line == 0)
		lu_usage_error("--max-line: '0' is too small");
	if (std->quiet && std->progress == LU_PROGRESS_AUTO)
		std->progress = LU_PROGRESS_NEVER;
	self.quiet = std->quiet;
	self.verbose = std->verbose;
	self.map = std->map.item;
	if (choose && (tool->std & LU_STD_THREADS) && lu_threads_odd_default())
		lu_note("OMP_NUM_THREADS: '%s' is not a number of threads; using %d",
				lu_threads_odd_default(), std->threads);
	add_operands(tool);
	/* Fail on an unwritable path now, not after hours of work. */
	if (lu_stats_check(std->stats, &err) < 0)
		fail(&err);
	if ((tool->std & LU_STD_THREADS) && lu_threads_check(std->threads, &err) < 0)
		fail(&err);
}

void lu_tool_start(const struct lu_tool *tool, int argc, char **argv, void *config,
		struct lu_args *args)
{
	struct lu_std *std = (struct lu_std *)(void *)((char *)config + tool->std_offset);

	prepare_process();
	self.name = tool->name;
	parse_args(tool, argc, argv, config);
	complete_std(std, tool);
	note_old_names(&self.cmdline);
	*args = (struct lu_args){
		.tool = tool,
		.argc = argc,
		.argv = argv,
		.file = self.cmdline.file.p,
		.files = self.cmdline.file.n,
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
	lu_cmdline_release(&self.cmdline);
	self.finished = true;
	return out ? out : rc;
}
