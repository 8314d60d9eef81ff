#include "trainer/run/skip_samples.h"

#include <inttypes.h>
#include <string.h>

#include "libcommon/base/num.h"

/* A number of n digits at p. */
static bool read_number(const char *p, size_t n, uint64_t *out)
{
	char text[24];
	struct lu_err why;

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	return lu_num_u64(text, out, &why) == 0;
}

/* Find the phase of a range, which is named unless there is one phase only; *numbers is behind it. */
static int find_phase(const char *text, const struct lt_config *c, const char **numbers,
		uint64_t *phase, struct lu_err *err)
{
	for (size_t i = 0; i < c->phase.n; i++) {
		size_t n = strlen(c->phase.p[i].name);

		if (strncmp(text, c->phase.p[i].name, n) == 0 && text[n] == ':') {
			*numbers = text + n + 1;
			*phase = i;
			return 0;
		}
	}
	*numbers = text;
	*phase = 0;
	if (c->phase.n == 1)
		return 0;
	return lu_err_set(err, "does not begin with a phase of the run, as in %s:A:B",
			c->phase.p[0].name);
}

static int add(const char *text, const struct lt_config *c, struct lt_position *pos, bool *added,
		struct lu_err *err)
{
	struct lu_skip r;
	const char *p, *colon;

	if (find_phase(text, c, &p, &r.phase, err) < 0)
		return -1;
	colon = strchr(p, ':');
	if (!colon || !read_number(p, (size_t)(colon - p), &r.from) ||
			!read_number(colon + 1, strlen(colon + 1), &r.to) || r.from >= r.to)
		return lu_err_set(err, "'%s' is not A:B with A below B", p);
	if (lu_skips_has(&pos->skips, r.phase, r.from, r.to))
		return 0;
	if (r.phase < pos->phase)
		return lu_err_set(err, "phase %s is over", c->phase.p[r.phase].name);
	if (r.phase == pos->phase && pos->samples &&
			r.from <= lu_skips_sample(&pos->skips, r.phase, pos->samples - 1))
		return lu_err_set(err,
				"sample %" PRIu64 " is past, the run goes on with sample %" PRIu64,
				r.from, lu_skips_sample(&pos->skips, r.phase, pos->samples));
	*added = true;
	return lu_skips_add(&pos->skips, r.phase, r.from, r.to, err);
}

int lt_skip_samples(const struct lu_list *list, const struct lt_config *config,
		struct lt_position *pos, bool *added, struct lu_err *err)
{
	*added = false;
	for (size_t i = 0; i < list->n; i++) {
		if (add(list->item[i], config, pos, added, err) < 0)
			return lu_err_wrap(err, "--skip-samples %s", list->item[i]);
	}
	return 0;
}

int lt_skip_check(const struct lu_skips *s, size_t i, const struct lt_phase_data *d,
		struct lu_err *err)
{
	bool pairs = lu_rows_section(lt_corpus_rows(d->corpus), 0)->pairs;
	uint64_t end = lu_skips_sample(s, i, d->schedule.samples);

	for (size_t k = 0; k < s->n; k++) {
		const struct lu_skip *r = &s->range[k];

		if (r->phase != i)
			continue;
		/* A range that begins at the end has been added to it. */
		if (r->from >= end || r->to >= end)
			return lu_err_set(err,
					"--skip-samples: the phase ends before sample %" PRIu64
					" is read",
					r->to);
		if (pairs && (r->from % 2 || r->to % 2))
			return lu_err_set(err,
					"--skip-samples: %" PRIu64 ":%" PRIu64
					" cuts a pair; give even numbers",
					r->from, r->to);
	}
	return 0;
}
