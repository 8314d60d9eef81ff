#include "libcommon/import/members.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcommon/base/utf8.h"
#include "libcommon/import/container.h"
#include "libcommon/import/copyright.h"
#include "libcommon/import/entries_reader.h"
#include "libcommon/import/folder_names.h"
#include "libcommon/import/kind_table.h"
#include "libcommon/import/web_records.h"
#include "libcommon/io/feed.h"
#include "libcommon/sys/file.h"
#include "libcommon/sys/readset.h"

enum frame_kind { FOLDER, ARCHIVE, WEB, ENTRIES };

struct lu_members_frame {
	enum frame_kind kind;
	struct lu_members_frame *below;
	char *path;    /* of the container itself */
	char *prefix;  /* of the paths of its members */
	char *license; /* NULL: unknown */
	struct lu_feed *feed;
	bool failed;
	/* FOLDER */
	char *folder;		      /* its path on disk */
	struct lu_folder_names names; /* in byte order */
	size_t next;
	/* ARCHIVE */
	struct lu_container *archive;
	bool files;	    /* it has members */
	bool over;	    /* that it has none was said */
	bool deb, deb_data; /* a Debian package, whose data archive was found */
	int spool;	    /* copy of a package that is read twice, or -1 */
	/* WEB */
	struct lu_web_records web;
	uint64_t given; /* bytes of its records so far; of ENTRIES as well */
	/* ENTRIES */
	struct lu_entries_reader entries;
};

/* --- the stack ---------------------------------------------------------------------------- */

static void frame_free(struct lu_members_frame *f)
{
	lu_container_close(f->archive);
	lu_entries_reader_close(&f->entries);
	lu_feed_close(f->feed);
	lu_web_records_release(&f->web);
	for (size_t i = 0; i < f->names.n; i++)
		free(f->names.p[i]);
	lu_vec_release(&f->names);
	free(f->folder);
	free(f->path);
	free(f->prefix);
	free(f->license);
	if (f->spool >= 0)
		close(f->spool);
	free(f);
}

static void pop(struct lu_members *m)
{
	struct lu_members_frame *f = m->top;

	m->top = f->below;
	m->depth -= f->kind != FOLDER;
	frame_free(f);
}

/* Push a frame for the container m->path. `suffix` separates its path from those of its members;
 * NULL: the path is not part of theirs. */
static struct lu_members_frame *push(
		struct lu_members *m, enum frame_kind kind, const char *suffix, struct lu_err *err)
{
	struct lu_members_frame *f = calloc(1, sizeof(*f));
	const char *license = m->top ? m->top->license : NULL;
	const char *path = m->path.p ? m->path.p : "";

	if (!f) {
		lu_err_nomem(err);
		return NULL;
	}
	f->spool = -1;
	f->kind = kind;
	f->path = strdup(path);
	f->prefix = suffix ? lu_concat(path, suffix, NULL) : strdup(m->top ? m->top->prefix : "");
	f->license = license ? strdup(license) : NULL;
	if (!f->path || !f->prefix || (license && !f->license)) {
		lu_err_nomem(err);
		frame_free(f);
		return NULL;
	}
	f->below = m->top;
	m->top = f;
	m->depth += kind != FOLDER;
	return f;
}

static int set_path(struct lu_members *m, const char *prefix, const char *name, struct lu_err *err)
{
	lu_buf_clear(&m->path);
	lu_buf_puts(&m->path, prefix);
	lu_buf_puts(&m->path, name);
	return lu_buf_check(&m->path, err);
}

/* --- members ------------------------------------------------------------------------------ */

static int drop(struct lu_member *member, const char *reason)
{
	member->drop = reason;
	lu_buf_clear(&member->bytes);
	return 1;
}

/* Put "source:path" into *key, where the path is valid UTF-8, begins at *from, and is followed from
 * *end on by a number if it is in `seen`, to which the whole is added. */
