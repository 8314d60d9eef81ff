#include "trainer/generate/stop_text.h"

/* Bytes at the end of the text that a stop string begins with. */
static size_t pending(const struct lt_stop_text *t, struct lu_str stop)
{
	size_t n = stop.n - 1 < t->text.n ? stop.n - 1 : t->text.n;

	while (n && memcmp(t->text.p + t->text.n - n, stop.p, n) != 0)
		n--;
	return n;
}

bool lt_stop_text_look(struct lt_stop_text *t, bool last)
{
	size_t first = SIZE_MAX, end = SIZE_MAX, held = 0;

	for (size_t i = 0; i < t->stops; i++) {
		struct lu_str stop = t->stop[i];
		size_t from = t->looked > stop.n - 1 ? t->looked - (stop.n - 1) : 0;
		const char *at;
		size_t begin;

		if (t->text.n - from < stop.n)
			continue;
		at = memmem(t->text.p + from, t->text.n - from, stop.p, stop.n);
		if (!at)
			continue;
		begin = (size_t)(at - t->text.p);
		/* The one that is complete first, however the text was cut. */
		if (begin + stop.n < end || (begin + stop.n == end && begin < first)) {
			first = begin;
			end = begin + stop.n;
		}
	}
	if (first != SIZE_MAX) {
		t->text.n = t->sure = t->looked = first;
		return true;
	}
	t->looked = t->text.n;
	for (size_t i = 0; i < t->stops && !last; i++) {
		size_t n = pending(t, t->stop[i]);

		held = n > held ? n : held;
	}
	t->sure = t->text.n - held;
	return false;
}

void lt_stop_text_clear(struct lt_stop_text *t)
{
	lu_buf_clear(&t->text);
	t->sure = t->looked = 0;
}

void lt_stop_text_release(struct lt_stop_text *t)
{
	lu_buf_release(&t->text);
	t->sure = t->looked = 0;
}
