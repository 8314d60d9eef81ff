#ifndef LUCIE_TRAINER_COMM_RENDEZVOUS_H
#define LUCIE_TRAINER_COMM_RENDEZVOUS_H
/*
 * How the ranks meet. Rank 0 listens; the others connect and say who they are; when all have come,
 * rank 0 tells everyone about everyone. The connections stay, as the spokes of the control plane.
 *
 * A stranger who connects, or another run's rank on a port that both have tried, has another token
 * and is sent away; neither is waited for. A rank that connects and dies may come again until all
 * are there. There is no authentication: whoever reads the environment of a rank can take part, as
 * with MPI, so the ports belong in a network of trusted hosts.
 *
 * Ports: that of the launch, or, if that is 0, the first that is free of LT_RENDEZVOUS_PORTS which
 * follow from the token and lie below the ephemeral ports of Linux (32768).
 */
#include <netinet/in.h>

#include "trainer/comm/launch.h"
#include "trainer/comm/process.h"

#define LT_RENDEZVOUS_PORTS 16

struct lt_member {
	struct lt_process process;
	struct in6_addr address; /* where this rank can be reached */
	uint16_t data_port;	 /* of its listening socket for data; 0: none */
};

struct lt_meeting {
	struct lt_member *members; /* [size] */
	int *fds;		   /* [size]: rank 0 has all but its own, others have fds[0] */
	unsigned char secret[16];  /* of this meeting: it opens data connections */
};

/* Port i of the candidates of a token. */
uint16_t lt_rendezvous_port(const char *token, size_t i);

/*
 * Meet within `seconds`. who->host may be several names or addresses with commas between them.
 * Rank 0 gives a notice after ten seconds, unless that is NULL: for whom all are waiting.
 * Error: a sentence that names the ranks which did not come, or why rank 0 is not reached.
 */
int lt_rendezvous(struct lt_meeting *m, const struct lt_launch *who, double seconds,
		uint16_t data_port, lt_notice_fn *notice, struct lu_err *err) LU_CHECKED;
/* Free the memory; close() closes the connections too. */
void lt_meeting_release(struct lt_meeting *m);
void lt_meeting_close(struct lt_meeting *m, size_t size);

#endif
