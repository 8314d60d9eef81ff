#ifndef LUCIE_TRAINER_COMM_COMM_MPI_H
#define LUCIE_TRAINER_COMM_COMM_MPI_H
/*
 * Data over MPI, where mpirun has started the ranks and MPI is in the build: comm_mpi.c is compiled
 * where mpicc is found, comm_no_mpi.c elsewhere.
 */
#include "trainer/comm/comm.h"

/*
 * Start MPI, make it the transport of c, and let rank 0 tell the others where the control plane
 * meets: who->host and who->token. Without MPI in the build nothing is changed, and it is an error if
 * the ranks are on several hosts.
 */
int lt_mpi_start(struct lt_comm *c, struct lt_launch *who, struct lu_err *err) LU_CHECKED;

#endif
