#include "libcommon/shard/beside.h"

#include <stdlib.h>

/* Length of the prefix: PART is the part's number, or "" for a shard that is not split. */
static size_t prefix_length(struct lu_str name, bool part)
{
	size_t n = name.n, digits = 0;

	if (!part)
		return n;
	while (n > 0 && name.p[n - 1] >= '0' && name.p[n - 1] <= '9')
		n--, digits++;
	return digits >= 5 && n > 0 && name.p[n - 1] == '-' ? n - 1 : 0;
}

int lu_manifest_beside(struct lu_manifest *m, const char *bin, struct lu_err *err)
{
	struct lu_str name = lu_str_of(bin);
	int found = 0;

	*m = (struct lu_manifest){ 0 };
	if (name.n < 4 || strcmp(bin + name.n - 4, ".bin") != 0)
		return 0;
	name.n -= 4;
	for (int part = 0; found == 0 && part < 2; part++) {
		struct lu_err ignored = { 0 };
		struct lu_buf path = { 0 };
		size_t n = prefix_length(name, part);

		lu_buf_append(&path, name.p, n);
		lu_buf_puts(&path, ".json");
		if (lu_buf_check(&path, err) < 0)
			found = -1;
		else if (n && lu_manifest_read(m, path.p, &ignored) == 0)
			found = lu_manifest_file(m, bin + n) ? 1 : 0;
		if (found == 0)
			lu_manifest_release(m);
		lu_buf_release(&path);
	}
	return found;
}

int lu_shard_of_part(const char *prefix, const char *suffix, struct lu_err *err)
{
	struct lu_manifest m = { 0 };
	struct lu_err ignored = { 0 };
	struct lu_buf path = { 0 };
	size_t n = strcspn(suffix, ".");
	int found;

	if (n == 0)
		return 0;
	lu_buf_puts(&path, prefix);
	lu_buf_append(&path, suffix, n);
	lu_buf_puts(&path, ".json");
	found = lu_buf_check(&path, err);
	if (found == 0 && lu_manifest_read(&m, path.p, &ignored) == 0) {
		found = lu_manifest_file(&m, suffix + n) ? 1 : 0;
		lu_manifest_release(&m);
	}
	lu_buf_release(&path);
	return found;
}

int lu_shard_spare_part(const char *prefix, const char *suffix, struct lu_err *err)
{
	int found = lu_shard_of_part(prefix, suffix, err);

	if (found <= 0)
		return found;
	return lu_err_set(err,
			"%s%s: belongs to the shard %s%.*s and would be replaced; write to another "
			"prefix, or remove that shard",
			prefix, suffix, prefix, (int)strcspn(suffix, "."), suffix);
}
