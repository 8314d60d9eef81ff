#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "trainer/comm/control_private.h"

void lt_control_wake(const struct lt_control *k)
{
	(void)eventfd_write(k->wake, 1);
}

size_t lt_spoke_unsent(const struct lt_spoke *s)
{
	return s->fd >= 0 ? s->out.n - s->sent : 0;
}

void lt_spoke_flush_locked(struct lt_spoke *s)
{
	while (lt_spoke_unsent(s)) {
		ssize_t n = send(s->fd, s->out.p + s->sent, lt_spoke_unsent(s),
				MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		s->sent += (size_t)n;
	}
	lu_buf_clear(&s->out);
	s->sent = 0;
}

void lt_spoke_put_locked(struct lt_control *k, struct lt_spoke *s, enum lt_frame_kind kind,
		enum lt_channel channel, uint32_t op, const void *p, size_t n)
{
	struct lt_frame f = {
		.bytes = (uint32_t)n, .op = op, .kind = (uint16_t)kind, .channel = (uint16_t)channel
	};

	if (s->fd < 0)
		return;
	if (!lu_buf_reserve(&s->out, sizeof(f) + n)) {
		/* Nothing can be said on this connection any more, which the other side must see. */
		(void)shutdown(s->fd, SHUT_RDWR);
		return;
	}
	lu_buf_append(&s->out, &f, sizeof(f));
	lu_buf_append(&s->out, p, n);
	lt_spoke_flush_locked(s);
	if (lt_spoke_unsent(s))
		lt_control_wake(k);
}
