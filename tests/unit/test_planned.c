/* Plans with their shards and their index: places in the order, whatever lies beside the plan. */
#include "tests/unit/make_shard.h"
#include "tests/unit/refuse_mmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/mix/plan_files.h"
#include "libcommon/mix/planned.h"
#include "libcommon/mix/stream.h"

enum { DOCS = 3000, VOCAB = 50000 };

/* Two shards, and a plan of three groups over them: 1.5, 1 and 2 passes. */
struct fixture {
	struct lu_plan plan;
	struct lu_plan_shard shard[2];
	struct lu_plan_range range[3];
	struct lu_plan_group group[3];
	uint64_t before[3];
	char hash[2][33];
	struct lu_plan_entry *order; /* the documents that are not empty */
	uint64_t *begin;	     /* of each, and of the end */
	size_t n;
};

static int size_of(void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err)
{
	(void)ctx, (void)shard, (void)err;
	*size = document_length(document);
	return 0;
}

static int other_size(
		void *ctx, uint64_t shard, uint64_t document, uint64_t *size, struct lu_err *err)
{
	(void)ctx, (void)shard, (void)err;
	/* The same in sum over any seven documents. */
	*size = document_length(document + 1);
	return 0;
}

static void set_group(struct fixture *f, size_t i, const char *name, uint64_t passes, uint64_t last,
		lu_plan_size_fn *size)
{
	static const struct lu_plan_range range[] = { { 0, 0, DOCS }, { 1, 0, 700 },
		{ 1, 700, DOCS - 700 } };
	struct lu_plan_group *g = &f->group[i];
	struct lu_err err;
	struct lu_plan_walk *w;
	struct lu_plan alone = { .seed = 4, .by_documents = true, .group = g, .groups = 1 };
	struct lu_plan_entry e;

	f->range[i] = range[i];
	*g = (struct lu_plan_group){ .name = name,
		.documents = range[i].count,
		.passes = passes,
		.last = last,
		.range = &f->range[i],
		.ranges = 1,
		.before = &f->before[i] };
	for (uint64_t k = 0; k < g->documents; k++)
		g->tokens += document_length(k + range[i].first);
	ok(lu_plan_walk_new(&w, &alone, size, NULL, &err), &err);
	for (uint64_t k = 0; k < passes * g->documents + last; k++) {
		/* Whether the sum is right is found only at the end. */
		int rc = lu_plan_walk_next(w, &e, &err);

		assert_true(rc == 1 || k + 1 == passes * g->documents + last);
		g->planned += e.size;
	}
	lu_plan_walk_free(w);
	g->quota = g->planned;
	f->plan.documents += passes * g->documents + last;
	f->plan.tokens += g->planned;
}

static void make(struct fixture *f)
{
	static const char *const prefix[] = { "one", "two" };
	struct lu_plan_walk *w;
	struct lu_plan_entry e;
	struct lu_err err;

	*f = (struct fixture){ .plan.seed = 4 };
	for (size_t i = 0; i < 2; i++) {
		make_shard(prefix[i], shard_format(VOCAB, i ? 3000 : 0), DOCS);
		ok(lu_manifest_hash(prefix[i], f->hash[i], &err), &err);
		f->shard[i] = (struct lu_plan_shard){ prefix[i], DOCS, 0, f->hash[i] };
		for (uint64_t k = 0; k < DOCS; k++)
			f->shard[i].tokens += document_length(k);
	}
	set_group(f, 0, "a", 1, DOCS / 2, size_of);
	set_group(f, 1, "b", 1, 0, size_of);
	set_group(f, 2, "c", 2, 0, size_of);
	f->plan.shard = f->shard;
	f->plan.shards = 2;
	f->plan.group = f->group;
	f->plan.groups = 3;
	f->order = calloc(f->plan.documents, sizeof(*f->order));
	f->begin = calloc(f->plan.documents + 1, sizeof(*f->begin));
	assert_true(f->order && f->begin);
	ok(lu_plan_walk_new(&w, &f->plan, size_of, NULL, &err), &err);
	while (lu_plan_walk_next(w, &e, &err) > 0) {
		if (e.size == 0)
			continue;
		f->order[f->n++] = e;
		f->begin[f->n] = f->begin[f->n - 1] + e.size;
	}
	lu_plan_walk_free(w);
	assert_int_equal(f->begin[f->n], f->plan.tokens);
}

static void write_plan(struct fixture *f, const char *target, lu_plan_size_fn *size)
{
	struct lu_plan_files files = { 0 };
	struct lu_err err;

	ok(lu_plan_files_write(&files, &f->plan, target, size, NULL, &err), &err);
	ok(lu_plan_files_commit(&files, &err), &err);
	lu_plan_files_abort(&files);
	assert_int_equal(unfinished_in("."), 0);
}

