#ifndef LUCIE_TOKAUDIT_PROBE_H
#define LUCIE_TOKAUDIT_PROBE_H
/*
 * Probing a tokenizer: encode candidate texts until one gives a piece. Only dead.c and partial.c
 * use this; dead.h is the manual.
 */
#include <stddef.h>
#include <stdint.h>

#include "libcommon/tokenizer/tokenizer_internal.h"

#define LU_PROBE_BASES 5
#define LU_PROBE_CONTEXTS 12

struct lu_probe {
	const struct lu_tok *tok;
	struct lu_bpe model;  /* the file's, without ignore_merges */
	struct lu_buf bytes;  /* what the piece in question stands for */
	struct lu_buf text;   /* to encode: see lu_probe_text() */
	struct lu_ids ids;    /* of the text or word encoded last */
	struct lu_buf joined; /* of partial.c */
	struct lu_buf scratch;

	/* Private. */
	struct lu_tok_state *state;
	struct lu_bpe_state bpe;
	struct lu_buf base[LU_PROBE_BASES]; /* texts of the piece without context */
	const char *before[LU_PROBE_CONTEXTS], *after[LU_PROBE_CONTEXTS];
	size_t befores, afters;
};

/* `p` is zeroed. Release it after a failure too. */
int lu_probe_init(struct lu_probe *p, const struct lu_tok *tok, struct lu_err *err) LU_CHECKED;
void lu_probe_release(struct lu_probe *p);

/* Encode p->text. 1 if its ids have `id`, 0, -1. */
int lu_probe_text(struct lu_probe *p, uint32_t id, struct lu_err *err) LU_CHECKED;
/* Merge a word by the model alone, into p->ids. */
int lu_probe_word(struct lu_probe *p, struct lu_str word, struct lu_err *err) LU_CHECKED;
/* Probe for a piece of whole characters, p->bytes: by itself, with the normalizer undone, and in
 * several contexts. 1 if a text gives it, 0, -1. */
int lu_probe_whole(struct lu_probe *p, uint32_t id, struct lu_err *err) LU_CHECKED;

#endif
