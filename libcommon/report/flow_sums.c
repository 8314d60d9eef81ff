#include "libcommon/report/flow_sums.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- sums --------------------------------------------------------------------------------- */

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Documents of a stage: put out for others, taken by others, still to be had, and how many it reads
 * from a stage that is not named; of these what pipes read, and what there was for them. */
struct balance {
	uint64_t out, taken, wanted, piped, got;
	bool read;
};

/* The stage before this one that hands documents on, or SIZE_MAX. */
static size_t stage_before(const struct lu_accounts *a, size_t stage)
{
	while (stage-- > 0) {
		if (a->stage.p[stage].passes)
			return stage;
	}
	return SIZE_MAX;
}

static void weigh(const struct lu_accounts *a, struct balance *stage)
{
	for (size_t i = 0; i < a->run.n; i++) {
		const struct lu_run *run = &a->run.p[i];
		struct balance *b = &stage[run->stage];

		if (!run->passes)
			continue;
		b->out += run->out.docs - run->held_out;
		b->taken += run->taken;
		b->read |= run->read;
		if (run->fed == 0 && !run->source)
			b->wanted += run->in.docs;
		if (run->piped && run->fed == 0)
			b->piped += run->in.docs;
	}
	/* A pipe takes what was put out for it, whatever others read by name. */
	for (size_t i = 1; i < a->stage.n; i++) {
		size_t from = stage_before(a, i);

		if (from == SIZE_MAX || !stage[i].piped || !a->stage.p[i].passes)
			continue;
		stage[i].got = min(stage[from].out - stage[from].taken, stage[i].piped);
		stage[i].wanted -= stage[i].got;
		stage[from].taken += stage[i].got;
		stage[from].read = true;
	}
}

int lu_flow_total(struct lu_accounts *a, struct lu_err *err)
{
	struct balance *stage = calloc(a->stage.n + 1, sizeof(*stage));
	struct lu_total *t = &a->total;

	if (!stage)
		return lu_err_nomem(err);
	weigh(a, stage);
	for (size_t i = 0; i < a->run.n; i++) {
		const struct lu_run *run = &a->run.p[i];

		t->wall_ms += run->wall_ms;
		t->cpu_ms += run->cpu_ms;
		if (!run->passes)
			continue;
		t->in += run->in.docs - run->fed;
		t->repeated += run->repeated;
		t->held_out += run->held_out;
		for (size_t k = 0; k < run->reasons; k++)
			t->dropped += run->reason[k].docs;
	}
	for (size_t i = 1; i < a->stage.n; i++) {
		size_t from = stage_before(a, i);
		uint64_t docs;

		t->in -= stage[i].got;
		if (from == SIZE_MAX || stage[from].read || !a->stage.p[i].passes)
			continue;
		docs = min(stage[from].out - stage[from].taken, stage[i].wanted);
		stage[from].taken += docs;
		t->in -= docs;
	}
	for (size_t i = 0; i < a->stage.n; i++) {
		uint64_t left = stage[i].out - stage[i].taken;

		if (stage[i].taken)
			t->unread += left;
		else
			t->out += left;
	}
	free(stage);
	return 0;
}

/* --- the chain ---------------------------------------------------------------------------- */

/* ": 3 lost" */
static void put_difference(struct lu_buf *b, uint64_t out, uint64_t in)
{
	lu_buf_printf(b, ": %" PRIu64 " %s", out > in ? out - in : in - out,
			out > in ? "lost" : "too many");
}

/* A run must read what was written for it. */
static int check_named(struct lu_accounts *a, const struct lu_flow *f, size_t to, size_t edge,
		size_t edges, struct lu_err *err)
{
	const struct lu_run *run = &a->run.p[to];
	const struct lu_edge *e = &f->edge.p[edge];
	const char *file = NULL;
	struct lu_buf b = { 0 };
	uint64_t docs = 0;

	/* Edges are in the order of the lines: the first in byte order is named. */
	for (size_t i = 0; i < edges; i++) {
		docs += e[i].docs;
		if (e[i].file && (!file || strcmp(e[i].file, file) < 0))
			file = e[i].file;
	}
	if (docs == run->in.docs)
		return 0;
	if (file)
		lu_buf_printf(&b, edges > 1 ? "%s and %zu more: " : "%s: ", file, edges - 1);
	lu_buf_puts(&b, a->stage.p[a->run.p[e->from].stage].name);
	for (size_t i = 1; i < edges; i++) {
		if (a->run.p[e[i].from].stage != a->run.p[e[i - 1].from].stage) {
			lu_buf_puts(&b, " and others");
			break;
		}
	}
	lu_buf_printf(&b, " put out %" PRIu64 " documents, %s took in %" PRIu64, docs,
			a->stage.p[run->stage].name, run->in.docs);
	put_difference(&b, docs, run->in.docs);
	return lu_flow_fault(a, &b, err);
}

