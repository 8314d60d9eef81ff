/* Which rank this process is: all sets of variables that launchers make, and halves of them. */
#include "tests/trainer/ranks.h"

#include "trainer/comm/rendezvous.h"

/* The environment is these words alone, NAME=VALUE with blanks between them. */
static void environment(const char *words)
{
	static char text[2048];
	/* cmocka reads its own variable at every test. */
	const char *set = getenv("CMOCKA_MESSAGE_OUTPUT");
	char *output = set ? strdup(set) : NULL, *at = text, *end;

	clearenv();
	if (output)
		setenv("CMOCKA_MESSAGE_OUTPUT", output, 1);
	free(output);
	snprintf(text, sizeof(text), "%s", words);
	while (*at) {
		end = at + strcspn(at, " ");
		if (*end)
			*end++ = '\0';
		assert_int_equal(putenv(at), 0);
		at = end;
	}
}

static struct lt_launch detect(const char *words)
{
	struct lt_launch who;
	struct lu_err err;

	environment(words);
	if (lt_launch_detect(&who, &err) < 0)
		fail_msg("%s: %s", words, err.msg);
	return who;
}

/* It fails, and the sentence has this part. */
static void refused(const char *words, const char *part)
{
	struct lt_launch who;
	struct lu_err err = { 0 };

	environment(words);
	if (lt_launch_detect(&who, &err) == 0)
		fail_msg("%s: accepted", words);
	if (!strstr(err.msg, part))
		fail_msg("%s: %s", words, err.msg);
}

static void expect(const struct lt_launch *w, enum lt_launcher by, size_t rank, size_t size,
		size_t local)
{
	assert_int_equal(w->by, by);
	assert_int_equal(w->rank, rank);
	assert_int_equal(w->size, size);
	assert_int_equal(w->local_rank, local);
}

#define OURS "LUCIE_RANK=3 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=node7:29500"
#define OMPI "OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_LOCAL_RANK=1 "
#define STEP                                                                                      \
	"SLURM_STEP_ID=0 SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=16 SLURM_LOCALID=1 SLURM_JOB_ID=77 " \
	"SLURM_STEP_NODELIST="

static void test_none(void **state)
{
	struct lt_launch w;

	(void)state;
	w = detect("");
	expect(&w, LT_LAUNCH_NONE, 0, 1, 0);
	/* A batch script has these, and is no step. */
	w = detect("SLURM_JOB_ID=77 SLURM_PROCID=0 SLURM_NTASKS=16 SLURM_LOCALID=0 "
		   "SLURM_NODELIST=n1");
	expect(&w, LT_LAUNCH_NONE, 0, 1, 0);
	/* An empty value is none. */
	w = detect("LUCIE_RANK= OMPI_COMM_WORLD_RANK= SLURM_STEP_ID=");
	expect(&w, LT_LAUNCH_NONE, 0, 1, 0);
}

static void test_ours(void **state)
{
	struct lt_launch w;

	(void)state;
	/* Before all others. */
	w = detect(OURS " " OMPI STEP "n1");
	expect(&w, LT_LAUNCH_LUCIE, 3, 8, 0);
	assert_string_equal(w.host, "node7");
	assert_int_equal(w.port, 29500);
	w = detect(OURS " LUCIE_LOCAL_RANK=2");
	expect(&w, LT_LAUNCH_LUCIE, 3, 8, 2);
	w = detect("LUCIE_RANK=0 LUCIE_SIZE=2 LUCIE_RENDEZVOUS=[fe80::1]:80");
	assert_string_equal(w.host, "fe80::1");
	assert_int_equal(w.port, 80);
	w = detect("LUCIE_RANK=0 LUCIE_SIZE=2 LUCIE_RENDEZVOUS=here");
	assert_string_equal(w.host, "here");
	assert_int_equal(w.port, 0);
}

static void test_ours_wrong(void **state)
{
	(void)state;
	refused("LUCIE_RANK=0", "LUCIE_SIZE");
	refused("LUCIE_SIZE=2 LUCIE_RANK=0", "LUCIE_RENDEZVOUS");
	refused("LUCIE_RENDEZVOUS=a:1", "LUCIE_RANK and LUCIE_SIZE");
	refused("LUCIE_LOCAL_RANK=0", "LUCIE_RANK");
	refused("LUCIE_RANK=8 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=a:1", "ranks are 0 to 7");
	refused("LUCIE_RANK=0 LUCIE_SIZE=0 LUCIE_RENDEZVOUS=a:1", "LUCIE_SIZE=0");
	refused("LUCIE_RANK=x LUCIE_SIZE=8 LUCIE_RENDEZVOUS=a:1", "LUCIE_RANK");
	refused("LUCIE_RANK=-1 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=a:1", "LUCIE_RANK");
	refused("LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=a:b", "LUCIE_RENDEZVOUS=a:b");
	refused("LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=a:65536", "65535");
	refused("LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=:1", "HOST:PORT");
	refused("LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=::1", "HOST:PORT");
	refused("LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=[::1", "HOST:PORT");
}

