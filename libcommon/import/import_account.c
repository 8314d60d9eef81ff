#include "libcommon/import/import_account.h"

#include <inttypes.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/import/document.h"

/* The reject file's value is the detail; its record is {"id":...}, since a member may be large or
 * binary, or the record as it was read. */
static int drop(struct lu_import_account *a, const struct lu_member *m,
		const struct lu_import_result *res, bool aside, struct lu_err *err)
{
	struct lu_buf *value = &a->value, *record = &a->record;
	struct lu_reject reject;
	const struct lu_std *std = a->account.std;
	struct lu_err message;

	if (res->bad) {
		lu_left_out_describe(m, res, !std->max_bad_given && !std->rejects, &message);
		if (lu_account_bad(&a->account, message.msg, err) < 0)
			return -1;
	} else {
		lu_detail("%s: " LU_STR_FMT ": %s", m->file, LU_STR_ARG(res->path), res->drop);
	}
	lu_buf_clear(value);
	lu_buf_clear(record);
	if (res->detail.p)
		lu_json_put_str(value, NULL, res->detail);
	else
		lu_json_put_null(value, NULL);
	if (!res->raw.p) {
		lu_json_open_object(record, NULL);
		lu_document_id(m->source, res->path, record);
		lu_json_close_object(record);
	}
	if (lu_buf_check(value, err) < 0 || lu_buf_check(record, err) < 0)
		return -1;
	reject = (struct lu_reject){ m->file, res->line ? res->line : a->members, res->drop,
		lu_buf_slice(value), res->raw.p ? res->raw : lu_buf_slice(record) };
	return aside ? lu_account_reject(&a->account, &reject, err)
		     : lu_account_drop(&a->account, &reject, err);
}

/* The count of members that are no documents, or NULL if the reason is another. */
static uint64_t *aside(struct lu_import_account *a, const char *reason)
{
	return strcmp(reason, "excluded") == 0		    ? &a->excluded
			: strcmp(reason, "link") == 0	    ? &a->links
			: strcmp(reason, "not a file") == 0 ? &a->special
							    : NULL;
}

/* Go on to the entries of another file. */
static int begin_file(struct lu_import_account *a, struct lu_str path, struct lu_err *err)
{
	if (lu_str_eq(lu_buf_slice(&a->file), path))
		return 0;
	lu_names_release(&a->names);
	a->entries = 0;
	lu_buf_clear(&a->file);
	lu_buf_str(&a->file, path);
	return lu_buf_check(&a->file, err);
}

/* Put what tells the name of an entry from the same ones before it into the document's line. */
static int number(struct lu_import_account *a, const struct lu_import_result *res, size_t name_end,
		struct lu_str *line, struct lu_err *err)
{
	struct lu_buf *name = &a->value;
	size_t n = res->path.n;

	lu_buf_clear(name);
	lu_buf_str(name, res->path);
	if (a->names.named.n >= LU_IMPORT_NAMES)
		lu_buf_printf(name, "#%" PRIu64, a->entries);
	else if (lu_names_number(&a->names, name, 0, err) < 0)
		return -1;
	if (name->n == n)
		return lu_buf_check(name, err);
	lu_buf_clear(&a->line);
	lu_buf_append(&a->line, line->p, name_end);
	lu_buf_append(&a->line, name->p + n, name->n - n);
	lu_buf_append(&a->line, line->p + name_end, line->n - name_end);
	*line = lu_buf_slice(&a->line);
	return lu_buf_check(name, err) < 0 ? -1 : lu_buf_check(&a->line, err);
}

static int write_result(struct lu_import_account *a, const struct lu_member *m,
		const struct lu_import_result *res, struct lu_str line, size_t name_end,
		struct lu_err *err)
{
	struct lu_stats *stats = &a->account.stats;
	uint64_t *count = res->drop ? aside(a, res->drop) : NULL;

	a->members++;
	a->itself = m->itself;
	a->hollow = m->hollow;
	a->blank = m->itself && res->drop && strcmp(res->drop, "empty") == 0 && !m->entries;
	if (count) {
		++*count;
	} else {
		stats->in.docs++;
		stats->in.bytes += res->size;
	}
	a->wrong_length += res->wrong_length;
	if (res->drop) {
		if (lu_left_out_add(&a->here, m, res, err) < 0)
			return -1;
		/* Requests and the like have no text, nor have links and empty operands. */
		if (!count && !a->blank && strcmp(res->drop, "record type") != 0 &&
				lu_left_out_add(&a->left_out, m, res, err) < 0)
			return -1;
		a->optout_dropped += res->optout;
		return drop(a, m, res, count != NULL, err);
	}
	a->given++;
	a->recoded += res->recoded;
	a->optout += res->optout;
	a->truncated += res->truncated;
	a->charset_errors += res->charset_errors;
	a->with_errors += res->charset_errors != 0;
	if (lu_missing_add(&a->missing, res, err) < 0)
		return -1;
	if (name_end && !m->entries->distinct && number(a, res, name_end, &line, err) < 0)
		return -1;
	return lu_account_write(&a->account, line, 1, err);
}

