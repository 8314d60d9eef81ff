/* The emulation has one product and one attention: there is nothing to choose. */
#include "kernels/cuda/cuda.h"

int lk_cuda_choose(struct lk_queue *q, enum lk_attention attention, int repeatable)
{
	(void)repeatable;
	return attention == LK_ATTENTION_CUDNN ? lk_cuda_fail(q, "the emulation has no cuDNN") : 0;
}

size_t lk_cuda_choices(const struct lk_queue *q, char *text, size_t size)
{
	(void)q;
	if (size > 0)
		text[0] = '\0';
	return 0;
}