static int distinct(struct lu_names *seen, struct lu_str source, struct lu_str path,
		struct lu_buf *key, size_t *from, size_t *end, struct lu_err *err)
{
	lu_buf_str(key, source);
	lu_buf_putc(key, ':');
	*from = key->n;
	lu_utf8_repair(key, path);
	*end = key->n;
	return seen ? lu_names_number(seen, key, 0, err) : lu_buf_check(key, err);
}

/* Set the member's licence and its path, different from that of any other in `seen`; returns 1. */
static int finish(struct lu_members *m, struct lu_member *member, struct lu_names *seen,
		struct lu_arena *arena, struct lu_err *err)
{
	const char *license = m->top && m->top->license ? m->top->license : m->license;
	struct lu_buf key = { 0 };
	size_t from, end;
	int rc = -1;

	if (distinct(seen, member->source, lu_buf_slice(&m->path), &key, &from, &end, err) < 0)
		goto out;
	member->path = lu_arena_str(arena, (struct lu_str){ key.p + from, key.n - from });
	member->name = (struct lu_str){ member->path.p, end - from };
	if (license)
		member->license = lu_arena_str(arena, lu_str_of(license));
	rc = member->path.p && (!license || member->license.p) ? 1 : lu_err_nomem(err);
out:
	lu_buf_release(&key);
	return rc;
}

/* Make m->path distinct, for a container whose members are told apart by themselves. */
static int finish_container(struct lu_members *m, struct lu_err *err)
{
	struct lu_buf key = { 0 };
	size_t from, end;
	int rc = distinct(&m->seen, m->name, lu_buf_slice(&m->path), &key, &from, &end, err);

	if (rc == 0) {
		lu_buf_clear(&m->path);
		lu_buf_append(&m->path, key.p + from, key.n - from);
		rc = lu_buf_check(&m->path, err);
	}
	lu_buf_release(&key);
	return rc;
}

/* Fail on a decompression bomb. */
static int check_expansion(struct lu_members *m, uint64_t more, struct lu_err *err)
{
	uint64_t size = m->compressed ? m->compressed : lu_members_consumed(m) - m->done_bytes;

	m->expanded += more;
	if (m->expanded < LU_BOMB_FREE || m->expanded / LU_BOMB_RATIO < size)
		return 0;
	/* Not recoverable: the whole operand is refused (members.h). */
	m->damage = false;
	return lu_err_set(err, "%s: expands to more than %d times its size",
			m->file[m->next_file - 1], LU_BOMB_RATIO);
}

/* Read a document, of the format `row` or NULL. */
static int read_content(struct lu_members *m, struct lu_feed *feed, const struct lu_kind_row *row,
		struct lu_member *member, struct lu_err *err)
{
	struct lu_str head;
	bool binary, any = row && row->binary;
	int rc;

	m->damage = true;
	if (lu_feed_peek(feed, 8192, &head, err) < 0)
		return -1;
	member->kind = row ? row->kind : LU_KIND_AUTO;
	member->format = any ? NULL : lu_format_packed(head);
	if (member->format)
		return drop(member, member->format->name);
	/* With --charset utf-16, bytes with NULs are text unless a signature says otherwise. */
	binary = !any && lu_looks_binary(head);
	if (binary)
		member->format = lu_format_of(lu_buf_slice(&m->path), head);
	if (binary && m->text_has_nuls)
		binary = member->format && !lu_format_is_text(member->format);
	if (binary) {
		member->size = head.n;
		return drop(member, "not text");
	}
	rc = lu_feed_all(feed, m->limit, &member->bytes, err);
	member->size = feed->given;
	if (rc < 0 || check_expansion(m, member->size, err) < 0)
		return -1;
	m->damage = false;
	return rc == 0 ? drop(member, "too large") : 1;
}

/* --- entering containers ------------------------------------------------------------------- */

