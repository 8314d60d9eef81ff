/* lucie-train without NCCL in the build. */
#include "trainer/comm/comm_nccl.h"

int lt_nccl_start(struct lt_comm *c, int device, enum lt_equality equality, struct lu_err *err)
{
	(void)c, (void)device, (void)equality;
	return lu_err_set(err,
			"several ranks on GPUs need NCCL, and this lucie-train was built without: "
			"build it where nccl.h is found (make cuda-deps brings it), or set "
			"train.device = cpu");
}
