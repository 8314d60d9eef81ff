/* Checkpoints when something fails: a full disk, a failing call, a write that is lost, a kill, each at
 * every call of a save in turn, on any of several ranks. The calls that the saver makes of the system
 * pass through the definitions here. */
#include "tests/trainer/part.h"
#include "tests/trainer/tiny.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/buf.h"
#include "libcommon/sys/file.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/saver.h"

#define LIMIT 60 /* seconds of a run */

/* --- failing calls ---------------------------------------------------------------------------- */

enum how {
	NOTHING,
	FAIL,	  /* call n fails with EIO */
	FULL,	  /* from call n on, no byte can be written: ENOSPC */
	QUOTA,	  /* the same, but only sync and close tell: EDQUOT */
	LOSE,	  /* write n does nothing and says that it has written */
	KILL,	  /* the process ends before call n */
	VANISHED, /* the first calls of open say that there is no such file */
};

/* Read by the saver's thread and by those of the communication. */
static struct {
	_Atomic enum how how;
	atomic_uint n;
	atomic_bool old_system; /* cannot reserve space, nor exchange folders */
	atomic_uint calls;
	atomic_bool grave; /* one has failed without which no save can be complete */
} fault;

/* What a call does: make something new, write bytes, end what has been written, sync a folder, rename,
 * or only look. */
enum call { CHANGES, WRITES, ENDS, SYNCS, MOVES, LOOKS };

/* Reads and writes of data are many and alike: one of this many counts. */
#define THIN 24

/* Count a call; true if it is to fail, with errno set. */
static bool fails(enum call call)
{
	static atomic_uint reads, writes;
	unsigned n;

	if ((call == LOOKS && atomic_fetch_add(&reads, 1) % THIN) ||
			(call == WRITES && atomic_fetch_add(&writes, 1) % THIN))
		return false;
	if (fault.how == NOTHING || fault.how == VANISHED ||
			(fault.how == LOSE && call != WRITES) ||
			(fault.how == FULL && call != WRITES && call != CHANGES) ||
			(fault.how == QUOTA && call != ENDS))
		return false;
	n = atomic_fetch_add(&fault.calls, 1) + 1;
	if (fault.how == KILL && n == fault.n)
		raise(SIGKILL);
	errno = fault.how == FAIL ? EIO : fault.how == FULL ? ENOSPC : EDQUOT;
	if (fault.how == FULL || fault.how == QUOTA)
		return n >= fault.n;
	return n == fault.n && fault.how != KILL;
}

/* What the end of a descriptor is: of a file, which may have data that wait for space, or of something
 * else. */
static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

#define NEXT(name)                     \
	static __typeof__(name) *next; \
	if (!next)                     \
	*(void **)&next = dlsym(RTLD_NEXT, #name)

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	NEXT(open);
	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (fault.how == VANISHED && strstr(path, ".safetensors") &&
			atomic_fetch_add(&fault.calls, 1) < fault.n) {
		errno = ENOENT;
		return -1;
	}
	return fails(flags & O_CREAT ? CHANGES : LOOKS) ? -1 : next(path, flags, mode);
}

