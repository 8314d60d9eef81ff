/* In place of attention_cudnn.cc in a build without cuDNN. */
#include "kernels/cuda/attention_cudnn.h"

int lk_cudnn_open(struct lk_queue *q)
{
	return lk_cuda_fail(q, "this build has no cuDNN: `make cuda-deps` fetches its front end");
}

void lk_cudnn_close(struct lk_queue *q)
{
	(void)q;
}

int lk_cudnn_attention(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *Q, const lk_act *K, const lk_act *V)
{
	(void)q, (void)at, (void)O, (void)lse, (void)Q, (void)K, (void)V;
	return 0;
}

int lk_cudnn_attention_back(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
		lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse, const lk_act *Q,
		const lk_act *K, const lk_act *V)
{
	(void)q, (void)at, (void)dQ, (void)dK, (void)dV, (void)dO;
	(void)O, (void)lse, (void)Q, (void)K, (void)V;
	return 0;
}

size_t lk_cudnn_choices(const struct lk_queue *q, char *text, size_t size)
{
	(void)q;
	if (size > 0)
		text[0] = '\0';
	return 0;
}
