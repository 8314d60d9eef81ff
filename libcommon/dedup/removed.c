#include "libcommon/dedup/removed.h"

#include <math.h>

#include "libcommon/base/json_writer.h"

struct lu_str lu_origin_id(const struct lu_json_obj *obj)
{
	const struct lu_json_member *m = lu_json_get(obj, "id");

	return m ? m->value : LU_STR("null");
}

double lu_removed_round(double similarity)
{
	return floor(similarity * 1e4 + 0.5) / 1e4;
}

void lu_removed_open(struct lu_buf *b, const char *kind, const struct lu_origin *removed,
		const struct lu_origin *kept, double similarity)
{
	lu_json_open_object(b, NULL);
	lu_json_put_cstr(b, "kind", kind);
	lu_json_put_raw(b, "id", removed->id);
	lu_json_put_cstr(b, "file", removed->file);
	lu_json_put_u64(b, "line", removed->line);
	lu_json_put_raw(b, "kept_id", kept->id);
	lu_json_put_cstr(b, "kept_file", kept->file);
	lu_json_put_u64(b, "kept_line", kept->line);
	lu_json_put_double(b, "similarity", similarity);
}

void lu_removed_close(struct lu_buf *b, uint64_t cluster_size)
{
	lu_json_put_u64(b, "cluster_size", cluster_size);
	lu_json_close_object(b);
	lu_buf_putc(b, '\n');
}
