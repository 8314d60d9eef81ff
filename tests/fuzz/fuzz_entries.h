#ifndef LUCIE_TESTS_FUZZ_ENTRIES_H
#define LUCIE_TESTS_FUZZ_ENTRIES_H
/* A format of many documents over any bytes: it gives entries or an error that names the file; what it
 * gives is not longer than the file, and a name is there where names are distinct. */
#include <stdint.h>
#include <stdlib.h>

#include "libcommon/entries/entries.h"
#include "libcommon/io/json.h"

struct fuzz_entries {
	const struct lu_entries_type *type;
	bool made; /* records are made by the format, so that they are JSON */
	uint64_t bytes;
	struct lu_arena arena;
};

static inline int fuzz_entry(void *ctx, const struct lu_entry *e, struct lu_err *err)
{
	struct fuzz_entries *f = ctx;
	struct lu_json_fault fault;
	struct lu_json_obj obj;

	(void)err;
	f->bytes += e->size;
	if ((e->name.n == 0 && f->type->distinct) || (e->bad && !e->drop))
		abort();
	lu_arena_reset(&f->arena);
	if (f->made && !e->drop && lu_json_object(e->bytes, &f->arena, &obj, &fault) < 0)
		abort();
	return 0;
}

static inline void fuzz_entries_run(const struct lu_entries_type *type, bool made,
		const struct lu_entries_options *o, const uint8_t *data, size_t size)
{
	struct lu_str left = { (const char *)data, size };
	struct fuzz_entries f = { .type = type, .made = made };
	struct lu_buf block = { 0 };
	struct lu_err err = { 0 };
	struct lu_feed *feed;
	void *state = NULL;
	int rc;

	if (lu_feed_open_str(&feed, "fuzz", &left, &err) < 0)
		return;
	rc = type->open(&state, feed, NULL, "/tmp", o, &err);
	while (rc >= 0 && (rc = type->block(state, &block, &err)) > 0) {
		if (type->convert(o, lu_buf_slice(&block), fuzz_entry, &f, &err) < 0)
			abort();
	}
	if ((rc < 0 && strncmp(err.msg, "fuzz", 4) != 0) || f.bytes > feed->given)
		abort();
	type->close(state);
	lu_feed_close(feed);
	lu_buf_release(&block);
	lu_arena_release(&f.arena);
}

#endif
