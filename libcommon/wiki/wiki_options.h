#ifndef LUCIE_WIKI_WIKI_OPTIONS_H
#define LUCIE_WIKI_WIKI_OPTIONS_H
/* The options of lucie-import for wikis. */
#include "libcommon/sys/opt.h"
#include "libcommon/wiki/wikitext.h"

/* What --wiki-keep takes. */
extern const struct lu_enum lu_wiki_keeps[];

struct lu_wiki_choice {
	const char *namespaces; /* "0,14"; NULL: articles */
	const char *templates;	/* a file of rows; NULL: none */
	struct lu_list keep;
};

/* Sentences name the option. */
int lu_wiki_options_open(struct lu_wiki_options *o, const struct lu_wiki_choice *c,
		struct lu_err *err) LU_CHECKED;
void lu_wiki_options_close(struct lu_wiki_options *o);

#endif
