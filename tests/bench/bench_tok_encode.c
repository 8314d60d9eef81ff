/*
 * bench_tok_encode.c: how fast the library turns text into ids.
 *
 *	bench_tok_encode -t TOKENIZER [-n REPEATS] [-o own] DOCUMENTS.jsonl...
 *
 * The texts are put behind each other, a line feed between, and cut to documents of 1 KB, 100 KB,
 * 10 MB and one of all, always between two characters; first come the documents as they are.
 * For each, and for one and two threads: the first time (cold: a state just made) and the best of
 * the next REPEATS (3) times over the same documents (warm). One line each:
 *
 *	bytes-a-document  threads  cold MB/s  warm MB/s  tokens
 *
 * With `-o own` only the line of the documents as they are and one thread.
 * MB are 10^6 bytes of text; seconds are of processor time with one thread, elapsed with two.
 * tests/bench/tokenizer.sh runs it beside others.
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libcommon/io/json.h"
#include "libcommon/io/lines.h"
#include "libcommon/tokenizer/tokenizer.h"

struct cut {
	size_t at, n;
};

struct bench {
	struct lu_tok *tok;
	struct lu_buf text;
	struct cut *own, *cut; /* documents as they are, and of one size */
	size_t owns, cuts, cap;
	int repeats;
};

static void die(const char *what)
{
	fprintf(stderr, "bench_tok_encode: %s\n", what);
	exit(2);
}

static double now(int threads)
{
	struct timespec t;

	(void)clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add_text(struct bench *b, struct lu_str line, struct lu_arena *arena)
{
	struct lu_json_obj obj;
	struct lu_json_fault fault;
	const struct lu_json_member *m;
	struct lu_str text;

	lu_arena_reset(arena);
	if (lu_json_object(line, arena, &obj, &fault) < 0)
		return;
	m = lu_json_get(&obj, "text");
	if (!m || m->type != LU_JSON_STRING ||
			lu_json_decode_known(m->value, m->escaped, arena, &text) < 0 || text.n == 0)
		return;
	if (b->owns == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 1024;
		b->own = realloc(b->own, b->cap * sizeof(*b->own));
		if (!b->own)
			die("out of memory");
	}
	b->own[b->owns++] = (struct cut){ b->text.n, text.n };
	lu_buf_str(&b->text, text);
	lu_buf_putc(&b->text, '\n');
}

static void read_texts(struct bench *b, char **files, size_t n)
{
	struct lu_lines lines;
	struct lu_slab slab = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_str line;
	struct lu_err err;
	int rc = lu_lines_open(&lines, files, n, UINT64_MAX, &err);

	while (rc >= 0 && (rc = lu_lines_read(&lines, &slab, &err)) > 0) {
		while (lu_slab_next(&slab, &line))
			add_text(b, line, &arena);
	}
	if (rc < 0)
		die(err.msg);
	lu_lines_close(&lines);
	lu_buf_release(&slab.bytes);
	lu_arena_release(&arena);
	if (lu_buf_check(&b->text, &err) < 0)
		die(err.msg);
	if (b->owns == 0)
		die("no text");
}

static void cut_texts(struct bench *b, size_t size)
{
	b->cuts = 0;
	b->cut = malloc((b->text.n / size + 2) * sizeof(*b->cut));
	if (!b->cut)
		die("out of memory");
	for (size_t at = 0; at < b->text.n;) {
		size_t to = at + size < b->text.n ? at + size : b->text.n;

		while (to < b->text.n && ((unsigned char)b->text.p[to] & 0xC0) == 0x80)
			to++;
		b->cut[b->cuts++] = (struct cut){ at, to - at };
		at = to;
	}
}

/* One look at all documents; the states stay what they became. */
static double once(const struct bench *b, const struct cut *cut, size_t cuts,
		struct lu_tok_state **st, struct lu_ids *ids, int threads, uint64_t *tokens)
{
	uint64_t sum = 0;
	double start = now(threads);

#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) reduction(+ : sum)
	for (size_t i = 0; i < cuts; i++) {
		int k = omp_get_thread_num();
		struct lu_str s = { b->text.p + cut[i].at, cut[i].n };
		struct lu_err err;

		ids[k].n = 0;
		if (lu_tok_encode(b->tok, st[k], s, LU_TOK_SPECIAL_TEXT, &ids[k], &err) != 0)
			die(err.msg);
		sum += ids[k].n;
	}
	*tokens = sum;
	return now(threads) - start;
}

static void measure(const struct bench *b, const char *name, const struct cut *cut, size_t cuts,
		int threads)
{
	struct lu_tok_state *st[2] = { NULL };
	struct lu_ids ids[2] = { { 0 } };
	double cold, warm = 1e30;
	uint64_t tokens;
	size_t bytes = 0;

	for (size_t i = 0; i < cuts; i++)
		bytes += cut[i].n;
	for (int k = 0; k < threads; k++) {
		st[k] = lu_tok_state_new(b->tok);
		if (!st[k])
			die("out of memory");
	}
	cold = once(b, cut, cuts, st, ids, threads, &tokens);
	for (int r = 0; r < b->repeats; r++) {
		double t = once(b, cut, cuts, st, ids, threads, &tokens);

		warm = t < warm ? t : warm;
	}
	for (int k = 0; k < threads; k++) {
		lu_tok_state_free(st[k]);
		lu_ids_release(&ids[k]);
	}
	printf("%s\t%d\t%.1f\t%.1f\t%llu\n", name, threads, (double)bytes / cold / 1e6,
			(double)bytes / warm / 1e6, (unsigned long long)tokens);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		size_t size;
	} sizes[] = { { "1000", 1000 }, { "100000", 100000 }, { "10000000", 10000000 },
		{ "all", SIZE_MAX / 2 } };
	struct bench b = { .repeats = 3 };
	const char *tokenizer = NULL, *only = NULL;
	struct lu_err err;
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (argv[i][1] == 't')
			tokenizer = argv[i + 1];
		else if (argv[i][1] == 'o')
			only = argv[i + 1];
		else
			b.repeats = (int)strtol(argv[i + 1], NULL, 10);
	}
	if (!tokenizer || i == argc) {
		puts("run by tokenizer.sh");
		return 0;
	}
	if (lu_tok_load(&b.tok, tokenizer, &err) < 0)
		die(err.msg);
	read_texts(&b, argv + i, (size_t)(argc - i));
	for (int threads = 1; threads <= (only ? 1 : 2); threads++)
		measure(&b, "own", b.own, b.owns, threads);
	for (size_t k = 0; !only && k < sizeof(sizes) / sizeof(*sizes); k++) {
		cut_texts(&b, sizes[k].size);
		for (int threads = 1; threads <= 2; threads++)
			measure(&b, sizes[k].name, b.cut, b.cuts, threads);
		free(b.cut);
	}
	free(b.own);
	lu_buf_release(&b.text);
	lu_tok_free(b.tok);
	return 0;
}
