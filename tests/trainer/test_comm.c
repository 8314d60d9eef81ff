/* Every collective for 1 to 6 ranks against a serial tree; control plane; pending operations. */
#include "tests/trainer/comm_checks.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcommon/sys/version.h"
#include "trainer/comm/pieces.h"

/* As some containers do: no process reads another's memory, so that everything goes by TCP. */
static void forbid_reading(size_t rank, void *arg)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };

	(void)rank, (void)arg;
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void test_collectives(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 6; size++) {
		struct ranks r = { .size = size, .work = check_collectives };

		ranks_good(&r, 120);
	}
}

static void test_without_reading(void **state)
{
	(void)state;
	for (size_t size = 2; size <= 5; size += 3) {
		struct ranks r = {
			.size = size, .work = check_collectives, .before = forbid_reading
		};

		ranks_good(&r, 120);
	}
}

static void test_big(void **state)
{
	struct ranks a = { .size = 2, .work = check_big },
		     b = { .size = 2, .work = check_big, .before = forbid_reading };

	(void)state;
	ranks_good(&a, 120);
	ranks_good(&b, 120);
}

/* The pieces of MPI's messages, whose sizes are int. */
static void test_pieces(void **state)
{
	static const size_t totals[] = { 1, LT_PIECE - 1, LT_PIECE, LT_PIECE + 1,
		((size_t)1 << 31) + 12345, (size_t)1 << 40 };
	static const size_t windows[] = { 0, 1000, (size_t)1 << 18, (size_t)1 << 36 };

	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		for (size_t w = 0; w < sizeof(windows) / sizeof(windows[0]); w++) {
			size_t at = 0, pieces = 0;

			/* A window cuts nothing into millions of pieces. */
			if (windows[w] && totals[i] / windows[w] > 100000)
				continue;
			for (; at < totals[i]; pieces++) {
				int n = lt_piece_bytes(totals[i] - at, windows[w]);

				assert_true(n > 0 && (size_t)n <= LT_PIECE);
				assert_true(!windows[w] || (size_t)n <= windows[w]);
				at += (size_t)n;
			}
			assert_true(at == totals[i]);
			if (!windows[w])
				assert_true(pieces == (totals[i] + LT_PIECE - 1) / LT_PIECE);
		}
	}
}

/* ---- pending operations, sends ----------------------------------------------------------- */

/* overlap() and sends_first() between ranks 0 and 1 of more. */
static int pairs(struct lt_comm *c, struct lu_err *err)
{
	size_t two[2] = { 0, 1 };
	struct lt_group *a, *b;

	if (lt_comm_rank(c) > 1)
		return 0;
	if (lt_comm_group(c, two, 2, "a", &a, err) < 0 ||
			lt_comm_group(c, two, 2, "b", &b, err) < 0)
		return -1;
	return check_overlap_in(c, a, b, err) < 0 || check_sends_first_in(c, a, err) < 0 ? -1 : 0;
}

/* Once settled, a sum that nobody has waited for is there, and so its memory may be freed. */
static int settles(struct lt_comm *c, void *arg, struct lu_err *err)
{
	struct lt_group *g = world(c);
	struct lt_pending *p;
	double x = 1;

	(void)arg;
	/* The other comes late, so that the sum is under way. */
	if (lt_comm_rank(c) == 1)
		usleep(200000);
	if (lt_all_reduce(g, NULL, &x, 1, LT_DOUBLES, &p, err) < 0)
		return -1;
	lt_comm_settle(c);
	must(x == 2);
	return lt_comm_wait(c, NULL, &p, err);
}

static void test_pending(void **state)
{
	struct ranks a = { .size = 2, .work = check_overlap },
		     b = { .size = 2, .work = check_sends_first },
		     d = { .size = 2, .work = settles };

	(void)state;
	ranks_good(&a, 40);
	ranks_good(&b, 40);
	ranks_good(&d, 40);
}

/* ---- several groups at once -------------------------------------------------------------- */

/* The same run twice at once, by attempts of their own: neither meets the other's ranks. */
static void test_groups(void **state)
{
	struct ranks a = { .size = 4, .work = check_mesh }, b = { .size = 4, .work = check_mesh };

	(void)state;
	ranks_start(&a);
	ranks_good(&b, 60);
	ranks_wait(&a, 60);
	for (size_t i = 0; i < a.size; i++)
		assert_int_equal(a.status[i], RANKS_GOOD);
}

/* ---- control plane ----------------------------------------------------------------------- */

struct saver {
	struct lt_comm *c;
	int rc;
	struct lu_err err;
};

/* The other channel, from a thread of its own. */
static void *save(void *arg)
{
	struct saver *s = arg;
	size_t size = lt_comm_size(s->c), rank = lt_comm_rank(s->c);
	uint32_t *all = calloc(size * 4000, sizeof(*all)), mine[4000];

	must(all != NULL);
	for (uint32_t round = 0; round < 50 && s->rc == 0; round++) {
		for (uint32_t i = 0; i < 4000; i++)
			mine[i] = round * 7 + i + (uint32_t)rank * 100000;
		s->rc = lt_comm_collect(s->c, LT_CHANNEL_SAVE, mine, sizeof(mine), all, &s->err);
		for (uint32_t i = 0; rank == 0 && i < size * 4000; i++)
			must(all[i] == round * 7 + i % 4000 + i / 4000 * 100000);
	}
	free(all);
	return NULL;
}

