/*
 * lucie-normalize: normalises the text of documents.
 * NFC of UAX #15; line ends by section 5.8 of the Unicode Standard.
 */
#include <stdlib.h>

#include "libcommon/base/json_writer.h"
#include "libcommon/par/docstream.h"
#include "libcommon/text/normalize.h"

enum form { FORM_NFC, FORM_NFKC, FORM_NONE };
enum line_ends { LINE_ENDS_LF, LINE_ENDS_KEEP };
enum controls { CONTROLS_REMOVE, CONTROLS_KEEP };

struct options {
	struct lu_std std;
	enum form form;
	enum line_ends line_ends;
	enum controls controls;
	struct lu_list remove, typesetting;
	bool mojibake, trim, repair;
	int blank_lines;
};

static const struct lu_enum forms[] = {
	{ "nfc", FORM_NFC },
	{ "nfkc", FORM_NFKC },
	{ "none", FORM_NONE },
	LU_ENUM_END,
};
static const struct lu_enum line_ends[] = {
	{ "lf", LINE_ENDS_LF },
	{ "keep", LINE_ENDS_KEEP },
	LU_ENUM_END,
};
static const struct lu_enum controls[] = {
	{ "remove", CONTROLS_REMOVE },
	{ "keep", CONTROLS_KEEP },
	LU_ENUM_END,
};

