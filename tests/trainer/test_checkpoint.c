/* Checkpoints of one process: saving and loading, damage, removal of old ones, those of before. */
#include "tests/trainer/tiny.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/fnv.h"
#include "libcommon/sys/file.h"
#include "trainer/run/checkpoint.h"
#include "trainer/run/saver.h"
#include "trainer/run/step_folder.h"

static struct lt_position position(uint64_t step)
{
	return (struct lt_position){ .step = step,
		.phase = 1,
		.samples = 10 * step,
		.tokens = 99,
		.updates = step - 1,
		.context = TINY_CONTEXT,
		.phase_name = "annealing",
		.phase_end = 1,
		.spike = { 4, { 0.1, 1e-300, 123456789.123456789, 1.0 / 3 } },
		.by = { 4, 2, 3, 1, 8, "norms", "layout", "bf16", "low" } };
}

/* Set m and v to values that differ from each other and from p. */
static void fill(struct tiny *t)
{
	struct lu_err err;

	for (size_t i = 0; i < t->w->table.total; i++) {
		lk_real x = (lk_real)(0.5 * (double)i - 3);

		ok(lt_weights_put(t->w, LT_VECTOR_M, i, 1, &x, &err), &err);
		x = -x;
		ok(lt_weights_put(t->w, LT_VECTOR_V, i, 1, &x, &err), &err);
	}
}

/* Save and wait. */
static int save_in(struct lt_run *run, struct tiny *t, const struct lt_position *pos, size_t keep,
		struct lu_err *err)
{
	const struct lt_saver_options o = { .keep = keep };
	struct lt_comm *comm;
	struct lt_saver *s;
	uint64_t saved;
	int rc;

	ok(lt_comm_single(&comm, err), err);
	ok(lt_saver_open(&s, comm, t->w, &o, err), err);
	ok(lt_saver_begin(s, run, pos, err), err);
	rc = lt_saver_wait(s, &saved, err);
	assert_true(saved == (rc == 0 ? pos->step : UINT64_MAX));
	/* A failure is told once. */
	assert_int_equal(lt_saver_poll(s, &saved, err), 0);
	lt_saver_close(s);
	lt_comm_close(comm);
	return rc;
}

static void save(struct tiny *t, const char *path, uint64_t step, size_t keep)
{
	struct lt_position pos = position(step);
	struct lt_run run;
	struct lu_err err;

	ok(lt_run_open(&run, path, &err), &err);
	ok(save_in(&run, t, &pos, keep, &err), &err);
	ok(lt_run_close(&run, &err), &err);
}

