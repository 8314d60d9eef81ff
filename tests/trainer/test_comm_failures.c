/*
 * A rank that dies, stops or hangs: all others end within the deadline and five seconds, each with a
 * sentence that says what it was doing and which rank it waited for. Runs that differ in the kind of
 * failure go side by side, since each takes as long as its deadline.
 */
#include "tests/trainer/fake_device.h"
#include "tests/trainer/ranks.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trainer/comm/rendezvous.h"
#include "trainer/comm/wire.h"

#define DEADLINE 3.0
#define SLACK 5.0

enum kind { EXIT, ABORT, KILL, STOP, HANG, GIVE_UP, LEAVE, KINDS };
enum where { IN_SUM, IN_AGREEMENT, IN_CHAIN, IN_WORK, PLACES };

struct failure {
	enum kind kind;
	enum where where;
	size_t victim;
	bool device; /* the data are on one, and move by fake_nccl.c */
	double when; /* lt_now() of the victim's end */
};

static const char *const kind_names[] = { "exits", "aborts", "is killed", "is stopped", "hangs",
	"gives up", "leaves" };
static const char *const where_names[] = { "a sum", "an agreement", "a chain", "work" };

/* The end of the victim. */
static int end(struct lt_comm *c, enum kind kind, struct lu_err *err)
{
	switch (kind) {
	case EXIT: _exit(7);
	case ABORT: signal(SIGABRT, SIG_DFL); abort();
	case KILL: kill(getpid(), SIGKILL); break;
	case STOP: kill(getpid(), SIGSTOP); break;
	case HANG: break;
	case GIVE_UP:
		lt_comm_abort(c, "no space is left on the disk");
		return lu_err_set(err, "no space is left on the disk");
	case LEAVE: return lu_err_set(err, "this rank leaves");
	case KINDS: break;
	}
	for (;;)
		pause();
}

/* With data on a device it waits for its queue, which goes on after a failure. */
static int settle(struct lt_comm *c, struct lk_queue *q, struct lu_err *err)
{
	if (q)
		must(fake_ops.sync(q) == 0);
	return lt_comm_check(c, err);
}

/* What the others do meanwhile. */
static int wait_somewhere(struct lt_comm *c, struct lt_group *g, struct lk_queue *q,
		const struct failure *f, double *x, size_t n, struct lu_err *err)
{
	size_t rank = lt_comm_rank(c), size = lt_comm_size(c);

	switch (f->where) {
	case IN_SUM:
		return lt_all_reduce(g, q, x, n, LT_DOUBLES, NULL, err) < 0 ? -1
									    : settle(c, q, err);
	case IN_AGREEMENT: return lt_comm_agree(c, LT_CHANNEL_MAIN, 0, err);
	case IN_CHAIN:
		/* Each waits for the next one up to the victim. */
		if (lt_recv(g, q, (rank + 1) % size, x, n, LT_DOUBLES, NULL, err) < 0 ||
				settle(c, q, err) < 0)
			return -1;
		return lt_send(g, q, (rank + size - 1) % size, x, n, LT_DOUBLES, NULL, err) < 0
				? -1
				: settle(c, q, err);
	default:
		/* Does not notice by itself: its watchdog must end it. */
		for (;;)
			pause();
	}
}

static int suffer(struct lt_comm *c, void *arg, struct lu_err *err)
{
	struct failure *f = arg;
	struct lt_group *g;
	struct lk_queue *q = NULL;
	struct lk_err kerr;
	enum { N = 200000 };
	static double x[N];

	if (f->device &&
			(fake_ops.open(&q, 0, &kerr) < 0 ||
					lt_comm_device(c, 0, LT_EQUAL_LAYOUT, err) < 0))
		return -1;
	g = world(c);
	for (size_t step = 1; step < 4; step++) {
		lt_comm_at(c, "step %zu, backward of micro-batch 3", step);
		if (lt_all_reduce(g, q, x, N, LT_DOUBLES, NULL, err) < 0 || settle(c, q, err) < 0)
			return -1;
	}
	lt_comm_at(c, "step 4, backward of micro-batch 3");
	if (lt_comm_rank(c) == f->victim) {
		f->when = lt_now();
		return end(c, f->kind, err);
	}
	if (wait_somewhere(c, g, q, f, x, N, err) < 0)
		return -1;
	return lu_err_set(err, "this rank went on as if nothing had happened");
}

