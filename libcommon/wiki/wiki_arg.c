/* The arguments of a call; see wiki_template.h. */
#include <stdlib.h>

#include "libcommon/wiki/wiki_template.h"

struct lu_str lu_wiki_trim(struct lu_str s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\n' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

struct lu_str lu_wiki_positional(const struct lu_wiki_call *c, size_t n)
{
	for (size_t i = 0; i < c->args; i++) {
		if (!c->arg[i].name.p && --n == 0)
			return lu_wiki_trim(c->arg[i].value);
	}
	return (struct lu_str){ "", 0 };
}

static bool is_digits(struct lu_str s)
{
	return s.n > 0 && s.n < 4 && lu_str_only(s, "0123456789");
}

struct lu_str lu_wiki_arg(const struct lu_wiki_call *c, const char *name)
{
	struct lu_str key = lu_str_of(name);

	/* The last one of a name counts. */
	for (size_t i = c->args; i > 0; i--) {
		if (c->arg[i - 1].name.p && lu_str_eq(c->arg[i - 1].name, key))
			return c->arg[i - 1].value;
	}
	if (is_digits(key))
		return lu_wiki_positional(c, (size_t)strtoul(name, NULL, 10));
	return (struct lu_str){ "", 0 };
}
