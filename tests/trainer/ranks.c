#include "tests/trainer/ranks.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int host_sync(struct lk_queue *q)
{
	(void)q;
	return 0;
}

const struct lk_ops host_ops = { .name = "host", .act = LK_BF16, .act_size = 2, .sync = host_sync };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void sleep_for(double seconds)
{
	double until = now() + seconds;

	while (now() < until) {
		struct timespec t = { .tv_nsec = 5000000 };

		nanosleep(&t, NULL);
	}
}

void must_fail(const char *cond, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, cond);
	_exit(RANKS_WRONG);
}

struct lt_group *world(struct lt_comm *c)
{
	size_t ranks[RANKS_MAX];
	struct lt_group *g = NULL;
	struct lu_err err;

	for (size_t i = 0; i < lt_comm_size(c); i++)
		ranks[i] = i;
	if (lt_comm_group(c, ranks, lt_comm_size(c), "world", &g, &err) < 0 ||
			lt_group_ring(g, &err) < 0)
		must_fail(err.msg, __FILE__, __LINE__);
	return g;
}

static void set(const char *name, size_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", value);
	setenv(name, text, 1);
}

/* The whole life of a rank; the text that it writes to standard error is kept in a file. */
static void be(struct ranks *r, size_t rank, size_t attempt, int out)
{
	struct lt_comm_options o = { r->deadline > 0 ? r->deadline : 20,
		r->rendezvous > 0 ? r->rendezvous : 20, NULL };
	struct lt_launch who;
	struct lt_comm *c = NULL;
	struct lu_err err;
	int rc = -1;

	dup2(out, 2);
	set("LUCIE_RANK", rank);
	set("LUCIE_SIZE", r->size);
	set("LUCIE_ATTEMPT", attempt);
	setenv("LUCIE_RENDEZVOUS", "127.0.0.1", 0);
	if (r->before)
		r->before(rank, r->arg);
	if (lt_launch_detect(&who, &err) < 0 ||
			lt_comm_open(&c, &who, r->ops ? r->ops : &host_ops, &o, &err) < 0 ||
			r->work(c, r->arg, &err) < 0)
		fprintf(stderr, "%s\n", err.msg);
	else
		rc = 0;
	lt_comm_close(c);
	exit(rc == 0 ? RANKS_GOOD : RANKS_ERROR);
}

void ranks_start(struct ranks *r)
{
	static size_t runs;
	size_t attempt = (size_t)getpid() * 1000 + runs++;

	assert_true(r->size <= RANKS_MAX);
	fflush(NULL);
	r->start = now();
	for (size_t i = 0; i < r->size - r->leave_out; i++) {
		r->output[i] = tmpfile();
		assert_non_null(r->output[i]);
		r->pid[i] = fork();
		assert_true(r->pid[i] >= 0);
		if (r->pid[i] == 0)
			be(r, i, attempt, fileno(r->output[i]));
	}
}

/* What the rank has written to standard error. */
static void read_text(struct ranks *r, size_t i)
{
	size_t n;

	rewind(r->output[i]);
	n = fread(r->text[i], 1, RANKS_TEXT - 1, r->output[i]);
	r->text[i][n] = '\0';
	fclose(r->output[i]);
}

void ranks_wait(struct ranks *r, double limit)
{
	size_t started = r->size - r->leave_out, left = started;
	bool late = false, done[RANKS_MAX] = { false };

	while (left) {
		bool kill_them = !late && now() - r->start > limit;

		late |= kill_them;
		for (size_t i = 0; i < started; i++) {
			int status;

			if (kill_them && !done[i])
				kill(r->pid[i], SIGKILL);
			if (done[i] || waitpid(r->pid[i], &status, WNOHANG) != r->pid[i])
				continue;
			done[i] = true;
			left--;
			r->seconds[i] = now() - r->start;
			r->status[i] = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
							   : WEXITSTATUS(status);
		}
		sleep_for(0.005);
	}
	for (size_t i = 0; i < started; i++) {
		read_text(r, i);
		if (late || getenv("RANKS_VERBOSE"))
			printf("# rank %zu ended with %d after %.1f s: %s\n", i, r->status[i],
					r->seconds[i], r->text[i]);
	}
	if (late)
		fail_msg("not all ranks ended within %.0f s", limit);
}

void ranks_good(struct ranks *r, double limit)
{
	ranks_start(r);
	ranks_wait(r, limit);
	for (size_t i = 0; i < r->size; i++) {
		if (r->status[i] != RANKS_GOOD)
			fail_msg("rank %zu ended with %d: %s", i, r->status[i], r->text[i]);
	}
}
