#include "trainer/comm/rendezvous.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "libcommon/base/buf.h"
#include "libcommon/base/fnv.h"
#include "trainer/comm/door.h"
#include "trainer/comm/wire.h"

#define FIRST_PORT 20000
#define PORT_RANGE 12000
#define PORT_STEP 37
#define TAKEN_PATIENCE 15.0 /* seconds to wait for a given port that an attempt before still has */
#define DIAL_PATIENCE 3.0
#define REPLY_PATIENCE 5.0 /* a stranger may have the port and say nothing */
#define TABLE_PATIENCE 15.0
#define QUIET 10.0 /* seconds after which rank 0 says for whom it waits */

static const char magic[8] = "lucie-1";

/* What a rank says first. Both sides are the same program on the same kind of machine. */
struct hello {
	char magic[8];
	char token[128];
	struct lt_process process;
	uint32_t rank, data_port;
};

enum status {
	JOINED,	 /* wait for the table */
	TABLE,	 /* the secret and the members follow */
	REFUSED, /* a sentence follows: give up */
	ANOTHER, /* this is another run: look elsewhere */
};

struct reply {
	char magic[8];
	uint32_t status, bytes;
};

uint16_t lt_rendezvous_port(const char *token, size_t i)
{
	uint64_t h = lu_fnv1a(LU_FNV_BASIS, token, strlen(token));

	return (uint16_t)(FIRST_PORT + (h % PORT_RANGE + i * PORT_STEP) % PORT_RANGE);
}

static int send_reply(int fd, enum status status, const void *p, size_t n, double until)
{
	struct reply r = { .status = (uint32_t)status, .bytes = (uint32_t)n };

	memcpy(r.magic, magic, sizeof(magic));
	if (lt_wire_send(fd, &r, sizeof(r), until) < 0)
		return -1;
	return n ? lt_wire_send(fd, p, n, until) : 0;
}

static void pause_for(double seconds)
{
	struct timespec t = { .tv_nsec = (long)(seconds * 1e9) };

	nanosleep(&t, NULL);
}

/* ---- rank 0 ------------------------------------------------------------------------------ */

struct server {
	struct lt_door door;
	struct lt_meeting *m;
	const struct lt_launch *who;
	struct pollfd *poll; /* [size]: the door, then the ranks that have come */
	size_t come;
	lt_notice_fn *notice; /* NULL: nobody to tell */
};

/* Another program has the port, or it is reserved: say the way out. */
static int fail_taken(const struct lt_launch *who, struct lu_err *err)
{
	const struct lu_err why = *err;

	if (who->port)
		return lu_err_set(err, "rendezvous: %s; give another port in LUCIE_RENDEZVOUS",
				why.msg);
	return lu_err_set(err, "rendezvous: %s, nor on the %d others of this run; start again",
			why.msg, LT_RENDEZVOUS_PORTS - 1);
}

static int open_door(struct server *s, struct lu_err *err)
{
	double until = lt_now() + TAKEN_PATIENCE;
	size_t ports = s->who->port ? 1 : LT_RENDEZVOUS_PORTS;

	for (;;) {
		for (size_t i = 0; i < ports; i++) {
			uint16_t port = s->who->port ? s->who->port
						     : lt_rendezvous_port(s->who->token, i);

			if (lt_door_open(&s->door, port, sizeof(struct hello), err) == 0)
				return 0;
			if (err->errnum != EADDRINUSE && err->errnum != EACCES)
				return lu_err_wrap(err, "rendezvous");
		}
		if (lt_now() > until)
			return fail_taken(s->who, err);
		pause_for(0.2);
	}
}

static void forget(struct server *s, size_t rank)
{
	close(s->m->fds[rank]);
	s->m->fds[rank] = s->poll[rank].fd = -1;
	s->come--;
}