static void test_mpirun(void **state)
{
	struct lt_launch w;

	(void)state;
	/* Before Slurm's, which under mpirun are those of its daemons. */
	w = detect(OMPI STEP "n1");
	expect(&w, LT_LAUNCH_MPI, 2, 4, 1);
	assert_string_equal(w.host, ""); /* MPI says where */
	w = detect(OMPI "OMPI_COMM_WORLD_LOCAL_SIZE=4");
	assert_string_equal(w.host, "127.0.0.1");
	w = detect(OMPI "OMPI_COMM_WORLD_LOCAL_SIZE=2");
	assert_string_equal(w.host, "");
	w = detect("PMI_RANK=1 PMI_SIZE=3 MPI_LOCALRANKID=1 MPI_LOCALNRANKS=3");
	expect(&w, LT_LAUNCH_MPI, 1, 3, 1);
	/* srun sets these for any MPI. */
	w = detect("PMI_RANK=1 PMI_SIZE=3 " STEP "n1");
	expect(&w, LT_LAUNCH_SLURM, 5, 16, 1);
	refused("OMPI_COMM_WORLD_RANK=2", "OMPI_COMM_WORLD_SIZE");
}

static void test_slurm(void **state)
{
	static const char *const lists[][2] = { { "n1", "n1" }, { "n1,n2", "n1" },
		{ "n[03-05,9],m1", "n03" }, { "n[7,9]", "n7" },
		{ "rack[0-1]node[12-13]-ib,x", "rack0node12-ib" },
		{ "gpu-a[001-512]", "gpu-a001" } };
	struct lt_launch w;
	char words[512];

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(words, sizeof(words), STEP "%s", lists[i][0]);
		w = detect(words);
		expect(&w, LT_LAUNCH_SLURM, 5, 16, 1);
		assert_string_equal(w.host, lists[i][1]);
		assert_int_equal(w.port, 0);
	}
	w = detect(STEP "n1 LUCIE_RENDEZVOUS_HOST=10.0.0.7");
	assert_string_equal(w.host, "10.0.0.7");
	refused("SLURM_STEP_ID=0 SLURM_PROCID=5", "SLURM_STEP_NUM_TASKS and SLURM_LOCALID");
	refused("SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1 SLURM_LOCALID=0",
			"SLURM_JOB_ID and SLURM_STEP_NODELIST");
}

/* Attempts differ, ranks of one attempt do not. */
static void test_tokens(void **state)
{
	static const char *const attempts[] = {
		OURS,
		"LUCIE_RANK=0 LUCIE_SIZE=9 LUCIE_RENDEZVOUS=node7:29500",
		"LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=node7:29501",
		OURS " LUCIE_ATTEMPT=1",
		STEP "n1",
		STEP "n1 SLURM_RESTART_COUNT=1",
		STEP "n1 SLURM_STEP_ID=3",
		STEP "n1 SLURM_JOB_ID=78",
		OMPI "PMIX_NAMESPACE=a.1",
		OMPI "PMIX_NAMESPACE=b.1",
	};
	enum { N = sizeof(attempts) / sizeof(attempts[0]) };
	struct lt_launch w[N], other;
	char far[300];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		w[i] = detect(attempts[i]);
		assert_true(w[i].token[0] && strlen(w[i].token) < sizeof(w[i].token));
		for (size_t k = 0; k < i; k++) {
			if (strcmp(w[i].token, w[k].token) == 0)
				fail_msg("'%s' and '%s' have one token", attempts[i], attempts[k]);
		}
	}
	other = detect("LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=node7:29500");
	assert_string_equal(other.token, w[0].token);
	/* Long names are told apart, too. */
	snprintf(far, sizeof(far), "LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=%0200d:1", 0);
	w[0] = detect(far);
	snprintf(far, sizeof(far), "LUCIE_RANK=0 LUCIE_SIZE=8 LUCIE_RENDEZVOUS=%0200d:2", 0);
	w[1] = detect(far);
	assert_string_not_equal(w[0].token, w[1].token);
}

static void test_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < LT_RENDEZVOUS_PORTS; i++) {
		uint16_t port = lt_rendezvous_port("lucie slurm 8 77.0.0", i);

		assert_in_range(port, 1024, 32767);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(port, lt_rendezvous_port("lucie slurm 8 77.0.0", k));
	}
	assert_int_not_equal(lt_rendezvous_port("lucie slurm 8 77.0.0", 0),
			lt_rendezvous_port("lucie slurm 8 77.0.1", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_ours_wrong),
		cmocka_unit_test(test_mpirun),
		cmocka_unit_test(test_slurm),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