/* Read the package `file` up to its copyright file. *license stays NULL if that names none. */
static int find_license(const struct lu_members *m, char *file, char **license, struct lu_err *err)
{
	const char *glob = "usr/share/doc/*/copyright";
	struct lu_list only = { &glob, 1 };
	struct lu_members sub = {
		.file = &file, .files = 1, .limit = m->limit, .tmpdir = m->tmpdir, .include = &only
	};
	struct lu_member member = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_buf name = { 0 };
	int rc;

	while ((rc = lu_members_next(&sub, &member, &arena, err)) > 0 && member.drop)
		lu_arena_reset(&arena);
	if (rc > 0) {
		lu_copyright_license(lu_buf_slice(&member.bytes), &name);
		rc = lu_buf_check(&name, err);
	}
	if (rc == 0 && name.n) {
		*license = name.p;
		name = (struct lu_buf){ 0 };
	}
	lu_buf_release(&name);
	lu_buf_release(&member.bytes);
	lu_arena_release(&arena);
	lu_members_release(&sub);
	return rc;
}

/* Replace the feed by one on a temporary copy, which can be read again. */
static int spool(
		struct lu_members *m, struct lu_members_frame *f, char name[32], struct lu_err *err)
{
	char block[4096];
	ssize_t n;

	f->spool = lu_temp_open(m->tmpdir, err);
	if (f->spool < 0)
		return -1;
	while ((n = lu_feed_read(f->feed, block, sizeof(block), err)) > 0) {
		if (lu_write_all(f->spool, block, (size_t)n, m->tmpdir, err) < 0)
			return -1;
	}
	if (n < 0)
		return -1;
	lu_feed_close(f->feed);
	f->feed = NULL;
	snprintf(name, 32, "/dev/fd/%d", f->spool);
	return lu_feed_open(&f->feed, name, err);
}

static int enter_archive(struct lu_members *m, struct lu_members_frame *f,
		enum lu_container_kind kind, const char *file, struct lu_err *err)
{
	struct lu_container_entry entry;
	char copy[32];
	char *again;

	if (kind == LU_CONTAINER_AR && m->license_debian) {
		int rc;

		if (!file && spool(m, f, copy, err) < 0)
			return -1;
		again = strdup(file ? file : copy);
		if (!again)
			return lu_err_nomem(err);
		rc = find_license(m, again, &f->license, err);
		free(again);
		if (rc < 0)
			return -1;
	}
	if (lu_container_open(&f->archive, kind, f->feed, file, m->tmpdir, err) < 0)
		return -1;
	if (kind != LU_CONTAINER_AR)
		return 0;
	/* The first member of every Debian package, deb(5). */
	if (lu_container_next(f->archive, &entry, err) < 0)
		return -1;
	f->deb = strcmp(entry.path, "debian-binary") == 0;
	return f->deb ? 0
		      : lu_err_set(err, "%s: ar archive that is no Debian package",
					lu_feed_name(f->feed));
}

/* Open a container. Takes ownership of the feed. */
static int enter(struct lu_members *m, struct lu_feed *feed, enum lu_container_kind kind,
		const char *file, struct lu_err *err)
{
	const char *suffix = kind == LU_CONTAINER_NONE ? "#" : "!/";
	struct lu_members_frame *f;

	/* Paths leave out the name of a package's data archive (data.tar.*), and of an archive that
	 * is an operand. */
	if ((m->top && m->top->deb) || (!m->top && kind != LU_CONTAINER_NONE))
		suffix = NULL;
	if (kind == LU_CONTAINER_NONE && finish_container(m, err) < 0) {
		lu_feed_close(feed);
		return -1;
	}
	f = push(m, kind == LU_CONTAINER_NONE ? WEB : ARCHIVE, suffix, err);
	if (!f) {
		lu_feed_close(feed);
		return -1;
	}
	f->feed = feed;
	if (f->kind == WEB) {
		f->failed = lu_web_records_begin(&f->web, feed, err) < 0;
		return f->failed ? -1 : 0;
	}
	m->damage = true;
	if (enter_archive(m, f, kind, file, err) < 0) {
		f->failed = true;
		return -1;
	}
	m->damage = false;
	return 0;
}

