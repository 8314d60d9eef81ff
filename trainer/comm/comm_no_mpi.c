/* lucie-train without MPI in the build. */
#include "trainer/comm/comm_mpi.h"

int lt_mpi_start(struct lt_comm *c, struct lt_launch *who, struct lu_err *err)
{
	(void)c;
	if (who->host[0])
		return 0; /* all ranks are on this host, and meet on it */
	return lu_err_set(err,
			"mpirun started ranks on several hosts, and this lucie-train was built "
			"without MPI: build it where mpicc is installed, or start the ranks by "
			"srun or with LUCIE_RANK, LUCIE_SIZE and LUCIE_RENDEZVOUS");
}
