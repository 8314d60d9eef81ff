#include "libcommon/io/spool.h"

#include <unistd.h>

#include "libcommon/sys/file.h"

static const char name[] = "temporary file";

int lu_spool_open(struct lu_spool *s, const char *dir, struct lu_err *err)
{
	*s = (struct lu_spool)LU_SPOOL_NONE;
	s->fd = lu_temp_open(dir, err);
	return s->fd < 0 ? -1 : 0;
}

static int flush(struct lu_spool *s, struct lu_err *err)
{
	if (lu_buf_check(&s->window, err) < 0 ||
			lu_write_all(s->fd, s->window.p, s->window.n, name, err) < 0)
		return -1;
	lu_buf_clear(&s->window);
	return 0;
}

int lu_spool_add(struct lu_spool *s, const void *p, size_t n, struct lu_err *err)
{
	if (s->window.n + n > LU_SPOOL_WINDOW && s->window.n && flush(s, err) < 0)
		return -1;
	s->size += n;
	/* Larger writes bypass the window. */
	if (n > LU_SPOOL_WINDOW)
		return lu_write_all(s->fd, p, n, name, err);
	lu_buf_append(&s->window, p, n);
	return lu_buf_check(&s->window, err);
}

int lu_spool_rewind(struct lu_spool *s, struct lu_err *err)
{
	if (s->window.n && flush(s, err) < 0)
		return -1;
	s->from = s->next = 0;
	return 0;
}

int lu_spool_get(struct lu_spool *s, uint64_t at, size_t n, struct lu_str *out, struct lu_err *err)
{
	LU_ASSERT(at <= s->size && n <= s->size - at);
	if (at < s->from || at + n > s->from + s->window.n) {
		size_t want = n;

		if (at == s->next && want < LU_SPOOL_WINDOW)
			want = LU_SPOOL_WINDOW;
		if (want > s->size - at)
			want = (size_t)(s->size - at);
		lu_buf_clear(&s->window);
		if (!lu_buf_reserve(&s->window, want))
			return lu_err_nomem(err);
		if (lu_pread_all(s->fd, s->window.p, want, at, name, err) < 0)
			return -1;
		s->window.n = want;
		s->from = at;
	}
	s->next = at + n;
	*out = (struct lu_str){ s->window.p + (at - s->from), n };
	return 0;
}

int lu_spool_get_ahead(
		struct lu_spool *s, uint64_t at, size_t n, struct lu_str *out, struct lu_err *err)
{
	s->next = at;
	return lu_spool_get(s, at, n, out, err);
}

int lu_spool_peek(const struct lu_spool *s, uint64_t at, size_t n, void *p, struct lu_err *err)
{
	LU_ASSERT(at <= s->size && n <= s->size - at);
	if (at >= s->from && at + n <= s->from + s->window.n) {
		memcpy(p, s->window.p + (at - s->from), n);
		return 0;
	}
	return lu_pread_all(s->fd, p, n, at, name, err);
}

void lu_spool_close(struct lu_spool *s)
{
	if (s->fd >= 0)
		close(s->fd); /* unlinked: nothing can be lost */
	lu_buf_release(&s->window);
	*s = (struct lu_spool)LU_SPOOL_NONE;
}