static void check(const struct ranks *r, const struct failure *f, double took)
{
	char rank[32], mine[64], place[128];

	snprintf(place, sizeof(place), "rank %zu %s while others are in %s%s", f->victim,
			kind_names[f->kind], where_names[f->where], f->device ? " of GPUs" : "");
	snprintf(rank, sizeof(rank), "rank %zu on ", f->victim);
	if (took > DEADLINE + SLACK)
		fail_msg("%s: the run ends after %.1f s only", place, took);
	for (size_t i = 0; i < r->size; i++) {
		if (i == f->victim)
			continue;
		if (r->status[i] != RANKS_ERROR)
			fail_msg("%s: rank %zu ends with %d: %s", place, i, r->status[i],
					r->text[i]);
		if (!strstr(r->text[i], rank))
			fail_msg("%s: rank %zu does not name it: %s", place, i, r->text[i]);
		if (f->kind == GIVE_UP ? !strstr(r->text[i], "no space is left on the disk")
				       : !strstr(r->text[i], ", backward of micro-batch 3"))
			fail_msg("%s: rank %zu does not say more: %s", place, i, r->text[i]);
		/* The victim of what only its own process can end. */
		if (f->device && f->where == IN_SUM && (f->kind == HANG || f->kind == STOP) &&
				!strstr(r->text[i], "3, all_reduce of world: "))
			fail_msg("%s: rank %zu does not name the sum: %s", place, i, r->text[i]);
		if (f->kind == LEAVE && !strstr(r->text[i], "has ended its part of the run"))
			fail_msg("%s: rank %zu does not say so: %s", place, i, r->text[i]);
		if (strchr(r->text[i], '\n') != r->text[i] + strlen(r->text[i]) - 1)
			fail_msg("%s: rank %zu has not one sentence: %s", place, i, r->text[i]);
	}
	snprintf(mine, sizeof(mine), "this rank, %zu on ", f->victim);
	/* A hanging rank ends itself and says so. */
	if (f->kind == HANG &&
			(r->status[f->victim] != RANKS_ERROR || !strstr(r->text[f->victim], mine)))
		fail_msg("%s: it ends with %d and says %s", place, r->status[f->victim],
				r->text[f->victim]);
	if (f->kind == STOP && r->status[f->victim] != 128 + SIGKILL)
		fail_msg("%s: it ends with %d", place, r->status[f->victim]);
}

/* All kinds of failure of one rank at all places. */
static void run_all(size_t victim, bool device)
{
	static struct ranks runs[KINDS * PLACES];
	struct failure *failures = mmap(NULL, KINDS * PLACES * sizeof(*failures),
			PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t n = 0;

	assert_true(failures != MAP_FAILED);

	for (int kind = 0; kind < KINDS; kind++) {
		for (int where = 0; where < PLACES; where++) {
			/* Nobody waits for the victim: nothing shows that it hangs or has left. */
			if (where == IN_WORK && (kind == HANG || kind == LEAVE))
				continue;
			failures[n] = (struct failure){ .kind = (enum kind)kind,
				.where = (enum where)where,
				.victim = victim,
				.device = device };
			runs[n] = (struct ranks){ .size = 4,
				.deadline = DEADLINE,
				.work = suffer,
				.arg = &failures[n],
				.ops = device ? &fake_ops : NULL,
				.before = device ? fake_nccl : NULL };
			n++;
		}
	}
	for (size_t i = 0; i < n; i++)
		ranks_start(&runs[i]);
	for (size_t i = 0; i < n; i++)
		ranks_wait(&runs[i], 60);
	for (size_t i = 0; i < n; i++) {
		double last = 0;

		for (size_t k = 0; k < runs[i].size; k++)
			last = runs[i].seconds[k] > last ? runs[i].seconds[k] : last;
		check(&runs[i], &failures[i], runs[i].start + last - failures[i].when);
	}
	munmap(failures, KINDS * PLACES * sizeof(*failures));
}

static void test_last_rank(void **state)
{
	(void)state;
	run_all(3, false);
}

static void test_rank_0(void **state)
{
	(void)state;
	run_all(0, false);
}

static void test_gpus(void **state)
{
	(void)state;
	if (!fake_nccl_is_there())
		return;
	run_all(2, true);
	run_all(0, true);
}

/* ---- meeting ----------------------------------------------------------------------------- */

static int sum(struct lt_comm *c, void *arg, struct lu_err *err)
{
	double x = 1;

	(void)arg;
	if (lt_all_reduce(world(c), NULL, &x, 1, LT_DOUBLES, NULL, err) < 0)
		return -1;
	must(x == (double)lt_comm_size(c));
	return 0;
}

static void test_missing(void **state)
{
	static struct ranks r = { .size = 5, .leave_out = 2, .rendezvous = 1, .work = sum };

	(void)state;
	ranks_start(&r);
	ranks_wait(&r, 30);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(r.status[i], RANKS_ERROR);
		if (!strstr(r.text[i], "2 of 5 ranks did not come") ||
				!strstr(r.text[i], "ranks 3, 4"))
			fail_msg("rank %zu: %s", i, r.text[i]);
	}
}

