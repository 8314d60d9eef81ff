#include "libcommon/import/deb.h"

#include "libcommon/import/copyright.h"

int lu_deb_license(const struct lu_members *m, char *file, char **license, struct lu_err *err)
{
	const char *glob = "usr/share/doc/*/copyright";
	struct lu_list only = { &glob, 1 };
	struct lu_members sub = {
		.file = &file, .files = 1, .limit = m->limit, .tmpdir = m->tmpdir, .include = &only
	};
	struct lu_member member = { 0 };
	struct lu_arena arena = { 0 };
	struct lu_buf name = { 0 };
	int rc;

	while ((rc = lu_members_next(&sub, &member, &arena, err)) > 0 && member.drop)
		lu_arena_reset(&arena);
	if (rc > 0) {
		lu_copyright_license(lu_buf_slice(&member.bytes), &name);
		rc = lu_buf_check(&name, err);
	}
	if (rc == 0 && name.n) {
		*license = name.p;
		name = (struct lu_buf){ 0 };
	}
	lu_buf_release(&name);
	lu_buf_release(&member.bytes);
	lu_arena_release(&arena);
	lu_members_release(&sub);
	return rc;
}
