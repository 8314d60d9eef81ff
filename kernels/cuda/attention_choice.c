/* Which attention a queue uses. */
#include "kernels/cuda/attention_cudnn.h"

int lk_cuda_choose(struct lk_queue *q, enum lk_attention attention, int repeatable)
{
	q->fast = !repeatable;
	q->attention = attention;
	if (attention == LK_ATTENTION_CUDNN)
		return lk_cudnn_open(q);
	return 0;
}

/* cuDNN is open, and wanted. If it is not there at all, it is not asked for again. */
static int with_cudnn(struct lk_queue *q)
{
	struct lk_err before = q->err;

	if (q->attention == LK_ATTENTION_OWN || q->act != LK_BF16)
		return 0;
	if (q->cudnn || lk_cudnn_open(q) == 0)
		return 1;
	q->err = before;
	q->attention = LK_ATTENTION_OWN;
	return 0;
}

int lk_cuda_attention_any(struct lk_queue *q, const struct lk_attn *at, lk_act *O, lk_real *lse,
		const lk_act *Q, const lk_act *K, const lk_act *V)
{
	int done = with_cudnn(q) ? lk_cudnn_attention(q, at, O, lse, Q, K, V) : 0;

	if (done != 0)
		return done < 0 ? -1 : 0;
	return lk_cuda_attention(q, at, O, lse, Q, K, V);
}

int lk_cuda_attention_back_any(struct lk_queue *q, const struct lk_attn *at, lk_act *dQ, lk_act *dK,
		lk_act *dV, const lk_act *dO, const lk_act *O, const lk_real *lse, const lk_act *Q,
		const lk_act *K, const lk_act *V)
{
	int done = with_cudnn(q) ? lk_cudnn_attention_back(q, at, dQ, dK, dV, dO, O, lse, Q, K, V)
				 : 0;

	if (done != 0)
		return done < 0 ? -1 : 0;
	return lk_cuda_attention_back(q, at, dQ, dK, dV, dO, O, lse, Q, K, V);
}