/* Open a file of entries. As enter(). */
static int enter_entries(struct lu_members *m, struct lu_feed *feed, const struct lu_kind_row *row,
		const char *file, struct lu_err *err)
{
	struct lu_members_frame *f =
			finish_container(m, err) < 0 ? NULL : push(m, ENTRIES, "#", err);

	if (!f) {
		lu_feed_close(feed);
		return -1;
	}
	f->feed = feed;
	m->damage = true;
	f->failed = lu_entries_reader_open(&f->entries, row->entries, feed, !row->binary, file,
				    m->tmpdir, &m->entries, err) < 0;
	m->damage = f->failed;
	return f->failed ? -1 : 0;
}

/* Enter the container (0), or read the member (1), whose content is the feed and whose path is
 * m->path. Takes ownership of the feed. `file` is its path on disk, or NULL. */
static int take(struct lu_members *m, struct lu_feed *feed, const char *file,
		struct lu_member *member, struct lu_arena *arena, struct lu_err *err)
{
	bool excluded = lu_globs_match(m->exclude, m->path.p), container, web;
	const struct lu_format *office;
	const struct lu_kind_row *row = NULL;
	enum lu_container_kind kind;
	struct lu_str head;
	int rc = -1;

	member->itself = m->top == NULL;
	m->damage = true;
	if (lu_path_ends(m->path.p, ".br") && lu_in_named_brotli(feed->in, err) < 0)
		goto out;
	rc = lu_feed_peek(feed, LU_WEB_HEAD, &head, err);
	/* Of a web archive, damage costs records. */
	web = rc < 0 ? lu_in_is_damaged(feed->in) && lu_web_records_named(m->path.p)
		     : lu_web_records_look(head);
	if (rc < 0 && !web)
		goto out;
	rc = -1;
	if (!web && lu_feed_peek(feed, LU_FORMAT_HEAD, &head, err) < 0)
		goto out;
	kind = web ? LU_CONTAINER_NONE : lu_container_of(head);
	office = kind == LU_CONTAINER_ZIP ? lu_format_of_zip(head) : NULL;
	container = kind != LU_CONTAINER_NONE || web || m->kind == LU_KIND_WARC;
	if ((!container || kind == LU_CONTAINER_ZIP) &&
			lu_feed_peek(feed, LU_KIND_HEAD, &head, err) < 0)
		goto out;
	if (!container || kind == LU_CONTAINER_ZIP)
		row = lu_kind_row(m->kind, lu_buf_slice(&m->path), head);
	m->damage = false;
	/* A zip archive without members begins with the record of its end. */
	if (kind == LU_CONTAINER_ZIP && (office || row || head.p[2] == 5))
		container = false;
	if (container && !excluded) {
		if (m->depth < LU_NEST_MAX)
			return enter(m, feed, kind, file, err);
		rc = drop(member, "nested too deep");
	} else if (excluded ||
			(m->include && m->include->n && !lu_globs_match(m->include, m->path.p))) {
		rc = drop(member, "excluded");
	} else if (kind == LU_CONTAINER_ZIP && !row) {
		member->format = office;
		member->hollow = !office;
		rc = drop(member, office ? "not text" : "empty");
	} else if (lu_container_is_hollow_tar(lu_extension_of(lu_buf_slice(&m->path)), head)) {
		member->hollow = drop(member, "empty");
		rc = 1;
	} else if (row && row->entries && head.n && (row->binary || !lu_looks_binary(head))) {
		return enter_entries(m, feed, row, file, err);
	} else {
		rc = read_content(m, feed, row, member, err);
	}
	if (rc > 0)
		rc = finish(m, member, &m->seen, arena, err);
out:
	lu_feed_close(feed);
	return rc;
}

/* --- the three kinds of container ----------------------------------------------------------- */

static int enter_folder(struct lu_members *m, const char *path, struct lu_err *err)
{
	struct lu_members_frame *f = push(m, FOLDER, m->top ? "/" : NULL, err);

	if (!f)
		return -1;
	f->folder = strdup(path);
	return f->folder ? lu_folder_list(path, &f->names, err) : lu_err_nomem(err);
}

/* Read the next member of the top frame, as the other next_in_ functions do. Returns 1 with it, 0 if a
 * container was entered or something was skipped, 2 at the end of the container, -1 on error. */