static int control(struct lt_comm *c, void *arg, struct lu_err *err)
{
	size_t rank = lt_comm_rank(c);
	struct saver s = { .c = c };
	pthread_t thread;
	char text[1000];

	(void)arg;
	must(pthread_create(&thread, NULL, save, &s) == 0);
	for (size_t round = 0; round < 50; round++) {
		bool none = false, one = rank == round % lt_comm_size(c), all = true;

		memset(text, rank == 0 ? (int)round : 0, sizeof(text));
		lt_comm_at(c, "round %zu", round);
		if (lt_comm_any(c, LT_CHANNEL_MAIN, &none, err) < 0 ||
				lt_comm_any(c, LT_CHANNEL_MAIN, &one, err) < 0 ||
				lt_comm_any(c, LT_CHANNEL_MAIN, &all, err) < 0 ||
				lt_comm_share(c, LT_CHANNEL_MAIN, text, sizeof(text), err) < 0 ||
				lt_comm_agree(c, LT_CHANNEL_MAIN, 0, err) < 0)
			return -1;
		must(!none && one && all);
		must(text[0] == (char)round && memcmp(text, text + 1, sizeof(text) - 1) == 0);
	}
	must(lt_comm_speaks(c));
	must(pthread_join(thread, NULL) == 0);
	if (s.rc < 0)
		*err = s.err;
	return s.rc;
}

/* Ranks 1 and 3 of five fail: rank 1 speaks, the others know what it says. */
static int disagree(struct lt_comm *c, void *arg, struct lu_err *err)
{
	size_t rank = lt_comm_rank(c);
	struct lt_group *g = world(c);
	struct lt_pending *p, *q;
	static double never;
	int rc = 0;

	(void)arg;
	/* What will never come does not keep them. */
	must(rank != 2 || lt_recv(g, NULL, 3, &never, 1, LT_DOUBLES, &p, err) == 0);
	must(rank != 4 || lt_send(g, NULL, 1, &never, 1, LT_DOUBLES, &q, err) == 0);
	if (rank == 1 || rank == 3)
		rc = lu_err_set(err, "no room for rank %zu", rank);
	must(lt_comm_agree(c, LT_CHANNEL_MAIN, rc, err) == -1);
	must(lt_comm_speaks(c) == (rank == 1));
	if (rank == 1) {
		must(strcmp(err->msg, "no room for rank 1") == 0);
		return 0;
	}
	must(strncmp(err->msg, "rank 1 on ", 10) == 0);
	must(strstr(err->msg, ": no room for rank 1") != NULL);
	return 0;
}

static void test_control(void **state)
{
	struct ranks a = { .size = 5, .work = control },
		     b = { .size = 5, .work = disagree, .deadline = 300 };

	(void)state;
	ranks_good(&a, 60);
	ranks_good(&b, 60);
}

static int nothing(struct lt_comm *c, void *arg, struct lu_err *err)
{
	(void)c, (void)arg, (void)err;
	return 0;
}

/* Ranks leave at different times, rank 0 among the first: nobody takes it for a death. */
static int leave(struct lt_comm *c, void *arg, struct lu_err *err)
{
	(void)arg, (void)err;
	sleep_for(0.1 * (double)lt_comm_rank(c));
	return 0;
}

static void test_meeting(void **state)
{
	struct ranks a = { .size = 48, .work = nothing }, b = { .size = 6, .work = leave };

	(void)state;
	ranks_good(&a, 60);
	ranks_good(&b, 60);
}

/* ---- mpirun ------------------------------------------------------------------------------ */

/* What a rank that mpirun has started does: all of the above. */
static void be_mpi_rank(void)
{
	struct lt_comm_options options = { 60, 60, NULL };
	struct lt_launch who;
	struct lt_comm *c = NULL;
	struct lu_err err;
	int rc = -1;

	if (lt_launch_detect(&who, &err) < 0 ||
			lt_comm_open(&c, &who, &host_ops, &options, &err) < 0)
		goto out;
	must(who.by == LT_LAUNCH_MPI && lt_comm_size(c) == 3);
	/* Without MPI in the build the ranks, which are on one host, use TCP. */
	must(strcmp(lt_comm_transport(c), lu_version_mpi ? "mpi" : "tcp") == 0);
	if (check_collectives(c, NULL, &err) < 0 || control(c, NULL, &err) < 0 ||
			pairs(c, &err) < 0)
		goto out;
	rc = 0;
out:
	if (rc < 0)
		fprintf(stderr, "rank %zu: %s\n", who.rank, err.msg);
	lt_comm_close(c);
	/* Open MPI leaks memory of plugins that it has unloaded, which no suppression can name. */
	_exit(rc == 0 ? RANKS_GOOD : RANKS_ERROR);
}

static void test_mpirun(void **state)
{
	char self[1024], command[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *ci = getenv("CI");

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	if (system("command -v mpirun >/dev/null 2>&1") != 0) {
		if (ci && strcmp(ci, "true") == 0)
			fail_msg("no mpirun");
		printf("# no mpirun: MPI is not tested\n");
		return;
	}
	/* Without -x the ranks have this environment; -q keeps Open MPI's own remarks away. */
	snprintf(command, sizeof(command),
			"OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
			"mpirun -q -np 3 --oversubscribe '%s' mpi-rank",
			self);
	assert_int_equal(system(command), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collectives),
		cmocka_unit_test(test_without_reading),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_meeting),
		cmocka_unit_test(test_mpirun),
	};

	if (argc > 1 && strcmp(argv[1], "mpi-rank") == 0)
		be_mpi_rank();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
