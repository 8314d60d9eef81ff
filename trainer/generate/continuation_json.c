#include "trainer/generate/continuation_json.h"

#include "libcommon/base/json_writer.h"

void lt_continuation_json(
		const struct lt_continuation *c, bool bound, bool details, struct lu_buf *out)
{
	lu_json_put_str(out, "continuation", c->text);
	lu_json_put_cstr(out, "end", lt_end_name(c->end));
	if (bound)
		lu_json_put_bool(out, "complete", c->complete);
	if (!details)
		return;
	lu_json_open_array(out, "ids");
	for (size_t i = 0; i < c->n; i++)
		lu_json_put_u64(out, NULL, c->ids[i]);
	lu_json_close_array(out);
	if (!c->log_p)
		return;
	lu_json_open_array(out, "log_p");
	for (size_t i = 0; i < c->n; i++)
		lu_json_put_fixed(out, NULL, c->log_p[i], 6);
	lu_json_close_array(out);
}
