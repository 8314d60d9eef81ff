#include "trainer/export/card_data.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcommon/io/json.h"
#include "libcommon/mix/plan.h"
#include "libcommon/shard/manifest.h"
#include "libcommon/sys/file.h"

void lt_card_cell(struct lu_buf *out, struct lu_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '|')
			lu_buf_puts(out, "\\|");
		else
			lu_buf_putc(out, (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c);
	}
}

static const char *keep(struct lt_card_data *d, struct lu_str s, struct lu_err *err)
{
	struct lu_str kept = lu_arena_str(&d->arena, s);

	if (!kept.p)
		lu_err_nomem(err);
	return kept.p;
}

/* --- collecting ------------------------------------------------------------------------------- */

static bool is_listed(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}

/* Add the totals of a manifest to those so far. */
static int add_totals(struct lt_card_data *d, const struct lu_manifest_total *t, size_t n,
		bool lang, struct lu_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct lt_card_total *p = lang ? d->lang.p : d->license.p, *end, new;

		for (end = p + (lang ? d->lang.n : d->license.n); p < end; p++) {
			if (lu_str_eq(p->value, t[i].value))
				break;
		}
		if (p < end) {
			p->documents += t[i].documents;
			p->tokens += t[i].tokens;
			continue;
		}
		new = (struct lt_card_total){ lu_arena_str(&d->arena, t[i].value), t[i].documents,
			t[i].tokens };
		if (!new.value.p ||
				!(lang ? lu_vec_push(&d->lang, new)
				       : lu_vec_push(&d->license, new)))
			return lu_err_nomem(err);
	}
	return 0;
}

/* Read the manifest of a shard, once, and note its totals in *part unless it is NULL. */
static int add_shard(struct lt_card_data *d, const char *prefix, struct lt_card_part *part,
		struct lu_err *err)
{
	char *path = lu_concat(prefix, ".json", "");
	struct lu_manifest m = { 0 };
	bool known;
	int rc = 0;

	if (!path)
		return lu_err_nomem(err);
	/* The data of a model may be elsewhere. */
	known = access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
	if (known && lu_manifest_read(&m, path, err) < 0) {
		free(path);
		return -1;
	}
	if (part) {
		part->known = known;
		part->documents = m.documents;
		part->tokens = m.tokens;
	}
	if (!known && !is_listed(d->missing.p, d->missing.n, prefix))
		rc = lu_vec_push(&d->missing, prefix) ? 0 : lu_err_nomem(err);
	if (known && !is_listed(d->shard.p, d->shard.n, prefix)) {
		rc = lu_vec_push(&d->shard, prefix) ? 0 : lu_err_nomem(err);
		if (rc == 0)
			rc = add_totals(d, m.lang, m.langs, true, err);
		if (rc == 0)
			rc = add_totals(d, m.license, m.licenses, false, err);
	}
	lu_manifest_release(&m);
	free(path);
	return rc;
}

static int add_plan(struct lt_card_data *d, const char *phase, const char *path, struct lu_err *err)
{
	struct lu_plan plan = { 0 };
	int rc = lu_plan_read(&plan, path, err);

	for (size_t i = 0; i < plan.groups && rc == 0; i++) {
		struct lt_card_part part = { .phase = phase,
			.known = true,
			.of_plan = true,
			.documents = plan.group[i].documents,
			.tokens = plan.group[i].planned };

		part.name = keep(d, lu_str_of(plan.group[i].name), err);
		if (!part.name || !lu_vec_push(&d->part, part))
			rc = part.name ? lu_err_nomem(err) : -1;
	}
	for (size_t i = 0; i < plan.shards && rc == 0; i++) {
		const char *prefix = keep(d, lu_str_of(plan.shard[i].prefix), err);

		rc = prefix ? add_shard(d, prefix, NULL, err) : -1;
	}
	lu_plan_release(&plan);
	return rc;
}

/* Add what one name of data.train stands for. */
static int add_source(
		struct lt_card_data *d, const char *phase, struct lu_str name, struct lu_err *err)
{
	struct lt_card_part part = { .phase = phase, .name = keep(d, name, err) };

	if (!part.name)
		return -1;
	if (lu_plan_is(part.name))
		return add_plan(d, phase, part.name, err);
	if (add_shard(d, part.name, &part, err) < 0)
		return -1;
	return lu_vec_push(&d->part, part) ? 0 : lu_err_nomem(err);
}

static int by_tokens(const void *a, const void *b)
{
	const struct lt_card_total *x = a, *y = b;

	if (x->tokens != y->tokens)
		return x->tokens > y->tokens ? -1 : 1;
	return lu_str_cmp(x->value, y->value);
}

