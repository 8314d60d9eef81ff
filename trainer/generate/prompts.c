#include "trainer/generate/prompts.h"

#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/par/held.h"
#include "libcommon/sys/progress.h"
#include "trainer/generate/continuation_json.h"

struct run {
	struct lt_prompts *p;
	const struct lu_std *std;
	const struct lu_args *args;
	struct lu_docstream *ds;
	struct lu_held held;
	struct lu_ids ids;	     /* of all prompts */
	struct LU_VEC(size_t) begin; /* of each prompt in ids */
	struct lu_arena arena;
	struct lu_buf samples;
	struct lu_progress progress;
	struct lu_err *err;
};

int lt_prompt_ids(const struct lu_tok *tok, struct lu_tok_state *state, struct lu_str text,
		struct lu_ids *ids, struct lu_err *err)
{
	uint32_t bos;

	if (lu_ids_reserve(ids, 1, err) < 0)
		return -1;
	if (lu_tok_role(tok, LU_TOK_BOS, &bos))
		ids->p[ids->n++] = bos;
	return lu_tok_encode(tok, state, text, LU_TOK_SPECIAL_TEXT, ids, err);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* The state of a thread is a pointer to its encoder context. */
static int state_init(void *ctx, void *local, struct lu_err *err)
{
	struct lu_tok_state **state = local;

	*state = lu_tok_state_new(((const struct run *)ctx)->p->tok);
	return *state ? 0 : lu_err_nomem(err);
}

static void state_free(void *local)
{
	lu_tok_state_free(*(struct lu_tok_state **)local);
}

static int encode(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	struct lu_ids ids = { 0 }, *kept = NULL;
	int rc = lt_prompt_ids(r->p->tok, *(struct lu_tok_state **)local, doc->text, &ids, err);

	if (rc == 0 && ids.n == 0) {
		lu_doc_drop(doc, "empty text", NULL);
	} else if (rc == 0 && ids.n > r->p->how->context) {
		lu_doc_drop_number(doc, "longer than the context", (double)ids.n);
	} else if (rc == 0) {
		kept = lu_arena_alloc(doc->arena, sizeof(*kept) + ids.n * sizeof(*ids.p));
		if (!kept) {
			rc = lu_err_nomem(err);
		} else {
			*kept = (struct lu_ids){ .p = (uint32_t *)(void *)(kept + 1), .n = ids.n };
			memcpy(kept->p, ids.p, ids.n * sizeof(*ids.p));
		}
	}
	doc->user = kept;
	lu_ids_release(&ids);
	return rc;
}

static int hold(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	struct run *r = ctx;
	const struct lu_ids *ids = doc->user;

	if (doc->verdict != LU_KEEP)
		return 0;
	if (lu_ids_reserve(&r->ids, ids->n, err) < 0)
		return -1;
	if (!lu_vec_push(&r->begin, r->ids.n))
		return lu_err_nomem(err);
	memcpy(r->ids.p + r->ids.n, ids->p, ids->n * sizeof(*ids->p));
	r->ids.n += ids->n;
	return lu_held_add(&r->held, doc, err) < 0 ? -1 : lu_doc_hold(doc);
}

/* --- writing ----------------------------------------------------------------------------------- */

/* The record that a line stands for. */
static int record_of_line(struct run *r, struct lu_doc *doc, struct lu_err *err)
{
	struct lu_buf b = { 0 };
	int rc;

	lu_json_open_object(&b, NULL);
	lu_json_put_str(&b, "text", doc->raw);
	lu_json_close_object(&b);
	rc = lu_buf_check(&b, err);
	if (rc == 0) {
		doc->obj.line = lu_arena_str(&r->arena, lu_buf_slice(&b));
		rc = doc->obj.line.p ? 0 : lu_err_nomem(err);
	}
	lu_buf_release(&b);
	return rc;
}

/* Set each member of an object that has been built as one of the record. */
static int set_members(struct run *r, struct lu_doc *doc, struct lu_str object, struct lu_err *err)
{
	struct lu_json_fault fault;
	struct lu_json_obj o;

	if (lu_json_object(object, &r->arena, &o, &fault) < 0)
		return lu_json_fail(&fault, err);
	for (size_t i = 0; i < o.members; i++) {
		struct lu_str key = lu_arena_str(&r->arena, o.member[i].key);

		if (!key.p)
			return lu_err_nomem(err);
		lu_doc_set(doc, key.p, o.member[i].value);
	}
	return 0;
}

/* Write record i with what is in r->samples, an object or several, which is emptied. */
static int put(struct run *r, size_t i, struct lu_err *err)
{
	struct lu_doc doc = { .arena = &r->arena };
	struct lu_json_fault fault;
	int rc;

	lu_arena_reset(&r->arena);
	if (lu_buf_check(&r->samples, err) < 0 || lu_held_get(&r->held, i, &doc, err) < 0 ||
			(r->p->lines && record_of_line(r, &doc, err) < 0))
		return -1;
	if (lu_json_object(doc.obj.line, &r->arena, &doc.obj, &fault) < 0)
		return lu_json_fail(&fault, err);
	if (r->p->samples == 1)
		rc = set_members(r, &doc, lu_buf_slice(&r->samples), err);
	else
		rc = lu_doc_set_json(&doc, "continuations", &r->samples, err);
	if (rc == 0)
		rc = lu_docstream_put(r->ds, &doc, err);
	lu_buf_clear(&r->samples);
	return rc;
}

static int done(void *ctx, size_t i, const struct lt_continuation *c, struct lu_err *err)
{
	struct run *r = ctx;
	uint64_t n = r->p->samples;
	bool many = n > 1;

	if (many && i % n == 0)
		lu_json_open_array(&r->samples, NULL);
	lu_json_open_object(&r->samples, NULL);
	lt_continuation_json(c, r->p->how->schema != NULL, r->p->details, &r->samples);
	lu_json_close_object(&r->samples);
	r->p->incomplete += r->p->how->schema && !c->complete;
	lu_progress_update(&r->progress, i + 1, 0);
	if ((i + 1) % n)
		return 0;
	if (many)
		lu_json_close_array(&r->samples);
	return put(r, i / n, err);
}

/* --- the run ----------------------------------------------------------------------------------- */

static int generate(struct run *r, struct lu_err *err)
{
	const struct lt_generate_calls calls = { .ctx = r, .done = done };
	size_t docs = r->begin.n, n, samples = (size_t)r->p->samples;
	struct lt_prompt *prompt = NULL;
	struct lt_generator *g = NULL;
	int rc = -1;

	if (__builtin_mul_overflow(docs, samples, &n) || !(prompt = calloc(n + 1, sizeof(*prompt))))
		return lu_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		size_t d = i / samples, from = r->begin.p[d];
		size_t to = d + 1 < docs ? r->begin.p[d + 1] : r->ids.n;

		prompt[i] = (struct lt_prompt){ r->ids.p + from, to - from, i };
	}
	lu_progress_start_units(
			&r->progress, r->args->tool->name, r->std->progress, n, "continuations");
	if (lu_held_rewind(&r->held, err) == 0 &&
			lt_generator_open(&g, r->p->weights, r->p->tok, r->p->how, err) == 0)
		rc = lt_generate(g, prompt, n, &calls, err);
	lu_progress_end(&r->progress);
	lt_generator_close(g);
	free(prompt);
	return rc;
}

static int generate_in_team(void *ctx)
{
	struct run *r = ctx;

	return generate(r, r->err);
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	struct run *r = ctx;

	(void)stats;
	r->err = err;
	return r->begin.n ? lk_cpu_team(r->std->threads, generate_in_team, r) : 0;
}

int lt_prompts_run(struct lt_prompts *p, const struct lu_std *std, const struct lu_args *args,
		struct lu_err *err)
{
	struct run r = { .p = p, .std = std, .args = args, .held = LU_HELD_NONE };
	struct lu_docstream ds = { .ctx = &r,
		.map = encode,
		.decide = hold,
		.finish = finish,
		.flags = p->lines ? LU_DOCSTREAM_LINES : 0,
		.local_size = sizeof(struct lu_tok_state *),
		.local_init = state_init,
		.local_free = state_free };
	int rc = lu_held_open(&r.held, std->tmpdir, err);

	r.ds = &ds;
	p->incomplete = 0;
	if (rc == 0)
		rc = lu_docstream_run(&ds, std, args, err);
	lu_held_close(&r.held);
	lu_ids_release(&r.ids);
	lu_vec_release(&r.begin);
	lu_arena_release(&r.arena);
	lu_buf_release(&r.samples);
	return rc;
}
