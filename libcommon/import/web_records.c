#include "libcommon/import/web_records.h"

#include <strings.h>

#include "libcommon/import/arc.h"
#include "libcommon/import/kind.h"

bool lu_web_records_look(struct lu_str head)
{
	return lu_warc_looks(head) || lu_arc_looks(head);
}

static bool is_named(const char *path, const char *ending)
{
	struct lu_str e = lu_extension_of(lu_str_of(path));

	return e.n == strlen(ending) && strncasecmp(e.p, ending, e.n) == 0;
}

bool lu_web_records_named(const char *path)
{
	return is_named(path, "warc") || is_named(path, "arc") || is_named(path, "wet") ||
			is_named(path, "wat");
}

int lu_web_records_begin(struct lu_web_records *w, struct lu_feed *f, struct lu_err *err)
{
	struct lu_str head;

	if (!lu_in_is_damaged(f->in)) {
		if (lu_feed_peek(f, LU_WEB_HEAD, &head, err) < 0)
			return -1;
		w->rec.arc = lu_arc_looks(head);
	} else {
		w->rec.arc = is_named(lu_feed_name(f), "arc");
	}
	lu_feed_stop_at(f, lu_warc_mark(&w->rec));
	return 0;
}

/* Copy s, which may be absent, to the arena. */
static struct lu_str keep(struct lu_arena *arena, struct lu_str s, bool *ok)
{
	struct lu_str copy = s.p ? lu_arena_str(arena, s) : s;

	*ok = *ok && (!s.p || copy.p);
	return copy;
}

/* The fields of the record that was just read. */
static int take_fields(struct lu_web_records *w, struct lu_buf *path, struct lu_member *member,
		struct lu_arena *arena, struct lu_err *err)
{
	const struct lu_warc *rec = &w->rec;
	bool ok = true;

	w->n++;
	if (rec->id.p)
		lu_buf_str(path, rec->id);
	else
		lu_buf_u64(path, w->n);
	member->warc = true;
	member->type = keep(arena, rec->type, &ok);
	member->url = keep(arena, rec->url, &ok);
	member->date = keep(arena, rec->date, &ok);
	member->content_type = keep(arena, rec->content_type, &ok);
	member->truncated = keep(arena, rec->truncated, &ok);
	if (rec->cut && !member->truncated.p)
		member->truncated = LU_STR(LU_INCOMPLETE);
	member->wrong_length = rec->wrong;
	return ok ? lu_buf_check(path, err) : lu_err_nomem(err);
}

int lu_web_records_next(struct lu_web_records *w, struct lu_feed *f, uint64_t limit,
		struct lu_buf *path, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_buf swap;
	int rc = lu_warc_next(f, limit, &w->rec, err);

	if (rc <= 0)
		return rc;
	if (rc == 2) {
		member->bad = true;
		member->drop = "damaged";
		member->detail = lu_arena_str(arena, lu_str_of(err->msg));
		if (!member->detail.p)
			return lu_err_nomem(err);
		lu_buf_clear(&member->bytes);
		return take_fields(w, path, member, arena, err) < 0 ? -1 : 1;
	}
	if (w->rec.too_large)
		member->drop = "too large";
	if (take_fields(w, path, member, arena, err) < 0)
		return -1;
	member->size = w->rec.length;
	swap = member->bytes;
	member->bytes = w->rec.body;
	w->rec.body = swap;
	return 1;
}

void lu_web_records_release(struct lu_web_records *w)
{
	lu_warc_release(&w->rec);
	lu_names_release(&w->names);
}
