#include "libcommon/shard/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/shard/mask.h"
#include "libcommon/shard/masked.h"
#include "libcommon/shard/tally.h"
#include "libcommon/shard/teacher.h"
#include "libcommon/sys/file.h"

#define CHUNK ((size_t)1 << 20)

/* Faults of one kind: their number, and position and value of the first. */
struct faults {
	uint64_t n, at;
	uint32_t value;
};

struct state {
	struct lu_verify *v;
	const char *prefix;
	struct lu_shard *shard;	     /* NULL when it cannot be opened */
	const struct lu_manifest *m; /* &manifest, or NULL when there is none */
	struct lu_manifest manifest;
	uint64_t vocab; /* 0: unknown */
	unsigned char *chunk;

	/* Of the .bin that is being read: */
	uint64_t token;	   /* position of the chunk's first id */
	uint64_t document; /* the next whose ends are to be checked */
	struct faults outside, begin, end, empty;
};

static void fault(struct state *s, const char *fmt, ...) LU_PRINTF(2, 3);
static void fault(struct state *s, const char *fmt, ...)
{
	struct lu_err e;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.msg, sizeof(e.msg), fmt, ap);
	va_end(ap);
	s->v->faults++;
	s->v->fault(s->v->ctx, e.msg);
}

static void count(struct faults *c, uint64_t at, uint32_t value)
{
	if (c->n++ == 0) {
		c->at = at;
		c->value = value;
	}
}

/* --- the tokens --------------------------------------------------------------------------- */

static uint32_t id_at(const struct state *s, size_t i)
{
	return s->v->width == 2 ? lu_load16(s->chunk + 2 * i) : lu_load32(s->chunk + 4 * i);
}

/* The largest id of the chunk, negative ones as unsigned. Plain loops, which the compiler
 * vectorises. */
static uint32_t largest_id(const struct state *s, size_t n)
{
	uint32_t max = 0;

	if (s->v->width == 2) {
		uint16_t max16 = 0;

		for (size_t i = 0; i < n; i++) {
			uint16_t id = lu_load16(s->chunk + 2 * i);

			max16 = id > max16 ? id : max16;
		}
		return max16;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t id = lu_load32(s->chunk + 4 * i);

		max = id > max ? id : max;
	}
	return max;
}

static void check_ids(struct state *s, size_t n)
{
	uint64_t vocab = s->vocab ? s->vocab : (uint64_t)INT32_MAX + 1;

	if (n == 0 || largest_id(s, n) < vocab)
		return;
	for (size_t i = 0; i < n; i++) {
		if (id_at(s, i) >= vocab)
			count(&s->outside, s->token + i, id_at(s, i));
	}
}

/* Check the first id of documents that begin in the chunk, the last id of those that end in it. */
static int check_ends(struct state *s, size_t n, uint64_t part_end, struct lu_err *err)
{
	const struct lu_manifest *m = s->m;
	uint64_t first, tokens;

	if (!m || !s->shard || (!m->has_bos && !m->has_eos))
		return 0;
	while (s->document < part_end) {
		if (lu_shard_document(s->shard, s->document, &first, &tokens, err) < 0)
			return -1;
		if (tokens == 0) {
			count(&s->empty, s->document, 0);
			s->document++;
			continue;
		}
		if (first >= s->token + n)
			return 0;
		if (m->has_bos && first >= s->token && id_at(s, first - s->token) != m->bos)
			count(&s->begin, s->document, id_at(s, first - s->token));
		if (first + tokens > s->token + n)
			return 0;
		if (m->has_eos && id_at(s, first + tokens - 1 - s->token) != m->eos)
			count(&s->end, s->document, id_at(s, first + tokens - 1 - s->token));
		s->document++;
	}
	return 0;
}

static void report_ids(struct state *s, const char *path)
{
	if (s->outside.n)
		fault(s,
				"%s: %" PRIu64 " ids outside the vocabulary, the first is token "
				"%" PRIu64 ": %u",
				path, s->outside.n, s->outside.at, s->outside.value);
	if (s->begin.n)
		fault(s,
				"%s: %" PRIu64 " documents do not begin with id %u, the first is "
				"%" PRIu64,
				path, s->begin.n, s->m->bos, s->begin.at);
	if (s->end.n)
		fault(s,
				"%s: %" PRIu64 " documents do not end with id %u, the first is "
				"%" PRIu64,
				path, s->end.n, s->m->eos, s->end.at);
	if (s->empty.n)
		fault(s,
				"%s: %" PRIu64 " documents without the ids that begin and end one, "
				"the first is %" PRIu64,
				path, s->empty.n, s->empty.at);
	s->outside = s->begin = s->end = s->empty = (struct faults){ 0 };
}

/* --- files -------------------------------------------------------------------------------- */

