#include "libcommon/import/left_out.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "libcommon/import/kind.h"

/* Further kinds are counted together, so that hostile names take no memory. */
#define KINDS_MAX 64
/* A list names that many; the rest is one number. */
#define LISTED 6

/* Reasons that need other words, or have a way out. */
static const struct words {
	const char *reason, *what, *advice;
} words[] = {
	{ "not text", "binary data", NULL },
	{ "unknown kind", "text of unknown kind", "-k text reads it as plain text" },
	{ "not valid in its charset", "not UTF-8",
			"--charset names its charset, for example windows-1252" },
	{ "invalid UTF-8", "invalid UTF-8",
			"--charset names its charset, for example windows-1252" },
	{ "ill-formed in its charset", "with ill-formed bytes", NULL },
	{ "charset not decoded", "in a charset that is not decoded", NULL },
	{ "too large", "larger than --max-line", "a higher --max-line reads it" },
	{ "too short", "shorter than --min-bytes", NULL },
	{ "excluded", "excluded by -i or -x", NULL },
	{ "encrypted", "encrypted", "decrypt it first" },
	{ LU_NO_TEXT_MEMBER, LU_NO_TEXT_MEMBER, "--text-field names the member with the text" },
	{ "no text layer", "without a text layer", "ocrmypdf adds one, for example" },
};

/* What distinguishes a member to people: the ending of its name, if that looks like one. */
static void set_label(struct lu_left_kind *kind, const struct lu_member *m, const char *reason)
{
	struct lu_str e = lu_extension_of(m->name);
	size_t n = sizeof(kind->label) - 1;

	kind->label[0] = '\0';
	if (strcmp(reason, "excluded") == 0)
		return;
	if (m->warc)
		snprintf(kind->label, sizeof(kind->label), "record");
	else
		snprintf(kind->label, sizeof(kind->label), "without suffix");
	if (m->warc || e.n == 0 || e.n > n - 1)
		return;
	for (size_t i = 0; i < e.n; i++) {
		if (!isalnum((unsigned char)e.p[i]) && e.p[i] != '_' && e.p[i] != '-')
			return;
	}
	kind->label[0] = '.';
	for (size_t i = 0; i < e.n; i++)
		kind->label[i + 1] = (char)tolower((unsigned char)e.p[i]);
	kind->label[e.n + 1] = '\0';
}

/* The row of words for a reason, NULL: none. */
static const struct words *words_for(const char *reason)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(reason, words[i].reason) == 0)
			return &words[i];
	}
	return NULL;
}

int lu_left_out_add(struct lu_left_out *l, const struct lu_member *m,
		const struct lu_import_result *res, struct lu_err *err)
{
	const struct lu_format *format = res->format;
	const char *reason = res->drop;
	const struct words *known = words_for(reason);
	struct lu_left_kind kind = { .what = reason, .n = 1 };

	set_label(&kind, m, reason);
	if (known) {
		kind.what = known->what;
		kind.advice = known->advice;
	}
	if (format) {
		kind.what = format->name;
		kind.advice = format->advice;
	}
	if (!l->hint[0] && res->detail.p && strcmp(reason, LU_NO_TEXT_MEMBER) == 0)
		snprintf(l->hint, sizeof(l->hint), LU_STR_FMT, LU_STR_ARG(res->detail));
	l->n++;
	for (size_t i = 0; i < l->kinds.n; i++) {
		struct lu_left_kind *k = &l->kinds.p[i];

		if (strcmp(k->label, kind.label) == 0 && strcmp(k->what, kind.what) == 0) {
			k->n++;
			return 0;
		}
	}
	if (l->kinds.n < KINDS_MAX && !lu_vec_push(&l->kinds, kind))
		return lu_err_nomem(err);
	return 0;
}

/* The most frequent kind after `last` (NULL: of all); among equals the one that came first. */
static const struct lu_left_kind *most(const struct lu_left_out *l, const struct lu_left_kind *last)
{
	const struct lu_left_kind *best = NULL;

	for (size_t i = 0; i < l->kinds.n; i++) {
		const struct lu_left_kind *k = &l->kinds.p[i];
		bool listed = last && (k->n > last->n || (k->n == last->n && k <= last));

		if (!listed && (!best || k->n > best->n))
			best = k;
	}
	return best;
}

static void list_kinds(const struct lu_left_out *l, struct lu_buf *out)
{
	const struct lu_left_kind *k = most(l, NULL);
	uint64_t left = l->n;

	for (int i = 0; k && i < LISTED; i++) {
		lu_buf_printf(out, "%s%" PRIu64, i ? ", " : "", k->n);
		if (k->label[0])
			lu_buf_printf(out, " %s%s (%s)", k->label,
					k->label[0] == 'r' && k->n > 1 ? "s" : "", k->what);
		else
			lu_buf_printf(out, " %s", k->what);
		left -= k->n;
		k = most(l, k);
	}
	if (left)
		lu_buf_printf(out, " and %" PRIu64 " of other kinds", left);
}

void lu_left_out_list(const struct lu_left_out *l, struct lu_buf *out)
{
	const struct lu_left_kind *k = most(l, NULL);

	list_kinds(l, out);
	while (k && !k->advice)
		k = most(l, k);
	if (k)
		lu_buf_printf(out, "; %s%s%s", k->label, k->label[0] ? ": " : "", k->advice);
}

int lu_left_out_fail(const struct lu_left_out *l, const char *name, bool itself, struct lu_err *err)
{
	const struct lu_left_kind *k = most(l, NULL);
	bool textless = k && l->hint[0] && strcmp(k->what, LU_NO_TEXT_MEMBER) == 0;
	const char *way = textless	 ? l->hint
			: k && k->advice ? k->advice
					 : "--allow-empty accepts that";
	struct lu_buf list = { 0 };

	if (!k)
		return lu_err_set(err, "%s: no document, nothing is in it; %s", name, way);
	if (itself)
		return lu_err_set(err, "%s: no document: %s; %s", name, k->what, way);
	list_kinds(l, &list);
	if (lu_buf_check(&list, err) == 0)
		lu_err_set(err, "%s: no document in %" PRIu64 " member%s: %s; %s", name, l->n,
				l->n == 1 ? "" : "s", list.p, way);
	lu_buf_release(&list);
	return -1;
}

void lu_left_out_clear(struct lu_left_out *l)
{
	l->n = 0;
	l->kinds.n = 0;
	l->hint[0] = '\0';
}

void lu_left_out_release(struct lu_left_out *l)
{
	lu_vec_release(&l->kinds);
}

void lu_left_out_describe(const struct lu_member *m, const struct lu_import_result *res,
		bool way_on, struct lu_err *message)
{
	struct lu_str path = res->path;
	size_t n = strlen(m->file);
	bool itself = n >= path.n && memcmp(m->file + n - path.n, path.p, path.n) == 0;
	const struct words *known = res->detail.p ? NULL : words_for(res->drop);
	const char *way = known ? known->advice : NULL;
	struct lu_err bad;

	if (res->detail.p)
		lu_err_set(&bad, LU_STR_FMT, LU_STR_ARG(res->detail));
	else if (itself)
		lu_err_set(&bad, "%s: %s", m->file, res->drop);
	else
		lu_err_set(&bad, LU_STR_FMT ": %s", LU_STR_ARG(path), res->drop);
	if (strncmp(bad.msg, m->file, n) != 0)
		lu_err_wrap(&bad, "%s", m->file);
	lu_err_set(message, "%s%s%s%s", bad.msg, way ? "; " : "", way ? way : "",
			way_on ? "; --max-bad N or --rejects FILE goes on without it" : "");
}