static bool exists(const char *dir, const char *name)
{
	char *path = path_in(dir, name);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

static void assert_same_shape(const struct lt_shape *a, const struct lt_shape *b)
{
	assert_int_equal(a->vocab, b->vocab);
	assert_int_equal(a->hidden, b->hidden);
	assert_int_equal(a->layers, b->layers);
	assert_int_equal(a->heads, b->heads);
	assert_int_equal(a->kv_heads, b->kv_heads);
	assert_int_equal(a->dim, b->dim);
	assert_int_equal(a->ffn, b->ffn);
	assert_int_equal(a->tied, b->tied);
	assert_true(a->rope_theta == b->rope_theta && a->norm_eps == b->norm_eps &&
			a->init_std == b->init_std);
	assert_true(a->rope_scaling == b->rope_scaling && a->rope_factor == b->rope_factor &&
			a->rope_low == b->rope_low && a->rope_high == b->rope_high &&
			a->rope_original == b->rope_original);
}

static void scale_positions(struct lt_shape *s)
{
	s->rope_scaling = LT_ROPE_LLAMA3;
	s->rope_factor = 3.5;
	s->rope_low = 1.25;
	s->rope_high = 7.5;
	s->rope_original = 777;
}

static void test_round_trip(void **state)
{
	struct lt_position pos, want = position(12);
	struct lt_shape shape;
	struct tiny t, u;
	struct lu_err err;
	char *run = scratch_new(), *dir;
	lk_real zero = 0;

	(void)state;
	tiny_open(&t, 1, false);
	fill(&t);
	scale_positions(&t.w->table.shape);
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	assert_null(dir);
	save(&t, run, 12, 0);
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	assert_non_null(dir);
	ok(lt_manifest_read(dir, &pos, &shape, &err), &err);
	assert_memory_equal(&pos, &want, sizeof(pos));
	assert_same_shape(&shape, &t.w->table.shape);
	tiny_open(&u, 1, false);
	ok(lt_weights_put(u.w, LT_VECTOR_P, 5, 1, &zero, &err), &err);
	ok(lt_checkpoint_load(dir, u.w, &err), &err);
	for (int v = 0; v < LT_VECTORS; v++)
		assert_memory_equal(
				u.w->vector[v], t.w->vector[v], t.w->table.total * sizeof(lk_real));
	free(dir);
	tiny_close(&t);
	tiny_close(&u);
	scratch_remove(run);
}

/* Write the manifest `text`, of which `from` has become `to`, with the hash that belongs to it. */
static void write_edited(
		const char *path, const struct lu_buf *text, const char *from, const char *to)
{
	static const char tail[] = ",\n\"fnv1a64\":\"";
	const char *at = strstr(text->p, from), *end = strstr(text->p, tail);
	struct lu_buf b = { 0 };
	FILE *f = fopen(path, "w");

	if (!at)
		fail_msg("no '%s' in the manifest", from);
	lu_buf_str(&b, (struct lu_str){ text->p, (size_t)(at - text->p) });
	lu_buf_puts(&b, to);
	at += strlen(from);
	lu_buf_str(&b, (struct lu_str){ at, (size_t)(end - at) });
	assert_non_null(f);
	fprintf(f, "%s%s%016" PRIx64 "\"}\n", b.p, tail, lu_fnv1a(LU_FNV_BASIS, b.p, b.n));
	assert_int_equal(fclose(f), 0);
	lu_buf_release(&b);
}

/* Norms and scalings that no trainer has written, in a manifest whose hash is right. */
static void test_hostile(void **state)
{
	static const char missing[] = "a member is missing or out of range";
	static const struct {
		const char *from, *to, *says; /* NULL: accepted */
	} cases[] = {
		{ "\"step\":12", "\"step\":13", NULL },
		{ "\"norms\":[0.1,", "\"norms\":[", NULL },
		{ "\"norms\":[0.1,", "\"norms\":[\"0.1\",", missing },
		{ "\"norms\":[0.1,", "\"norms\":[1e999,", missing },
		{ "\"norms\":[", "\"norms\":{\"a\":[],\"b\":[", "not the manifest" },
		{ "\"norms\":[", "\"norms\":1,\"others\":[", missing },
		{ "\"rope_scaling\":\"llama3\"", "\"rope_scaling\":\"yarn\"", missing },
		{ "\"rope_scaling\":\"llama3\"", "\"rope_scaling\":3", missing },
		{ "\"rope_factor\":3.5", "\"rope_factor\":0.5", missing },
		{ "\"rope_factor\":3.5,", "", missing },
		{ "\"rope_low\":1.25", "\"rope_low\":8", missing },
		{ "\"rope_low\":1.25", "\"rope_low\":0", missing },
		{ "\"rope_original\":777", "\"rope_original\":0", missing },
		{ "\"lucie_checkpoint\":2", "\"lucie_checkpoint\":3", "unsupported version 3" },
	};
	struct lt_digest digest[LT_VECTORS] = { 0 };
	struct lt_position pos = position(12);
	char *run = scratch_new(), *path = path_in(run, "manifest.json");
	struct lt_shape shape;
	struct lu_buf text = { 0 };
	struct tiny t;
	struct lu_err err;

	(void)state;
	tiny_open(&t, 1, false);
	scale_positions(&t.w->table.shape);
	lt_manifest_format(&pos, &t.w->table, digest, &text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc;

		write_edited(path, &text, cases[i].from, cases[i].to);
		err.msg[0] = '\0';
		rc = lt_manifest_read(run, &pos, &shape, &err);
		if (rc != (cases[i].says ? -1 : 0) ||
				(cases[i].says && !strstr(err.msg, cases[i].says)))
			fail_msg("case %zu: %d, '%s'", i, rc, err.msg);
	}
	lu_buf_release(&text);
	tiny_close(&t);
	free(path);
	scratch_remove(run);
}

/* Number of hidden names in the folder: none is left after a save. */
static int hidden(const char *run)
{
	DIR *d = opendir(run);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] == '.' && e->d_name[1] && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

/* The layout is recorded, where there is one. Checkpoints of before have none. */
static void test_layout(void **state)
{
	struct lt_position pos = position(5), back;
	char *run = scratch_new(), *dir = path_in(run, "step-00000005"), *text;
	struct lu_err err;
	struct lt_run owned;
	struct tiny t;
	size_t n;

	(void)state;
	tiny_open(&t, 1, false);
	ok(lt_run_open(&owned, run, &err), &err);
	for (int with = 0; with < 2; with++) {
		char *path = path_in(dir, "manifest.json");

		pos.by = with ? position(5).by : (struct lt_written_by){ 0 };
		ok(save_in(&owned, &t, &pos, 0, &err), &err);
		ok(lu_read_file(path, 1 << 20, &text, &n, &err), &err);
		assert_int_equal(!strstr(text,
						 "\n\"equality\":\"layout\",\"dtype\":\"bf16\","
						 "\"memory\":\"low\","
						 "\"layout\":{\"dp\":4,"
						 "\"tp\":2,"
						 "\"pp\":3,\"zero\":1,\"lanes\":8,"
						 "\"recompute\":\"norms\"},\n"),
				!with);
		assert_int_equal(!strstr(text, "equality"), !with);
		ok(lt_manifest_read(dir, &back, NULL, &err), &err);
		assert_memory_equal(&back, &pos, sizeof(pos));
		free(text);
		free(path);
	}
	ok(lt_run_close(&owned, &err), &err);
	tiny_close(&t);
	free(dir);
	scratch_remove(run);
}

/* Only a position with validations due says so. */
static void test_due(void **state)
{
	struct lt_position pos = position(5), back;
	struct lt_digest digest[LT_VECTORS] = { 0 };
	char *dir = scratch_new(), *path = path_in(dir, "manifest.json");
	struct lu_buf text = { 0 };
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	for (pos.due = 0; pos.due < 3; pos.due++) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		lu_buf_clear(&text);
		lt_manifest_format(&pos, &t.w->table, digest, &text);
		assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
		fclose(f);
		assert_int_equal(!strstr(text.p, "validations_due"), pos.due == 0);
		ok(lt_manifest_read(dir, &back, NULL, &err), &err);
		assert_memory_equal(&back, &pos, sizeof(pos));
	}
	lu_buf_release(&text);
	tiny_close(&t);
	free(path);
	scratch_remove(dir);
}

