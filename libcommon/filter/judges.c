#include "libcommon/filter/judges.h"

#include <stdalign.h>

#include "libcommon/base/vec.h"

/* A thread's state: a header that leads local_free() to the seats, then the state of each. */
struct head {
	alignas(max_align_t) const struct lu_judges *judges;
};

static void *state(void *local, const struct lu_judge_seat *seat)
{
	return seat->judge->local_size ? (char *)local + seat->at : NULL;
}

int lu_judges_add(struct lu_judges *js, const struct lu_judge *judge, void *ctx, struct lu_err *err)
{
	size_t align = alignof(max_align_t);
	struct lu_judge_seat seat = { judge, ctx, 0 };

	if (js->local_size == 0)
		js->local_size = sizeof(struct head);
	seat.at = js->local_size;
	js->decides = js->decides || judge->decide;
	js->local_size += (judge->local_size + align - 1) / align * align;
	return lu_vec_push(&js->seats, seat) ? 0 : lu_err_nomem(err);
}

static int start(void *ctx, void *local, struct lu_err *err)
{
	const struct lu_judges *js = ctx;

	((struct head *)local)->judges = js;
	for (size_t i = 0; i < js->seats.n; i++) {
		const struct lu_judge_seat *s = &js->seats.p[i];

		if (s->judge->local_init && s->judge->local_init(s->ctx, state(local, s), err) < 0)
			return -1;
	}
	return 0;
}

static void end(void *local)
{
	const struct lu_judges *js = ((struct head *)local)->judges;

	for (size_t i = 0; js && i < js->seats.n; i++) {
		const struct lu_judge_seat *s = &js->seats.p[i];

		if (s->judge->local_free)
			s->judge->local_free(state(local, s));
	}
}

/* For decide(), doc->user becomes an array of what each judge left there. */
static int ask(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_judges *js = ctx;
	void **user = NULL;

	if (js->decides) {
		user = lu_arena_alloc(doc->arena, js->seats.n * sizeof(*user));
		if (!user)
			return lu_err_nomem(err);
	}
	for (size_t i = 0; i < js->seats.n && doc->verdict == LU_KEEP; i++) {
		const struct lu_judge_seat *s = &js->seats.p[i];

		doc->user = NULL;
		if (s->judge->map(s->ctx, state(local, s), doc, err) < 0)
			return -1;
		if (user)
			user[i] = doc->user;
	}
	doc->user = user;
	return 0;
}

static int settle(void *ctx, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_judges *js = ctx;
	void **user = doc->user;

	for (size_t i = 0; i < js->seats.n && doc->verdict == LU_KEEP; i++) {
		const struct lu_judge_seat *s = &js->seats.p[i];

		doc->user = user[i];
		if (s->judge->decide && s->judge->decide(s->ctx, doc, err) < 0)
			return -1;
	}
	return 0;
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	const struct lu_judges *js = ctx;

	for (size_t i = 0; i < js->seats.n; i++) {
		const struct lu_judge_seat *s = &js->seats.p[i];

		if (s->judge->merge && s->judge->merge(s->ctx, state(local, s), err) < 0)
			return -1;
	}
	return 0;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct lu_judges *js = ctx;

	for (size_t i = 0; i < js->seats.n; i++) {
		const struct lu_judge_seat *s = &js->seats.p[i];

		if (s->judge->finish && s->judge->finish(s->ctx, stats, err) < 0)
			return -1;
	}
	return lu_buf_check(&stats->extra, err);
}

static int commit(void *ctx, struct lu_err *err)
{
	const struct lu_judges *js = ctx;

	for (size_t i = 0; i < js->seats.n; i++) {
		const struct lu_judge_seat *s = &js->seats.p[i];

		if (s->judge->commit && s->judge->commit(s->ctx, err) < 0)
			return -1;
	}
	return 0;
}

int lu_judges_run(struct lu_judges *js, unsigned flags, const struct lu_std *std,
		const struct lu_args *args, struct lu_err *err)
{
	struct lu_docstream ds = { .ctx = js,
		.map = ask,
		.local_size = js->local_size ? js->local_size : sizeof(struct head),
		.local_init = start,
		.local_free = end,
		.decide = js->decides ? settle : NULL,
		.merge = merge,
		.finish = finish,
		.commit = commit,
		.flags = flags };

	return lu_docstream_run(&ds, std, args, err);
}

void lu_judges_release(struct lu_judges *js)
{
	lu_vec_release(&js->seats);
	js->local_size = 0;
}
