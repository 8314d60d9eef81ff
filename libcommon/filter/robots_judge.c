#include "libcommon/filter/robots_judge.h"

#include <time.h>

#include "libcommon/base/json_writer.h"

const struct lu_enum lu_robots_missing[] = {
	{ "keep", LU_ROBOTS_KEEP_MISSING },
	{ "drop", LU_ROBOTS_DROP_MISSING },
	LU_ENUM_END,
};

struct local {
	struct lu_buf scratch, json;
	uint64_t decided[LU_ROBOTS_NO_ADDRESS + 1];
};

static const struct {
	const char *decision; /* in the record, and in the accounting line */
	const char *reason;   /* to drop the document; NULL: it is kept */
} names[] = {
	[LU_ROBOTS_ALLOWED] = { "allowed", NULL },
	[LU_ROBOTS_DISALLOWED] = { "disallowed", "robots.txt" },
	[LU_ROBOTS_UNAVAILABLE] = { "unavailable", NULL },
	[LU_ROBOTS_UNREACHABLE] = { "unreachable", "robots.txt unreachable" },
	[LU_ROBOTS_MISSING] = { "missing", "no robots.txt" },
	[LU_ROBOTS_NO_ADDRESS] = { "no url", "no url" },
};

static void put_date(struct lu_buf *out, int64_t date)
{
	char text[32];
	time_t at = (time_t)date;
	struct tm tm;

	if (date != LU_ROBOTS_UNDATED && gmtime_r(&at, &tm) &&
			strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		lu_json_put_cstr(out, "date", text);
}

static void put_answer(struct lu_buf *out, const struct lu_robots_answer *a)
{
	lu_buf_clear(out);
	lu_json_open_object(out, NULL);
	lu_json_put_cstr(out, "decision", names[a->decision].decision);
	lu_json_put_str(out, "agent", a->agent);
	if (a->rule.p)
		lu_json_put_str(out, "rule", a->rule);
	put_date(out, a->date);
	lu_json_close_object(out);
}

static int map(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_robots_run *r = ctx;
	struct local *l = local;
	struct lu_robots_answer a;
	struct lu_str url = { 0 }, value;
	const char *reason;

	lu_doc_string(doc, "url", &url);
	lu_robots_ask(&r->robots, url, &l->scratch, &a);
	if (a.decision != LU_ROBOTS_DISALLOWED)
		a.rule = (struct lu_str){ 0 };
	put_answer(&l->json, &a);
	if (lu_buf_check(&l->scratch, err) < 0 || lu_buf_check(&l->json, err) < 0)
		return -1;
	l->decided[a.decision]++;
	reason = names[a.decision].reason;
	if (a.decision >= LU_ROBOTS_MISSING && r->missing == LU_ROBOTS_KEEP_MISSING)
		reason = NULL;
	if (!reason)
		return lu_doc_set_json(doc, "robots", &l->json, err);
	value = lu_arena_str(doc->arena, lu_buf_slice(&l->json));
	return value.p ? lu_doc_drop(doc, reason, &value) : lu_err_nomem(err);
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	struct lu_robots_run *r = ctx;
	const struct local *l = local;

	(void)err;
	for (int i = 0; i <= LU_ROBOTS_NO_ADDRESS; i++)
		r->decided[i] += l->decided[i];
	return 0;
}

static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct lu_robots_run *r = ctx;

	lu_json_open_object(&stats->extra, "robots");
	lu_json_put_u64(&stats->extra, "responses", r->robots.read);
	lu_json_put_u64(&stats->extra, "passed_over", r->robots.passed_over);
	for (int i = 0; i <= LU_ROBOTS_NO_ADDRESS; i++)
		lu_json_put_u64(&stats->extra, names[i].decision, r->decided[i]);
	lu_json_close_object(&stats->extra);
	return lu_buf_check(&stats->extra, err);
}

static void local_free(void *local)
{
	struct local *l = local;

	lu_buf_release(&l->scratch);
	lu_buf_release(&l->json);
}

const struct lu_judge lu_robots_judge = {
	.map = map,
	.local_size = sizeof(struct local),
	.local_free = local_free,
	.merge = merge,
	.finish = finish,
};

void lu_robots_run_close(struct lu_robots_run *r)
{
	lu_robots_release(&r->robots);
}
