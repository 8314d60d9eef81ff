#include "libcommon/shard/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/shard/ledger.h"
#include "libcommon/shard/tally.h"
#include "libcommon/sys/file.h"

#define CHUNK ((size_t)1 << 20)

/* Faults of one kind: how many, and the first. */
struct count {
	uint64_t n, at;
	uint32_t value;
};

struct state {
	struct lu_verify *v;
	const char *prefix;
	struct lu_shard *shard; /* NULL when it cannot be opened */
	const struct lu_manifest *m;
	struct lu_manifest manifest;
	bool has_manifest;
	uint64_t vocab; /* 0: unknown */
	unsigned char *chunk;

	/* While a .bin is read. */
	uint64_t token;	   /* of the chunk's first id */
	uint64_t document; /* the next whose ends are to be checked */
	struct count outside, begin, end, empty;
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

static char *join(const char *prefix, const char *suffix)
{
	size_t n = strlen(prefix) + strlen(suffix) + 1;
	char *p = malloc(n);

	if (p)
		snprintf(p, n, "%s%s", prefix, suffix);
	return p;
}

static void one(struct count *c, uint64_t at, uint32_t value)
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

/* The largest id of the chunk; negative ones count as large. Plain loops, so that the compiler
 * can use its vectors. */
static uint32_t largest(const struct state *s, size_t n)
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

	if (n == 0 || largest(s, n) < vocab)
		return;
	for (size_t i = 0; i < n; i++) {
		if (id_at(s, i) >= vocab)
			one(&s->outside, s->token + i, id_at(s, i));
	}
}

/* The first and last ids of the documents that begin or end in the chunk. */
static void check_ends(struct state *s, size_t n, uint64_t part_end)
{
	const struct lu_manifest *m = s->m;
	uint64_t first, tokens;

	if (!m || !s->shard || (!m->has_bos && !m->has_eos))
		return;
	while (s->document < part_end) {
		lu_shard_document(s->shard, s->document, &first, &tokens);
		if (tokens == 0) {
			one(&s->empty, s->document, 0);
			s->document++;
			continue;
		}
		if (first >= s->token + n)
			return;
		if (m->has_bos && first >= s->token && id_at(s, first - s->token) != m->bos)
			one(&s->begin, s->document, id_at(s, first - s->token));
		if (first + tokens > s->token + n)
			return;
		if (m->has_eos && id_at(s, first + tokens - 1 - s->token) != m->eos)
			one(&s->end, s->document, id_at(s, first + tokens - 1 - s->token));
		s->document++;
	}
}

static void report_tokens(struct state *s, const char *path)
{
	if (s->outside.n)
		fault(s, "%s: %llu ids outside the vocabulary, the first is token %llu: %u", path,
				(unsigned long long)s->outside.n, (unsigned long long)s->outside.at,
				s->outside.value);
	if (s->begin.n)
		fault(s, "%s: %llu documents do not begin with id %u, the first is %llu", path,
				(unsigned long long)s->begin.n, s->m->bos,
				(unsigned long long)s->begin.at);
	if (s->end.n)
		fault(s, "%s: %llu documents do not end with id %u, the first is %llu", path,
				(unsigned long long)s->end.n, s->m->eos,
				(unsigned long long)s->end.at);
	if (s->empty.n)
		fault(s,
				"%s: %llu documents without the ids that begin and end one, "
				"the first is %llu",
				path, (unsigned long long)s->empty.n,
				(unsigned long long)s->empty.at);
	s->outside = s->begin = s->end = s->empty = (struct count){ 0 };
}

/* --- files -------------------------------------------------------------------------------- */

/* Fills the chunk unless the file ends; -1 on a read error. */
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

/* Reads a file to its end: size and hash against what the manifest says (`want`, may be NULL),
 * and, when it is the .bin of a part, the ids. */
