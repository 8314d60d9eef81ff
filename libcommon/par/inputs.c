#include "libcommon/par/inputs.h"

#include <string.h>
#include <sys/stat.h>

#include "libcommon/io/magic.h"

static int refuse_empty(const char *file, bool lines, struct lu_err *err)
{
	struct stat st;
	bool regular = stat(file, &st) == 0 && S_ISREG(st.st_mode);
	const char *what = lines     ? "only blank lines"
			: !regular   ? "an empty stream"
			: st.st_size ? "an empty compressed stream"
				     : "an empty file";

	return lu_err_set(err, "%s: holds no documents (%s); --allow-empty accepts it", file, what);
}

static bool may_be_empty(const struct lu_inputs *in, const char *file)
{
	return in->allow_empty || strcmp(file, "-") == 0;
}

int lu_inputs_open(
		struct lu_inputs *in, char **file, size_t n, bool allow_empty, struct lu_err *err)
{
	*in = (struct lu_inputs){ .file = file, .files = n, .allow_empty = allow_empty };
	/* Now, not after hours of work on the files before it. */
	for (size_t i = 0; i < n; i++) {
		struct stat st;

		if (!may_be_empty(in, file[i]) && stat(file[i], &st) == 0 && S_ISREG(st.st_mode) &&
				st.st_size == 0)
			return refuse_empty(file[i], false, err);
	}
	return 0;
}

int lu_inputs_look(const struct lu_slab *slab, struct lu_err *err)
{
	const struct lu_format *f = NULL;

	if (slab->first_line == 1)
		f = lu_magic_find(lu_buf_slice(&slab->bytes), LU_MAGIC_ALL);
	if (!f)
		return 0;
	if (f->advice)
		return lu_err_set(err, "%s: %s; %s", slab->file, f->name, f->advice);
	return lu_err_set(err, "%s: %s, where JSON Lines are expected (see man lucie-import)",
			slab->file, f->name);
}

/* The operand is over. */
static int close_operand(struct lu_inputs *in, struct lu_err *err)
{
	const char *file = in->file[in->at];

	if (in->docs == 0 && !may_be_empty(in, file))
		return refuse_empty(file, in->lines, err);
	in->at++;
	in->docs = 0;
	in->lines = false;
	return 0;
}

int lu_inputs_count(struct lu_inputs *in, const char *file, uint64_t docs, struct lu_err *err)
{
	while (in->at < in->files && in->file[in->at] != file) {
		if (close_operand(in, err) < 0)
			return -1;
	}
	in->docs += docs;
	in->lines = true;
	return 0;
}

int lu_inputs_end(struct lu_inputs *in, struct lu_err *err)
{
	while (in->at < in->files) {
		if (close_operand(in, err) < 0)
			return -1;
	}
	return 0;
}
