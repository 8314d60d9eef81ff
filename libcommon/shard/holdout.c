#include "libcommon/shard/holdout.h"

#include <stdlib.h>

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"

static const char hole[] = "{lang}";
#define HOLE (sizeof(hole) - 1)

int lu_holdout_add(struct lu_holdouts *h, const char *arg, struct lu_err *err)
{
	const char *equals = strrchr(arg, '=');
	struct lu_str name = { arg, equals ? (size_t)(equals - arg) : 0 };
	struct lu_holdout *bigger;
	double share;

	if (name.n == 0 || name.n > 128)
		return lu_err_set(err, "'%s' is not NAME=SHARE", arg);
	if (memchr(name.p, '/', name.n))
		return lu_err_set(err, "'%s': no '/' in the name", arg);
	if (strspn(arg, "0123456789") == name.n)
		return lu_err_set(err, "'%s': a number is the name of a part", arg);
	if (lu_num_double(equals + 1, &share, err) < 0 || share < 0 || share > 1)
		return lu_err_set(err, "'%s': the share goes from 0 to 1", arg);
	bigger = realloc(h->item, (h->n + 1) * sizeof(*bigger));
	if (!bigger)
		return lu_err_nomem(err);
	h->item = bigger;
	h->sum += share;
	/* 0.7 + 0.2 + 0.1 is a little less than 1 in binary, and others a little more. */
	if (h->sum > 1 + 1e-9)
		return lu_err_set(err, "'%s': the shares add up to more than 1", arg);
	h->item[h->n++] = (struct lu_holdout){ .name = name,
		.all = h->sum > 1 - 1e-9,
		.below = h->sum > 1 - 1e-9 ? UINT64_MAX : (uint64_t)(h->sum * 0x1p64) };
	return 0;
}

const struct lu_holdout *lu_holdout_choose(
		const struct lu_holdouts *h, uint64_t seed, struct lu_str key)
{
	uint64_t hash = h->n ? lu_hash64(key.p, key.n, seed) : 0;

	for (size_t i = 0; i < h->n; i++) {
		if (h->item[i].all || hash < h->item[i].below)
			return &h->item[i];
	}
	return NULL;
}

/* What codes such as code:c++ and fr,en have besides letters; in a name each is a '-'. */
#define ODD ":,+#."

static bool fits_a_name(struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				    strchr("_-" ODD, c)) ||
				c == '\0')
			return false;
	}
	return s.n > 0 && s.n <= 64;
}

int lu_holdout_name(const struct lu_holdout *o, struct lu_str lang, struct lu_arena *arena,
		struct lu_str *name, struct lu_err *err)
{
	const char *at = memmem(o->name.p, o->name.n, hole, HOLE);
	size_t before = at ? (size_t)(at - o->name.p) : 0, after;
	char *p;

	*name = o->name;
	if (!at)
		return 0;
	if (!fits_a_name(lang))
		return 1;
	after = o->name.n - before - HOLE;
	p = lu_arena_alloc(arena, before + lang.n + after);
	if (!p)
		return lu_err_nomem(err);
	memcpy(p, o->name.p, before);
	for (size_t i = 0; i < lang.n; i++)
		p[before + i] = strchr(ODD, lang.p[i]) ? '-' : lang.p[i];
	memcpy(p + before + lang.n, at + HOLE, after);
	*name = (struct lu_str){ p, before + lang.n + after };
	return 0;
}

void lu_holdouts_release(struct lu_holdouts *h)
{
	free(h->item);
	*h = (struct lu_holdouts){ 0 };
}