static int read_whole(struct state *s, int fd, const char *path,
		const struct lu_manifest_file *want, bool bin, size_t part, struct lu_err *err)
{
	uint64_t bytes = 0, end = 0;
	struct lu_hasher *h = lu_hasher_new();
	char hash[33];
	ssize_t n;

	if (!h)
		return lu_err_nomem(err);
	bin = bin && s->shard;
	if (bin) {
		s->token = lu_shard_part_token(s->shard, part);
		s->document = lu_shard_part_document(s->shard, part);
		end = lu_shard_part_document(s->shard, part + 1);
	}
	while ((n = read_chunk(fd, s->chunk)) > 0) {
		lu_hasher_add(h, s->chunk, (size_t)n);
		bytes += (uint64_t)n;
		if (bin) {
			check_ids(s, (size_t)n / s->v->width);
			check_ends(s, (size_t)n / s->v->width, end);
			s->token += (size_t)n / s->v->width;
		}
		if ((size_t)n < CHUNK)
			break;
	}
	lu_hash128_text(lu_hasher_end(h), hash);
	lu_hasher_free(h);
	if (n < 0)
		return lu_err_sys(err, errno, "%s", path);
	if (bin) {
		check_ends(s, 0, end);
		report_tokens(s, path);
	}
	if (want && bytes != want->bytes)
		fault(s, "%s: has %llu bytes, the manifest says %llu", path,
				(unsigned long long)bytes, (unsigned long long)want->bytes);
	else if (want && strcmp(hash, want->hash) != 0)
		fault(s, "%s: its content is not what the manifest says (XXH3-128 %s, not %s)",
				path, hash, want->hash);
	return 0;
}

static int check_file(struct state *s, const char *suffix, const struct lu_manifest_file *want,
		bool bin, size_t part, struct lu_err *err)
{
	char *path = join(s->prefix, suffix);
	int fd, rc = 0;

	if (!path)
		return lu_err_nomem(err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fault(s, "%s: is missing", path);
	else if (fd < 0)
		rc = lu_err_sys(err, errno, "%s", path);
	else
		rc = read_whole(s, fd, path, want, bin, part, err);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static int check_files(struct state *s, struct lu_err *err)
{
	if (s->has_manifest) {
		for (size_t i = 0; i < s->manifest.files; i++) {
			const struct lu_manifest_file *f = &s->manifest.file[i];

			if (check_file(s, f->suffix, f, i % 3 == 0, i / 3, err) < 0)
				return -1;
		}
		return 0;
	}
	for (size_t i = 0; s->shard && i < lu_shard_parts(s->shard); i++) {
		char suffix[LU_PART_SUFFIX + 8];

		snprintf(suffix, sizeof(suffix), "%s.bin", lu_shard_part_suffix(s->shard, i));
		if (check_file(s, suffix, NULL, true, i, err) < 0)
			return -1;
	}
	return 0;
}

/* --- the manifest ------------------------------------------------------------------------- */

/* The last line: the hash of all before it. Compared as bytes, so that no byte may change. */
static void check_self(struct state *s, const char *path, const char *text, size_t n)
{
	char want[sizeof(LU_MANIFEST_SELF) + 32 + 4], hash[33];
	size_t len = sizeof(LU_MANIFEST_SELF) - 1 + 32 + 3;

	if (n < len) {
		fault(s, "%s: ends too early", path);
		return;
	}
	lu_hash128_text(lu_hash128(text, n - len), hash);
	snprintf(want, sizeof(want), "%s%s\"}\n", LU_MANIFEST_SELF, hash);
	if (memcmp(text + n - len, want, len) != 0)
		fault(s, "%s: was changed: its own hash differs", path);
}

/* What the system refused, memory or a disk that fails, says nothing about the shard. */
static int fault_or_trouble(struct state *s, const struct lu_err *why, struct lu_err *err)
{
	if (why->errnum && why->errnum != ENOENT) {
		*err = *why;
		return -1;
	}
	fault(s, "%s", why->msg);
	return 0;
}

/* 1: it is there and can be used. */
static int check_manifest(struct state *s, const char *path, struct lu_err *err)
{
	struct lu_err why = { 0 };
	char *text;
	size_t n;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (lu_read_file(path, LU_MANIFEST_LIMIT, &text, &n, err) < 0)
		return -1;
	check_self(s, path, text, n);
	free(text);
	if (lu_manifest_read(&s->manifest, path, &why) < 0)
		return fault_or_trouble(s, &why, err);
	s->has_manifest = s->v->has_manifest = true;
	s->m = &s->manifest;
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
		fault(s, "%s: was made by another tokenizer (XXH3-128 %s, not %s)", path,
				s->m->tokenizer, hash);
}

/* --- the ledger --------------------------------------------------------------------------- */

static void compare_totals(struct state *s, const char *path, const char *what,
		const struct lu_tally *t, const struct lu_manifest_total *want, size_t n)
{
	bool same = t->n == n;

	for (size_t i = 0; same && i < n; i++)
		same = lu_str_eq(t->total[i].value, want[i].value) &&
				t->total[i].documents == want[i].documents &&
				t->total[i].tokens == want[i].tokens &&
				t->total[i].bytes == want[i].bytes;
	if (!same)
		fault(s, "%s: its totals by %s are not those of the ledger", path, what);
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
		if (lu_tally_add(&lang, d.lang, 1, d.tokens, d.bytes, err) < 0 ||
				lu_tally_add(&license, d.license, 1, d.tokens, d.bytes, err) < 0) {
			rc = -1;
			goto out;
		}
	}
	if (rc < 0) {
		rc = fault_or_trouble(s, &why, err);
		goto out;
	}
	lu_tally_sort(&lang);
	lu_tally_sort(&license);
	compare_totals(s, path, "lang", &lang, s->m->lang, s->m->langs);
	compare_totals(s, path, "license", &license, s->m->license, s->m->licenses);
	if (s->v->bytes != s->m->bytes)
		fault(s, "%s: says %llu bytes of text, the ledger has %llu", path,
				(unsigned long long)s->m->bytes, (unsigned long long)s->v->bytes);
out:
	lu_ledger_close(l);
	lu_tally_release(&lang);
	lu_tally_release(&license);
	return rc;
}

/* Without any of these names there is nothing to judge. */
static int any_there(const char *prefix, struct lu_err *err)
{
	static const char *const name[] = { ".json", ".idx", ".bin", "-00000.idx", "-00000.bin" };

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		char *path = join(prefix, name[i]);
		int rc = path ? access(path, F_OK) : -1;

		free(path);
		if (!path)
			return lu_err_nomem(err);
		if (rc == 0)
			return 0;
	}
	return lu_err_set(err, "%s: there is no shard of this name", prefix);
}

