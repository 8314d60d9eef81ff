#include "trainer/run/backend.h"

#include <string.h>

const struct lk_ops *lt_backend(enum lt_dtype dtype)
{
	return lk_cpu_ops(dtype == LT_BF16 ? LK_BF16 : LK_REAL);
}

size_t lt_head_rows(const struct lk_ops *ops)
{
	return strncmp(ops->name, "cuda", 4) == 0 ? 4096 : 0;
}

const char *lt_dtype_name(enum lt_dtype dtype)
{
	return dtype == LT_BF16 ? "bf16" : "fp32";
}

enum lt_dtype lt_dtype_of(const char *name)
{
	return strcmp(name, "bf16") == 0 ? LT_BF16 : LT_FP32;
}
