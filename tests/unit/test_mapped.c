/*
 * sys/mapped.h: a file that is cut while it is mapped ends in one sentence, never in zeros that pass
 * for data nor in a signal. What ends a process, or marks it for good, runs in a child.
 */
#include "tests/unit/refuse_mmap.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/mapped.h"

#define BIG ((size_t)1 << 18)

static void end(const char *sentence)
{
	lu_atomic_remove_all();
	if (write(STDERR_FILENO, sentence, strlen(sentence)) < 0)
		_exit(90);
	_exit(2);
}

static void put_big(const char *name)
{
	char *p = calloc(1, BIG);

	assert_non_null(p);
	memset(p, 'x', BIG);
	put_file(name, p, BIG);
	free(p);
}

/* Run f in a child whose standard error goes to the file "err"; returns the wait status. */
static int in_child(void (*f)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int fd = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666);

		if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
			_exit(99);
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_exit(int status, int code)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void test_open(void **state)
{
	struct lu_err err = { 0 };
	struct lu_mapped m, empty;

	(void)state;
	put_text("a", "bytes");
	put_text("e", "");
	assert_int_equal(lu_mapped_open(&m, "a", &err), 0);
	assert_int_equal(m.n, 5);
	assert_memory_equal(m.p, "bytes", 5);
	assert_int_equal(lu_mapped_open(&empty, "e", &err), 0);
	assert_int_equal(empty.n, 0);
	assert_null(empty.p);
	assert_int_equal(lu_mapped_check(&err), 0);
	lu_mapped_close(&m);
	lu_mapped_close(&m);
	lu_mapped_close(&empty);
	assert_int_equal(lu_mapped_open(&m, "none", &err), -1);
	assert_non_null(strstr(err.msg, "none: No such file"));
	lu_mapped_close(&m);
	assert_int_equal(lu_mapped_open(&m, "/dev/null", &err), -1);
	assert_string_equal(err.msg, "/dev/null: not a regular file");
}

static volatile unsigned sink;

static void read_all(const struct lu_mapped *m)
{
	for (uint64_t i = 0; i < m->n; i += 512)
		sink += m->p[i];
}

/* Read a file that was cut, with an output open; other files are mapped before and after it. */
static void read_cut(void)
{
	struct lu_err err;
	struct lu_mapped before, m, after;
	struct lu_atomic out;

	lu_mapped_install(end);
	if (lu_mapped_open(&before, "small", &err) < 0 || lu_mapped_open(&m, "b\nig", &err) < 0 ||
			lu_mapped_open(&after, "other", &err) < 0 ||
			lu_atomic_open(&out, "out", &err) < 0)
		_exit(98);
	lu_mapped_close(&before);
	if (truncate("b\nig", 4096) < 0)
		_exit(97);
	read_all(&m);
	_exit(96);
}

static void test_cut_is_a_sentence(void **state)
{
	struct stat st;
	char *err;
	size_t n;

	(void)state;
	put_big("b\nig");
	put_big("other");
	put_text("small", "1");
	assert_exit(in_child(read_cut), 2);
	err = get_file("err", &n);
	assert_string_equal(err, "b?ig: was cut while it was read; restore it and start again");
	free(err);
	assert_int_equal(stat(".out.lu-tmp", &st), -1);
	assert_int_equal(stat("out", &st), -1);
}

static void *read_in_thread(void *p)
{
	read_all(p);
	return NULL;
}

