#include "libcommon/shard/sets.h"

#include <stdlib.h>

#include "libcommon/base/json_writer.h"

static int open_set(struct lu_shard_sets *s, struct lu_str name, struct lu_err *err)
{
	struct lu_shard_format f = s->format;
	struct lu_buf prefix = { 0 }, options = { 0 };
	struct lu_shard_set set = { .file = s->file };
	int rc = -1;

	lu_buf_puts(&prefix, s->prefix);
	if (name.n) {
		lu_buf_putc(&prefix, '-');
		lu_buf_str(&prefix, name);
	}
	if (lu_buf_check(&prefix, err) < 0)
		goto out;
	s->put_options(s->ctx, prefix.p + strlen(s->prefix), &options);
	if (lu_buf_check(&options, err) < 0)
		goto out;
	f.options = lu_buf_slice(&options);
	if (lu_shard_writer_open(&set.writer, prefix.p, &f, err) < 0)
		goto out;
	set.prefix = prefix.p;
	if (!lu_vec_push(&s->set, set)) {
		lu_shard_writer_free(set.writer);
		lu_err_nomem(err);
		goto out;
	}
	prefix = (struct lu_buf){ 0 };
	rc = 0;
out:
	lu_buf_release(&prefix);
	lu_buf_release(&options);
	return rc;
}

int lu_shard_sets_open(struct lu_shard_sets *s, const char *prefix,
		const struct lu_shard_format *format, lu_shard_options_fn *put_options, void *ctx,
		struct lu_err *err)
{
	*s = (struct lu_shard_sets){
		.prefix = prefix, .format = *format, .put_options = put_options, .ctx = ctx
	};
	return open_set(s, LU_STR(""), err);
}

struct lu_shard_writer *lu_shard_sets_get(
		struct lu_shard_sets *s, struct lu_str name, struct lu_err *err)
{
	size_t skip = strlen(s->prefix) + 1, i;

	if (name.n == 0)
		return s->set.p[0].writer;
	for (i = 1; i < s->set.n && !lu_str_is(name, s->set.p[i].prefix + skip); i++)
		;
	if (i == s->set.n) {
		if (open_set(s, name, err) < 0)
			return NULL;
	} else if (s->set.p[i].file != s->file) {
		if (lu_shard_writer_next(s->set.p[i].writer, err) < 0)
			return NULL;
		s->set.p[i].file = s->file;
	}
	return s->set.p[i].writer;
}

int lu_shard_sets_next(struct lu_shard_sets *s, struct lu_err *err)
{
	s->file++;
	return lu_shard_writer_next(s->set.p[0].writer, err);
}

int lu_shard_sets_settle(struct lu_shard_sets *s, struct lu_err *err)
{
	for (size_t i = 0; i < s->set.n; i++) {
		if (lu_shard_writer_settle(s->set.p[i].writer, err) < 0)
			return -1;
	}
	return 0;
}

void lu_shard_sets_put(const struct lu_shard_sets *s, struct lu_buf *b)
{
	uint64_t tokens = 0;

	for (size_t i = 0; i < s->set.n; i++)
		tokens += lu_shard_writer_tokens(s->set.p[i].writer);
	lu_json_put_u64(b, "tokens", tokens);
	lu_json_open_array(b, "shards");
	for (size_t i = 0; i < s->set.n; i++) {
		const struct lu_shard_set *set = &s->set.p[i];

		lu_json_open_object(b, NULL);
		lu_json_put_cstr(b, "prefix", set->prefix);
		lu_json_put_u64(b, "documents", lu_shard_writer_documents(set->writer));
		lu_json_put_u64(b, "tokens", lu_shard_writer_tokens(set->writer));
		if (s->format.kind)
			lu_json_put_u64(b, "targets", lu_shard_writer_targets(set->writer));
		lu_json_close_object(b);
	}
	lu_json_close_array(b);
}

int lu_shard_sets_commit(struct lu_shard_sets *s, struct lu_err *err)
{
	for (size_t i = s->set.n; i-- > 0;) {
		if (lu_shard_writer_commit(s->set.p[i].writer, err) < 0)
			return -1;
	}
	return 0;
}

void lu_shard_sets_close(struct lu_shard_sets *s)
{
	for (size_t i = 0; i < s->set.n; i++) {
		lu_shard_writer_free(s->set.p[i].writer);
		free(s->set.p[i].prefix);
	}
	lu_vec_release(&s->set);
}