/* Fill the chunk unless the file ends. Returns its bytes; -1 on a read error. */
static ssize_t read_chunk(int fd, unsigned char *p)
{
	size_t n = 0;

	while (n < CHUNK) {
		ssize_t r = read(fd, p + n, CHUNK - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

#define NO_PART SIZE_MAX

/* Read a file to its end, and compare its size and hash with `want`, unless that is NULL. `part` is
 * the part whose .bin it is, the ids of which are checked, or NO_PART. */
static int check_content(struct state *s, int fd, const char *path,
		const struct lu_manifest_file *want, size_t part, struct lu_err *err)
{
	uint64_t bytes = 0, end = 0;
	struct lu_hasher *h = lu_hasher_new();
	bool ids = part != NO_PART && s->shard;
	char hash[33];
	ssize_t n = 0;
	int rc = 0;

	if (!h)
		return lu_err_nomem(err);
	if (ids) {
		s->token = lu_shard_part_token(s->shard, part);
		s->document = lu_shard_part_document(s->shard, part);
		end = lu_shard_part_document(s->shard, part + 1);
	}
	while (rc == 0 && (n = read_chunk(fd, s->chunk)) > 0) {
		lu_hasher_add(h, s->chunk, (size_t)n);
		bytes += (uint64_t)n;
		if (s->v->progress)
			s->v->progress(s->v->ctx, (uint64_t)n);
		if (ids) {
			check_ids(s, (size_t)n / s->v->width);
			rc = check_ends(s, (size_t)n / s->v->width, end, err);
			s->token += (size_t)n / s->v->width;
		}
		if ((size_t)n < CHUNK)
			break;
	}
	lu_hash128_text(lu_hasher_end(h), hash);
	lu_hasher_free(h);
	if (n < 0)
		return lu_err_sys(err, errno, "%s", path);
	if (rc == 0 && ids)
		rc = check_ends(s, 0, end, err);
	if (rc < 0)
		return -1;
	if (ids)
		report_ids(s, path);
	if (want && bytes != want->bytes)
		fault(s, "%s: has %" PRIu64 " bytes, the manifest says %" PRIu64, path, bytes,
				want->bytes);
	else if (want && strcmp(hash, want->hash) != 0)
		fault(s, "%s: its content is not what the manifest says (XXH3-128 %s, not %s)",
				path, hash, want->hash);
	return 0;
}

static int check_file(struct state *s, const char *suffix, const struct lu_manifest_file *want,
		size_t part, struct lu_err *err)
{
	char *path = lu_concat(s->prefix, suffix, NULL);
	int fd, rc = 0;

	if (!path)
		return lu_err_nomem(err);
	fd = lu_open(path, O_RDONLY, 0);
	if (fd < 0 && errno == ENOENT)
		fault(s, "%s: is missing", path);
	else if (fd < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	else
		rc = check_content(s, fd, path, want, part, err);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static int check_files(struct state *s, struct lu_err *err)
{
	if (s->m) {
		size_t each = lu_manifest_part_files(s->m);

		for (size_t i = 0; i < s->m->files; i++) {
			const struct lu_manifest_file *f = &s->m->file[i];

			/* The first file of a part is the .bin. */
			if (check_file(s, f->suffix, f, i % each == 0 ? i / each : NO_PART, err) <
					0)
				return -1;
		}
		return 0;
	}
	for (size_t i = 0; s->shard && i < lu_shard_parts(s->shard); i++) {
		char suffix[LU_PART_SUFFIX + 8];

		snprintf(suffix, sizeof(suffix), "%s.bin", lu_shard_part_suffix(s->shard, i));
		if (check_file(s, suffix, NULL, i, err) < 0)
			return -1;
	}
	return 0;
}

/* --- the manifest ------------------------------------------------------------------------- */

/* Check the last line, the hash of all before it: as bytes, so that every changed byte shows. */
static void check_self(struct state *s, const char *path, const char *text, size_t n)
{
	if (!lu_manifest_intact(text, n))
		fault(s, "%s: was changed: its own hash differs", path);
}

/* Report a fault of the shard; but out of memory or a failing disk is an error, not a fault. */
static int fault_or_error(struct state *s, const struct lu_err *why, struct lu_err *err)
{
	if (why->errnum && why->errnum != ENOENT) {
		*err = *why;
		return -1;
	}
	fault(s, "%s", why->msg);
	return 0;
}

/* Check the manifest by itself, and read it if there is one. */
static int check_manifest(struct state *s, const char *path, struct lu_err *err)
{
	struct lu_err why = { 0 };
	char *text;
	size_t n;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (lu_read_input(path, LU_MANIFEST_LIMIT, &text, &n, err) < 0)
		return -1;
	check_self(s, path, text, n);
	free(text);
	if (lu_manifest_read(&s->manifest, path, &why) < 0)
		return fault_or_error(s, &why, err);
	s->m = &s->manifest;
	s->v->has_manifest = true;
	s->vocab = s->manifest.vocab;
	s->v->parts = s->manifest.parts;
	return 0;
}

static void check_tokenizer(struct state *s, const char *path)
{
	char hash[33];

	if (s->v->vocab && (!s->vocab || s->v->vocab < s->vocab))
		s->vocab = s->v->vocab;
	if (!s->v->tokenizer || !s->m)
		return;
	lu_hash128_text(*s->v->tokenizer, hash);
	if (!s->m->tokenizer)
		fault(s, "%s: does not say by which tokenizer it was made", path);
	else if (strcmp(hash, s->m->tokenizer) != 0)
		fault(s, "%s: was made by another tokenizer than %s (XXH3-128 %s, not %s)", path,
				s->v->tokenizer_name, s->m->tokenizer, hash);
}

/* --- the ledger --------------------------------------------------------------------------- */

static void compare_totals(struct state *s, const char *path, const char *what,
		const struct lu_tally *t, const struct lu_manifest_total *want, size_t n)
{
	bool same = t->total.n == n;

	for (size_t i = 0; same && i < n; i++) {
		const struct lu_manifest_total *got = &t->total.p[i];

		same = lu_str_eq(got->value, want[i].value) &&
				got->documents == want[i].documents &&
				got->tokens == want[i].tokens && got->bytes == want[i].bytes;
	}
	if (!same)
		fault(s, "%s: its totals by %s are not those of the ledger", path, what);
}

/* Count the empty documents; the ledger names the first. */
static int count_empty(struct state *s, struct lu_err *err)
{
	uint64_t marks = s->m ? (uint64_t)s->m->has_bos + s->m->has_eos : 0, tokens;

	for (uint64_t i = 0; i < s->v->documents; i++) {
		if (lu_shard_document_size(s->shard, i, &tokens, err) < 0)
			return -1;
		if (tokens > marks)
			continue;
		if (s->v->empty++ == 0)
			s->v->first_empty = i;
	}
	return 0;
}

static int check_ledger(struct state *s, const char *path, struct lu_err *err)
{
	struct lu_tally lang = { 0 }, license = { 0 };
	struct lu_ledger *l = NULL;
	struct lu_ledger_doc d;
	struct lu_err why = { 0 };
	int rc = lu_ledger_open(&l, s->shard, &why);

	while (rc >= 0 && (rc = lu_ledger_next(l, &d, &why)) > 0) {
		s->v->bytes += d.bytes;
		if (s->v->empty && d.document == s->v->first_empty)
			snprintf(s->v->first_empty_id, sizeof(s->v->first_empty_id), LU_STR_FMT,
					LU_STR_ARG(d.id));
		if (lu_tally_add(&lang, d.lang, 1, d.tokens, d.bytes, err) < 0 ||
				lu_tally_add(&license, d.license, 1, d.tokens, d.bytes, err) < 0) {
			rc = -1;
			goto out;
		}
	}
	if (rc < 0) {
		rc = fault_or_error(s, &why, err);
		goto out;
	}
	lu_tally_sort(&lang);
	lu_tally_sort(&license);
	compare_totals(s, path, "lang", &lang, s->m->lang, s->m->langs);
	compare_totals(s, path, "license", &license, s->m->license, s->m->licenses);
	if (s->v->bytes != s->m->bytes)
		fault(s, "%s: says %" PRIu64 " bytes of text, the ledger has %" PRIu64, path,
				s->m->bytes, s->v->bytes);
out:
	lu_ledger_close(l);
	lu_tally_release(&lang);
	lu_tally_release(&license);
	return rc;
}

/* --- teachers ----------------------------------------------------------------------------- */

/* What a teacher says of the shard is no part of it, but it is of this shard or of none. */
static int check_teacher(void *ctx, const char *name, struct lu_err *err)
{
	struct state *s = ctx;
	struct lu_teacher *t;
	struct lu_err why;
	int rc = lu_teacher_open(&t, s->shard, name, "", &why);

	(void)err;
	if (rc == 0)
		rc = lu_teacher_verify(t, &why);
	lu_teacher_close(t);
	if (rc < 0)
		fault(s, "%s", why.msg);
	return 0;
}

/* --- masks -------------------------------------------------------------------------------- */

/* 1 if one of the tokens is a target, else 0. */
static int has_target(const struct state *s, uint64_t first, uint64_t tokens, struct lu_err *err)
{
	for (uint64_t done = 0; done < tokens;) {
		uint64_t left = tokens - done;
		size_t n = left < CHUNK ? (size_t)left : CHUNK;

		if (lu_shard_mask(s->shard, first + done, n, s->chunk, err) < 0)
			return -1;
		if (memchr(s->chunk, 1, n))
			return 1;
		done += n;
	}
	return 0;
}

/* Every document of a shard of conversations has a target; of preferences, they come in pairs. */
static int check_masks(struct state *s, const char *path, struct lu_err *err)
{
	struct faults none = { 0 };
	uint64_t first, tokens;

	if (!s->m || !s->m->kind)
		return 0;
	for (size_t i = 0; i < lu_shard_parts(s->shard); i++) {
		struct lu_err why = { 0 };
		char *file = lu_concat(
				s->prefix, lu_shard_part_suffix(s->shard, i), LU_MASK_EXTENSION);
		int rc = file ? 0 : lu_err_nomem(err);

		if (file && lu_mask_verify(lu_shard_part_mask(s->shard, i), file, &why) < 0)
			rc = fault_or_error(s, &why, err);
		free(file);
		if (rc < 0)
			return -1;
	}
	for (uint64_t i = 0; i < s->v->documents; i++) {
		int rc = lu_shard_document(s->shard, i, &first, &tokens, err);

		if (rc == 0)
			rc = has_target(s, first, tokens, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			count(&none, i, 0);
	}
	if (none.n)
		fault(s, "%s: %" PRIu64 " conversations without a target, the first is %" PRIu64,
				path, none.n, none.at);
	if (strcmp(s->m->kind, "preference") == 0 && s->v->documents % 2)
		fault(s, "%s: %" PRIu64 " documents are no pairs of chosen and rejected", path,
				s->v->documents);
	return 0;
}

/* Fail if no file of a shard exists under the prefix. */
static int check_exists(const char *prefix, struct lu_err *err)
{
	static const char *const name[] = { ".json", ".idx", ".bin", "-00000.idx", "-00000.bin" };

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		char *path = lu_concat(prefix, name[i], NULL);
		int rc = path ? access(path, F_OK) : -1;

		free(path);
		if (!path)
			return lu_err_nomem(err);
		if (rc == 0)
			return 0;
	}
	return lu_err_set(err,
			"%s: there is neither a file nor a shard of this name, %s.idx is missing",
			prefix, prefix);
}

static int verify(struct state *s, const char *json, struct lu_err *err)
{
	struct lu_err why = { 0 };

	if (check_exists(s->prefix, err) < 0 || check_manifest(s, json, err) < 0)
		return -1;
	if (lu_shard_open(&s->shard, s->prefix, &why) < 0)
		s->shard = NULL;
	if (s->shard) {
		s->v->width = lu_shard_width(s->shard);
		s->v->documents = lu_shard_documents(s->shard);
		s->v->sequences = lu_shard_sequences(s->shard);
		s->v->tokens = lu_shard_tokens(s->shard);
		s->v->masked = lu_shard_masked(s->shard);
		s->v->targets = lu_shard_targets(s->shard);
		if (!s->m && lu_shard_part_suffix(s->shard, 0)[0])
			s->v->parts = lu_shard_parts(s->shard);
	}
	check_tokenizer(s, json);
	if (check_files(s, err) < 0)
		return -1;
	/* Report why it does not open, unless that has been reported: an unreadable manifest, a
	 * missing file. */
	if (!s->shard && (s->v->faults == 0 || (s->m && why.errnum != ENOENT)) &&
			fault_or_error(s, &why, err) < 0)
		return -1;
	if (s->shard &&
			(count_empty(s, err) < 0 || check_masks(s, json, err) < 0 ||
					lu_teacher_each(s->shard, check_teacher, s, err) < 0))
		return -1;
	return s->shard && s->m ? check_ledger(s, json, err) : 0;
}

uint64_t lu_shard_bytes(const char *prefix)
{
	char *json = lu_concat(prefix, ".json", NULL);
	struct lu_manifest m = { 0 };
	struct lu_err ignored;
	uint64_t bytes = 0;

	if (json && lu_manifest_read(&m, json, &ignored) == 0) {
		for (size_t i = 0; i < m.files; i++)
			bytes += m.file[i].bytes;
	}
	lu_manifest_release(&m);
	free(json);
	return bytes;
}

int lu_shard_verify(struct lu_verify *v, const char *prefix, struct lu_err *err)
{
	struct state s = { .v = v, .prefix = prefix };
	char *json = lu_concat(prefix, ".json", NULL);
	int rc = -1;

	v->faults = v->documents = v->sequences = v->tokens = v->bytes = v->parts = 0;
	v->empty = v->first_empty = 0;
	v->first_empty_id[0] = '\0';
	v->width = 0;
	v->has_manifest = v->masked = false;
	v->targets = 0;
	s.chunk = malloc(CHUNK);
	if (!json || !s.chunk)
		lu_err_nomem(err);
	else
		rc = verify(&s, json, err);
	lu_shard_close(s.shard);
	lu_manifest_release(&s.manifest);
	free(s.chunk);
	free(json);
	return rc < 0 ? -1 : v->faults > 0;
}
