#include "libcommon/tokenizer/step_buffers.h"

struct lu_buf *lu_step_buffers_other(struct lu_step_buffers *w, struct lu_str text)
{
	bool in_a = w->a.p && text.p >= w->a.p && text.p <= w->a.p + w->a.cap;
	struct lu_buf *other = in_a ? &w->b : &w->a;

	lu_buf_clear(other);
	return other;
}

void lu_step_buffers_release(struct lu_step_buffers *w)
{
	lu_buf_release(&w->a);
	lu_buf_release(&w->b);
	lu_vec_release(&w->spans);
	lu_vec_release(&w->new_spans);
}
