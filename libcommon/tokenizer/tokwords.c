#include "libcommon/tokenizer/tokwords.h"

#include <stdlib.h>

#include "libcommon/hash/hash.h"

static int grow_slots(struct lu_words *w, struct lu_err *err)
{
	size_t slots = w->slots ? w->slots * 2 : 1 << 12;
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return lu_err_nomem(err);
	for (size_t i = 0; i < w->n; i++) {
		size_t k = w->entry[i].hash & (slots - 1);

		while (slot[k])
			k = (k + 1) & (slots - 1);
		slot[k] = (uint32_t)i + 1;
	}
	free(w->slot);
	w->slot = slot;
	w->slots = slots;
	return 0;
}

static int new_word(struct lu_words *w, struct lu_str s, uint64_t hash, uint64_t count, size_t slot,
	struct lu_err *err)
{
	if (s.n > UINT32_MAX || w->n >= UINT32_MAX - 1)
		return lu_err_set(err, "more than 4294967294 distinct words, or one of 4 GiB");
	if (w->n == w->entry_cap) {
		size_t cap = w->entry_cap ? w->entry_cap * 2 : 1 << 11;
		struct lu_word *e = realloc(w->entry, cap * sizeof(*e));

		if (!e)
			return lu_err_nomem(err);
		w->entry = e;
		w->entry_cap = cap;
	}
	if (w->cap - w->used < s.n) {
		size_t cap = w->cap * 2 > w->used + s.n ? w->cap * 2 : w->used + s.n + (1 << 15);
		char *b = realloc(w->bytes, cap);

		if (!b)
			return lu_err_nomem(err);
		w->bytes = b;
		w->cap = cap;
	}
	memcpy(w->bytes + w->used, s.p, s.n);
	w->entry[w->n] = (struct lu_word){ hash, w->used, count, (uint32_t)s.n };
	w->used += s.n;
	w->slot[slot] = (uint32_t)++w->n;
	return 0;
}

static int add(
	struct lu_words *w, struct lu_str s, uint64_t hash, uint64_t count, struct lu_err *err)
{
	size_t k;

	if (w->n >= w->slots / 2 && grow_slots(w, err) < 0)
		return -1;
	for (k = hash & (w->slots - 1); w->slot[k]; k = (k + 1) & (w->slots - 1)) {
		struct lu_word *e = &w->entry[w->slot[k] - 1];

		if (e->hash == hash && e->n == s.n && memcmp(w->bytes + e->at, s.p, s.n) == 0) {
			e->count += count;
			return 0;
		}
	}
	return new_word(w, s, hash, count, k, err);
}

int lu_words_add(struct lu_words *w, struct lu_str s, uint64_t count, struct lu_err *err)
{
	return s.n ? add(w, s, lu_hash64(s.p, s.n, 0), count, err) : 0;
}

int lu_words_add_all(struct lu_words *w, const struct lu_words *from, struct lu_err *err)
{
	for (size_t i = 0; i < from->n; i++) {
		if (add(w, lu_words_at(from, i), from->entry[i].hash, from->entry[i].count, err) <
			0)
			return -1;
	}
	return 0;
}

void lu_words_release(struct lu_words *w)
{
	free(w->bytes);
	free(w->entry);
	free(w->slot);
	*w = (struct lu_words){ 0 };
}