/* Judge the hello of a new connection. */
static void meet(struct server *s, int fd, struct hello *h)
{
	struct lt_member *member;
	double until = lt_now() + 1;
	struct lu_err err;

	h->token[sizeof(h->token) - 1] = '\0';
	h->process.host[sizeof(h->process.host) - 1] = '\0';
	h->process.boot[sizeof(h->process.boot) - 1] = '\0';
	lu_mask_controls(h->process.host);
	if (memcmp(h->magic, magic, sizeof(magic)) != 0)
		goto refuse;
	if (strcmp(h->token, s->who->token) != 0 || h->rank == 0 || h->rank >= s->who->size) {
		(void)send_reply(fd, ANOTHER, NULL, 0, until);
		goto refuse;
	}
	member = &s->m->members[h->rank];
	if (s->m->fds[h->rank] >= 0) {
		if (memcmp(&member->process, &h->process, sizeof(h->process)) != 0) {
			lu_err_set(&err,
					"rank %u is already there, as process %" PRIu64
					" on %s: each "
					"process needs a rank of its own",
					h->rank, member->process.pid, member->process.host);
			(void)send_reply(fd, REFUSED, err.msg, strlen(err.msg), until);
			goto refuse;
		}
		forget(s, h->rank); /* the same one again: its connection was lost */
	}
	if (send_reply(fd, JOINED, NULL, 0, until) < 0 || lt_wire_peer(fd, &member->address) < 0)
		goto refuse;
	member->process = h->process;
	member->data_port = (uint16_t)h->data_port;
	s->m->fds[h->rank] = s->poll[h->rank].fd = fd;
	s->come++;
	return;
refuse:
	close(fd);
}

/* Append the ranks that have not come, the first few of them; returns how many they are. */
static size_t list_missing(const struct server *s, struct lu_buf *list)
{
	size_t missing = s->who->size - 1 - s->come, named = 0;

	for (size_t r = 1; r < s->who->size && named < 16; r++) {
		if (s->m->fds[r] < 0)
			lu_buf_printf(list, "%s%zu", named++ ? ", " : "", r);
	}
	if (named < missing)
		lu_buf_printf(list, " and %zu more", missing - named);
	return missing;
}

/* Say for whom all are waiting. */
static void notice_missing(const struct server *s)
{
	struct lu_buf text = { 0 };

	lu_buf_puts(&text, "waiting for rank ");
	list_missing(s, &text);
	if (lu_buf_ok(&text))
		s->notice(text.p);
	lu_buf_release(&text);
}

static int fail_missing(struct server *s, double seconds, struct lu_err *err)
{
	struct lu_buf list = { 0 };
	size_t missing = list_missing(s, &list);

	if (lu_buf_check(&list, err) == 0)
		lu_err_set(err,
				"rendezvous: %zu of %zu ranks did not come to %s within %.0f s: "
				"rank%s %s",
				missing, s->who->size, s->m->members[0].process.host, seconds,
				missing == 1 ? "" : "s", list.p);
	lu_buf_release(&list);
	for (size_t r = 1; r < s->who->size; r++) {
		if (s->m->fds[r] >= 0)
			(void)send_reply(s->m->fds[r], REFUSED, err->msg, strlen(err->msg),
					lt_now() + 0.1);
	}
	return -1;
}

static int await_all(struct server *s, double seconds, struct lu_err *err)
{
	double until = lt_now() + seconds, quiet = s->notice ? lt_now() + QUIET : until;
	struct hello h;
	int fd;

	s->poll[0] = (struct pollfd){ .fd = s->door.fd, .events = POLLIN };
	for (size_t r = 1; r < s->who->size; r++)
		s->poll[r] = (struct pollfd){ .fd = -1, .events = POLLRDHUP };
	while (s->come + 1 < s->who->size) {
		if (lt_now() > until)
			return fail_missing(s, seconds, err);
		if (lt_now() > quiet) {
			notice_missing(s);
			quiet = until;
		}
		if (poll(s->poll, (nfds_t)s->who->size, 100) <= 0)
			continue;
		/* A rank that died is as one that has not come: it may be started again. */
		for (size_t r = 1; r < s->who->size; r++) {
			if (s->poll[r].fd >= 0 && s->poll[r].revents)
				forget(s, r);
			s->poll[r].revents = 0;
		}
		while ((fd = lt_door_next(&s->door, &h)) >= 0)
			meet(s, fd, &h);
	}
	return 0;
}

static int tell_all(struct server *s, struct lu_err *err)
{
	size_t size = s->who->size, n = sizeof(s->m->secret) + size * sizeof(*s->m->members);
	double until = lt_now() + TABLE_PATIENCE;
	char *table = malloc(n);
	int rc = 0;

	if (!table)
		return lu_err_nomem(err);
	memcpy(table, s->m->secret, sizeof(s->m->secret));
	memcpy(table + sizeof(s->m->secret), s->m->members, size * sizeof(*s->m->members));
	for (size_t r = 1; r < size && rc == 0; r++) {
		if (send_reply(s->m->fds[r], TABLE, table, n, until) < 0)
			rc = lu_err_sys(err, errno, "rendezvous: rank %zu on %s left again", r,
					s->m->members[r].process.host);
	}
	free(table);
	return rc;
}

