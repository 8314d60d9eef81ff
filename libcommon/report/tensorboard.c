#include "libcommon/report/tensorboard.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/crc32c.h"
#include "libcommon/sys/atomicfile.h"
#include "libcommon/sys/file.h"

#define PREFIX "events.out.tfevents."
#define SUFFIX ".lucie"

/* --- protocol buffers ----------------------------------------------------------------------- */

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void put_varint(struct lu_buf *b, uint64_t v)
{
	for (; v >= 128; v >>= 7)
		lu_buf_putc(b, (char)(v | 128));
	lu_buf_putc(b, (char)v);
}

static void put_key(struct lu_buf *b, unsigned field, enum wire wire)
{
	put_varint(b, field << 3 | wire);
}

static void put_bytes(struct lu_buf *b, unsigned field, struct lu_str s)
{
	put_key(b, field, BYTES);
	put_varint(b, s.n);
	lu_buf_str(b, s);
}

static void put_double(struct lu_buf *b, unsigned field, double v)
{
	uint64_t bits;
	char raw[8];

	memcpy(&bits, &v, sizeof(bits));
	lu_store64(raw, bits);
	put_key(b, field, FIXED64);
	lu_buf_append(b, raw, sizeof(raw));
}

static void put_float(struct lu_buf *b, unsigned field, float v)
{
	uint32_t bits;
	char raw[4];

	memcpy(&bits, &v, sizeof(bits));
	lu_store32(raw, bits);
	put_key(b, field, FIXED32);
	lu_buf_append(b, raw, sizeof(raw));
}

/* --- events --------------------------------------------------------------------------------- */