static void release(struct fixture *f)
{
	free(f->order);
	free(f->begin);
}

static void check_piece(const struct fixture *f, size_t i, const struct lu_piece *p)
{
	const struct lu_plan_entry *e = &f->order[i];
	uint32_t id;

	assert_string_equal(lu_shard_prefix(p->shard), f->shard[e->shard].prefix);
	assert_int_equal(p->begin, f->begin[i]);
	assert_int_equal(p->n, e->size);
	assert_true(p->document);
	for (uint64_t k = 0; k < p->n; k++) {
		read_tokens(p->shard, p->first + k, 1, &id);
		assert_int_equal(id, document_token(e->document, k, VOCAB));
	}
}

static size_t piece_of(const struct fixture *f, uint64_t token)
{
	size_t i = 0;

	while (f->begin[i + 1] <= token)
		i++;
	return i;
}

/* All in order; jumps to anywhere, and some steps from there; short moves both ways. */
static void check_places(const struct fixture *f, const struct lu_planned *p)
{
	struct lu_planned_cursor *c;
	struct lu_piece piece;
	struct lu_err err;
	uint64_t seed = 5, token = 0;

	ok(lu_planned_cursor_new(&c, p, &err), &err);
	for (size_t i = 0; i < f->n; i++) {
		assert_int_equal(lu_planned_next(c, &piece, &err), 1);
		check_piece(f, i, &piece);
	}
	assert_int_equal(lu_planned_next(c, &piece, &err), 0);
	for (int k = 0; k < 400; k++) {
		size_t i;

		token = k % 2 ? (token + unit_random(&seed) % 900) % p->plan.tokens
			      : unit_random(&seed) % p->plan.tokens;
		if (k % 7 == 0 && token)
			token--;
		i = piece_of(f, token);
		ok(lu_planned_seek(c, token, &piece, &err), &err);
		check_piece(f, i, &piece);
		for (int s = k % 3; s > 0 && ++i < f->n; s--) {
			assert_int_equal(lu_planned_next(c, &piece, &err), 1);
			check_piece(f, i, &piece);
		}
	}
	lu_planned_cursor_free(c);
}

static void check_open(const struct fixture *f, const char *note)
{
	for (int trust = 0; trust < 2; trust++) {
		struct lu_planned p;
		struct lu_err err;

		ok(lu_planned_open(&p, "plan", trust, &err), &err);
		if (note)
			assert_string_equal(p.note, note);
		else
			assert_null(p.note);
		check_places(f, &p);
		lu_planned_close(&p);
	}
}

static void test_places(void **state)
{
	struct fixture f;

	(void)state;
	make(&f);
	write_plan(&f, "plan", size_of);
	assert_int_equal(access("plan.walk", F_OK), 0);
	check_open(&f, NULL);
	refuse_mmap(ENODEV);
	check_open(&f, NULL);
	refuse_mmap(0);
	/* A small plan without its index is nothing to tell of. */
	unlink("plan.walk");
	check_open(&f, NULL);
	release(&f);
}

static void test_index_of_another_plan(void **state)
{
	struct fixture f;

	(void)state;
	make(&f);
	f.plan.by_documents = true;
	write_plan(&f, "plan", size_of);
	rename("plan.walk", "other");
	f.plan.by_documents = false;
	write_plan(&f, "plan", size_of);
	rename("other", "plan.walk");
	check_open(&f,
			"plan.walk: belongs to another plan and was ignored: the order of the 9800 "
			"documents of plan was walked through instead; lucie-mix --plan -o writes "
			"both");
	release(&f);
}

static void test_damaged_index(void **state)
{
	struct fixture f;
	struct lu_planned p;
	struct lu_err err;
	size_t n;
	char *walk;

	(void)state;
	make(&f);
	write_plan(&f, "plan", size_of);
	walk = get_file("plan.walk", &n);
	for (int trust = 0; trust < 2; trust++) {
		put_file("plan.walk", walk, n / 2);
		assert_int_equal(lu_planned_open(&p, "plan", trust, &err), -1);
		assert_string_equal(err.msg,
				"plan.walk: is damaged; remove it, or write it anew "
				"with lucie-mix --plan -o");
		assert_null(p.shard);
	}
	/* In the first page: found by one who checks all, and by who uses it. */
	walk[n / 2] ^= 1;
	put_file("plan.walk", walk, n);
	assert_int_equal(lu_planned_open(&p, "plan", false, &err), -1);
	ok(lu_planned_open(&p, "plan", true, &err), &err);
	for (uint64_t t = 0; t < p.plan.tokens / 2; t += 1000) {
		struct lu_planned_cursor *c;
		struct lu_piece piece;

		ok(lu_planned_cursor_new(&c, &p, &err), &err);
		assert_int_equal(lu_planned_seek(c, t, &piece, &err), -1);
		assert_int_equal(lu_planned_seek(c, t, &piece, &err), -1);
		lu_planned_cursor_free(c);
	}
	lu_planned_close(&p);
	free(walk);
	release(&f);
}