int lu_import_account_write(
		struct lu_import_account *a, const struct lu_import_batch *b, struct lu_err *err)
{
	size_t from = 0, k = 0;

	for (size_t i = 0; i < b->n; i++) {
		const struct lu_member *m = &b->member[i];

		if (lu_import_account_end(a, m->operand, err) < 0 ||
				(m->entries && begin_file(a, m->path, err) < 0))
			return -1;
		for (; k < b->end[i]; k++) {
			const struct lu_import_result *res = &b->results.p[k];
			struct lu_str line = { b->out.p + from, res->end - from };

			a->entries++;
			if (write_result(a, m, res, line, res->name_end ? res->name_end - from : 0,
					    err) < 0)
				return -1;
			from = res->end;
		}
	}
	return 0;
}

int lu_import_account_end(struct lu_import_account *a, size_t next, struct lu_err *err)
{
	for (; a->operand < next; a->operand++) {
		const char *name = a->account.args->file[a->operand];
		/* A stage of a pipe cannot choose what comes. */
		bool nothing = a->hollow || (a->blank && strcmp(name, "-") == 0);

		if (a->given == 0 && !nothing && !a->account.std->allow_empty)
			return lu_left_out_fail(&a->here, name, a->itself && a->here.n == 1, err);
		lu_left_out_clear(&a->here);
		a->given = 0;
		a->blank = a->hollow = false;
	}
	return 0;
}

static void put_extra(const struct lu_import_account *a, struct lu_buf *extra)
{
	lu_json_put_u64(extra, "recoded", a->recoded);
	lu_json_put_u64(extra, "excluded", a->excluded);
	lu_json_put_u64(extra, "links", a->links);
	lu_json_put_u64(extra, "special", a->special);
	lu_json_put_u64(extra, "optout", a->optout);
	lu_json_put_u64(extra, "optout_dropped", a->optout_dropped);
	lu_json_put_u64(extra, "truncated", a->truncated);
	lu_json_put_u64(extra, "wrong_length", a->wrong_length);
	if (a->charset_errors)
		lu_json_put_u64(extra, "charset_errors", a->charset_errors);
	lu_missing_put(&a->missing, extra);
}

int lu_import_account_commit(struct lu_import_account *a, struct lu_err *err)
{
	struct lu_buf list = { 0 };
	int rc = -1;

	put_extra(a, &a->account.stats.extra);
	lu_left_out_list(&a->left_out, &list);
	if (lu_buf_check(&list, err) < 0 || lu_account_settle(&a->account, err) < 0 ||
			lu_account_append(&a->account, err) < 0 ||
			lu_account_commit(&a->account, err) < 0)
		goto out;
	if (a->recoded)
		lu_note("%" PRIu64 " member%s not UTF-8 and %s converted", a->recoded,
				a->recoded == 1 ? " was" : "s were",
				a->recoded == 1 ? "was" : "were");
	if (a->wrong_length)
		lu_note("%" PRIu64 " record%s of web archives did not end where %s said, and %s "
			"read up to the next one",
				a->wrong_length, a->wrong_length == 1 ? "" : "s",
				a->wrong_length == 1 ? "it" : "they",
				a->wrong_length == 1 ? "was" : "were");
	if (a->with_errors)
		lu_note("%" PRIu64 " document%s bytes that are ill-formed in %s charset: %" PRIu64
			" U+FFFD in their place",
				a->with_errors, a->with_errors == 1 ? " has" : "s have",
				a->with_errors == 1 ? "its" : "their", a->charset_errors);
	if (a->left_out.n)
		lu_note("%" PRIu64 " member%s left out: %s", a->left_out.n,
				a->left_out.n == 1 ? "" : "s", list.p);
	lu_missing_note(&a->missing);
	lu_account_summary(&a->account, "members", false);
	rc = 0;
out:
	lu_buf_release(&list);
	return rc;
}

void lu_import_account_release(struct lu_import_account *a)
{
	lu_left_out_release(&a->here);
	lu_left_out_release(&a->left_out);
	lu_names_release(&a->names);
	lu_missing_release(&a->missing);
	lu_buf_release(&a->file);
	lu_buf_release(&a->value);
	lu_buf_release(&a->record);
	lu_buf_release(&a->line);
}
