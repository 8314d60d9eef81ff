#include "libcommon/import/copyright.h"

#include <strings.h>

#include "libcommon/base/take_line.h"

/* True if the line is the field `name`; sets its value. */
static bool value_of(struct lu_str line, const char *name, struct lu_str *value)
{
	size_t n = strlen(name);

	if (line.n <= n || strncasecmp(line.p, name, n) != 0 || line.p[n] != ':')
		return false;
	*value = (struct lu_str){ line.p + n + 1, line.n - n - 1 };
	while (value->n && (value->p[0] == ' ' || value->p[0] == '\t')) {
		value->p++;
		value->n--;
	}
	return true;
}

/* True if `word` occurs between blanks: "or" is not in "Frameworx". */
static bool has_word(struct lu_str s, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= s.n; i++) {
		if (strncasecmp(s.p + i, word, n) == 0 && (i == 0 || s.p[i - 1] == ' ') &&
				(i + n == s.n || s.p[i + n] == ' '))
			return true;
	}
	return false;
}

/* True if `name` is one of the parts of `list`, which are joined by " AND ". */
static bool is_listed(struct lu_str list, struct lu_str name)
{
	for (size_t i = 0; i + name.n <= list.n; i++) {
		bool starts = i == 0 || (i >= 5 && memcmp(list.p + i - 5, " AND ", 5) == 0);
		bool ends = i + name.n == list.n ||
				(list.n - i - name.n >= 5 &&
						memcmp(list.p + i + name.n, " AND ", 5) == 0);

		if (starts && ends && memcmp(list.p + i, name.p, name.n) == 0)
			return true;
	}
	return false;
}

/* Add a licence to the list out->p[from ..], unless it is there. */
static void add(struct lu_buf *out, size_t from, struct lu_str name)
{
	struct lu_buf wrapped = { 0 };
	bool several = has_word(name, "or") || has_word(name, "and");

	if (several)
		lu_buf_putc(&wrapped, '(');
	lu_buf_str(&wrapped, name);
	if (several)
		lu_buf_putc(&wrapped, ')');
	if (!lu_buf_ok(&wrapped)) {
		out->failed = true;
	} else if (!is_listed((struct lu_str){ out->p + from, out->n - from },
				   lu_buf_slice(&wrapped))) {
		if (out->n > from)
			lu_buf_puts(out, " AND ");
		lu_buf_str(out, lu_buf_slice(&wrapped));
	}
	lu_buf_release(&wrapped);
}

void lu_copyright_license(struct lu_str file, struct lu_buf *out)
{
	struct lu_str line, v;
	bool format = false, files = true; /* the header paragraph may have a License too */
	size_t from = out->n;

	if (!lu_buf_reserve(out, 64))
		return;
	while (lu_take_line(&file, &line)) {
		while (line.n && strchr(" \t\r", line.p[line.n - 1]) && line.p[line.n - 1])
			line.n--;
		if (line.n == 0)
			files = false;
		else if (value_of(line, "Format", &v) || value_of(line, "Format-Specification", &v))
			format = true;
		else if (value_of(line, "Files", &v))
			files = true;
		else if (format && files && value_of(line, "License", &v) && v.n)
			add(out, from, v);
	}
}
