/*
 * bench_plan.c: a plan of many documents: writing its walk index, opening it, reading its samples.
 * Each phase runs in a process of its own, so that its peak of resident memory can be told.
 *
 *	bench_plan [documents [groups [folder]]]	default: 1000000 140, in TMPDIR
 *
 * The shards are synthetic, one a group: lengths around 886 tokens as in Lucie-7B's data, ids of a
 * sparse file. A group of rank r is 1 / r of the largest and is read one to three times. 10^8
 * documents take 2 GB of disk, and 0.6 GB of memory while they are made.
 */
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/base/rng.h"
#include "libcommon/hash/hash.h"
#include "libcommon/mix/plan_files.h"
#include "libcommon/shard/format.h"
#include "libcommon/shard/manifest.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/progress.h"
#include "trainer/data/corpus.h"

#define CONTEXT 4096
#define SAMPLES 5000
#define NO_HASH "00000000000000000000000000000000"

static uint64_t documents = 1000000;
static size_t groups = 140;
static const char *folder;
static struct lu_err err;

static void must(int rc)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bench_plan: %s\n", err.msg);
	exit(2);
}

static double cpu_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static char *path_of(const char *what, size_t i)
{
	char *path;

	if (asprintf(&path, "%s/%s%zu", folder, what, i) < 0)
		exit(2);
	return path;
}

/* --- making ------------------------------------------------------------------------------- */

/* Documents of a group, and how often each is read, in halves. */
static uint64_t halves(size_t group)
{
	return 2 + group % 5;
}

static uint64_t size_of_group(size_t group)
{
	double all = 0;

	for (size_t i = 0; i < groups; i++)
		all += (double)halves(i) / 2 / (double)(i + 1);
	return (uint64_t)((double)documents / all / (double)(group + 1)) + 2;
}

static uint32_t length_of(size_t group, uint64_t document)
{
	double u = lu_rand_double(1, group, document);

	/* Exponential: many short documents, few long ones. */
	return (uint32_t)(2 + 884 * (u < 0.5 ? 0.3 : 0.8 + 2.4 * (u - 0.5) * 1.5));
}

static FILE *create(const char *prefix, const char *suffix)
{
	char *path = lu_concat(prefix, suffix, NULL);
	FILE *f = path ? fopen(path, "wb") : NULL;

	if (!f)
		exit(2);
	free(path);
	return f;
}

static void put(FILE *f, uint64_t v, size_t bytes)
{
	unsigned char word[8];

	lu_store64(word, v);
	if (fwrite(word, 1, bytes, f) != bytes)
		exit(2);
}

static void make_manifest(const char *prefix, uint64_t n, uint64_t tokens, uint64_t idx_bytes)
{
	struct lu_manifest_file file[] = { { ".bin", tokens * 2, NO_HASH },
		{ ".idx", idx_bytes, NO_HASH }, { ".docs.jsonl.zst", 0, NO_HASH } };
	struct lu_manifest m = { .width = 2,
		.vocab = 65024,
		.documents = n,
		.tokens = tokens,
		.options = LU_STR("{}"),
		.file = file,
		.files = 3 };
	struct lu_buf text = { 0 };
	FILE *f = create(prefix, ".json");
	char hash[33];

	lu_manifest_write(&m, &text);
	lu_hash128_text(lu_hash128(text.p, text.n), hash);
	lu_buf_printf(&text, LU_MANIFEST_SELF "%s\"}\n", hash);
	if (fwrite(text.p, 1, text.n, f) != text.n || fclose(f) != 0)
		exit(2);
	lu_buf_release(&text);
}

/* Write a shard; returns its tokens. */
static uint64_t make_shard(const char *prefix, size_t group, uint64_t n, uint32_t *length)
{
	FILE *bin = create(prefix, ".bin"), *idx = create(prefix, ".idx");
	uint64_t tokens = 0;

	for (uint64_t i = 0; i < n; i++)
		length[i] = length_of(group, i);
	if (fwrite(LU_IDX_MAGIC, 1, LU_IDX_MAGIC_SIZE, idx) != LU_IDX_MAGIC_SIZE)
		exit(2);
	put(idx, LU_IDX_VERSION, 8);
	put(idx, LU_IDX_TYPE_U16, 1);
	put(idx, n, 8);
	put(idx, n + 1, 8);
	for (uint64_t i = 0; i < n; i++)
		put(idx, length[i], 4);
	for (uint64_t i = 0; i < n; i++) {
		put(idx, tokens * 2, 8);
		tokens += length[i];
	}
	for (uint64_t i = 0; i <= n; i++)
		put(idx, i, 8);
	make_manifest(prefix, n, tokens, (uint64_t)ftell(idx));
	if (fclose(idx) != 0 || ftruncate(fileno(bin), (off_t)(tokens * 2)) < 0 || fclose(bin) != 0)
		exit(2);
	return tokens;
}

static int length_at(void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *e)
{
	uint32_t *const *length = ctx;

	(void)e;
	*size = length[shard][document];
	return 0;
}

/* Tokens of the documents of one more pass. */
static uint64_t last_tokens(
		const struct lu_plan *p, const struct lu_plan_group *g, const uint32_t *length)
{
	uint64_t stream = lu_rand_stream(g->name, g->passes), sum = 0;

	for (uint64_t i = 0; i < g->last; i++)
		sum += length[lu_rand_permute(p->seed, stream, i, g->documents)];
	return sum;
}