/* A trainer that has been taken over publishes nothing. */
static void test_fenced(void **state)
{
	struct lt_position pos = position(2);
	char *run = scratch_new();
	struct lt_run old, other;
	struct lu_buf line = { 0 };
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	setenv("SLURM_JOB_ID", "17", 1);
	ok(lt_run_open(&old, run, &err), &err);
	/* The same attempt again is another process of the job. */
	assert_int_equal(lt_run_open(&other, run, &err), -1);
	assert_non_null(strstr(err.msg, "another trainer, process"));
	setenv("SLURM_RESTART_COUNT", "1", 1);
	ok(lt_run_open(&other, run, &err), &err);
	assert_int_equal(save_in(&old, &t, &pos, 1, &err), -1);
	assert_non_null(strstr(err.msg, "taken over"));
	lu_buf_puts(&line, "{}\n");
	assert_int_equal(lt_run_log(&old, LT_METRICS, &line, &err), -1);
	assert_non_null(strstr(err.msg, "taken over"));
	assert_false(exists(run, "metrics.jsonl"));
	assert_false(exists(run, "latest"));
	assert_int_equal(hidden(run), 0);
	/* The old one leaves the lock of the new one alone. */
	ok(lt_run_close(&old, &err), &err);
	assert_true(exists(run, LT_OWNER_FILE));
	ok(save_in(&other, &t, &pos, 1, &err), &err);
	ok(lt_run_close(&other, &err), &err);
	assert_false(exists(run, LT_OWNER_FILE));
	unsetenv("SLURM_JOB_ID");
	unsetenv("SLURM_RESTART_COUNT");
	lu_buf_release(&line);
	tiny_close(&t);
	scratch_remove(run);
}