ssize_t read(int fd, void *p, size_t n)
{
	NEXT(read);
	return !is_socket(fd) && fails(LOOKS) ? -1 : next(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	NEXT(pread);
	return fails(LOOKS) ? -1 : next(fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	int why;
	NEXT(pwrite);
	if (!fails(WRITES))
		return next(fd, p, n, at);
	fault.grave = true;
	if (fault.how == LOSE)
		return (ssize_t)n;
	why = errno;
	/* A disk takes what fits. */
	if (fault.how == FULL)
		(void)!next(fd, p, n / 2, at);
	errno = why;
	return -1;
}

int fallocate(int fd, int mode, off_t at, off_t n)
{
	NEXT(fallocate);
	if (fault.old_system) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return fails(CHANGES) ? -1 : next(fd, mode, at, n);
}

int ftruncate(int fd, off_t n)
{
	NEXT(ftruncate);
	return fails(CHANGES) ? -1 : next(fd, n);
}

int fsync(int fd)
{
	NEXT(fsync);
	if (!fails(is_file(fd) ? ENDS : SYNCS))
		return next(fd);
	fault.grave = true;
	return -1;
}

/* On Linux a failed close has closed the descriptor nevertheless. */
int close(int fd)
{
	NEXT(close);
	if (is_socket(fd) || !fails(is_file(fd) ? ENDS : SYNCS))
		return next(fd);
	next(fd);
	errno = fault.how == FAIL ? EIO : EDQUOT;
	return -1;
}

int mkdir(const char *path, mode_t mode)
{
	NEXT(mkdir);
	return fails(CHANGES) ? -1 : next(path, mode);
}

int rename(const char *from, const char *to)
{
	NEXT(rename);
	return fails(MOVES) ? -1 : next(from, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	NEXT(renameat2);
	if (fault.old_system) {
		errno = EINVAL;
		return -1;
	}
	return fails(MOVES) ? -1 : next(a, from, b, to, flags);
}

int symlink(const char *to, const char *path)
{
	NEXT(symlink);
	return fails(CHANGES) ? -1 : next(to, path);
}

/* Removing is what cleans up after another failure: it does not fail here, but may be where the process
 * is killed. */
int unlink(const char *path)
{
	NEXT(unlink);
	if (fault.how == KILL)
		fails(CHANGES);
	return next(path);
}

int unlinkat(int dir, const char *path, int flags)
{
	NEXT(unlinkat);
	if (fault.how == KILL)
		fails(CHANGES);
	return next(dir, path, flags);
}

int rmdir(const char *path)
{
	NEXT(rmdir);
	if (fault.how == KILL)
		fails(CHANGES);
	return next(path);
}

/* --- runs ------------------------------------------------------------------------------------- */

struct job {
	struct part_layout layout;
	char *run;
	uint64_t step, number; /* of what is saved */
	size_t keep;
	uint64_t round;
	/* The call that fails, on one rank. */
	enum how how;
	unsigned n;
	size_t rank;
	bool old_system;
};

/* What ranks say to the test, by their exit status. */
enum { SAVED, UNHARMED = 10, REFUSED, SPEAKS };

static int save_rank(struct lt_comm *comm, void *arg, struct lu_err *err)
{
	const struct job *j = arg;
	const struct lt_saver_options o = { .keep = j->keep, .round = j->round };
	struct lt_position pos = { .step = j->step, .context = 16, .phase_name = "main" };
	bool first = lt_comm_rank(comm) == 0, counted, speaks;
	struct lt_saver *s;
	struct lt_run run;
	struct part p;
	uint64_t saved;
	int rc;

	part_open(&p, lt_comm_rank(comm), &j->layout);
	part_fill(&p, j->number);
	must(!first || lt_run_open(&run, j->run, err) == 0);
	must(lt_saver_open(&s, comm, p.w, &o, err) == 0);
	fault.old_system = j->old_system;
	if (j->rank == lt_comm_rank(comm)) {
		fault.n = j->n;
		fault.how = j->how;
	}
	rc = lt_saver_begin(s, first ? &run : NULL, &pos, err);
	part_fill(&p, 12345);
	must(rc == 0);
	rc = lt_saver_wait(s, &saved, err);
	counted = fault.how == NOTHING || atomic_load(&fault.calls) >= fault.n;
	fault.how = NOTHING;
	must(rc < 0 || !fault.grave);
	lt_saver_close(s);
	part_close(&p);
	must(!first || lt_run_close(&run, err) == 0 || rc < 0);
	speaks = lt_comm_speaks(comm);
	lt_comm_close(comm);
	if (rc == 0)
		_exit(counted ? SAVED : UNHARMED);
	fprintf(stderr, "%s\n", err->msg);
	_exit(speaks ? SPEAKS : REFUSED);
}

/* Save; returns false once call n is one more than there are. status[] of the ranks. */
static bool save(struct job *j, struct ranks *r)
{
	bool harmed = true;

	*r = (struct ranks){ .size = part_ranks(&j->layout), .work = save_rank, .arg = j };
	ranks_start(r);
	ranks_wait(r, LIMIT);
	for (size_t i = 0; i < r->size; i++)
		harmed = harmed && r->status[i] != UNHARMED;
	return harmed;
}

static void save_well(struct job j)
{
	struct ranks r;

	j.how = NOTHING;
	assert_true(save(&j, &r));
	for (size_t i = 0; i < r.size; i++) {
		if (r.status[i] != SAVED)
			fail_msg("rank %zu: %d %s", i, r.status[i], r.text[i]);
	}
}

/* Load the latest checkpoint, which must be whole: it has one of two numbers. */
struct either {
	struct job job;
	uint64_t number[2];
};

static int load_rank(struct lt_comm *comm, void *arg, struct lu_err *err)
{
	const struct either *e = arg;
	struct lt_checkpoint c;
	struct part p;

	part_open(&p, lt_comm_rank(comm), &e->job.layout);
	if (lt_checkpoint_locate(comm, e->job.run, UINT64_MAX, &c, err) < 0)
		return -1;
	must(c.found);
	if (lt_checkpoint_restore(comm, &c, p.w, err) < 0)
		return -1;
	must(part_is(&p, e->number[0]) || part_is(&p, e->number[1]));
	part_close(&p);
	return 0;
}

static void load_either(const struct job *j, uint64_t a, uint64_t b)
{
	struct either e = { *j, { a, b } };
	struct ranks r = { .size = 1, .work = load_rank, .arg = &e };

	e.job.layout = (struct part_layout){ 1, 1, 1, 1, false, 0 };
	ranks_good(&r, LIMIT);
}

/* The names in a folder, sorted, each with a newline. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static char *names(const char *run)
{
	struct lu_buf all = { 0 };
	struct dirent **list;
	int n = scandir(run, &list, NULL, by_name);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.' || list[i]->d_name[1] == 's' ||
				list[i]->d_name[1] == 'l') {
			lu_buf_puts(&all, list[i]->d_name);
			lu_buf_putc(&all, '\n');
		}
		free(list[i]);
	}
	free(list);
	lu_buf_append(&all, "", 1);
	return all.p;
}

static void assert_names(const char *run, const char *want)
{
	char *is = names(run);

	assert_string_equal(is, want);
	free(is);
}

/* --- tests ------------------------------------------------------------------------------------ */

/* One rank of four finds the disk full, at any of its writes or only at the end: all four fail, one of
 * them says why, and the run folder is as it was. */
static void check_full(enum how how, size_t rank, bool old_system)
{
	struct job j = { .layout = { 2, 2, 1, 1, true, 0 },
		.run = scratch_new(),
		.step = 1,
		.number = 1,
		.keep = 1,
		.round = 200000,
		.old_system = old_system };
	char *run = j.run;
	struct ranks r;

	save_well(j);
	assert_names(run, "latest\nstep-00000001\n");
	j.step = j.number = 2;
	j.how = how;
	j.rank = rank;
	for (j.n = 1; save(&j, &r); j.n++) {
		size_t speak = 0;

		for (size_t i = 0; i < r.size; i++) {
			if (r.status[i] != SPEAKS && r.status[i] != REFUSED)
				fail_msg("call %u, rank %zu: %d %s", j.n, i, r.status[i],
						r.text[i]);
			speak += r.status[i] == SPEAKS;
			assert_non_null(strstr(r.text[i],
					how == FULL ? "No space left on device"
						    : "Disk quota exceeded"));
			assert_true(strncmp(r.text[i], "checkpoint: ", 12) == 0);
		}
		assert_int_equal(speak, 1);
		assert_int_equal(r.status[rank], SPEAKS);
		assert_names(run, "latest\nstep-00000001\n");
	}
	printf("# rank %zu: %u calls\n", rank, j.n - 1);
	/* Not a test that tests nothing. */
	assert_true(j.n > 3);
	load_either(&j, 2, 2);
	scratch_remove(run);
}

static void test_full(void **state)
{
	(void)state;
	check_full(FULL, 0, false);
	check_full(FULL, 2, true);
	check_full(QUOTA, 3, false);
}

/* Any call fails: then all ranks fail, or the save can do without. Either way the latest checkpoint is
 * whole, and no half of one is left. */
static void check_failing(size_t rank, bool old_system)
{
	struct job j = { .layout = { 1, 2, 1, 1, false, 0 },
		.run = scratch_new(),
		.step = 1,
		.number = 1,
		.keep = 2,
		.round = 3000000,
		.old_system = old_system };
	char *run = j.run, *left;
	struct ranks r;

	save_well(j);
	j.rank = rank;
	j.how = FAIL;
	/* The same step again, so that there is one to replace. */
	j.number = 2;
	for (j.n = 1; save(&j, &r); j.n++) {
		bool saved = r.status[0] == SAVED;

		assert_true(saved || r.status[0] == SPEAKS || r.status[0] == REFUSED);
		assert_true(saved == (r.status[1] == SAVED));
		assert_true(saved || (r.status[0] == SPEAKS) != (r.status[1] == SPEAKS));
		load_either(&j, 1, 2);
		/* Where it cannot be known whether the new one stays, the one before is kept. */
		left = names(run);
		assert_true(strcmp(left, "latest\nstep-00000001\n") == 0 ||
				(old_system &&
						strstr(left,
								".old.lu-tmp\nlatest\nstep-"
								"00000001\n")));
		free(left);
	}
	printf("# rank %zu: %u calls\n", rank, j.n - 1);
	assert_true(j.n > 8);
	scratch_remove(run);
}

static void test_failing(void **state)
{
	(void)state;
	check_failing(0, false);
	check_failing(0, true);
	check_failing(1, false);
}

/* A write that the file system loses is noticed by the rank that made it. */
static void test_lost(void **state)
{
	struct job j = { .layout = { 2, 1, 2, 1, false, 3 },
		.run = scratch_new(),
		.step = 1,
		.number = 1,
		.how = LOSE,
		.rank = 3 };
	char *run = j.run;
	unsigned found = 0;
	struct ranks r;

	(void)state;
	for (j.n = 1; save(&j, &r); j.n += 5) {
		assert_int_equal(r.status[3], SPEAKS);
		assert_non_null(strstr(
				r.text[0], "does not read back: the file system has lost it"));
		assert_non_null(strstr(r.text[0], "rank 3"));
		assert_names(run, "");
		found++;
	}
	assert_true(found > 3);
	scratch_remove(run);
}

/* A process is killed before any of its calls, once the one that publishes, once another. The others
 * end, and the next start finds a whole checkpoint and nothing else. */
static void check_killed(struct job j, bool replace)
{
	struct job well = j;
	struct ranks r;
	char want[64];

	j.run = well.run = scratch_new();
	j.how = KILL;
	well.old_system = false;
	well.step = well.number = 1;
	save_well(well);
	for (j.n = 1;; j.n++) {
		bool saved = false;

		j.step = well.step + !replace;
		j.number = well.number + 1;
		if (!save(&j, &r))
			break;
		assert_int_equal(r.status[j.rank], 128 + SIGKILL);
		for (size_t i = 0; i < r.size; i++) {
			saved = saved || r.status[i] == SAVED;
			if (i != j.rank && r.status[i] != SAVED && r.status[i] != SPEAKS &&
					r.status[i] != REFUSED)
				fail_msg("call %u, rank %zu: %d %s", j.n, i, r.status[i],
						r.text[i]);
		}
		/* What another rank believes to be saved is. */
		load_either(&j, saved ? j.number : well.number, j.number);
		/* Starting the run again removes what is unfinished. */
		well.step = j.step;
		well.number = j.number + 1;
		save_well(well);
		snprintf(want, sizeof(want), "latest\nstep-%08d\n", (int)j.step);
		assert_names(j.run, want);
	}
	load_either(&j, j.number, j.number);
	printf("# %u calls\n", j.n - 1);
	assert_true(j.n > 10);
	scratch_remove(j.run);
}

static void test_killed(void **state)
{
	struct job j = { .layout = { 1, 2, 1, 1, true, 0 }, .keep = 1, .round = 500000 };

	(void)state;
	check_killed(j, false);
	j.rank = 1;
	check_killed(j, false);
	/* One process that replaces the checkpoint of the same step, where folders can be exchanged and
	 * where they cannot. */
	j = (struct job){ .layout = { 1, 1, 1, 1, false, 0 }, .keep = 1 };
	check_killed(j, true);
	j.old_system = true;
	check_killed(j, true);
}

/* Another host may see the files of rank 0 a little later. */
static void test_late(void **state)
{
	struct job j = { .layout = { 1, 2, 1, 1, false, 0 },
		.run = scratch_new(),
		.step = 1,
		.number = 1,
		.how = VANISHED,
		.n = 2,
		.rank = 1 };
	char *run = j.run;
	struct ranks r;

	(void)state;
	assert_true(save(&j, &r));
	assert_int_equal(r.status[0], SAVED);
	assert_int_equal(r.status[1], SAVED);
	/* Rank 0 has made them itself, so there is nothing to wait for. */
	j.rank = 0;
	j.n = 4;
	j.step = 2;
	assert_true(save(&j, &r));
	assert_int_equal(r.status[0], SPEAKS);
	assert_non_null(strstr(r.text[0], "No such file"));
	load_either(&j, 1, 1);
	scratch_remove(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_failing),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