static int serve(struct lt_meeting *m, const struct lt_launch *who, double seconds,
		lt_notice_fn *notice, struct lu_err *err)
{
	struct server s = {
		.door = { .fd = -1, .listener = -1 }, .m = m, .who = who, .notice = notice
	};
	int rc = -1;

	s.poll = calloc(who->size, sizeof(*s.poll));
	if (!s.poll) {
		lu_err_nomem(err);
		goto out;
	}
	if (getrandom(m->secret, sizeof(m->secret), 0) != (ssize_t)sizeof(m->secret)) {
		lu_err_sys(err, errno, "rendezvous: no random numbers");
		goto out;
	}
	if (open_door(&s, err) < 0 || await_all(&s, seconds, err) < 0)
		goto out;
	rc = tell_all(&s, err);
out:
	lt_door_close(&s.door);
	free(s.poll);
	return rc;
}

/* ---- other ranks ------------------------------------------------------------------------- */

struct joiner {
	struct lt_meeting *m;
	const struct lt_launch *who;
	struct hello hello;
	double until;
	bool answered;	   /* somebody did: that says more than a refused connection */
	bool unreachable;  /* the host, not the port */
	struct lu_err why; /* of the last attempt, or of the last answer */
};

/* 1: joined, 0: try elsewhere, -1: give up. */
static int introduce(struct joiner *j, int fd, const char *host, uint16_t port)
{
	double soon = lt_now() + DIAL_PATIENCE;
	struct reply r;

	if (lt_wire_connected(fd, soon) < 0 ||
			lt_wire_send(fd, &j->hello, sizeof(j->hello), soon) < 0) {
		j->unreachable = errno != ECONNREFUSED && errno != ECONNRESET;
		if (!j->answered)
			lu_err_sys(&j->why, errno, "%s:%u", host, port);
		return 0;
	}
	j->answered = true;
	if (lt_wire_recv(fd, &r, sizeof(r), lt_now() + REPLY_PATIENCE) < 0 ||
			memcmp(r.magic, magic, sizeof(magic)) != 0) {
		lu_err_set(&j->why, "%s:%u is not a rank of lucie-train", host, port);
		return 0;
	}
	if (r.status == ANOTHER) {
		lu_err_set(&j->why,
				"rank 0 of another run has %s:%u (all ranks of a run must "
				"have the same size, meeting place and attempt)",
				host, port);
		return 0;
	}
	if (r.status == REFUSED && r.bytes < sizeof(j->why.msg)) {
		memset(&j->why, 0, sizeof(j->why));
		if (lt_wire_recv(fd, j->why.msg, r.bytes, lt_now() + REPLY_PATIENCE) < 0)
			lu_err_set(&j->why, "%s:%u refuses", host, port);
		lu_mask_controls(j->why.msg);
		return -1;
	}
	return r.status == JOINED;
}

/* As introduce(); the connection is then in m->fds[0] and rank 0's address in m->members[0]. */
static int knock(struct joiner *j, const char *host, uint16_t port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *info = NULL;
	char text[8];
	int rc, found = 0;

	snprintf(text, sizeof(text), "%u", port);
	rc = getaddrinfo(host, text, &hints, &info);
	if (rc != 0) {
		if (!j->answered)
			lu_err_set(&j->why, "host %s: %s", host, gai_strerror(rc));
		j->unreachable = true;
		return 0;
	}
	for (const struct addrinfo *a = info; a && !found; a = a->ai_next) {
		int fd = lt_wire_dial(a->ai_addr, a->ai_addrlen);

		if (fd < 0) {
			if (!j->answered)
				lu_err_sys(&j->why, errno, "%s:%u", host, port);
			continue;
		}
		found = introduce(j, fd, host, port);
		if (found > 0 && lt_wire_peer(fd, &j->m->members[0].address) == 0)
			j->m->fds[0] = fd;
		else
			close(fd);
	}
	freeaddrinfo(info);
	return found;
}

/* Try every host and port once. */
static int look_around(struct joiner *j)
{
	size_t ports = j->who->port ? 1 : LT_RENDEZVOUS_PORTS;
	char host[sizeof(j->who->host)];

	for (const char *at = j->who->host; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");

		snprintf(host, sizeof(host), "%.*s", (int)n, at);
		at += n;
		j->unreachable = false;
		for (size_t i = 0; i < ports && !j->unreachable; i++) {
			int found = knock(j, host,
					j->who->port ? j->who->port
						     : lt_rendezvous_port(j->who->token, i));

			if (found || lt_now() > j->until)
				return found;
		}
	}
	return 0;
}