static uint32_t masked_crc(const void *p, size_t n)
{
	uint32_t crc = lu_crc32c(p, n);

	return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/* Append an event as a record. `content` holds the field that the event has besides its time. */
static void put_event(struct lu_buf *b, double wall, uint64_t step, const struct lu_buf *content,
		struct lu_buf *event)
{
	char head[12], tail[4];

	lu_buf_clear(event);
	put_double(event, 1, wall);
	put_key(event, 2, VARINT);
	put_varint(event, step);
	lu_buf_str(event, lu_buf_slice(content));
	b->failed |= event->failed || content->failed;
	lu_store64(head, event->n);
	lu_store32(head + 8, masked_crc(head, 8));
	lu_buf_append(b, head, sizeof(head));
	lu_buf_str(b, lu_buf_slice(event));
	lu_store32(tail, masked_crc(event->p, event->n));
	lu_buf_append(b, tail, sizeof(tail));
}

/* A curve under a tag, and how far it has been written. */
struct series {
	char *tag; /* owned */
	const struct lu_curve *curve;
	size_t at;
};

struct lu_series LU_VEC(struct series);

static int add_series(struct lu_series *all, const char *group, const char *name, const char *what,
		const struct lu_curve *curve, struct lu_err *err)
{
	struct series s = { .curve = curve };

	if (asprintf(&s.tag, "%s/%s%s%s", group, name, what ? "/" : "", what ? what : "") < 0)
		return lu_err_nomem(err);
	if (!lu_vec_push(all, s)) {
		free(s.tag);
		return lu_err_nomem(err);
	}
	return 0;
}

static int list_series(const struct lu_metrics *m, struct lu_series *all, struct lu_err *err)
{
	const struct {
		const char *name;
		const struct lu_curve *curve;
	} train[] = {
		{ "loss", &m->loss },
		{ "lr", &m->lr },
		{ "norm", &m->norm },
		{ "margin", &m->margin },
		{ "accuracy", &m->accuracy },
		{ "batch", &m->batch },
		{ "tokens", &m->tokens_at },
		{ "tokens_per_s", &m->speed },
	};

	for (size_t i = 0; i < sizeof(train) / sizeof(train[0]); i++) {
		if (add_series(all, "train", train[i].name, NULL, train[i].curve, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < m->valid.n; i++) {
		const struct lu_valid *v = &m->valid.p[i];

		if (add_series(all, "valid", v->name, "loss", &v->loss, err) < 0 ||
				add_series(all, "valid", v->name, "bits_per_byte",
						&v->bits_per_byte, err) < 0)
			return -1;
	}
	return 0;
}

/* The first step that has not been written; INFINITY: none. */
static double next_step(const struct lu_series *all)
{
	double step = (double)INFINITY;

	for (size_t i = 0; i < all->n; i++) {
		const struct series *s = &all->p[i];

		if (s->at < s->curve->point.n && s->curve->point.p[s->at].x < step)
			step = s->curve->point.p[s->at].x;
	}
	return step;
}

/* The summary of a step, as field 5 of an event. */
static void put_summary(struct lu_series *all, double step, struct lu_buf *summary,
		struct lu_buf *value, struct lu_buf *content)
{
	lu_buf_clear(summary);
	for (size_t i = 0; i < all->n; i++) {
		struct series *s = &all->p[i];

		if (s->at == s->curve->point.n || s->curve->point.p[s->at].x > step)
			continue;
		lu_buf_clear(value);
		put_bytes(value, 1, lu_str_of(s->tag));
		put_float(value, 2, (float)s->curve->point.p[s->at++].y);
		put_bytes(summary, 1, lu_buf_slice(value));
	}
	lu_buf_clear(content);
	put_bytes(content, 5, lu_buf_slice(summary));
	content->failed |= summary->failed || value->failed;
}

/* When the step ended; before the first that is known, that one. *at is where the last call stopped. */
static double wall_time(const struct lu_curve *c, double step, size_t *at)
{
	if (c->point.n == 0)
		return 0;
	while (*at + 1 < c->point.n && c->point.p[*at + 1].x <= step)
		++*at;
	return c->point.p[*at].y;
}

int lu_tensorboard_events(const struct lu_metrics *m, struct lu_buf *out, struct lu_err *err)
{
	struct lu_buf content = { 0 }, event = { 0 }, summary = { 0 }, value = { 0 };
	struct lu_series all = { 0 };
	size_t at = 0;
	double step = 0;
	int rc = list_series(m, &all, err);

	put_bytes(&content, 3, LU_STR("brain.Event:2"));
	put_event(out, wall_time(&m->wall_at, 0, &at), 0, &content, &event);
	lu_buf_clear(&content);
	put_bytes(&content, 7, LU_STR("\x08\x01"));
	put_event(out, wall_time(&m->wall_at, 0, &at), 0, &content, &event);
	/* A step beyond 2^53 is no step, but JSON may have one. */
	while (rc == 0 && (step = next_step(&all)) < 0x1p53) {
		put_summary(&all, step, &summary, &value, &content);
		put_event(out, wall_time(&m->wall_at, step, &at), step > 0 ? (uint64_t)step : 0,
				&content, &event);
	}
	if (rc == 0)
		rc = lu_buf_check(out, err);
	for (size_t i = 0; i < all.n; i++)
		free(all.p[i].tag);
	lu_vec_release(&all);
	lu_buf_release(&content);
	lu_buf_release(&event);
	lu_buf_release(&summary);
	lu_buf_release(&value);
	return rc;
}

/* --- files ---------------------------------------------------------------------------------- */

/* The folder of a run; malloc'd. Runs of the same name are told apart by their paths. */
static char *folder_of(const char *dir, const char *run)
{
	static const char file[] = "/metrics.jsonl";
	size_t n = strlen(run), end = sizeof(file) - 1;
	char *path, *p;

	if (n > end && strcmp(run + n - end, file) == 0)
		n -= end;
	/* "." and ".." are other folders. */
	if (strspn(run, ".") >= n)
		run = "run", n = 3;
	if (asprintf(&path, "%s/%.*s", dir, (int)n, run) < 0)
		return NULL;
	for (p = path + strlen(dir) + 1; (p = strchr(p, '/'));)
		*p = '_';
	return path;
}

/* True for a name that an export gives. */
static bool is_ours(const char *name)
{
	size_t digits, n = sizeof(PREFIX) - 1;

	if (strncmp(name, PREFIX, n) != 0)
		return false;
	digits = strspn(name + n, "0123456789");
	return digits && strcmp(name + n + digits, SUFFIX) == 0;
}

/* Remove the files of other exports: theirs are the same steps. */
static int remove_others(const char *folder, const char *name, struct lu_err *err)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return lu_err_sys(err, errno, "%s", folder);
	while (rc == 0 && (e = readdir(d))) {
		if (is_ours(e->d_name) && strcmp(e->d_name, name) != 0 &&
				unlinkat(dirfd(d), e->d_name, 0) < 0 && errno != ENOENT)
			rc = lu_err_sys(err, errno, "%s/%s", folder, e->d_name);
	}
	closedir(d);
	return rc;
}

static int write_run(
		const char *folder, uint64_t bytes, const struct lu_buf *events, struct lu_err *err)
{
	char name[sizeof(PREFIX) + sizeof(SUFFIX) + 24];
	char *path;
	struct lu_atomic f;
	int rc;

	snprintf(name, sizeof(name), PREFIX "%012" PRIu64 SUFFIX, bytes);
	path = lu_concat(folder, "/", name);
	rc = path ? lu_make_folders(folder, err) : lu_err_nomem(err);
	if (rc == 0)
		rc = lu_atomic_open(&f, path, err);
	free(path);
	if (rc < 0)
		return -1;
	if (lu_atomic_write(&f, events->p, events->n, err) < 0) {
		lu_atomic_abort(&f);
		return -1;
	}
	return lu_atomic_commit(&f, err) < 0 ? -1 : remove_others(folder, name, err);
}

int lu_tensorboard_write(const char *dir, const struct lu_metrics *m, const struct lu_buf *events,
		size_t n, struct lu_err *err)
{
	char **folder = calloc(n, sizeof(*folder));
	int rc = folder || n == 0 ? 0 : lu_err_nomem(err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		folder[i] = folder_of(dir, m[i].name);
		if (!folder[i])
			rc = lu_err_nomem(err);
		for (size_t k = 0; rc == 0 && k < i; k++) {
			if (strcmp(folder[k], folder[i]) == 0)
				rc = lu_err_set(err,
						"%s and %s would both be written to %s; give them "
						"one by one",
						m[k].path, m[i].path, folder[i]);
		}
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = write_run(folder[i], m[i].bytes, &events[i], err);
	for (size_t i = 0; folder && i < n; i++)
		free(folder[i]);
	free(folder);
	return rc;
}
