#include "libcommon/filter/noise.h"

#include <stdio.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/base/num.h"
#include "libcommon/base/utf8.h"

#define MARK "[...]"

struct worker {
	struct lu_tok_state *state;
	struct lu_ids ids;
	struct lu_buf text;
	uint64_t docs, gaps, chars;
};

/* What is known of a document while its chunks are weighed. */
struct gaps {
	const char *kept; /* end of what stays so far */
	uint64_t gaps, chars, all_chars, all_tokens;
	bool any; /* some chunk stays */
};

int lu_noise_load(struct lu_noise *n, const char *tokenizer, struct lu_err *err)
{
	char number[32];

	lu_num_format(n->most, number);
	snprintf(n->reason, sizeof(n->reason), "tokens_per_char > %s", number);
	return lu_tok_load(&n->tok, tokenizer, err);
}

void lu_noise_release(struct lu_noise *n)
{
	lu_tok_free(n->tok);
	n->tok = NULL;
}

static int worker_init(void *ctx, void *local, struct lu_err *err)
{
	struct worker *w = local;

	w->state = lu_tok_state_new(((const struct lu_noise *)ctx)->tok);
	return w->state ? 0 : lu_err_nomem(err);
}

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_tok_state_free(w->state);
	lu_ids_release(&w->ids);
	lu_buf_release(&w->text);
}

const char *lu_noise_chunk(const char *p, const char *end, uint64_t *chars)
{
	const char *blank = NULL, *line = NULL;
	uint64_t n = 0, blank_at = 0, line_at = 0;

	while (p < end && n < LU_NOISE_MAX) {
		uint32_t c = lu_utf8_next(&p);

		n++;
		if (c == '\n' && n >= LU_NOISE_MIN && !line) {
			line = p;
			line_at = n;
		} else if (c == ' ' || c == '\n') {
			blank = p;
			blank_at = n;
		}
	}
	*chars = n;
	if (p == end)
		return p;
	if (line) {
		*chars = line_at;
		return line;
	}
	if (blank && blank_at >= LU_NOISE_MIN) {
		*chars = blank_at;
		return blank;
	}
	return p;
}

/* Append a stretch that stays, behind the mark if something was cut before it. */
static void keep(struct worker *w, struct gaps *g, const char *p, const char *end)
{
	if (g->kept != p) {
		while (w->text.n > 0 && w->text.p[w->text.n - 1] == '\n')
			w->text.n--;
		lu_buf_puts(&w->text, w->text.n ? "\n\n" MARK "\n\n" : MARK "\n\n");
		while (p < end && *p == '\n')
			p++;
	}
	lu_buf_append(&w->text, p, (size_t)(end - p));
	g->kept = end;
	g->any = true;
}

/* Weigh the chunks of the text; what stays is in w->text. */
static int weigh(const struct lu_noise *n, struct worker *w, struct lu_str text, struct gaps *g,
		struct lu_err *err)
{
	const char *p = text.p, *end = text.p + text.n;
	bool inside = false;

	*g = (struct gaps){ .kept = p };
	lu_buf_clear(&w->text);
	while (p < end) {
		uint64_t chars;
		const char *to = lu_noise_chunk(p, end, &chars);

		w->ids.n = 0;
		if (lu_tok_encode(n->tok, w->state, (struct lu_str){ p, (size_t)(to - p) },
				    LU_TOK_SPECIAL_TEXT, &w->ids, err) < 0)
			return -1;
		g->all_chars += chars;
		g->all_tokens += w->ids.n;
		if ((double)w->ids.n > n->most * (double)chars) {
			g->gaps += !inside;
			g->chars += chars;
			inside = true;
		} else {
			keep(w, g, p, to);
			inside = false;
		}
		p = to;
	}
	return lu_buf_check(&w->text, err);
}

static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct lu_noise *n = ctx;
	struct worker *w = local;
	struct lu_str text;
	struct gaps g;

	if (weigh(n, w, doc->text, &g, err) < 0)
		return -1;
	if (g.gaps == 0)
		return 0;
	if (!g.any)
		return lu_doc_drop_number(
				doc, n->reason, (double)g.all_tokens / (double)g.all_chars);
	w->docs++;
	w->gaps += g.gaps;
	w->chars += g.chars;
	text = lu_arena_str(doc->arena, lu_buf_slice(&w->text));
	return text.p ? lu_doc_set_text(doc, text, err) : lu_err_nomem(err);
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	struct lu_noise *n = ctx;
	const struct worker *w = local;

	(void)err;
	n->docs += w->docs;
	n->gaps += w->gaps;
	n->chars += w->chars;
	return 0;
}

static int put_totals(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct lu_noise *n = ctx;
	struct lu_buf *b = &stats->extra;

	lu_json_open_object(b, "noise");
	lu_json_put_u64(b, "docs", n->docs);
	lu_json_put_u64(b, "gaps", n->gaps);
	lu_json_put_u64(b, "chars", n->chars);
	lu_json_close_object(b);
	return lu_buf_check(b, err);
}

const struct lu_judge lu_noise_judge = {
	.map = judge,
	.local_size = sizeof(struct worker),
	.local_init = worker_init,
	.local_free = worker_free,
	.merge = merge,
	.finish = put_totals,
};
