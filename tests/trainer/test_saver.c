/* Checkpoints by several ranks: any layout writes the same bytes, and loads what any other wrote, while
 * the weights go on changing. */
#include "tests/trainer/part.h"
#include "tests/trainer/tiny.h"

#include <unistd.h>

#include "libcommon/base/rng.h"
#include "libcommon/sys/file.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/saver.h"
#include "trainer/run/shared_folder.h"

#define LIMIT 60 /* seconds of a run */

static const struct part_layout one = { 1, 1, 1, 1, false, 0 };

/* What the ranks of a run do, and in which folder. */
struct job {
	const struct part_layout *layout;
	const char *run;
	uint64_t step, number, round;
	size_t keep;
};

static struct lt_position position(const struct job *j)
{
	return (struct lt_position){ .step = j->step,
		.phase = 1,
		.samples = 10 * j->step,
		.tokens = 99,
		.updates = j->step,
		.context = 16,
		.phase_name = "annealing",
		.by = { .dp = j->layout->dp,
				.tp = j->layout->tp,
				.pp = j->layout->pp,
				.zero = j->layout->zero,
				.lanes = 1,
				.recompute = "none",
				.equality = "layout" } };
}

/* Save a checkpoint, and change the weights as soon as the call has returned. */
static int save_rank(struct lt_comm *comm, void *arg, struct lu_err *err)
{
	const struct job *j = arg;
	const struct lt_saver_options o = { .keep = j->keep, .round = j->round };
	bool first = lt_comm_rank(comm) == 0;
	struct lt_position pos = position(j);
	struct lt_saver *s;
	struct lt_run run;
	struct part p;
	uint64_t saved;

	part_open(&p, lt_comm_rank(comm), j->layout);
	part_fill(&p, j->number);
	if ((first && lt_run_open(&run, j->run, err) < 0) ||
			lt_saver_open(&s, comm, p.w, &o, err) < 0)
		return -1;
	must(lt_saver_poll(s, &saved, err) == 0 && saved == UINT64_MAX);
	if (lt_saver_begin(s, first ? &run : NULL, &pos, err) < 0)
		return -1;
	part_fill(&p, j->number + 1);
	if (lt_saver_wait(s, &saved, err) < 0)
		return -1;
	must(saved == j->step);
	lt_saver_close(s);
	part_close(&p);
	return first ? lt_run_close(&run, err) : 0;
}

static int load_rank(struct lt_comm *comm, void *arg, struct lu_err *err)
{
	const struct job *j = arg;
	struct lt_position want = position(j);
	struct lt_checkpoint c;
	struct part p;

	part_open(&p, lt_comm_rank(comm), j->layout);
	part_fill(&p, j->number + 1);
	if (lt_checkpoint_locate(comm, j->run, UINT64_MAX, &c, err) < 0)
		return -1;
	must(c.found && c.pos.step == j->step && c.pos.samples == want.samples);
	must(c.shape.ffn == part_shape().ffn);
	if (lt_checkpoint_restore(comm, &c, p.w, err) < 0)
		return -1;
	must(part_is(&p, j->number));
	part_close(&p);
	return 0;
}

static void work(int (*fn)(struct lt_comm *, void *, struct lu_err *), struct job *j)
{
	struct ranks r = { .size = part_ranks(j->layout), .work = fn, .arg = j };
	char name[64];

	printf("# %s, round %d\n", part_name(j->layout, name), (int)j->round);
	ranks_good(&r, LIMIT);
}

static char *read_in(const char *run, uint64_t step, const char *name, size_t *n)
{
	struct lu_err err;
	char *path, *text;

	assert_true(asprintf(&path, "%s/step-%08d/%s", run, (int)step, name) > 0);
	ok(lu_read_file(path, (size_t)1 << 30, &text, n, &err), &err);
	free(path);
	return text;
}

/* The same three files, and a manifest that differs in one line, that of the layout. */
static void assert_same(const char *a, const char *b, uint64_t step)
{
	size_t m, n;
	char *x, *y;

	for (int v = 0; v < LT_VECTORS; v++) {
		x = read_in(a, step, lt_vector_files[v], &m);
		y = read_in(b, step, lt_vector_files[v], &n);
		assert_int_equal(m, n);
		assert_memory_equal(x, y, n);
		free(x);
		free(y);
	}
	x = read_in(a, step, "manifest.json", &m);
	y = read_in(b, step, "manifest.json", &n);
	assert_non_null(strstr(x, "\"equality\":\"layout\",\"layout\":{\"dp\":"));
	for (char *end = strstr(x, "\"equality\""); *end != '\n'; end++)
		*end = ' ';
	for (char *end = strstr(y, "\"equality\""); *end != '\n'; end++)
		*end = ' ';
	/* Up to the hash of the manifest itself. */
	*strstr(x, "\"fnv1a64\"") = *strstr(y, "\"fnv1a64\"") = '\0';
	for (char *p = x, *q = y; *p || *q; p++, q++) {
		while (*p == ' ')
			p++;
		while (*q == ' ')
			q++;
		assert_int_equal(*p, *q);
	}
	free(x);
	free(y);
}

