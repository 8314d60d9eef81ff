#include "libcommon/dedup/seen.h"

#include <stdlib.h>
#include <string.h>

/* XXH3's bits are uniform, so the low ones are the place. */
static size_t find(const struct lu_seen *s, struct lu_hash128 key)
{
	size_t i = (size_t)key.lo & (s->slots - 1);

	while (s->slot[i] && !lu_hash128_eq(s->key[s->slot[i] - 1], key))
		i = (i + 1) & (s->slots - 1);
	return i;
}

/* Three quarters full at most. */
static int grow(struct lu_seen *s, struct lu_err *err)
{
	size_t slots = s->slots ? s->slots * 2 : 1024;
	uint64_t cap = (uint64_t)slots / 4 * 3;
	struct lu_hash128 *key;
	uint32_t *slot;

	if (cap > UINT32_MAX - 1)
		cap = UINT32_MAX - 1;
	if (cap == s->cap)
		return lu_err_set(err, "more than %u distinct documents", s->cap);
	key = realloc(s->key, (size_t)cap * sizeof(*key));
	if (!key)
		return lu_err_nomem(err);
	s->key = key;
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return lu_err_nomem(err);
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	s->cap = (uint32_t)cap;
	for (uint32_t i = 0; i < s->keys; i++)
		s->slot[find(s, s->key[i])] = i + 1;
	return 0;
}

int lu_seen_add(struct lu_seen *s, struct lu_hash128 key, uint32_t *number, struct lu_err *err)
{
	size_t i;

	if (s->slots) {
		i = find(s, key);
		if (s->slot[i]) {
			*number = s->slot[i] - 1;
			return 0;
		}
	}
	if (s->keys == s->cap && grow(s, err) < 0)
		return -1;
	i = find(s, key);
	s->key[s->keys] = key;
	*number = s->keys++;
	s->slot[i] = s->keys;
	return 1;
}

void lu_seen_release(struct lu_seen *s)
{
	free(s->key);
	free(s->slot);
	*s = (struct lu_seen){ 0 };
}