/* The checkpoint of another model is refused, naming the first tensor whose shape differs. */
static void test_wrong_shape(void **state)
{
	const struct lt_holding holding = { .lanes = 1, .dp_size = 1 };
	struct lt_shape wide = tiny_shape(false);
	char *run = scratch_new(), *dir;
	struct lt_weights *w;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	save(&t, run, 1, 0);
	wide.ffn = 24;
	ok(lt_weights_open(&w, t.ops, t.q, &wide, NULL, &holding, &err), &err);
	ok(lt_checkpoint_find(run, 1, &dir, &err), &err);
	assert_int_equal(lt_checkpoint_load(dir, w, &err), -1);
	assert_non_null(strstr(err.msg, "model.layers.0.mlp.gate_proj.weight"));
	lt_weights_close(w);
	free(dir);
	tiny_close(&t);
	scratch_remove(run);
}

static void flip_bit(const char *path, off_t offset)
{
	unsigned char c;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, offset), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, offset), 1);
	close(fd);
}

/* A flipped bit anywhere in any file, and a truncated or missing file, are detected. */
static void test_damage(void **state)
{
	static const char *const names[] = { "weights.safetensors", "adam-m.safetensors",
		"adam-v.safetensors", "manifest.json" };
	char *run = scratch_new(), *dir;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	save(&t, run, 3, 0);
	ok(lt_checkpoint_find(run, 3, &dir, &err), &err);
	for (size_t f = 0; f < 4; f++) {
		char *path = path_in(dir, names[f]);
		struct stat sb;

		assert_int_equal(stat(path, &sb), 0);
		for (int k = 0; k < 5; k++) {
			/* The last bytes of the manifest are its own hash. */
			off_t offset = (sb.st_size - 1) * k / 4 - (k == 4 ? 4 : 0);

			flip_bit(path, offset);
			assert_int_equal(lt_checkpoint_load(dir, t.w, &err), -1);
			assert_non_null(strstr(err.msg, f < 3 ? names[f] : "manifest.json"));
			flip_bit(path, offset);
		}
		ok(lt_checkpoint_load(dir, t.w, &err), &err);
		assert_int_equal(truncate(path, sb.st_size - 1), 0);
		/* The manifest is valid without its last newline. */
		assert_int_equal(lt_checkpoint_load(dir, t.w, &err), f == 3 ? 0 : -1);
		assert_int_equal(truncate(path, sb.st_size / 2), 0);
		assert_int_equal(lt_checkpoint_load(dir, t.w, &err), -1);
		unlink(path);
		assert_int_equal(lt_checkpoint_load(dir, t.w, &err), -1);
		free(path);
		save(&t, run, 3, 0);
	}
	free(dir);
	tiny_close(&t);
	scratch_remove(run);
}

static void test_keep(void **state)
{
	char *run = scratch_new();
	struct lu_err err;
	struct tiny t;
	char *dir;

	(void)state;
	tiny_open(&t, 1, false);
	for (uint64_t step = 1; step <= 4; step++)
		save(&t, run, step, 2);
	assert_false(exists(run, "step-00000001"));
	assert_false(exists(run, "step-00000002"));
	assert_true(exists(run, "step-00000003"));
	assert_true(exists(run, "step-00000004"));
	/* Going back: step 3 is replaced, later steps do not count. */
	save(&t, run, 3, 1);
	assert_true(exists(run, "step-00000004"));
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	ok(lt_checkpoint_load(dir, t.w, &err), &err);
	free(dir);
	assert_int_equal(hidden(run), 0);
	assert_int_equal(lt_checkpoint_find(run, 77, &dir, &err), -1);
	assert_non_null(strstr(err.msg, "step-00000077"));
	tiny_close(&t);
	scratch_remove(run);
}

/* A failed save names the folder and leaves the old checkpoint in place. */
static void test_failing_save(void **state)
{
	struct lt_position pos = position(2);
	char *run = scratch_new(), *block, *inside, *dir, name[160];
	struct lt_run owned;
	struct lu_err err;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	save(&t, run, 1, 1);
	ok(lt_run_open(&owned, run, &err), &err);
	/* A folder with the name of the temporary one, which cannot be removed. */
	snprintf(name, sizeof(name), ".step-00000002.%s.lu-tmp", owned.owner.attempt);
	block = path_in(run, name);
	inside = path_in(block, "folder");
	assert_int_equal(mkdir(block, 0700), 0);
	assert_int_equal(mkdir(inside, 0700), 0);
	assert_int_equal(save_in(&owned, &t, &pos, 1, &err), -1);
	assert_non_null(strstr(err.msg, "step-00000002"));
	assert_int_equal(rmdir(inside), 0);
	ok(lt_run_close(&owned, &err), &err);
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	ok(lt_checkpoint_load(dir, t.w, &err), &err);
	free(dir);
	free(inside);
	free(block);
	tiny_close(&t);
	scratch_remove(run);
}

