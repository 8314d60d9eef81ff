/* lucie-normalize: stub to be replaced */
#include "libcommon/par/docstream.h"

struct config {
	struct lu_std std;
	bool repair;
};

static const struct lu_opt opts[] = {
	LU_OPT_FLAG(
		0, "repair", struct config, repair, "replace invalid UTF-8 and lone surrogates"),
	LU_OPT_END,
};

static const struct lu_tool tool = { "lucie-normalize", "brings the text of documents to NFC",
	"[FILE...]", opts, LU_STD_FILTER, offsetof(struct config, std) };

static int judge(void *ctx, void *local, struct lu_doc *doc, struct lu_err *err)
{
	(void)ctx;
	(void)local;
	(void)doc;
	(void)err;
	return 0;
}

int main(int argc, char **argv)
{
	struct config c = { .std = LU_STD_DEFAULTS };
	struct lu_args args;
	struct lu_err err = { 0 };
	struct lu_docstream ds = { .ctx = &c, .map = judge };

	lu_tool_start(&tool, argc, argv, &c, &args);
	ds.repair = c.repair;
	return lu_tool_finish(lu_docstream_run(&ds, &c.std, &args, &err), &err);
}
