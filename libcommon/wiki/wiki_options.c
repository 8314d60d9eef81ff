#include "libcommon/wiki/wiki_options.h"

#include "libcommon/wiki/wiki_template.h"

enum keep { KEEP_REFERENCES, KEEP_SECTIONS };

const struct lu_enum lu_wiki_keeps[] = {
	{ "references", KEEP_REFERENCES },
	{ "sections", KEEP_SECTIONS },
	LU_ENUM_END,
};

int lu_wiki_options_open(
		struct lu_wiki_options *o, const struct lu_wiki_choice *c, struct lu_err *err)
{
	struct lu_wiki_templates *own = NULL;

	for (size_t i = 0; i < c->keep.n; i++) {
		const struct lu_enum *e = lu_enum_find(lu_wiki_keeps, lu_str_of(c->keep.item[i]));

		if (!e)
			return lu_err_set(err,
					"--wiki-keep: '%s' is unknown: references or sections",
					c->keep.item[i]);
		o->references |= e->value == KEEP_REFERENCES;
		o->sections |= e->value == KEEP_SECTIONS;
	}
	if (c->namespaces && lu_wiki_spaces_parse(c->namespaces, &o->spaces, err) < 0)
		return lu_err_wrap(err, "--namespaces");
	if (c->templates && lu_wiki_templates_read(&own, c->templates, err) < 0)
		return -1;
	o->own = own;
	return 0;
}

void lu_wiki_options_close(struct lu_wiki_options *o)
{
	lu_vec_release(&o->spaces);
	lu_wiki_templates_free(o->own);
}