/* A trainer that was killed while it replaced a checkpoint, where folders cannot be exchanged, has left
 * the old one under a hidden name only: it is found there, and has its name back after the next
 * start. */
static void test_aside(void **state)
{
	static const char hidden_name[] = ".step-00000007.elsewhere.org-12.old.lu-tmp";
	char *run = scratch_new(), *dir, *step, *aside;
	struct lu_err err;
	struct lt_run r;
	struct tiny t;

	(void)state;
	tiny_open(&t, 1, false);
	fill(&t);
	save(&t, run, 6, 0);
	save(&t, run, 7, 0);
	step = path_in(run, "step-00000007");
	aside = path_in(run, hidden_name);
	assert_int_equal(rename(step, aside), 0);
	/* By its step and as the latest. */
	for (int i = 0; i < 2; i++) {
		ok(lt_checkpoint_find(run, i ? 7 : UINT64_MAX, &dir, &err), &err);
		assert_string_equal(dir, aside);
		ok(lt_checkpoint_load(dir, t.w, &err), &err);
		free(dir);
	}
	ok(lt_run_open(&r, run, &err), &err);
	ok(lt_run_close(&r, &err), &err);
	ok(lt_checkpoint_find(run, UINT64_MAX, &dir, &err), &err);
	assert_string_equal(dir, step);
	free(dir);
	assert_int_equal(hidden(run), 0);
	/* Where the new one has its name, the old one is only a remainder. */
	ok(lt_checkpoint_find(run, 6, &dir, &err), &err);
	assert_int_equal(rename(dir, aside), 0);
	ok(lt_run_open(&r, run, &err), &err);
	ok(lt_run_close(&r, &err), &err);
	assert_int_equal(hidden(run), 0);
	assert_true(exists(run, "step-00000007"));
	free(dir);
	free(step);
	free(aside);
	tiny_close(&t);
	scratch_remove(run);
}

static void assert_equal_files(const char *a, const char *b, const char *name)
{
	char *one = path_in(a, name), *two = path_in(b, name), *x, *y;
	struct lu_err err;
	size_t m, n;

	ok(lu_read_file(one, 1 << 20, &x, &m, &err), &err);
	ok(lu_read_file(two, 1 << 20, &y, &n, &err), &err);
	assert_int_equal(m, n);
	assert_memory_equal(x, y, n);
	free(x);
	free(y);
	free(one);
	free(two);
}

/* tests/data/checkpoint-1 was written when there were no layouts yet: it loads, and what is saved then
 * has its bytes. */
static void test_golden(void **state)
{
	static const char golden[] = "tests/data/checkpoint-1";
	const struct lt_holding holding = { .lanes = 1, .dp_size = 1 };
	char *run = scratch_new(), *dir = path_in(run, "step-00000003");
	struct lt_position pos;
	struct lt_shape shape;
	struct lu_err err;
	struct lt_run r;
	struct tiny t;

	(void)state;
	ok(lt_manifest_read(golden, &pos, &shape, &err), &err);
	assert_int_equal(pos.step, 3);
	assert_int_equal(pos.samples, 6);
	assert_int_equal(pos.by.dp, 0);
	tiny_open_part(&t, &shape, NULL, &holding, NULL);
	ok(lt_checkpoint_load(golden, t.w, &err), &err);
	ok(lt_run_open(&r, run, &err), &err);
	ok(save_in(&r, &t, &pos, 0, &err), &err);
	ok(lt_run_close(&r, &err), &err);
	/* The double-precision build writes doubles. */
	for (int v = 0; v < LT_VECTORS && sizeof(lk_real) == sizeof(float); v++)
		assert_equal_files(dir, golden, lt_vector_files[v]);
	tiny_close(&t);
	free(dir);
	scratch_remove(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_wrong_shape),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_failing_save),
		cmocka_unit_test(test_aside),
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
