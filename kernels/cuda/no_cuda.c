/* In place of the CUDA backend in a build without it. */
#include <stdio.h>

#include "kernels/lk.h"

static void without(struct lk_err *err)
{
	(void)snprintf(err->msg, sizeof(err->msg),
			"this build has no CUDA: build with `make CUDA=1`, see lucie-train(1)");
}

const struct lk_ops *lk_cuda_ops(enum lk_type act, struct lk_err *err)
{
	(void)act;
	without(err);
	return NULL;
}

int lk_cuda_devices(void)
{
	return 0;
}

int lk_cuda_describe(int device, struct lk_device *d, struct lk_err *err)
{
	(void)device;
	(void)d;
	without(err);
	return -1;
}

const char *lk_cuda_version(void)
{
	return "";
}

int lk_cuda_choose(struct lk_queue *q, enum lk_attention attention, int repeatable)
{
	(void)q;
	(void)attention;
	(void)repeatable;
	return -1;
}

size_t lk_cuda_choices(const struct lk_queue *q, char *text, size_t size)
{
	(void)q;
	if (size > 0)
		text[0] = '\0';
	return 0;
}