/* Rank 0 never comes: the others say where they looked for it. */
static void hide_rank_0(size_t rank, void *arg)
{
	(void)arg;
	if (rank == 0)
		_exit(0);
}

static void test_no_rank_0(void **state)
{
	static struct ranks r = { .size = 3, .rendezvous = 1, .work = sum, .before = hide_rank_0 };

	(void)state;
	ranks_start(&r);
	ranks_wait(&r, 30);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(r.status[i], RANKS_ERROR);
		if (!strstr(r.text[i], "does not reach rank 0") || !strstr(r.text[i], "127.0.0.1"))
			fail_msg("rank %zu: %s", i, r.text[i]);
	}
}

/* A given port; rank 2 is of another attempt, which is what its error says. */
static void other_attempt(size_t rank, void *arg)
{
	setenv("LUCIE_RENDEZVOUS", arg, 1);
	setenv("LUCIE_ATTEMPT", rank == 2 ? "7" : "6", 1);
}

static void test_other_token(void **state)
{
	char place[32];
	struct ranks r = {
		.size = 3, .rendezvous = 2, .work = sum, .before = other_attempt, .arg = place
	};

	(void)state;
	snprintf(place, sizeof(place), "127.0.0.1:%u",
			lt_rendezvous_port(__FILE__, (size_t)getpid() % 997));
	ranks_start(&r);
	ranks_wait(&r, 60);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(r.status[i], RANKS_ERROR);
		if (!strstr(r.text[i], i == 2 ? "another run" : "did not come"))
			fail_msg("rank %zu: %s", i, r.text[i]);
	}
}

/* Two processes have the same rank: the second is told. */
static void same_rank(size_t rank, void *arg)
{
	(void)arg;
	if (rank == 2) {
		setenv("LUCIE_RANK", "1", 1);
		sleep_for(0.5);
	}
}

static void test_same_rank(void **state)
{
	static struct ranks r = { .size = 3, .rendezvous = 2, .work = sum, .before = same_rank };

	(void)state;
	ranks_start(&r);
	ranks_wait(&r, 60);
	assert_int_equal(r.status[2], RANKS_ERROR);
	if (!strstr(r.text[2], "rank 1 is already there"))
		fail_msg("%s", r.text[2]);
}

/*
 * Strangers: one for each rank's start, connecting to the meeting place first, who say nothing,
 * garbage, or a web request, and stay; then the same at the ports for data.
 */
static void pester(uint16_t port, size_t how)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	static char garbage[4096];
	int fd;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int attempt = 0; attempt < 200; attempt++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			break;
		close(fd);
		fd = -1;
		sleep_for(0.01);
	}
	if (fd < 0)
		return;
	memset(garbage, 0xa5, sizeof(garbage));
	if (how == 1)
		(void)send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL);
	if (how == 2)
		(void)send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
	if (how == 3)
		close(fd);
}

static void send_strangers(size_t rank, void *arg)
{
	uint16_t port = *(const uint16_t *)arg;
	char place[32];

	snprintf(place, sizeof(place), "127.0.0.1:%u", port);
	setenv("LUCIE_RENDEZVOUS", place, 1);
	if (rank != 0 && fork() == 0) {
		for (size_t i = 0; i < 8; i++)
			pester(port, i % 4);
		sleep_for(3);
		_exit(0);
	}
	if (rank != 0)
		sleep_for(0.3);
}

static void test_strangers(void **state)
{
	uint16_t port = lt_rendezvous_port(__FILE__, (size_t)getpid() % 991 + 1);
	struct ranks r = { .size = 4, .work = sum, .before = send_strangers, .arg = &port };

	(void)state;
	ranks_good(&r, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_rank),
		cmocka_unit_test(test_rank_0),
		cmocka_unit_test(test_gpus),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_no_rank_0),
		cmocka_unit_test(test_other_token),
		cmocka_unit_test(test_same_rank),
		cmocka_unit_test(test_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
