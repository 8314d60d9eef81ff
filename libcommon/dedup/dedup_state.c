#include "libcommon/dedup/dedup_state.h"

int lu_dedup_next_exact(struct lu_dedup_state *s, struct lu_err *err)
{
	int rc = lu_exact_next(&s->exact, &s->next, err);

	s->any = rc > 0;
	return rc;
}

int lu_dedup_is_exact(struct lu_dedup_state *s, uint64_t number, struct lu_err *err)
{
	while (s->any && s->next.number < number) {
		if (lu_dedup_next_exact(s, err) < 0)
			return -1;
	}
	return s->any && s->next.number == number;
}

int lu_dedup_log(struct lu_dedup_state *s, struct lu_out *log, const char *kind, uint64_t number,
		uint64_t kept, double similarity, uint64_t size, struct lu_err *err)
{
	struct lu_buf line = { 0 }, id = { 0 }, kept_id = { 0 };
	struct lu_origin a, b;
	int rc = lu_origins_get_next(&s->origins, number, &a, &id, err);

	if (rc == 0)
		rc = lu_origins_get(&s->origins, kept, &b, &kept_id, err);
	if (rc == 0) {
		lu_removed_open(&line, kind, &a, &b, similarity);
		lu_removed_close(&line, size);
		rc = lu_out_buf(log, &line, err);
	}
	lu_buf_release(&line);
	lu_buf_release(&id);
	lu_buf_release(&kept_id);
	return rc;
}