int lt_card_data_collect(struct lt_card_data *d, const struct lt_config *c, struct lu_err *err)
{
	static const char blanks[] = " \t";

	for (size_t i = 0; i < c->phase.n; i++) {
		const char *phase = keep(d, lu_str_of(c->phase.p[i].name), err);
		struct lt_settings s;
		bool number = false;

		if (!phase || lt_config_phase(c, i, &s, err) < 0)
			return -1;
		for (const char *p = s.data.train; *(p += strspn(p, blanks));) {
			struct lu_str name = { p, strcspn(p, blanks) };

			p += name.n;
			/* "@ SAMPLES" says from where on, not what. */
			if (number || lu_str_is(name, "@")) {
				number = !number;
				continue;
			}
			if (add_source(d, phase, name, err) < 0)
				return -1;
		}
	}
	if (d->lang.n)
		qsort(d->lang.p, d->lang.n, sizeof(*d->lang.p), by_tokens);
	if (d->license.n)
		qsort(d->license.p, d->license.n, sizeof(*d->license.p), by_tokens);
	return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* The text of a raw JSON value; "not known" for null. */
static void put_value(struct lu_buf *out, struct lu_str raw)
{
	struct lu_arena arena = { 0 };
	struct lu_str text;

	if (lu_str_is(raw, "null"))
		lu_buf_puts(out, "not known");
	else if (raw.n < 2 || raw.p[0] != '"' || lu_json_decode(raw, &arena, &text) < 0)
		lt_card_cell(out, raw);
	else
		lt_card_cell(out, text);
	lu_arena_release(&arena);
}

void lt_card_data_languages(const struct lt_card_data *d, struct lu_buf *out)
{
	bool any = false;

	for (size_t i = 0; i < d->lang.n; i++) {
		struct lu_str v = d->lang.p[i].value;

		/* Codes of two or three letters: the head of a card has no others. */
		if (v.n < 4 || v.n > 5 || v.p[0] != '"' || lu_str_is(v, "\"und\"") ||
				lu_str_is(v, "\"zxx\""))
			continue;
		if (strspn(v.p + 1, "abcdefghijklmnopqrstuvwxyz") != v.n - 2)
			continue;
		lu_buf_puts(out, any ? "" : "language:\n");
		lu_buf_printf(out, "- %.*s\n", (int)v.n - 2, v.p + 1);
		any = true;
	}
}

static void put_totals(
		struct lu_buf *out, const char *what, const struct lt_card_total *t, size_t n)
{
	if (n == 0) {
		lu_buf_printf(out, "\n%ss of the documents: not known.\n", what);
		return;
	}
	lu_buf_printf(out, "\n| %s | documents | tokens |\n|---|---:|---:|\n", what);
	for (size_t i = 0; i < n; i++) {
		lu_buf_puts(out, "| ");
		put_value(out, t[i].value);
		lu_buf_printf(out, " | %" PRIu64 " | %" PRIu64 " |\n", t[i].documents, t[i].tokens);
	}
}

void lt_card_data_put(const struct lt_card_data *d, struct lu_buf *out)
{
	lu_buf_puts(out, "\n| phase | data | documents | tokens | |\n|---|---|---:|---:|---|\n");
	for (size_t i = 0; i < d->part.n; i++) {
		const struct lt_card_part *p = &d->part.p[i];

		lu_buf_puts(out, "| ");
		lt_card_cell(out, lu_str_of(p->phase));
		lu_buf_puts(out, " | ");
		lt_card_cell(out, lu_str_of(p->name));
		if (p->known)
			lu_buf_printf(out, " | %" PRIu64 " | %" PRIu64 " | %s |\n", p->documents,
					p->tokens, p->of_plan ? "as planned" : "of the shard");
		else
			lu_buf_puts(out,
					" | not known | not known | its manifest is not there |\n");
	}
	lu_buf_puts(out,
			"\nOver the shards as a whole, whatever part of them was read, their "
			"manifests "
			"count:\n");
	put_totals(out, "Language", d->lang.p, d->lang.n);
	put_totals(out, "Licence", d->license.p, d->license.n);
	for (size_t i = 0; i < d->missing.n; i++) {
		lu_buf_puts(out,
				i ? "" : "\nNot counted, since their manifests are not there:\n\n");
		lu_buf_puts(out, "- ");
		lt_card_cell(out, lu_str_of(d->missing.p[i]));
		lu_buf_putc(out, '\n');
	}
}

void lt_card_data_release(struct lt_card_data *d)
{
	lu_vec_release(&d->lang);
	lu_vec_release(&d->license);
	lu_vec_release(&d->part);
	lu_vec_release(&d->shard);
	lu_vec_release(&d->missing);
	lu_arena_release(&d->arena);
}
