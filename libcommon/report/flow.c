#include "libcommon/report/flow.h"

#include <inttypes.h>
#include <stdlib.h>

#include "libcommon/hash/hash.h"

/* Stages beyond are left in the order of their lines, since ordering takes the square of the time. */
#define MAX_ORDERED 1000
/* Passes are told apart up to this many runs times kinds, a byte for each. */
#define MAX_PASS_TABLE ((size_t)1 << 26)

/* --- kinds -------------------------------------------------------------------------------- */

/* In the order of the usual pipeline, for stages that command lines do not order. */
static const struct {
	const char *kind;
	bool reads_only; /* puts out no documents for later stages */
} kinds[] = {
	{ "lucie-import", false },
	{ "lucie-normalize", false },
	{ "lucie-lang", false },
	{ "lucie-filter", false },
	{ "lucie-dedup", false },
	{ "lucie-dedup --exact", false },
	{ "lucie-dedup --exact --near", false },
	{ "lucie-dedup --signatures", true },
	{ "lucie-dedup --near", false },
	{ "lucie-mix", false },
	{ "lucie-tok-train", true },
	{ "lucie-tok-eval", true },
	{ "lucie-tok-encode", false },
	{ "lucie-shard", false },
	{ "lucie-shard --merge", false },
	{ "lucie-mix --plan", false },
	{ "lucie-tok-decode", false },
	{ "lucie-mix --dry-run", true },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Rank of a kind in the usual pipeline, or KINDS. A step is where its program is. */
static size_t rank_of(const char *kind)
{
	const char *step = strstr(kind, " --step ");
	struct lu_str s = { kind, step ? (size_t)(step - kind) : strlen(kind) };
	size_t i = 0;

	while (i < KINDS && !lu_str_is(s, kinds[i].kind))
		i++;
	return i;
}

/* True if an argument is this option, which getopt_long() lets users shorten to `least` bytes. */
static bool is_option(struct lu_str arg, const char *option, size_t least)
{
	const char *equals = arg.n ? memchr(arg.p, '=', arg.n) : NULL;
	size_t n = equals ? (size_t)(equals - arg.p) : arg.n;

	return n >= least && n <= strlen(option) && memcmp(arg.p, option, n) == 0;
}

static bool has_option(struct lu_str args, const char *option, size_t least)
{
	struct lu_json_iter it = lu_json_iter(args);

	while (lu_json_next(&it)) {
		struct lu_str arg = { it.value.p + 1, it.value.n - 2 };

		if (it.type == LU_JSON_STRING && is_option(arg, option, least))
			return true;
	}
	return false;
}

static bool has_operand_dash(struct lu_str args)
{
	struct lu_json_iter it = lu_json_iter(args);

	while (lu_json_next(&it)) {
		if (it.type == LU_JSON_STRING && lu_str_is(it.value, "\"-\""))
			return true;
	}
	return false;
}

/* The value of an option, which follows it or its "="; empty if it is not given. */
static struct lu_str value_of(struct lu_str args, const char *option, size_t least)
{
	struct lu_json_iter it = lu_json_iter(args);
	bool next = false;

	while (lu_json_next(&it)) {
		struct lu_str arg = { it.value.p + 1, it.value.n - 2 };
		const char *equals;

		if (it.type != LU_JSON_STRING)
			continue;
		if (next)
			return arg;
		if (!is_option(arg, option, least))
			continue;
		equals = memchr(arg.p, '=', arg.n);
		if (equals)
			return (struct lu_str){ equals + 1, (size_t)(arg.p + arg.n - equals - 1) };
		next = true;
	}
	return LU_STR("");
}

static bool has_reason(const struct lu_run *run, const char *reason)
{
	for (size_t i = 0; i < run->reasons; i++) {
		if (strcmp(run->reason[i].name, reason) == 0)
			return true;
	}
	return false;
}

/* The mode of a program that is several stages, or "". */
static const char *mode_of(struct lu_str tool, struct lu_str args, const struct lu_run *run)
{
	if (lu_str_is(tool, "lucie-mix")) {
		if (has_option(args, "--dry-run", 3))
			return " --dry-run";
		return has_option(args, "--plan", 3) ? " --plan" : "";
	}
	if (lu_str_is(tool, "lucie-shard"))
		return has_option(args, "--merge", 7) ? " --merge" : "";
	if (lu_str_is(tool, "lucie-dedup")) {
		bool drop = lu_str_is(value_of(args, "--step", 5), "drop");
		bool exact = has_option(args, "--exact", 3) ||
				(!drop && has_reason(run, "exact duplicate"));
		bool near = has_option(args, "--near", 3) ||
				(!drop && has_reason(run, "near duplicate"));

		/* One part may drop what another has nothing of: the reasons do not tell. */
		if (drop && !exact && !near)
			return " --step drop";

		if (has_option(args, "--signatures", 5))
			return " --signatures";
		return exact && near	? " --exact --near"
				: exact ? " --exact"
				: near	? " --near"
					: "";
	}
	return "";
}

/* The step of a program that works in steps, of which none but the last hands documents on; empty for
 * that one and for the whole program. */
static struct lu_str step_of(struct lu_str tool, struct lu_str args)
{
	struct lu_str step = LU_STR("");

	if (lu_str_is(tool, "lucie-dedup") || lu_str_is(tool, "lucie-tok-train"))
		step = value_of(args, "--step", 5);
	return lu_str_is(step, "drop") || lu_str_is(step, "all") ? LU_STR("") : step;
}

const char *lu_flow_kind(
		struct lu_accounts *a, struct lu_str tool, struct lu_str args, struct lu_run *run)
{
	const char *mode = mode_of(tool, args, run);
	struct lu_str step = step_of(tool, args);
	const struct lu_run *last = a->run.n ? &a->run.p[a->run.n - 1] : NULL;
	struct lu_buf b = { 0 };
	size_t rank;

	run->piped = has_operand_dash(args);
	/* Lines of one program tend to follow one another. */
	if (last && !*mode && step.n == 0 && lu_str_is(tool, last->kind)) {
		run->kind = last->kind;
		run->passes = last->passes;
		run->source = last->source;
		return run->kind;
	}
	lu_buf_str(&b, tool);
	lu_buf_puts(&b, mode);
	if (step.n) {
		lu_buf_puts(&b, " --step ");
		lu_buf_str(&b, step);
	}
	run->kind = lu_buf_ok(&b) ? lu_arena_str(&a->arena, lu_buf_slice(&b)).p : NULL;
	lu_buf_release(&b);
	if (!run->kind)
		return NULL;
	rank = rank_of(run->kind);
	run->passes = step.n == 0 && (rank == KINDS || !kinds[rank].reads_only);
	run->step = step.n > 0;
	run->source = lu_str_is(tool, "lucie-import");
	return run->kind;
}

/* --- names -------------------------------------------------------------------------------- */

/* The hash of a file's name, the same for ./a and a. */
static uint64_t name_of(struct lu_str s)
{
	while (s.n > 2 && s.p[0] == '.' && s.p[1] == '/')
		s = (struct lu_str){ s.p + 2, s.n - 2 };
	return lu_hash64(s.p, s.n, 0);
}

static int add_output(struct lu_accounts *a, struct lu_str name, uint64_t docs, bool held_out,
		struct lu_err *err)
{
	struct lu_output o = {
		.name = name_of(name), .run = a->run.n, .docs = docs, .held_out = held_out
	};

	if (!held_out && !(name.n > 5 && memcmp(name.p, "/dev/", 5) == 0) &&
			!(o.text = lu_arena_str(&a->arena, name).p))
		return lu_err_nomem(err);
	return lu_vec_push(&a->output, o) ? 0 : lu_err_nomem(err);
}

/* True for PREFIX-00000 and the like, a part of a shard PREFIX that was split. */
static bool is_part(struct lu_str name, struct lu_str prefix)
{
	return name.n > prefix.n + 1 && memcmp(name.p, prefix.p, prefix.n) == 0 &&
			name.p[prefix.n] == '-' &&
			lu_str_only((struct lu_str){ name.p + prefix.n + 1, name.n - prefix.n - 1 },
					"0123456789");
}

/* Read the member "shards" of lucie-shard: the sets beside the one named by -o were held out. */
static int note_shards(struct lu_accounts *a, struct lu_run *run, struct lu_str output,
		struct lu_str shards, struct lu_arena *scan, struct lu_err *err)
{
	for (struct lu_json_iter it = lu_json_iter(shards); lu_json_next(&it);) {
		const struct lu_json_member *prefix, *documents;
		struct lu_json_fault fault;
		struct lu_json_obj obj;
		struct lu_str name;
		uint64_t docs;

		if (lu_json_object(it.value, scan, &obj, &fault) < 0) {
			if (fault.kind == LU_JSON_NO_MEMORY)
				return lu_err_nomem(err);
			continue;
		}
		prefix = lu_json_get(&obj, "prefix");
		documents = lu_json_get(&obj, "documents");
		if (!prefix || prefix->type != LU_JSON_STRING || !documents ||
				!lu_json_u64(documents, &docs))
			continue;
		if (lu_json_decode_known(prefix->value, prefix->escaped, scan, &name) < 0)
			return lu_err_nomem(err);
		if (lu_str_eq(name, output) || is_part(name, output) ||
				docs > run->out.docs - run->held_out)
			continue;
		run->held_out += docs;
		if (add_output(a, name, docs, true, err) < 0)
			return -1;
	}
	return 0;
}

int lu_flow_note(struct lu_accounts *a, struct lu_run *run, struct lu_str args,
		struct lu_str shards, struct lu_arena *scan, struct lu_err *err)
{
	struct lu_str output = LU_STR(""), arg, before = LU_STR("");

	run->name = a->name.n;
	for (struct lu_json_iter it = lu_json_iter(args); lu_json_next(&it); before = arg) {
		if (it.type != LU_JSON_STRING)
			return lu_err_set(err, "\"args\": not a list of strings");
		if (lu_json_decode(it.value, scan, &arg) < 0)
			return lu_err_nomem(err);
		if (lu_str_is(before, "-o") ||
				(is_option(before, "--output", 4) &&
						!memchr(before.p, '=', before.n)))
			output = arg;
		else if (arg.n > 2 && arg.p[0] == '-' && arg.p[1] == 'o')
			output = (struct lu_str){ arg.p + 2, arg.n - 2 };
		else if (is_option(arg, "--output", 4) && memchr(arg.p, '=', arg.n))
			output = (struct lu_str){ strchrnul(arg.p, '=') + 1,
				(size_t)(arg.p + arg.n - strchrnul(arg.p, '=') - 1) };
		else if (arg.n && arg.p[0] != '-' && !lu_str_is(before, "-t") &&
				!lu_vec_push(&a->name, name_of(arg)))
			return lu_err_nomem(err);
	}
	run->names = a->name.n - run->name;
	if (!run->passes && !run->step)
		return 0;
	if (shards.n && note_shards(a, run, output, shards, scan, err) < 0)
		return -1;
	return output.n == 0 || lu_str_is(output, "-")
			? 0
			: add_output(a, output, run->out.docs - run->held_out, false, err);
}

/* --- edges -------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct lu_output *p = a, *q = b;

	if (p->name != q->name)
		return p->name < q->name ? -1 : 1;
	return p->run < q->run ? -1 : p->run > q->run;
}

/* The first output of this name, or NULL; *n is their number. */
static struct lu_output *find_outputs(const struct lu_accounts *a, uint64_t name, size_t *n)
{
	size_t low = 0, high = a->output.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (a->output.p[middle].name < name)
			low = middle + 1;
		else
			high = middle;
	}
	*n = 0;
	while (low + *n < a->output.n && a->output.p[low + *n].name == name)
		++*n;
	return *n ? &a->output.p[low] : NULL;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Let documents go from one run to another. */
static void feed(struct lu_run *from, struct lu_run *to, uint64_t docs)
{
	uint64_t left = from->out.docs - from->held_out - from->taken;

	docs = min(docs, min(left, to->in.docs - to->fed));
	from->taken += docs;
	to->fed += docs;
}

static int connect(struct lu_accounts *a, struct lu_flow *f, size_t to, uint64_t name,
		struct lu_err *err)
{
	struct lu_run *run = &a->run.p[to];
	size_t n, which = 0;
	struct lu_output *first = find_outputs(a, name, &n), *o;

	if (!first)
		return 0;
	/* A build that was repeated into the same accounting files has two writers and two readers of
	 * each name. */
	if (run->passes)
		which = first->readers < n ? first->readers++ : n - 1;
	o = first + which;
	/* Documents do not come from the work file of a step. */
	if (o->run == to || (run->passes && !a->run.p[o->run].passes))
		return 0;
	run->named = true;
	if (run->passes) {
		a->run.p[o->run].read = true;
		if (o->held_out) {
			a->run.p[o->run].held_out -= o->docs;
			o->held_out = false;
		}
		feed(&a->run.p[o->run], run, o->docs);
	}
	return lu_vec_push(&f->edge, (struct lu_edge){ o->run, to, o->docs, o->text })
			? 0
			: lu_err_nomem(err);
}

/* A copy of the sentence, which is released; NULL when memory is out. */
static const char *keep(struct lu_accounts *a, struct lu_buf *text)
{
	const char *copy = lu_buf_ok(text) ? lu_arena_str(&a->arena, lu_buf_slice(text)).p : NULL;

	lu_buf_release(text);
	return copy;
}

int lu_flow_fault(struct lu_accounts *a, struct lu_buf *text, struct lu_err *err)
{
	const char *copy = keep(a, text);

	return copy && lu_vec_push(&a->fault, copy) ? 0 : lu_err_nomem(err);
}

/* Note the files that several runs of a stage wrote; the outputs are sorted. */
static int note_again(struct lu_accounts *a, struct lu_err *err)
{
	const struct lu_output *o = a->output.p;

	for (size_t i = 0, n; i < a->output.n; i += n) {
		const char *kind = a->run.p[o[i].run].kind, *copy;
		struct lu_buf b = { 0 };

		for (n = 1; i + n < a->output.n && o[i + n].name == o[i].name && o[i].text &&
				o[i + n].text && strcmp(a->run.p[o[i + n].run].kind, kind) == 0;)
			n++;
		if (n == 1)
			continue;
		lu_buf_printf(&b,
				"%s: %zu runs of %s wrote it, and all are counted; where one was "
				"repeated, remove its earlier line",
				o[i].text, n, kind);
		copy = keep(a, &b);
		if (!copy || !lu_vec_push(&a->again, copy))
			return lu_err_nomem(err);
	}
	return 0;
}

int lu_flow_link(struct lu_accounts *a, struct lu_flow *f, struct lu_err *err)
{
	if (a->output.n)
		qsort(a->output.p, a->output.n, sizeof(*a->output.p), by_name);
	if (note_again(a, err) < 0)
		return -1;
	for (size_t i = 0; i < a->run.n; i++) {
		for (size_t k = 0; k < a->run.p[i].names; k++) {
			if (connect(a, f, i, a->name.p[a->run.p[i].name + k], err) < 0)
				return -1;
		}
	}
	return 0;
}

/* --- passes ------------------------------------------------------------------------------- */

static int by_from(const void *a, const void *b)
{
	const struct lu_edge *p = a, *q = b;

	if (p->from != q->from)
		return p->from < q->from ? -1 : 1;
	return p->to < q->to ? -1 : p->to > q->to;
}

/* The edges from each run: those of run i are edge[first[i] .. first[i + 1] - 1] of `f`, which must
 * be sorted. NULL when memory is out. */
static size_t *index_edges(const struct lu_flow *f, size_t runs)
{
	size_t *first = calloc(runs + 1, sizeof(*first));

	for (size_t i = 0; first && i < f->edge.n; i++)
		first[f->edge.p[i].from + 1]++;
	for (size_t i = 0; first && i < runs; i++)
		first[i + 1] += first[i];
	return first;
}

/* Hand on what is known of the runs before `from`: how many passes of each kind they end. */
static void pass_on(struct lu_accounts *a, uint8_t *passes, size_t kinds_n, size_t from, size_t to)
{
	uint8_t *p = passes + from * kinds_n, *q = passes + to * kinds_n;
	size_t own = a->run.p[from].stage;

	for (size_t k = 0; k < kinds_n; k++)
		q[k] = p[k] > q[k] ? p[k] : q[k];
	if (q[own] < a->run.p[from].pass && a->run.p[from].pass < UINT8_MAX)
		q[own] = (uint8_t)a->run.p[from].pass;
}

int lu_flow_passes(struct lu_accounts *a, struct lu_flow *f, struct lu_err *err)
{
	size_t runs = a->run.n, kinds_n = a->stage.n, *first, *waits, *ready, n = 0;
	uint8_t *passes;
	int rc = 0;

	if (f->edge.n == 0 || runs > MAX_PASS_TABLE / kinds_n)
		return 0;
	qsort(f->edge.p, f->edge.n, sizeof(*f->edge.p), by_from);
	first = index_edges(f, runs);
	waits = calloc(runs, sizeof(*waits));
	ready = calloc(runs, sizeof(*ready));
	passes = calloc(runs, kinds_n);
	if (!first || !waits || !ready || !passes) {
		rc = lu_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < f->edge.n; i++)
		waits[f->edge.p[i].to]++;
	for (size_t i = 0; i < runs; i++) {
		if (waits[i] == 0)
			ready[n++] = i;
	}
	/* Runs that feed themselves, which no build has, are never ready and stay in pass 1. */
	for (size_t i = 0; i < n; i++) {
		size_t run = ready[i];

		a->run.p[run].pass = passes[run * kinds_n + a->run.p[run].stage] + 1U;
		for (size_t k = first[run]; k < first[run + 1]; k++) {
			size_t to = f->edge.p[k].to;

			pass_on(a, passes, kinds_n, run, to);
			if (--waits[to] == 0)
				ready[n++] = to;
		}
	}
out:
	free(first);
	free(waits);
	free(ready);
	free(passes);
	return rc;
}

/* --- order -------------------------------------------------------------------------------- */

/* True if each stage reads exactly what the one before it wrote, and none an earlier one. */
static bool is_ordered(const struct lu_accounts *a, const struct lu_flow *f)
{
	for (size_t i = 1; i < a->stage.n; i++) {
		const struct lu_count *out = &a->stage.p[i - 1].out, *in = &a->stage.p[i].in;

		if (out->docs != in->docs || out->bytes != in->bytes)
			return false;
	}
	for (size_t i = 0; i < f->edge.n; i++) {
		if (a->run.p[f->edge.p[i].from].stage > a->run.p[f->edge.p[i].to].stage)
			return false;
	}
	return true;
}

/* Rank of each stage in the usual pipeline, as far as edges say nothing. A program that is not ours
 * comes behind the stage whose lines it follows. */
static void rank_stages(const struct lu_accounts *a, size_t *rank)
{
	for (size_t i = 0; i < a->stage.n; i++) {
		rank[i] = rank_of(a->stage.p[i].kind);
		if (rank[i] == KINDS)
			rank[i] = i ? rank[i - 1] : 0;
	}
}

/* Put the stages in topological order, of those that are ready the first in the usual pipeline:
 * order[i] is the one at place i. */
static void sort_stages(const struct lu_accounts *a, const struct lu_flow *f, const size_t *rank,
		size_t *waits, size_t *order)
{
	size_t n = a->stage.n;

	for (size_t i = 0; i < f->edge.n; i++) {
		size_t from = a->run.p[f->edge.p[i].from].stage;
		size_t to = a->run.p[f->edge.p[i].to].stage;

		waits[to] += from != to;
	}
	for (size_t i = 0; i < n; i++) {
		size_t best = SIZE_MAX;

		for (size_t k = 0; k < n; k++) {
			if (waits[k] == SIZE_MAX)
				continue;
			if (best == SIZE_MAX || (waits[k] == 0) > (waits[best] == 0) ||
					((waits[k] == 0) == (waits[best] == 0) &&
							rank[k] < rank[best]))
				best = k;
		}
		order[i] = best;
		waits[best] = SIZE_MAX;
		for (size_t k = 0; k < f->edge.n; k++) {
			size_t to = a->run.p[f->edge.p[k].to].stage;

			if (a->run.p[f->edge.p[k].from].stage == best && waits[to] != SIZE_MAX &&
					waits[to] > 0)
				waits[to]--;
		}
	}
}

int lu_flow_order(struct lu_accounts *a, const struct lu_flow *f, struct lu_err *err)
{
	size_t n = a->stage.n;
	size_t *place = calloc(n + 1, sizeof(*place)), *order = calloc(n + 1, sizeof(*order));
	size_t *rank = calloc(n + 1, sizeof(*rank)), *waits = calloc(n + 1, sizeof(*waits));
	struct lu_stage *sorted = calloc(n + 1, sizeof(*sorted));
	int rc = 0;

	if (!place || !order || !rank || !waits || !sorted) {
		rc = lu_err_nomem(err);
		goto out;
	}
	if (n > MAX_ORDERED || is_ordered(a, f))
		goto out;
	rank_stages(a, rank);
	sort_stages(a, f, rank, waits, order);
	for (size_t i = 0; i < n; i++) {
		sorted[i] = a->stage.p[order[i]];
		place[order[i]] = i;
	}
	memcpy(a->stage.p, sorted, n * sizeof(*sorted));
	for (size_t i = 0; i < a->run.n; i++)
		a->run.p[i].stage = place[a->run.p[i].stage];
out:
	free(place);
	free(order);
	free(rank);
	free(waits);
	free(sorted);
	return rc;
}
