#include "libcommon/wiki/wikitext.h"

#include "libcommon/wiki/wiki_expand.h"
#include "libcommon/wiki/wiki_layout.h"

int lu_wikitext(struct lu_wikitext *w, struct lu_str markup, struct lu_err *err)
{
	if (lu_wiki_expand(w, markup, err) < 0 || lu_wiki_layout(w, err) < 0)
		return -1;
	return lu_buf_check(&w->names, err);
}

void lu_wikitext_release(struct lu_wikitext *w)
{
	lu_buf_release(&w->text);
	lu_buf_release(&w->names);
	lu_buf_release(&w->expanded);
	lu_buf_release(&w->result);
	lu_buf_release(&w->scratch);
	lu_vec_release(&w->frames);
	lu_vec_release(&w->parts);
	lu_vec_release(&w->args);
}
