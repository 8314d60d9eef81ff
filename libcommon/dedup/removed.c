#include "libcommon/dedup/removed.h"

#include <math.h>

#include "libcommon/base/json_writer.h"

struct lu_str lu_place_id(const struct lu_json_obj *obj)
{
	const struct lu_json_member *m = lu_json_get(obj, "id");

	return m ? m->value : LU_STR("null");
}

double lu_removed_round(double similarity)
{
	return floor(similarity * 1e4 + 0.5) / 1e4;
}

static void put_place(struct lu_buf *b, const char *prefix, const struct lu_place *p)
{
	lu_buf_printf(b, ",\"%sid\":", prefix);
	lu_buf_str(b, p->id);
	lu_buf_printf(b, ",\"%sfile\":", prefix);
	lu_json_quote(b, lu_str_of(p->file));
	lu_buf_printf(b, ",\"%sline\":%llu", prefix, (unsigned long long)p->line);
}

void lu_removed_open(struct lu_buf *b, const char *kind, const struct lu_place *removed,
		const struct lu_place *kept, double similarity)
{
	lu_buf_printf(b, "{\"kind\":\"%s\"", kind);
	put_place(b, "", removed);
	put_place(b, "kept_", kept);
	lu_buf_puts(b, ",\"similarity\":");
	lu_json_number(b, similarity);
}

void lu_removed_close(struct lu_buf *b, uint64_t cluster_size)
{
	lu_buf_puts(b, ",\"cluster_size\":");
	lu_buf_u64(b, cluster_size);
	lu_buf_puts(b, "}\n");
}
