#include "libcommon/mix/quotas.h"

#include "libcommon/mix/joint.h"

int lu_mix_quotas(const struct lu_recipe *r, struct lu_demand *d, bool stated, uint64_t *mix_size,
		struct lu_err *err)
{
	size_t n = r->group.n, epochs = 0;

	if (r->target.n || r->temperature != LU_EPOCH_ONE)
		return lu_solve_joint(r, d, mix_size, err);
	if (lu_solve_quotas(d, n, r->total, mix_size, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		epochs += d[i].kind == LU_AMOUNT_EPOCHS;
	return stated && epochs == n ? lu_solve_round_epochs(d, n, mix_size, err) : 0;
}