static int verify(struct state *s, const char *json, struct lu_err *err)
{
	struct lu_err why = { 0 };

	if (any_there(s->prefix, err) < 0 || check_manifest(s, json, err) < 0)
		return -1;
	if (lu_shard_open(&s->shard, s->prefix, &why) < 0)
		s->shard = NULL;
	if (s->shard) {
		s->v->width = lu_shard_width(s->shard);
		s->v->documents = lu_shard_documents(s->shard);
		s->v->tokens = lu_shard_tokens(s->shard);
		if (!s->m && lu_shard_part_suffix(s->shard, 0)[0])
			s->v->parts = lu_shard_parts(s->shard);
	}
	check_tokenizer(s, json);
	if (check_files(s, err) < 0)
		return -1;
	/* Why it does not open, unless that was told: a manifest that cannot be read, a file that
	 * is not there. */
	if (!s->shard && (s->v->faults == 0 || (s->has_manifest && why.errnum != ENOENT)) &&
			fault_or_trouble(s, &why, err) < 0)
		return -1;
	return s->shard && s->has_manifest ? check_ledger(s, json, err) : 0;
}

int lu_shard_verify(struct lu_verify *v, const char *prefix, struct lu_err *err)
{
	struct state s = { .v = v, .prefix = prefix };
	char *json = join(prefix, ".json");
	int rc = -1;

	v->faults = v->documents = v->tokens = v->bytes = v->parts = 0;
	v->width = 0;
	v->has_manifest = false;
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
