#include "libcommon/import/entries_reader.h"

#include "libcommon/import/utf16_feed.h"

int lu_entries_reader_open(struct lu_entries_reader *r, const struct lu_entries_type *type,
		struct lu_feed *feed, bool text, const char *file, const char *tmpdir,
		const struct lu_entries_options *o, struct lu_err *err)
{
	struct lu_str head;

	if (lu_feed_peek(feed, 4, &head, err) < 0)
		return -1;
	if (text && lu_is_utf16(head)) {
		if (lu_utf16_feed_open(&r->utf16, feed, &r->text, err) < 0)
			return -1;
		feed = r->text;
		file = NULL;
	}
	if (type->open(&r->state, feed, file, tmpdir, o, err) < 0)
		return -1;
	r->type = type;
	return 0;
}

int lu_entries_reader_next(
		struct lu_entries_reader *r, struct lu_member *member, struct lu_err *err)
{
	int rc = r->type->block(r->state, &member->bytes, err);

	/* A member that reports damage instead has no block to convert. */
	if (rc > 0)
		member->entries = r->type;
	return rc;
}

void lu_entries_reader_close(struct lu_entries_reader *r)
{
	if (r->type)
		r->type->close(r->state);
	lu_feed_close(r->text);
	lu_utf16_feed_free(r->utf16);
}
