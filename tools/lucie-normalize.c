/*
 * lucie-normalize: brings the text of documents to one Unicode form.
 * NFC of UAX #15; line ends by section 5.8 of the Unicode Standard.
 */
#include <stdlib.h>

#include "libcommon/par/docstream.h"
#include "libcommon/text/normalize.h"

struct config {
	struct lu_std std;
	int form, line_ends, controls;
	struct lu_list remove;
	bool mojibake, trim, repair;
	int blank_lines;

	struct lu_normalizer *normalizer;
	const struct lu_docstream *stream;
};

/* A thread's buffers and counts. */
struct worker {
	struct lu_normalize_work work;
	uint64_t docs, kind[LU_CHANGED_KINDS];
};

static const struct lu_opt opts[] = {
	LU_OPT_CHOICE(0, "form", struct config, form, "nfc|nfkc|none", "Unicode form; nfc"),
	LU_OPT_CHOICE(0, "line-ends", struct config, line_ends, "lf|keep",
			"CR LF, CR, NEL, ... become LF; lf"),
	LU_OPT_CHOICE(0, "controls", struct config, controls, "remove|keep",
			"control characters but tab and LF; remove"),
	LU_OPT_LIST(0, "remove", struct config, remove, "WHAT",
			"invisible, soft-hyphen, bom, joiners, ..."),
	LU_OPT_FLAG(0, "mojibake", struct config, mojibake, "undo double encoding (\"Ã©\")"),
	LU_OPT_FLAG(0, "trim", struct config, trim, "blanks at line ends, blank ends of texts"),
	LU_OPT_INT(0, "blank-lines", struct config, blank_lines, "N", 0, 1000000,
			"at most N blank lines in a row"),
	LU_OPT_FLAG(0, "repair", struct config, repair, "invalid UTF-8, lone surrogates: U+FFFD"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-normalize",
	"brings the text of documents to one Unicode form", "[FILE...]", opts, LU_STD_FILTER,
	offsetof(struct config, std) };

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_normalize_work_release(&w->work);
}

static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker *w = local;
	struct lu_str text;
	unsigned changed;

	if (lu_normalize(c->normalizer, &w->work, doc->text, &text, &changed, err) < 0)
		return -1;
	if (text.n == 0)
		return lu_doc_drop(doc, "empty text", NULL);
	if (!changed)
		return 0;
	w->docs++;
	for (int i = 0; i < LU_CHANGED_KINDS; i++)
		w->kind[i] += changed >> i & 1;
	return lu_doc_set_text(doc, text, err);
}

/* ,"changed":{"docs":3,"form":2,"controls":1},"repaired":0 */
static int totals(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct config *c = ctx;
	struct worker sum = { 0 };

	for (size_t k = 0; k < c->stream->locals; k++) {
		const struct worker *w = c->stream->local[k];

		sum.docs += w->docs;
		for (int i = 0; i < LU_CHANGED_KINDS; i++)
			sum.kind[i] += w->kind[i];
	}
	lu_buf_puts(&stats->extra, ",\"changed\":{\"docs\":");
	lu_buf_u64(&stats->extra, sum.docs);
	for (int i = 0; i < LU_CHANGED_KINDS; i++) {
		if (sum.kind[i]) {
			lu_buf_printf(&stats->extra, ",\"%s\":", lu_normalize_kind_name(i));
			lu_buf_u64(&stats->extra, sum.kind[i]);
		}
	}
	lu_buf_puts(&stats->extra, "},\"repaired\":");
	lu_buf_u64(&stats->extra, c->stream->repaired);
	return lu_buf_check(&stats->extra, err);
}

static unsigned removals(const struct lu_list *list)
{
	unsigned bits = 0;

	for (size_t i = 0; i < list->n; i++) {
		const char *p = list->item[i];

		for (;;) {
			size_t n = strcspn(p, ",");
			unsigned bit = lu_normalize_remove((struct lu_str){ p, n });

			if (!bit)
				lu_usage_error("--remove: '%.*s' is no name of characters", (int)n,
						p);
			bits |= bit;
			if (!p[n])
				break;
			p += n + 1;
		}
	}
	return bits;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS, .blank_lines = -1 };
	struct lu_args args;
	struct lu_err err = { 0 };
	struct lu_docstream ds = { .ctx = &c,
		.map = judge,
		.local_size = sizeof(struct worker),
		.local_free = worker_free,
		.finish = totals };
	struct lu_normalize_opts o = LU_NORMALIZE_DEFAULTS;
	int rc = -1;

	lu_tool_start(&tool, argc, argv, &c, &args);
	o.form = c.form != 2;
	o.nfkc = c.form == 1;
	o.line_ends = c.line_ends == 0;
	o.controls = c.controls == 0;
	o.remove = removals(&c.remove);
	o.mojibake = c.mojibake;
	o.trim = c.trim;
	o.blank_lines = c.blank_lines;
	ds.flags = c.repair ? LU_DOCSTREAM_REPAIR : 0;
	c.stream = &ds;
	c.normalizer = lu_normalizer_new(&o, &err);
	if (c.normalizer)
		rc = lu_docstream_run(&ds, &c.std, &args, &err);
	lu_normalizer_free(c.normalizer);
	lu_list_release(&c.remove);
	return lu_tool_finish(rc, &err);
}