static void make_group(struct lu_plan *p, size_t i, uint32_t **length)
{
	struct lu_plan_group *g = &p->group[i];
	uint64_t n = size_of_group(i);
	char *prefix = path_of("shard", i), *hash = malloc(33), *name;

	length[i] = malloc(n * sizeof(**length));
	g->range = malloc(sizeof(*g->range));
	g->before = calloc(1, sizeof(*g->before));
	if (!length[i] || !g->range || !g->before || !hash || asprintf(&name, "g%zu", i) < 0)
		exit(2);
	g->name = name;
	g->documents = n;
	g->tokens = make_shard(prefix, i, n, length[i]);
	g->passes = halves(i) / 2;
	g->last = halves(i) % 2 * (n / 2);
	g->planned = g->passes * g->tokens + last_tokens(p, g, length[i]);
	g->quota = g->planned;
	*g->range = (struct lu_plan_range){ i, 0, n };
	g->ranges = 1;
	must(lu_manifest_hash(prefix, hash, &err));
	p->shard[i] = (struct lu_plan_shard){ prefix, n, g->tokens, hash };
	p->documents += g->passes * n + g->last;
	p->tokens += g->planned;
}

static void make_all(void)
{
	struct lu_plan p = { .seed = 7, .shards = groups, .groups = groups };
	struct lu_plan_files f = { 0 };
	uint32_t **length = calloc(groups, sizeof(*length));
	char *path = path_of("plan", 0), *walk = lu_concat(path, ".walk", NULL);
	struct stat st;
	double t, u;

	p.shard = calloc(groups, sizeof(*p.shard));
	p.group = calloc(groups, sizeof(*p.group));
	if (!length || !p.shard || !p.group || !walk)
		exit(2);
	for (size_t i = 0; i < groups; i++)
		make_group(&p, i, length);
	t = lu_clock();
	u = cpu_clock();
	must(lu_plan_files_write(&f, &p, path, length_at, length, &err));
	must(lu_plan_files_commit(&f, &err));
	t = lu_clock() - t;
	u = cpu_clock() - u;
	if (stat(walk, &st) < 0)
		exit(2);
	printf("%" PRIu64 " documents in %zu groups, %" PRIu64 " tokens\n", p.documents, groups,
			p.tokens);
	printf("write the index: %.1f s, %.3f us a document, %.3f of processor time; %.1f MB, a "
	       "record "
	       "every %" PRIu64 " documents\n",
			t, t * 1e6 / (double)p.documents, u * 1e6 / (double)p.documents,
			(double)st.st_size / 1e6, lu_walk_interval(&p));
}

/* --- opening and reading ------------------------------------------------------------------ */

/* Peak of resident memory in MB: of all, and of that which is no file. */
static double peak(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	double kb = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmHWM: %lf", &kb);
	if (f)
		fclose(f);
	return kb / 1e3;
}

static struct lt_corpus *open_plan(unsigned flags)
{
	struct lt_corpus *c;
	char *path = path_of("plan", 0);
	double t = lu_clock();

	must(lt_corpus_open(&c, path, CONTEXT, 3, flags, &err));
	printf("open%s: %.3f s, %.0f MB\n",
			flags & LT_CORPUS_TRUST ? " by trust" : ", all indexes read",
			lu_clock() - t, peak());
	return c;
}

static void open_trusted(void)
{
	lt_corpus_close(open_plan(LT_CORPUS_TRUST));
}

static void open_checked(void)
{
	lt_corpus_close(open_plan(0));
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_times(const char *clock, double *took, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += took[i];
	qsort(took, n, sizeof(*took), ascending);
	printf("  %s: %.0f a second; median %.3f ms, 99 %% %.3f ms, longest %.3f ms\n", clock,
			(double)n / sum, took[n / 2] * 1e3, took[n * 99 / 100] * 1e3,
			took[n - 1] * 1e3);
}

static void read_samples(unsigned flags, const char *what)
{
	struct lt_corpus *c = open_plan(flags | LT_CORPUS_TRUST);
	uint64_t samples = lt_corpus_samples(c), from = samples / 3;
	size_t n = samples < SAMPLES ? (size_t)samples : SAMPLES;
	const struct lt_micro_want want = { .places = true };
	struct lt_micro row;
	double *wall = malloc(n * sizeof(*wall)), *cpu = malloc(n * sizeof(*cpu));

	if (!wall || !cpu)
		exit(2);
	must(lt_micro_open(&row, &want, CONTEXT, 1, &err));
	for (size_t i = 0; i < n; i++) {
		double t = lu_clock(), u = cpu_clock();

		must(lt_corpus_sample(c, (from + i) % samples, &row, &err));
		wall[i] = lu_clock() - t;
		cpu[i] = cpu_clock() - u;
	}
	printf("%s, samples of %d tokens, %.0f MB:\n", what, CONTEXT, peak());
	print_times("elapsed", wall, n);
	print_times("processor", cpu, n);
	lt_micro_release(&row);
	lt_corpus_close(c);
}

static void read_shuffled(void)
{
	read_samples(LT_CORPUS_SHUFFLE, "shuffled");
}

static void read_in_order(void)
{
	read_samples(0, "in order");
}

/* --- phases ------------------------------------------------------------------------------- */

static void phase(void (*f)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		f();
		exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		exit(2);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	char *scratch = NULL;
	struct stat st;

	if (argc > 1)
		documents = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		groups = strtoull(argv[2], NULL, 10);
	folder = argc > 3 ? argv[3] : NULL;
	if (!folder) {
		if (asprintf(&scratch, "%s/bench-plan-XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0 ||
				!mkdtemp(scratch))
			return 2;
		folder = scratch;
	}
	/* A folder that is given is kept, and used again. */
	if (stat(path_of("plan", 0), &st) < 0)
		phase(make_all);
	phase(open_trusted);
	phase(open_checked);
	phase(read_shuffled);
	phase(read_in_order);
	if (scratch)
		nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(scratch);
	return 0;
}