/* Right in itself, but made with the sizes of other shards. */
static void test_index_of_other_shards(void **state)
{
	struct fixture f;
	struct lu_planned p;
	struct lu_err err;

	(void)state;
	make(&f);
	f.plan.documents = f.plan.tokens = 0;
	set_group(&f, 0, "a", 2, 0, other_size);
	set_group(&f, 1, "b", 1, 0, other_size);
	set_group(&f, 2, "c", 2, 0, other_size);
	write_plan(&f, "plan", other_size);
	assert_int_equal(lu_planned_open(&p, "plan", false, &err), -1);
	assert_non_null(strstr(err.msg, "plan"));
	ok(lu_planned_open(&p, "plan", true, &err), &err);
	lu_planned_close(&p);
	release(&f);
}

/* No index beside what is no file. */
static void test_special_targets(void **state)
{
	struct fixture f;

	(void)state;
	make(&f);
	write_plan(&f, "/dev/null", size_of);
	assert_int_equal(access("/dev/null.walk", F_OK), -1);
	assert_int_equal(mkfifo("pipe", 0666), 0);
	/* Opened for both, the pipe does not block, and has room for a small plan. */
	FILE *both = fopen("pipe", "r+");

	assert_non_null(both);
	write_plan(&f, "pipe", size_of);
	assert_int_equal(access("pipe.walk", F_OK), -1);
	fclose(both);
	release(&f);
}

/* A list of plans and shards: pieces across their seams, ranges in any order. */
static int add_up(void *ctx, const struct lu_shard *shard, uint64_t pos, uint64_t n, uint64_t tag,
		struct lu_err *err)
{
	uint64_t *sum = ctx;

	(void)err;
	assert_true(n > 0 && pos + n <= lu_shard_tokens(shard));
	*sum += n * (tag + 1);
	return 0;
}

static void test_stream(void **state)
{
	struct fixture f;
	struct lu_stream *s;
	struct lu_stream_cursor *c;
	struct lu_piece piece;
	struct lu_err err;
	uint64_t at = 0, sum = 0, own, plans = 0;
	struct lu_stream_range range[3];

	(void)state;
	make(&f);
	write_plan(&f, "plan", size_of);
	ok(lu_stream_open(&s, "plan one plan two", true, &err), &err);
	own = f.shard[0].tokens;
	assert_int_equal(lu_stream_tokens(s), 2 * f.plan.tokens + 2 * own);
	ok(lu_stream_cursor_new(&c, s, &err), &err);
	while (lu_stream_next(c, &piece, &err) > 0) {
		assert_int_equal(piece.begin, at);
		at += piece.n;
		plans += piece.document;
	}
	assert_int_equal(at, lu_stream_tokens(s));
	assert_int_equal(plans, 2 * f.n);
	/* Back, across a seam, and on from there. */
	ok(lu_stream_seek(c, f.plan.tokens - 1, &piece, &err), &err);
	check_piece(&f, f.n - 1, &piece);
	assert_int_equal(lu_stream_next(c, &piece, &err), 1);
	assert_false(piece.document);
	assert_int_equal(piece.n, own);
	assert_int_equal(lu_stream_next(c, &piece, &err), 1);
	piece.begin -= f.plan.tokens + own;
	check_piece(&f, 0, &piece);
	lu_stream_cursor_free(c);
	range[0] = (struct lu_stream_range){ f.plan.tokens - 5, 10, 0 };
	range[1] = (struct lu_stream_range){ 3, 0, 7 };
	range[2] = (struct lu_stream_range){ 0, lu_stream_tokens(s), 1 };
	ok(lu_stream_locate(s, range, 3, add_up, &sum, &err), &err);
	assert_int_equal(sum, 10 + 2 * lu_stream_tokens(s));
	lu_stream_close(s);
	release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_index_of_another_plan),
		cmocka_unit_test(test_damaged_index),
		cmocka_unit_test(test_index_of_other_shards),
		cmocka_unit_test(test_special_targets),
		cmocka_unit_test(test_stream),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