/* Save with a layout, compare with the run `want`, and let the layout load both. */
static void check_layout(const struct part_layout *l, uint64_t round, char *want)
{
	char *run = scratch_new();
	struct job j = { l, run, 5, 70, round, 0 };

	work(save_rank, &j);
	assert_same(run, want, j.step);
	work(load_rank, &j);
	j.run = want;
	work(load_rank, &j);
	scratch_remove(run);
}

static void test_layouts(void **state)
{
	static const struct part_layout all[] = {
		{ 1, 2, 1, 1, false, 0 },
		{ 1, 3, 1, 1, true, 0 },
		{ 1, 3, 1, 1, false, 0 },
		{ 2, 1, 1, 1, false, 0 },
		{ 1, 1, 3, 1, false, 1 },
		{ 1, 1, 2, 3, false, 2 },
		{ 2, 2, 1, 1, true, 0 },
		{ 2, 1, 3, 2, false, 3 },
		{ 2, 2, 2, 1, true, 4 },
		{ 4, 2, 1, 1, true, 0 },
		{ 1, 8, 1, 1, true, 0 },
	};
	char *want = scratch_new();
	struct job j = { &one, want, 5, 70, 0, 0 };

	(void)state;
	work(save_rank, &j);
	work(load_rank, &j);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check_layout(&all[i], 0, want);
	scratch_remove(want);
}

/* Layouts drawn at random, with rounds so short that the ranks meet often and at odd places. */
static void test_random(void **state)
{
	static const size_t tp[] = { 1, 2, 4 };
	char *want = scratch_new();
	struct job j = { &one, want, 5, 70, 7000, 0 };

	(void)state;
	work(save_rank, &j);
	for (uint64_t seed = 0; seed < 8;) {
		struct part_layout l = { .seed = seed };

		l.tp = tp[lu_rand_below(seed, 1, 0, 3)];
		l.pp = 1 + lu_rand_below(seed, 1, 1, 3);
		l.dp = 1 + lu_rand_below(seed, 1, 2, 4);
		l.chunks = 1 + lu_rand_below(seed, 1, 3, PART_LAYERS / l.pp);
		l.zero = lu_rand_below(seed, 1, 4, 2);
		seed++;
		if (part_ranks(&l) <= 12)
			check_layout(&l, 1000 + lu_rand_below(seed, 1, 5, 300000), want);
	}
	scratch_remove(want);
}

/* Several checkpoints in a row without waiting: begin waits, each has its own bytes, old ones go. */
static int save_many(struct lt_comm *comm, void *arg, struct lu_err *err)
{
	struct job j = *(struct job *)arg;
	const struct lt_saver_options o = { .keep = 2, .round = 5000 };
	bool first = lt_comm_rank(comm) == 0;
	uint64_t saved = 0, last;
	struct lt_saver *s;
	struct lt_run run;
	struct part p;

	part_open(&p, lt_comm_rank(comm), j.layout);
	must(!first || lt_run_open(&run, j.run, err) == 0);
	must(lt_saver_open(&s, comm, p.w, &o, err) == 0);
	for (j.step = 1; j.step <= 5; j.step++) {
		struct lt_position pos = position(&j);

		part_fill(&p, j.step);
		last = saved;
		must(lt_saver_begin(s, first ? &run : NULL, &pos, err) == 0);
		must(lt_saver_poll(s, &saved, err) == 0);
		must(saved == j.step || saved == j.step - 1 || (j.step == 1 && saved > 5));
		must(j.step < 3 || saved >= last);
	}
	part_fill(&p, 1000);
	/* close waits as well. */
	lt_saver_close(s);
	part_close(&p);
	return first ? lt_run_close(&run, err) : 0;
}

