#ifndef LUCIE_FILTER_JUDGES_H
#define LUCIE_FILTER_JUDGES_H
/*
 * Judges: what lucie-filter asks about each document, one after the other. Each is a table of
 * functions with a state of its own, so that rules, expressions, lists of addresses and personal
 * data are files of their own and share one document stream.
 *
 *	static const struct lu_judge short_texts = { .map = drop_short };
 *	struct lu_judges js = { 0 };
 *	if (lu_judges_add(&js, &short_texts, &limits, &err) < 0) ...	in the order of asking
 *	rc = lu_judges_run(&js, LU_DOCSTREAM_SELECTS, &std, &args, &err);
 *	lu_judges_release(&js);
 *
 * A judge may keep a document, drop it (lu_doc_drop()), or change it (lu_doc_set(),
 * lu_doc_set_text()); those after it see the changed text. Once a document is dropped or bad, the
 * judges after it are not asked, so the first that objects gives the reason.
 *
 * decide() is called for the documents that every map() kept, in the order of the input, with the
 * doc->user that this judge's own map() left, NULL if none. It may still drop the document.
 */
#include "libcommon/par/docstream.h"

/* The functions are those of struct lu_docstream, with `ctx` and `local` of this judge. All but
 * map() may be NULL. */
struct lu_judge {
	int (*map)(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err);
	size_t local_size; /* zeroed bytes for each thread; aligned for any type */
	int (*local_init)(void *ctx, void *local, struct lu_err *err);
	void (*local_free)(void *local);
	int (*decide)(void *ctx, struct lu_doc *doc, struct lu_err *err);
	int (*merge)(void *ctx, void *local, struct lu_err *err);
	int (*finish)(void *ctx, struct lu_stats *stats, struct lu_err *err);
	int (*commit)(void *ctx, struct lu_err *err);
};

struct lu_judge_seat {
	const struct lu_judge *judge;
	void *ctx;
	size_t at; /* of its state in the thread's */
};
struct lu_judges {
	struct LU_VEC(struct lu_judge_seat) seats;
	size_t local_size;
	bool decides; /* one of them has decide() */
};

int lu_judges_add(struct lu_judges *js, const struct lu_judge *judge, void *ctx,
		struct lu_err *err) LU_CHECKED;
/* Read the documents, ask every judge, write those that all keep. `flags` as in struct
 * lu_docstream. */
int lu_judges_run(struct lu_judges *js, unsigned flags, const struct lu_std *std,
		const struct lu_args *args, struct lu_err *err) LU_CHECKED;
void lu_judges_release(struct lu_judges *js);

#endif