static int next_in_folder(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_members_frame *f = m->top;
	struct lu_buf full = { 0 };
	struct lu_feed *feed;
	struct stat st;
	const char *name;
	int rc = -1;

	if (f->next == f->names.n)
		return 2;
	name = f->names.p[f->next++];
	lu_buf_puts(&full, f->folder);
	if (full.n && full.p[full.n - 1] != '/')
		lu_buf_putc(&full, '/');
	lu_buf_puts(&full, name);
	if (lu_buf_check(&full, err) < 0 || set_path(m, f->prefix, name, err) < 0)
		goto out;
	if (lstat(full.p, &st) < 0) {
		lu_err_sys(err, errno, "%s", full.p);
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		rc = enter_folder(m, full.p, err);
	} else if (!S_ISREG(st.st_mode) || (lu_readset_replaces(&st) && strstr(name, ".jsonl"))) {
		rc = drop(member,
				S_ISLNK(st.st_mode)		      ? "link"
						: S_ISREG(st.st_mode) ? "output of this run"
								      : "not a file");
		rc = finish(m, member, &m->seen, arena, err);
	} else {
		m->compressed += (uint64_t)st.st_size;
		m->damage = !lu_readset_replaces(&st);
		if (lu_feed_open(&feed, full.p, err) == 0)
			rc = take(m, feed, full.p, member, arena, err);
	}
out:
	lu_buf_release(&full);
	return rc;
}

static int next_in_archive(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_members_frame *f = m->top;
	struct lu_container_entry entry;
	struct lu_feed *feed;
	int rc;

	if (f->over)
		return 2;
	m->damage = true;
	rc = lu_container_next(f->archive, &entry, err);
	if (rc == 0 && f->deb && !f->deb_data) {
		f->failed = true;
		return lu_err_set(err, "%s: package without data archive", lu_feed_name(f->feed));
	}
	f->failed = rc < 0;
	if (rc == 0 && !f->files && !f->below) {
		f->over = true;
		member->hollow = drop(member, "empty");
		return set_path(m, f->path, "", err) < 0 ? -1
							 : finish(m, member, &m->seen, arena, err);
	}
	if (rc <= 0)
		return rc < 0 ? -1 : 2;
	m->damage = false;
	f->files |= !entry.folder;
	if (entry.folder || (f->deb && strncmp(entry.path, "data.tar", 8) != 0))
		return 0;
	f->deb_data = f->deb;
	if (set_path(m, f->prefix, entry.path, err) < 0)
		return -1;
	if (entry.link || entry.other) {
		drop(member, entry.link ? "link" : "not a file");
		return finish(m, member, &m->seen, arena, err);
	}
	if (entry.encrypted) {
		drop(member, "encrypted");
		member->bad = true;
		return finish(m, member, &m->seen, arena, err);
	}
	m->damage = true;
	if (lu_feed_open_fn(&feed, m->path.p, lu_container_read, f->archive, err) < 0)
		return -1;
	return take(m, feed, NULL, member, arena, err);
}

static int next_in_web(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_members_frame *f = m->top;
	int rc;

	if (set_path(m, f->prefix, "", err) < 0)
		return -1;
	m->damage = true;
	rc = lu_web_records_next(&f->web, f->feed, m->limit, &m->path, member, arena, err);
	f->failed = rc < 0;
	if (rc <= 0)
		return rc < 0 ? -1 : 2;
	if (check_expansion(m, f->feed->given - f->given, err) < 0)
		return -1;
	f->given = f->feed->given;
	m->damage = false;
	return finish(m, member, &f->web.names, arena, err);
}

static int next_in_entries(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_members_frame *f = m->top;
	int rc;

	m->damage = true;
	rc = lu_entries_reader_next(&f->entries, member, err);
	f->failed = rc < 0;
	if (rc <= 0)
		return rc < 0 ? -1 : 2;
	if (check_expansion(m, f->feed->given - f->given, err) < 0)
		return -1;
	f->given = f->feed->given;
	m->damage = false;
	member->itself = f->below == NULL;
	member->path = member->name = lu_arena_str(arena, lu_str_of(f->path));
	if (f->license)
		member->license = lu_arena_str(arena, lu_str_of(f->license));
	else if (m->license)
		member->license = lu_str_of(m->license);
	return member->path.p && (!f->license || member->license.p) ? 1 : lu_err_nomem(err);
}

