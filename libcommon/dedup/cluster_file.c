#include "libcommon/dedup/cluster_file.h"

#include "libcommon/base/json_writer.h"

#define FLUSH ((size_t)64 << 10)

int lu_cluster_file_open(
		struct lu_cluster_file *c, const char *path, int threads, struct lu_err *err)
{
	*c = (struct lu_cluster_file){ 0 };
	return lu_out_open(&c->out, path, NULL, threads, err);
}

static int end_line(struct lu_cluster_file *c, struct lu_err *err)
{
	if (!c->open)
		return 0;
	lu_json_close_array(&c->line);
	lu_json_close_object(&c->line);
	lu_buf_putc(&c->line, '\n');
	c->open = false;
	if (lu_out_buf(c->out, &c->line, err) < 0)
		return -1;
	lu_buf_clear(&c->line);
	return 0;
}

int lu_cluster_file_begin(struct lu_cluster_file *c, const struct lu_origin *kept, uint64_t size,
		struct lu_err *err)
{
	if (end_line(c, err) < 0)
		return -1;
	c->open = true;
	lu_json_open_object(&c->line, NULL);
	lu_json_put_raw(&c->line, "kept_id", kept->id);
	lu_json_put_cstr(&c->line, "kept_file", kept->file);
	lu_json_put_u64(&c->line, "kept_line", kept->line);
	lu_json_put_u64(&c->line, "cluster_size", size);
	lu_json_open_array(&c->line, "members");
	return 0;
}

int lu_cluster_file_add(struct lu_cluster_file *c, const struct lu_origin *removed,
		double similarity, struct lu_err *err)
{
	struct lu_buf *b = &c->line;

	lu_json_open_object(b, NULL);
	lu_json_put_raw(b, "id", removed->id);
	lu_json_put_cstr(b, "file", removed->file);
	lu_json_put_u64(b, "line", removed->line);
	lu_json_put_double(b, "similarity", similarity);
	lu_json_close_object(b);
	if (b->n < FLUSH)
		return lu_buf_check(b, err);
	/* The last byte stays: the writer of JSON looks at it. */
	if (lu_buf_check(b, err) < 0 || lu_out_write(c->out, b->p, b->n - 1, err) < 0)
		return -1;
	b->p[0] = b->p[b->n - 1];
	b->n = 1;
	return 0;
}

int lu_cluster_file_settle(struct lu_cluster_file *c, struct lu_err *err)
{
	return end_line(c, err) < 0 ? -1 : lu_out_settle(c->out, err);
}

int lu_cluster_file_commit(struct lu_cluster_file *c, struct lu_err *err)
{
	int rc = lu_out_commit(c->out, err);

	c->out = NULL;
	lu_cluster_file_abort(c);
	return rc;
}

void lu_cluster_file_abort(struct lu_cluster_file *c)
{
	lu_out_abort(c->out);
	lu_buf_release(&c->line);
	*c = (struct lu_cluster_file){ 0 };
}