static int by_to(const void *a, const void *b)
{
	const struct lu_edge *p = a, *q = b;

	if (p->to != q->to)
		return p->to < q->to ? -1 : 1;
	return p->from < q->from ? -1 : p->from > q->from;
}

/* ": FILE and 3 more", the outputs of a stage that were not read wholly. */
static void put_unread(struct lu_buf *b, const struct lu_accounts *a, size_t stage)
{
	const char *first = NULL;
	size_t more = 0;

	/* They are in the order of hashes: the first in byte order is named. */
	for (size_t i = 0; i < a->output.n; i++) {
		const struct lu_output *o = &a->output.p[i];
		const struct lu_run *run = &a->run.p[o->run];

		if (run->stage != stage || !o->text || run->out.docs - run->held_out == run->taken)
			continue;
		more += first != NULL;
		first = !first || strcmp(o->text, first) < 0 ? o->text : first;
	}
	if (first)
		lu_buf_printf(b, ": %s", first);
	if (more)
		lu_buf_printf(b, " and %zu more", more);
}

/* A stage of which something is read must be read wholly; one that names nothing must read what the
 * stage before it put out. */
static int check_stage(
		struct lu_accounts *a, const struct balance *stage, size_t i, struct lu_err *err)
{
	uint64_t lost = stage[i].out - stage[i].taken;
	size_t from = stage_before(a, i);
	struct lu_buf b = { 0 };
	bool named = false, source = true, piped = stage[i].piped > 0;
	uint64_t in = piped ? stage[i].piped : a->stage.p[i].in.docs;

	if (stage[i].read && lost) {
		lu_buf_printf(&b, "%s put out %" PRIu64 " documents that no stage took in",
				a->stage.p[i].name, lost);
		put_unread(&b, a, i);
		if (lu_flow_fault(a, &b, err) < 0)
			return -1;
	}
	for (size_t k = 0; k < a->run.n; k++) {
		if (a->run.p[k].stage != i)
			continue;
		named |= a->run.p[k].fed > 0 || a->run.p[k].named;
		source &= a->run.p[k].source;
	}
	/* Beside runs that read a pipe, those with files of their own are sources. */
	if (from == SIZE_MAX ||
			(piped ? stage[i].got == in
			       : named || source || stage[from].read || stage[from].out == in))
		return 0;
	lu_buf_printf(&b, "%s put out %" PRIu64 " documents, %s took in %" PRIu64,
			a->stage.p[from].name, stage[from].out, a->stage.p[i].name, in);
	put_difference(&b, stage[from].out, in);
	return lu_flow_fault(a, &b, err);
}

int lu_flow_chain(struct lu_accounts *a, struct lu_flow *f, struct lu_err *err)
{
	struct balance *stage = calloc(a->stage.n + 1, sizeof(*stage));
	int rc = 0;

	if (!stage)
		return lu_err_nomem(err);
	weigh(a, stage);
	if (f->edge.n)
		qsort(f->edge.p, f->edge.n, sizeof(*f->edge.p), by_to);
	for (size_t i = 0, n; rc == 0 && i < f->edge.n; i += n) {
		for (n = 1; i + n < f->edge.n && f->edge.p[i + n].to == f->edge.p[i].to;)
			n++;
		rc = check_named(a, f, f->edge.p[i].to, i, n, err);
	}
	for (size_t i = 0; rc == 0 && i < a->stage.n; i++)
		rc = check_stage(a, stage, i, err);
	free(stage);
	return rc;
}