/* --- the operands -------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* As next_in_folder(), over the operands. */
static int next_operand(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err)
{
	struct lu_feed *feed;
	struct stat st;
	char *path;
	bool named;

	if (m->next_file == m->files)
		return 2;
	member->operand = m->next_file;
	path = m->file[m->next_file++];
	named = strcmp(path, "-") != 0;
	m->done_bytes += m->compressed;
	m->compressed = m->expanded = 0;
	m->name = m->source ? lu_str_of(m->source) : lu_source_of(path);
	member->file = path;
	member->source = m->name;
	if (set_path(m, "", named ? base_name(path) : "-", err) < 0)
		return -1;
	if (named && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return enter_folder(m, path, err);
	if (lu_feed_open(&feed, path, err) < 0)
		return -1;
	m->compressed = lu_in_size(feed->in);
	return take(m, feed, named ? path : NULL, member, arena, err);
}

static bool is_intact(const struct lu_members_frame *f)
{
	return !f->failed && !(f->archive && lu_container_failed(f->archive));
}

/* The machine failed, not the data. */
static bool is_ours(const struct lu_err *err)
{
	return err->errnum == ENOMEM || err->errnum == ENOSPC || err->errnum == EDQUOT ||
			err->errnum == EMFILE || err->errnum == ENFILE;
}

/* After a failure: if a container around the damaged part is intact, turns the part into a bad
 * member, after which reading continues. Returns 1, or -1 with *err as it was. */
static int recover(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err)
{
	bool named = false;

	if (!m->damage || !m->top || is_ours(err))
		return -1;
	while (!is_intact(m->top)) {
		if (!m->top->below || set_path(m, m->top->path, "", err) < 0)
			return -1;
		named = m->top->kind == WEB || m->top->kind == ENTRIES;
		pop(m);
	}
	drop(member, "damaged");
	member->bad = true;
	member->detail = lu_arena_str(arena, lu_str_of(err->msg));
	return member->detail.p ? finish(m, member, named ? NULL : &m->seen, arena, err)
				: lu_err_nomem(err);
}

static void reset(struct lu_members *m, struct lu_member *member)
{
	struct lu_buf reuse = member->bytes;

	/* Do not keep the memory of one large member for the rest of the run. */
	if (reuse.cap > ((size_t)8 << 20))
		lu_buf_release(&reuse);
	lu_buf_clear(&reuse);
	*member = (struct lu_member){ .bytes = reuse, .source = m->name };
	member->operand = m->next_file ? m->next_file - 1 : 0;
	member->file = m->next_file ? m->file[m->next_file - 1] : "";
}

int lu_members_next(struct lu_members *m, struct lu_member *member, struct lu_arena *arena,
		struct lu_err *err)
{
	for (;;) {
		int rc;

		reset(m, member);
		m->damage = false;
		if (!m->top)
			rc = next_operand(m, member, arena, err);
		else if (m->top->kind == FOLDER)
			rc = next_in_folder(m, member, arena, err);
		else if (m->top->kind == ARCHIVE)
			rc = next_in_archive(m, member, arena, err);
		else if (m->top->kind == ENTRIES)
			rc = next_in_entries(m, member, arena, err);
		else
			rc = next_in_web(m, member, arena, err);
		if (rc < 0)
			rc = recover(m, member, arena, err);
		if (rc == 2 && !m->top)
			return 0;
		if (rc == 2)
			pop(m);
		else if (rc != 0)
			return rc;
	}
}

uint64_t lu_members_consumed(const struct lu_members *m)
{
	const struct lu_members_frame *f = m->top;

	while (f && f->below)
		f = f->below;
	return m->done_bytes + (f && f->feed ? lu_in_consumed(f->feed->in) : 0);
}

void lu_members_release(struct lu_members *m)
{
	while (m->top)
		pop(m);
	lu_names_release(&m->seen);
	lu_buf_release(&m->path);
}