static void read_cut_by_threads(void)
{
	pthread_t thread[8];
	struct lu_err err;
	struct lu_mapped m;

	lu_mapped_install(end);
	if (lu_mapped_open(&m, "big", &err) < 0 || truncate("big", 0) < 0)
		_exit(98);
	for (int i = 0; i < 8; i++) {
		if (pthread_create(&thread[i], NULL, read_in_thread, &m) != 0)
			_exit(97);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
}

static void test_threads_say_it_once(void **state)
{
	(void)state;
	put_big("big");
	assert_exit(in_child(read_cut_by_threads), 2);
	assert_file("err", "big: was cut while it was read; restore it and start again");
}

/* The rest of the last page reads as zeros: no signal, but no success either. */
static void read_zeros(void)
{
	struct lu_err err;
	struct lu_mapped m;
	struct lu_atomic out;

	if (lu_mapped_open(&m, "page", &err) < 0 || lu_atomic_open(&out, "out", &err) < 0)
		_exit(98);
	if (truncate("page", 100) < 0 || m.p[150] != 0)
		_exit(97);
	if (lu_mapped_check(&err) == 0)
		_exit(96);
	lu_mapped_close(&m);
	if (lu_mapped_check(&err) == 0 || lu_atomic_commit(&out, &err) == 0)
		_exit(95);
	if (write(STDERR_FILENO, err.msg, strlen(err.msg)) < 0)
		_exit(94);
}

static void test_cut_within_a_page(void **state)
{
	struct stat st;

	(void)state;
	put_file("page", "0123456789", 10);
	assert_int_equal(truncate("page", 200), 0);
	assert_exit(in_child(read_zeros), 0);
	assert_file("err",
			"page: was cut from 200 to 100 bytes while it was read; restore it and "
			"start again");
	assert_int_equal(stat("out", &st), -1);
	assert_int_equal(stat(".out.lu-tmp", &st), -1);
}

/* A file that is replaced under its name, or grows, stays as it was mapped. */
static void test_replaced(void **state)
{
	struct lu_err err = { 0 };
	struct lu_mapped m;

	(void)state;
	put_text("a", "old bytes");
	put_text("b", "new");
	assert_int_equal(lu_mapped_open(&m, "a", &err), 0);
	assert_int_equal(rename("b", "a"), 0);
	assert_int_equal(lu_mapped_check(&err), 0);
	assert_memory_equal(m.p, "old bytes", 9);
	lu_mapped_close(&m);
	assert_int_equal(lu_mapped_open(&m, "a", &err), 0);
	assert_int_equal(truncate("a", 100), 0);
	lu_mapped_close(&m);
	assert_int_equal(lu_mapped_check(&err), 0);
}

/* Where mapping is refused the bytes are read instead; another error is one. */
static void test_refused(void **state)
{
	static const int refusal[] = { ENODEV, EACCES, EPERM, ENOMEM };
	struct lu_mapped m;
	struct lu_err err = { 0 };
	unsigned char room[4];

	(void)state;
	put_text("a", "0123456789");
	put_text("e", "");
	for (size_t i = 0; i < sizeof(refusal) / sizeof(refusal[0]); i++) {
		refuse_mmap(refusal[i]);
		assert_int_equal(lu_mapped_open(&m, "a", &err), 0);
		assert_null(m.p);
		assert_int_equal(m.n, 10);
		for (uint64_t at = 0; at <= 6; at++) {
			assert_ptr_equal(lu_mapped_at(&m, at, 4, room, &err), room);
			assert_memory_equal(room, &"0123456789"[at], 4);
		}
		lu_mapped_scattered(&m);
		lu_mapped_drop(&m, 0, 10);
		assert_int_equal(lu_mapped_check(&err), 0);
		lu_mapped_close(&m);
		assert_int_equal(lu_mapped_open(&m, "e", &err), 0);
		assert_int_equal(lu_mapped_read(&m, 0, 0, room, &err), 0);
		lu_mapped_close(&m);
	}
	refuse_mmap(EINVAL);
	assert_int_equal(lu_mapped_open(&m, "a", &err), -1);
	assert_string_equal(err.msg, "a: Invalid argument");
	refuse_mmap(0);
	assert_int_equal(lu_mapped_open(&m, "a", &err), 0);
	assert_ptr_equal(lu_mapped_at(&m, 3, 4, room, &err), m.p + 3);
	assert_int_equal(lu_mapped_read(&m, 3, 4, room, &err), 0);
	assert_memory_equal(room, "3456", 4);
	lu_mapped_close(&m);
}

static void cut_unmapped(void)
{
	struct lu_err err = { 0 };
	struct lu_mapped m;
	unsigned char room[4];

	refuse_mmap(ENODEV);
	if (lu_mapped_open(&m, "a", &err) < 0 || truncate("a", 5) < 0)
		_exit(98);
	if (lu_mapped_at(&m, 4, 4, room, &err) || lu_mapped_check(&err) == 0)
		_exit(97);
	if (write(STDERR_FILENO, err.msg, strlen(err.msg)) < 0)
		_exit(96);
}

/* One that is cut while it is open but not mapped fails to read, and is remembered. */
static void test_refused_and_cut(void **state)
{
	(void)state;
	put_text("a", "0123456789");
	assert_exit(in_child(cut_unmapped), 0);
	assert_file("err",
			"a: was cut from 10 to 5 bytes while it was read; restore it and start "
			"again");
}

static void be_killed(void)
{
	lu_mapped_install(end);
	kill(getpid(), SIGBUS);
}

static void test_other_signals_keep_their_effect(void **state)
{
	int status = in_child(be_killed);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	assert_file("err", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_cut_is_a_sentence),
		cmocka_unit_test(test_threads_say_it_once),
		cmocka_unit_test(test_cut_within_a_page),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_and_cut),
		cmocka_unit_test(test_other_signals_keep_their_effect),
	};

	return cmocka_run_group_tests_name("mapped", tests, scratch_make, scratch_remove);
}