#define ENDED "rendezvous: rank 0 on %s ended while ranks were still missing"

static int read_table(struct joiner *j, double seconds, struct lu_err *err)
{
	size_t size = j->who->size, n = size * sizeof(*j->m->members);
	double until = lt_now() + seconds + TABLE_PATIENCE;
	struct in6_addr centre = j->m->members[0].address;
	int fd = j->m->fds[0];
	struct reply r;

	if (lt_wire_recv(fd, &r, sizeof(r), until) < 0) {
		/* The end of the connection, which is what the sentence says. */
		if (errno == EPIPE)
			return lu_err_set(err, ENDED, j->who->host);
		return lu_err_sys(err, errno, ENDED, j->who->host);
	}
	if (r.status == REFUSED && r.bytes < sizeof(err->msg)) {
		memset(err, 0, sizeof(*err));
		if (lt_wire_recv(fd, err->msg, r.bytes, until) == 0) {
			lu_mask_controls(err->msg);
			return -1;
		}
	}
	if (r.status != TABLE || r.bytes != n + sizeof(j->m->secret) ||
			lt_wire_recv(fd, j->m->secret, sizeof(j->m->secret), until) < 0 ||
			lt_wire_recv(fd, j->m->members, n, until) < 0)
		return lu_err_set(err, "rendezvous: rank 0 on %s broke off", j->who->host);
	/* Rank 0 does not know the address by which it is reached, nor that of the ranks which
	 * reach it by the loopback: they are on its host. */
	for (size_t k = 0; k < size; k++) {
		if (k == 0 || lt_wire_is_loopback(&j->m->members[k].address))
			j->m->members[k].address = centre;
	}
	return 0;
}

static int join(struct lt_meeting *m, const struct lt_launch *who, double seconds,
		uint16_t data_port, struct lu_err *err)
{
	struct joiner j = { .m = m, .who = who, .until = lt_now() + seconds };
	double wait = 0.02;
	int found;

	memcpy(j.hello.magic, magic, sizeof(magic));
	memcpy(j.hello.token, who->token, sizeof(who->token));
	j.hello.token[sizeof(j.hello.token) - 1] = '\0';
	j.hello.process = m->members[who->rank].process;
	j.hello.rank = (uint32_t)who->rank;
	j.hello.data_port = data_port;
	lu_err_set(&j.why, "no host is given");
	while ((found = look_around(&j)) == 0) {
		if (lt_now() > j.until)
			return lu_err_set(err,
					"rendezvous: rank %zu on %s does not reach rank 0 "
					"within %.0f s: %s",
					who->rank, j.hello.process.host, seconds, j.why.msg);
		/* Hundreds of ranks need not knock in the same moment. */
		pause_for(wait + 0.001 * (double)(who->rank % 64));
		wait = wait < 0.4 ? wait * 1.5 : wait;
	}
	if (found < 0) {
		*err = j.why;
		return -1;
	}
	return read_table(&j, seconds, err);
}

int lt_rendezvous(struct lt_meeting *m, const struct lt_launch *who, double seconds,
		uint16_t data_port, lt_notice_fn *notice, struct lu_err *err)
{
	*m = (struct lt_meeting){ 0 };
	m->members = calloc(who->size, sizeof(*m->members));
	m->fds = calloc(who->size, sizeof(*m->fds));
	if (!m->members || !m->fds) {
		lu_err_nomem(err);
		goto fail;
	}
	for (size_t r = 0; r < who->size; r++)
		m->fds[r] = -1;
	m->members[who->rank].process = lt_process_self();
	m->members[who->rank].data_port = data_port;
	if ((who->rank == 0 ? serve(m, who, seconds, notice, err)
			    : join(m, who, seconds, data_port, err)) == 0)
		return 0;
	lt_meeting_close(m, who->size);
	return -1;
fail:
	lt_meeting_release(m);
	return -1;
}

void lt_meeting_close(struct lt_meeting *m, size_t size)
{
	for (size_t r = 0; r < size; r++) {
		if (m->fds[r] >= 0)
			close(m->fds[r]);
	}
	lt_meeting_release(m);
}

void lt_meeting_release(struct lt_meeting *m)
{
	free(m->members);
	free(m->fds);
	*m = (struct lt_meeting){ 0 };
}
