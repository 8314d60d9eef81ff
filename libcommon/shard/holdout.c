#include "libcommon/shard/holdout.h"

#include "libcommon/base/num.h"
#include "libcommon/hash/hash.h"

#define PLACEHOLDER LU_STR("{lang}")

int lu_holdout_add(struct lu_holdouts *h, const char *arg, struct lu_err *err)
{
	const char *equals = strrchr(arg, '=');
	struct lu_holdout o = { .name = { arg, equals ? (size_t)(equals - arg) : 0 } };
	const char *brace;
	double share;

	if (o.name.n == 0 || o.name.n > 128)
		return lu_err_set(err, "'%s' is not NAME=SHARE", arg);
	brace = memchr(arg, '{', o.name.n);
	if (brace && lu_str_find(arg, arg + o.name.n, PLACEHOLDER) != brace)
		return lu_err_set(err, "'%s': only {lang} can be replaced", arg);
	for (size_t i = 0; i < h->item.n; i++) {
		if (lu_str_eq(h->item.p[i].name, o.name))
			return lu_err_set(err, "'%s': the name is given twice", arg);
	}
	if (memchr(arg, '/', o.name.n))
		return lu_err_set(err, "'%s': the name contains '/'", arg);
	if (strspn(arg, "0123456789") == o.name.n)
		return lu_err_set(err, "'%s': numbers are the names of parts", arg);
	if (lu_num_double(equals + 1, &share, err) < 0 || share < 0 || share > 1)
		return lu_err_set(err, "'%s': the share is not between 0 and 1", arg);
	/* In binary, 0.7 + 0.2 + 0.1 is a little less than 1, other sums a little more. */
	if (h->sum + share > 1 + 1e-9)
		return lu_err_set(err, "'%s': the shares add up to more than 1", arg);
	h->sum += share;
	o.all = h->sum > 1 - 1e-9;
	o.below = o.all ? UINT64_MAX : (uint64_t)(h->sum * 0x1p64);
	return lu_vec_push(&h->item, o) ? 0 : lu_err_nomem(err);
}

const struct lu_holdout *lu_holdout_choose(
		const struct lu_holdouts *h, uint64_t seed, struct lu_str key)
{
	uint64_t hash = h->item.n ? lu_hash64(key.p, key.n, seed) : 0;

	for (size_t i = 0; i < h->item.n; i++) {
		const struct lu_holdout *o = &h->item.p[i];

		if (o->all || hash < o->below)
			return o;
	}
	return NULL;
}

/* Characters of language codes such as code:c++ and fr,en that become '-' in a name. */
#define REPLACED ":,+#."

static bool is_allowed(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr("_-" REPLACED, c));
}

static bool fits_file_name(struct lu_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_allowed(s.p[i]))
			return false;
	}
	return s.n > 0 && s.n <= 64;
}

int lu_holdout_name(const struct lu_holdout *o, struct lu_str lang, struct lu_arena *arena,
		struct lu_str *name, struct lu_err *err)
{
	const char *end = o->name.p + o->name.n;
	const char *found = lu_str_find(o->name.p, end, PLACEHOLDER);
	size_t before, after;
	char *p;

	*name = o->name;
	if (!found)
		return 0;
	if (!fits_file_name(lang))
		return 1;
	before = (size_t)(found - o->name.p);
	after = o->name.n - before - PLACEHOLDER.n;
	p = lu_arena_alloc(arena, before + lang.n + after);
	if (!p)
		return lu_err_nomem(err);
	memcpy(p, o->name.p, before);
	for (size_t i = 0; i < lang.n; i++)
		p[before + i] = strchr(REPLACED, lang.p[i]) ? '-' : lang.p[i];
	memcpy(p + before + lang.n, end - after, after);
	*name = (struct lu_str){ p, before + lang.n + after };
	return 0;
}

bool lu_holdouts_take_all(const struct lu_holdouts *h)
{
	return h->item.n && h->item.p[h->item.n - 1].all;
}

void lu_holdouts_release(struct lu_holdouts *h)
{
	lu_vec_release(&h->item);
	*h = (struct lu_holdouts){ 0 };
}