static const struct lu_opt opts[] = {
	LU_OPT_ENUM(0, "form", struct options, form, forms, "Unicode normal form"),
	LU_OPT_ENUM(0, "line-ends", struct options, line_ends, line_ends,
			"convert CR LF, CR, NEL, ... to LF"),
	LU_OPT_ENUM(0, "controls", struct options, controls, controls, "all but tab and LF"),
	LU_OPT_LIST(0, "remove", struct options, remove, "WHAT",
			"remove invisible, soft-hyphen, bom, ..."),
	LU_OPT_FLAG(0, "mojibake", struct options, mojibake, "undo double encoding (\"Ã©\")"),
	LU_OPT_LIST(0, "typesetting", struct options, typesetting, "WHAT",
			"repair ligatures, hyphens, ..., or all"),
	LU_OPT_FLAG(0, "trim", struct options, trim, "trim the ends of lines and texts"),
	LU_OPT_INT(0, "blank-lines", struct options, blank_lines, "N", 0, 1000000,
			"keep at most N blank lines in a row (all)"),
	LU_OPT_FLAG(0, "repair", struct options, repair, "replace invalid UTF-8 by U+FFFD"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-normalize", "normalises the text of documents",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct options, std) };

/* The documents changed, in all and by kind of change. */
struct counts {
	uint64_t docs, kind[LU_CHANGED_KINDS];
};

struct run {
	struct lu_normalizer *normalizer;
	struct counts changed;
	struct lu_repair_counts typesetting;
	bool repairs_typesetting;
	const uint64_t *repaired; /* the stream's count */
};

/* The state of a thread. */
struct worker {
	struct lu_normalize_work work;
	struct counts changed;
};

static void worker_free(void *local)
{
	struct worker *w = local;

	lu_normalize_work_release(&w->work);
}

static int normalize(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	const struct run *r = ctx;
	struct worker *w = local;
	struct lu_str text;
	unsigned changed;

	if (lu_normalize(r->normalizer, &w->work, doc->text, &text, &changed, err) < 0)
		return -1;
	if (text.n == 0)
		return lu_doc_drop(doc, "empty text", NULL);
	if (!changed)
		return 0;
	w->changed.docs++;
	for (int i = 0; i < LU_CHANGED_KINDS; i++)
		w->changed.kind[i] += changed >> i & 1;
	return lu_doc_set_text(doc, text, err);
}

static int merge(void *ctx, void *local, struct lu_err *err)
{
	struct run *r = ctx;
	const struct worker *w = local;

	(void)err;
	r->changed.docs += w->changed.docs;
	for (int i = 0; i < LU_CHANGED_KINDS; i++)
		r->changed.kind[i] += w->changed.kind[i];
	r->typesetting.ligatures += w->work.repaired.ligatures;
	r->typesetting.accents += w->work.repaired.accents;
	r->typesetting.hyphens += w->work.repaired.hyphens;
	r->typesetting.soft_hyphens += w->work.repaired.soft_hyphens;
	r->typesetting.page_numbers += w->work.repaired.page_numbers;
	return 0;
}

/* Add "changed":{"docs":3,"form":2,"controls":1},"repaired":0 to the accounting line. */
static int finish(void *ctx, struct lu_stats *stats, struct lu_err *err)
{
	const struct run *r = ctx;
	struct lu_buf *b = &stats->extra;

	lu_json_open_object(b, "changed");
	lu_json_put_u64(b, "docs", r->changed.docs);
	for (int i = 0; i < LU_CHANGED_KINDS; i++) {
		if (r->changed.kind[i])
			lu_json_put_u64(b, lu_normalize_kind_name(i), r->changed.kind[i]);
	}
	lu_json_close_object(b);
	lu_json_put_u64(b, "repaired", *r->repaired);
	if (r->repairs_typesetting) {
		lu_json_open_object(b, "typesetting");
		lu_json_put_u64(b, "ligatures", r->typesetting.ligatures);
		lu_json_put_u64(b, "accents", r->typesetting.accents);
		lu_json_put_u64(b, "hyphens", r->typesetting.hyphens);
		lu_json_put_u64(b, "soft_hyphens", r->typesetting.soft_hyphens);
		lu_json_put_u64(b, "page_numbers", r->typesetting.page_numbers);
		lu_json_close_object(b);
	}
	return lu_buf_check(b, err);
}

/* Call `take` for each name of a list option; names are separated by commas too. */
static void each_name(const struct lu_list *list, const char *option,
		int (*take)(struct lu_str name, struct lu_normalize_opts *how, struct lu_err *err),
		struct lu_normalize_opts *how)
{
	struct lu_err err;

	for (size_t i = 0; i < list->n; i++) {
		const char *p = list->item[i];

		for (;;) {
			size_t n = strcspn(p, ",");

			if (take((struct lu_str){ p, n }, how, &err) < 0)
				lu_usage_fail(&err, "%s", option);
			if (!p[n])
				break;
			p += n + 1;
		}
	}
}

static int take_remove(struct lu_str name, struct lu_normalize_opts *how, struct lu_err *err)
{
	unsigned bits = lu_normalize_remove(name, err);

	how->remove |= bits;
	return bits ? 0 : -1;
}

static int take_typesetting(struct lu_str name, struct lu_normalize_opts *how, struct lu_err *err)
{
	return lu_normalize_typesetting(name, &how->typesetting, err);
}

static int run(const struct options *o, const struct lu_args *args, struct lu_err *err)
{
	struct lu_normalize_opts how = { .form = o->form != FORM_NONE,
		.nfkc = o->form == FORM_NFKC,
		.line_ends = o->line_ends == LINE_ENDS_LF,
		.controls = o->controls == CONTROLS_REMOVE,
		.mojibake = o->mojibake,
		.trim = o->trim,
		.blank_lines = o->blank_lines };
	struct run r = { .repairs_typesetting = o->typesetting.n > 0 };
	struct lu_docstream ds = { .ctx = &r,
		.map = normalize,
		.local_size = sizeof(struct worker),
		.local_free = worker_free,
		.merge = merge,
		.finish = finish,
		.flags = o->repair ? LU_DOCSTREAM_REPAIR : 0 };
	int rc = -1;

	each_name(&o->remove, "--remove", take_remove, &how);
	each_name(&o->typesetting, "--typesetting", take_typesetting, &how);
	r.normalizer = lu_normalizer_new(&how, err);
	r.repaired = &ds.repaired;
	if (r.normalizer)
		rc = lu_docstream_run(&ds, &o->std, args, err);
	lu_normalizer_free(r.normalizer);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { .std = LU_STD_DEFAULTS, .blank_lines = -1 };
	struct lu_args args;
	struct lu_err err = { 0 };
	int rc;

	lu_tool_start(&tool, argc, argv, &o, &args);
	rc = run(&o, &args, &err);
	lu_list_release(&o.remove);
	lu_list_release(&o.typesetting);
	return lu_tool_finish(rc, &err);
}