static void test_keep(void **state)
{
	static const struct part_layout l = { 2, 2, 1, 1, true, 0 };
	char *run = scratch_new(), *path;
	struct job j = { &l, run, 0, 0, 0, 0 };

	(void)state;
	work(save_many, &j);
	for (int step = 1; step <= 5; step++) {
		assert_true(asprintf(&path, "%s/step-%08d/manifest.json", run, step) > 0);
		assert_int_equal(access(path, F_OK) == 0, step >= 4);
		free(path);
	}
	j = (struct job){ &one, run, 5, 5, 0, 0 };
	work(load_rank, &j);
	scratch_remove(run);
}

/* A part of the model that no rank holds is noticed, before anything is published. */
static int save_hole(struct lt_comm *comm, void *arg, struct lu_err *err)
{
	const struct job *j = arg;
	const struct lt_saver_options o = { 0 };
	bool first = lt_comm_rank(comm) == 0;
	struct lt_position pos = position(j);
	struct lt_saver *s;
	struct lt_run run;
	struct part p;
	uint64_t saved;

	/* Both are the first of two stages. */
	part_open(&p, 0, j->layout);
	part_fill(&p, j->number);
	must(!first || lt_run_open(&run, j->run, err) == 0);
	must(lt_saver_open(&s, comm, p.w, &o, err) == 0);
	must(lt_saver_begin(s, first ? &run : NULL, &pos, err) == 0);
	must(lt_saver_wait(s, &saved, err) == -1);
	must(strstr(err->msg, "bytes of the model") && lt_comm_speaks(comm) == first);
	lt_saver_close(s);
	part_close(&p);
	return first ? lt_run_close(&run, err) : 0;
}

static void test_hole(void **state)
{
	static const struct part_layout l = { 1, 1, 2, 1, false, 0 };
	char *run = scratch_new();
	struct job j = { &l, run, 3, 1, 0, 0 };

	(void)state;
	work(save_hole, &j);
	/* Nothing but the folder, which was there before. */
	assert_int_equal(rmdir(run), 0);
	free(run);
}

/* Rank 1 has a folder of its own under the same name. */
static int look_elsewhere(struct lt_comm *comm, void *arg, struct lu_err *err)
{
	const char *folder = arg;
	bool first = lt_comm_rank(comm) == 0;
	struct lt_run run;

	must(chdir(folder) == 0);
	must(!first || lt_run_open(&run, "run", err) == 0);
	must(lt_shared_folder_check(comm, first ? &run : NULL, err) == 0);
	must(first || chdir("/") == 0);
	must(lt_shared_folder_check(comm, first ? &run : NULL, err) == -1);
	must(strstr(err->msg, "run/trainer.lock: not there") &&
			strstr(err->msg, "all hosts share"));
	must(lt_comm_speaks(comm) == !first);
	return first ? lt_run_close(&run, err) : 0;
}

static void test_shared(void **state)
{
	char *folder = scratch_new();
	struct ranks r = { .size = 2, .work = look_elsewhere, .arg = folder, .deadline = 40 };

	(void)state;
	ranks_good(&r, LIMIT);
	scratch_remove(folder);
}

/* Damage found by one rank ends all, and one of them speaks: file, and the step to name instead. */
static int load_damaged(struct lt_comm *comm, void *arg, struct lu_err *err)
{
	const struct job *j = arg;
	struct lt_checkpoint c;
	struct part p;

	part_open(&p, lt_comm_rank(comm), j->layout);
	must(lt_checkpoint_locate(comm, j->run, UINT64_MAX, &c, err) == 0);
	must(lt_checkpoint_restore(comm, &c, p.w, err) == -1);
	must(strstr(err->msg, "step-00000005/adam-v.safetensors: damaged: its hash is "));
	must(strstr(err->msg, "; --from-step 4 takes the checkpoint before it"));
	/* Three files on four ranks: the last is read by rank 2. */
	must(lt_comm_speaks(comm) == (lt_comm_rank(comm) == 2));
	must(lt_checkpoint_locate(comm, j->run, 4, &c, err) == 0);
	must(lt_checkpoint_restore(comm, &c, p.w, err) == 0);
	must(part_is(&p, 4));
	part_close(&p);
	return 0;
}

static void test_damage(void **state)
{
	static const struct part_layout l = { 2, 2, 1, 1, true, 0 };
	char *run = scratch_new(), *path;
	struct job j = { &l, run, 0, 0, 0, 0 };
	FILE *f;

	(void)state;
	work(save_many, &j);
	path = path_in(run, "step-00000005/adam-v.safetensors");
	f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 100000, SEEK_SET), 0);
	assert_int_not_equal(fputc('x', f), EOF);
	assert_int_equal(fclose(f), 0);
	work(load_damaged, &j);
	free(path);
	scratch_remove(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
