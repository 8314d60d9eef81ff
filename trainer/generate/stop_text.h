#ifndef LUCIE_TRAINER_GENERATE_STOP_TEXT_H
#define LUCIE_TRAINER_GENERATE_STOP_TEXT_H
/*
 * A text that grows until it contains a stop string, and how much of it is sure: what cannot turn out
 * to be the beginning of a stop string.
 *
 *	struct lt_stop_text t = { .stop = stop, .stops = n };
 *	lu_buf_puts(&t.text, more);
 *	if (lt_stop_text_look(&t, false)) ...	it has come: t.text ends before it
 *	use(t.text.p, t.sure);
 *	lt_stop_text_look(&t, true)		at the end: all is sure
 *	lt_stop_text_release(&t);
 */
#include <stdbool.h>

#include "libcommon/base/buf.h"

struct lt_stop_text {
	const struct lu_str *stop; /* not empty; the caller's */
	size_t stops;
	struct lu_buf text;
	size_t sure;
	size_t looked; /* bytes of text that have been searched */
};

/* Search what was appended. True if there is a stop string: the text is cut before the one
 * that ends first. */
bool lt_stop_text_look(struct lt_stop_text *t, bool last);
/* Empty it and keep its memory. */
void lt_stop_text_clear(struct lt_stop_text *t);
void lt_stop_text_release(struct lt_stop_text *t);

#endif
