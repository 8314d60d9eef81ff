#include "trainer/run/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/progress.h"

#define WHO "lucie-train: "
#define MARGIN 600 /* seconds */

static const char *const where[] = {
	[LT_STOP_OPENING] = WHO "stopping as soon as the data are open; nothing has been written\n",
	[LT_STOP_STEP] = WHO "stopping after this step; a second Ctrl-C ends at once\n",
	[LT_STOP_VALIDATION] = WHO "stopping; this validation will be made when the run continues; "
				   "a second Ctrl-C ends at once\n",
	[LT_STOP_CHECKPOINT] = WHO "stopping after this checkpoint; a second Ctrl-C ends at once\n",
};

static struct {
	volatile sig_atomic_t caught, interrupts, stage;
	bool quiet, terminal;
	double limit; /* lu_clock() when to stop; 0: never */
	_Atomic uint64_t step, saved;
} state;

/* Write to standard error, below the "^C" of a terminal. */
static void say(const char *text, int sig)
{
	if (state.quiet)
		return;
	if (sig == SIGINT && state.terminal && write(STDERR_FILENO, "\n", 1) < 0)
		return;
	/* A failing standard error cannot be reported anywhere. */
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

/* Append to the text that ends at `to`; snprintf() may not be called in a signal handler. */
static char *put_text(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n + 1);
	return to + n;
}

static char *put_number(char *to, uint64_t x)
{
	char digit[24];
	size_t n = sizeof(digit);

	digit[--n] = '\0';
	do
		digit[--n] = (char)('0' + x % 10);
	while ((x /= 10) > 0);
	return put_text(to, digit + n);
}

/* What ending at once loses. */
static void describe_loss(char *to)
{
	uint64_t step = state.step, saved = state.saved;

	to = put_text(to, WHO "ended at once; ");
	if (saved == UINT64_MAX && step > 0) {
		to = put_text(to, "no checkpoint was written, the steps up to ");
		to = put_text(put_number(to, step), " are lost");
	} else if (saved == UINT64_MAX || saved == step) {
		to = put_text(to, "no step is lost");
	} else {
		to = put_number(put_text(to, "the steps "), saved + 1);
		to = put_text(put_number(put_text(to, " to "), step), " are lost");
	}
	if (saved != UINT64_MAX)
		to = put_number(put_text(to, ", the same command continues after step "), saved);
	put_text(to, "\n");
}

static void on_signal(int sig)
{
	int saved_errno = errno;
	char lost[256];

	if (sig == SIGINT && ++state.interrupts > 1) {
		describe_loss(lost);
		say(lost, sig);
		lu_atomic_remove_all();
		signal(sig, SIG_DFL);
		raise(sig);
	} else if (!state.caught) {
		state.caught = 1;
		say(where[state.stage], sig);
	}
	errno = saved_errno;
}

void lt_stop_install(bool quiet)
{
	static const int signals[] = { SIGTERM, SIGUSR1, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;

	state.quiet = quiet;
	state.terminal = isatty(STDERR_FILENO);
	state.saved = UINT64_MAX;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (signals[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 &&
				old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &sa, NULL);
	}
}

void lt_stop_stage(enum lt_stop_stage stage)
{
	state.stage = (sig_atomic_t)stage;
}

void lt_stop_at(uint64_t step)
{
	state.step = step;
}

void lt_stop_saved(uint64_t saved)
{
	state.saved = saved;
}

/* What is left of the job, less the margin. */
static int before_end(const char *job_end, const char *margin, double now, double *seconds,
		struct lu_err *err)
{
	double end, left, keep;

	if (lu_num_double(job_end, &end, err) < 0)
		return lu_err_wrap(err, "SLURM_JOB_END_TIME");
	left = end - now;
	if (left <= 0)
		return 0;
	keep = left / 10 < MARGIN ? left / 10 : MARGIN;
	if (margin && lu_num_duration(margin, &keep, err) < 0)
		return lu_err_wrap(err, "--time-margin");
	if (keep >= left)
		return lu_err_set(err,
				"--time-margin %s: the job ends in %.0f s, which leaves no time to "
				"train",
				margin, left);
	*seconds = left - keep;
	return 0;
}

int lt_stop_seconds(const char *limit, const char *margin, const char *job_end, double now,
		double *seconds, struct lu_err *err)
{
	*seconds = 0;
	if (limit)
		return lu_num_duration(limit, seconds, err) < 0 ? lu_err_wrap(err, "--time-limit")
								: 0;
	return job_end && *job_end ? before_end(job_end, margin, now, seconds, err) : 0;
}

void lt_stop_limit(double seconds)
{
	state.limit = seconds > 0 ? lu_clock() + seconds : 0;
}

bool lt_stop_asked(void)
{
	if (!state.caught && state.limit > 0 && lu_clock() >= state.limit) {
		state.caught = 1;
		say(WHO "the time limit is reached\n", 0);
		say(where[state.stage], 0);
	}
	return state.caught != 0;
}
