/* The two tables, of float and of bf16 activations, and what is known of devices. */
#include <stdio.h>
#include <string.h>

#include "kernels/cuda/cuda.h"

#ifdef LK_EMU
#define VERSION "CUDA's emulation"
#else
#include <cublasLt.h>
#define TEXT(x) #x
#define DOTTED(a, b) TEXT(a) "." TEXT(b)
#define BASE                                                                             \
	"CUDA " DOTTED(__CUDACC_VER_MAJOR__, __CUDACC_VER_MINOR__) ", cuBLASLt " DOTTED( \
			CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR)
#if __has_include(<cudnn_version.h>) && __has_include(<cudnn_frontend.h>)
#include <cudnn_version.h>
#define VERSION BASE ", cuDNN " DOTTED(CUDNN_MAJOR, CUDNN_MINOR)
#else
#define VERSION BASE
#endif
#endif

static_assert(sizeof(lk_real) == sizeof(float), "the double-precision build has no CUDA");

/* Of several attentions the emulation has ours alone. */
#ifdef LK_EMU
#define ATTENTION .attention = lk_cuda_attention, .attention_back = lk_cuda_attention_back
#else
#define ATTENTION .attention = lk_cuda_attention_any, .attention_back = lk_cuda_attention_back_any
#endif

#define TABLE(title, type, bytes, open_queue)                                                   \
	{                                                                                       \
		.name = title, .act = type, .act_size = bytes, .open = open_queue,              \
		.close = lk_cuda_close, .message = lk_cuda_message, .sync = lk_cuda_sync,       \
		.event_open = lk_cuda_event_open, .event_close = lk_cuda_event_close,           \
		.event_record = lk_cuda_event_record, .event_wait = lk_cuda_event_wait,         \
		.event_sync = lk_cuda_event_sync, .measure = lk_cuda_measure,                   \
		.workspace = lk_cuda_workspace, .alloc = lk_cuda_alloc, .free = lk_cuda_free,   \
		.zero = lk_cuda_zero, .copy = lk_cuda_copy, .reserve = lk_cuda_reserve,         \
		.host_alloc = lk_cuda_host_alloc, .host_free = lk_cuda_host_free,               \
		.range_begin = lk_cuda_range_begin, .range_end = lk_cuda_range_end,             \
		.record_begin = lk_cuda_record_begin, .record_end = lk_cuda_record_end,         \
		.replay = lk_cuda_replay, .graph_free = lk_cuda_graph_free,                     \
		.native = lk_cuda_native, .to_act = lk_cuda_to_act, .embed = lk_cuda_embed,     \
		.embed_back = lk_cuda_embed_back, .rmsnorm = lk_cuda_rmsnorm,                   \
		.rmsnorm_again = lk_cuda_rmsnorm_again, .rmsnorm_back = lk_cuda_rmsnorm_back,   \
		.add = lk_cuda_add, .rope_table = lk_cuda_rope_table, .rope = lk_cuda_rope,     \
		ATTENTION, .attn_merge = lk_cuda_attn_merge, .swiglu = lk_cuda_swiglu,          \
		.swiglu_back = lk_cuda_swiglu_back, .cross_entropy = lk_cuda_cross_entropy,     \
		.ce_stats = lk_cuda_ce_stats, .ce_merge = lk_cuda_ce_merge,                     \
		.ce_grad = lk_cuda_ce_grad, .dpo = lk_cuda_dpo, .kl_stats = lk_cuda_kl_stats,   \
		.kl_merge = lk_cuda_kl_merge, .kl_grad = lk_cuda_kl_grad, .gemm = lk_cuda_gemm, \
		.pack = lk_cuda_pack, .pack_free = lk_cuda_pack_free,                           \
		.pack_bytes = lk_cuda_pack_bytes, .sum = lk_cuda_sum, .loss = lk_cuda_loss,     \
		.sqnorm = lk_cuda_sqnorm, .clip = lk_cuda_clip, .finite = lk_cuda_finite,       \
		.adamw = lk_cuda_adamw, .accumulate = lk_cuda_accumulate,                       \
		.lane_sum = lk_cuda_lane_sum, .event_done = lk_cuda_event_done,                 \
		.event_seconds = lk_cuda_event_seconds, .low_split = lk_cuda_low_split,         \
		.low_join = lk_cuda_low_join, .low_accumulate = lk_cuda_low_accumulate,         \
		.low_sqnorm = lk_cuda_low_sqnorm, .low_adamw = lk_cuda_low_adamw                \
	}

static const struct lk_ops table_f32 = TABLE("cuda f32", LK_F32, 4, lk_cuda_open_f32);
static const struct lk_ops table_bf16 = TABLE("cuda bf16", LK_BF16, 2, lk_cuda_open_bf16);

/*
 * Dense bf16 products with fp32 sums, in 10^12 operations a second, and bandwidth in 10^9 bytes a
 * second, from NVIDIA's data sheets: those that quote figures with sparsity are halved. A name is
 * looked for as words inside the device's; the first that is found counts.
 */
static const struct {
	const char *name;
	double flops16, bandwidth;
} sheet[] = {
	{ "A100-SXM4-40GB", 312, 1555 }, /* A100 data sheet, 2021 */
	{ "A100-SXM4-80GB", 312, 2039 },
	{ "A100-PCIE-40GB", 312, 1555 },
	{ "A100 80GB PCIe", 312, 1935 },
	{ "A30", 165, 933 },	     /* A30 data sheet, 2021 */
	{ "A40", 149.7, 696 },	     /* A40 data sheet, 2020 */
	{ "A10", 125, 600 },	     /* A10 data sheet, 2021 */
	{ "RTX A6000", 154.8, 768 }, /* GA102 architecture paper, 2020 */
	{ "RTX 3090", 71, 936 },
	{ "GH200 144G", 989.4, 4900 }, /* GH200 data sheet, 2024 */
	{ "GH200", 989.4, 4000 },
	{ "H200 NVL", 835.5, 4800 }, /* H200 data sheet, 2024 */
	{ "H200", 989.4, 4800 },
	{ "H100 NVL", 835.5, 3900 }, /* H100 data sheet, 2023 */
	{ "H100 PCIe", 756, 2000 },
	{ "H100", 989.4, 3350 },
	{ "L40S", 362.05, 864 },	/* L40S data sheet, 2023 */
	{ "L40", 181.05, 864 },		/* L40 data sheet, 2022 */
	{ "L4", 121, 300 },		/* L4 data sheet, 2023 */
	{ "RTX 6000 Ada", 364.2, 960 }, /* AD102 architecture paper, 2022 */
	{ "RTX 4090", 165.2, 1008 },
	{ "B300", 2250, 8000 },			   /* Blackwell architecture brief, 2025 */
	{ "GB200", 2500, 8000 },		   /* GB200 NVL72 data sheet, 2024 */
	{ "B200", 2250, 8000 },			   /* DGX B200 data sheet, 2024 */
	{ "RTX PRO 6000 Blackwell", 503.8, 1792 }, /* GB202 architecture paper, 2025 */
	{ "RTX 5090", 209.5, 1792 },
};

int lk_cuda_count(int *n, struct lk_err *err)
{
	int driver = 0, runtime = 0;
	cudaError_t e = cudaGetDeviceCount(n);

	if (e == cudaSuccess && *n > 0)
		return 0;
	(void)cudaGetLastError();
	(void)cudaDriverGetVersion(&driver);
	(void)cudaRuntimeGetVersion(&runtime);
	if (e == cudaSuccess || e == cudaErrorNoDevice)
		(void)snprintf(err->msg, sizeof(err->msg),
				"no NVIDIA GPU is visible: see nvidia-smi and "
				"CUDA_VISIBLE_DEVICES");
	else if (driver == 0)
		(void)snprintf(err->msg, sizeof(err->msg), "there is no NVIDIA driver here");
	else if (e == cudaErrorInsufficientDriver)
		(void)snprintf(err->msg, sizeof(err->msg),
				"the NVIDIA driver supports CUDA %d.%d, this build needs %d.%d: "
				"update it",
				driver / 1000, driver / 10 % 100, runtime / 1000,
				runtime / 10 % 100);
	else
		(void)snprintf(err->msg, sizeof(err->msg), "the NVIDIA driver does not start: %s",
				cudaGetErrorString(e));
	*n = 0;
	return -1;
}

/* Compute capability of a device, 10 * major + minor; 0 if the driver does not say. */
static int capability(int device)
{
	int major = 0, minor = 0;

	if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) !=
					cudaSuccess ||
			cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) !=
					cudaSuccess)
		return 0;
	return 10 * major + minor;
}

const struct lk_ops *lk_cuda_ops(enum lk_type act, struct lk_err *err)
{
	int n, best = 0;

	if (lk_cuda_count(&n, err) < 0)
		return NULL;
	for (int i = 0; i < n; i++)
		best = capability(i) > best ? capability(i) : best;
	if (best < 80) {
		(void)snprintf(err->msg, sizeof(err->msg),
				"the GPU has compute capability %d.%d, bf16 needs 8.0 or later",
				best / 10, best % 10);
		return NULL;
	}
	if (act == LK_BF16)
		return &table_bf16;
	if (act == LK_ACT || act == LK_REAL || act == LK_F32)
		return &table_f32;
	(void)snprintf(err->msg, sizeof(err->msg), "the GPU's operations are for float and bf16");
	return NULL;
}

int lk_cuda_devices(void)
{
	struct lk_err err;
	int n = 0;

	return lk_cuda_ops(LK_BF16, &err) && lk_cuda_count(&n, &err) == 0 ? n : 0;
}

static int in_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* `words` is in `name`, and not as a part of longer words: A10 is not in A100. */
static int has_words(const char *name, const char *words)
{
	size_t n = strlen(words);

	for (const char *p = strstr(name, words); p; p = strstr(p + 1, words))
		if ((p == name || !in_word(p[-1])) && !in_word(p[n]))
			return 1;
	return 0;
}

int lk_cuda_describe(int device, struct lk_device *d, struct lk_err *err)
{
	struct cudaDeviceProp prop;
	size_t rest = 0, all = 0;
	cudaError_t e;
	int n;

	memset(d, 0, sizeof(*d));
	if (lk_cuda_count(&n, err) < 0)
		return -1;
	e = cudaGetDeviceProperties(&prop, device);
	if (e == cudaSuccess)
		e = cudaSetDevice(device);
	if (e == cudaSuccess)
		e = cudaMemGetInfo(&rest, &all);
	if (e != cudaSuccess) {
		(void)cudaGetLastError();
		(void)snprintf(err->msg, sizeof(err->msg), "device %d: %s", device,
				cudaGetErrorString(e));
		return -1;
	}
	(void)snprintf(d->name, sizeof(d->name), "%.127s", prop.name);
	d->major = prop.major;
	d->minor = prop.minor;
	d->processors = prop.multiProcessorCount;
	d->bus = (uint64_t)prop.pciDomainID << 32 | (uint64_t)prop.pciBusID << 16 |
			(uint64_t)prop.pciDeviceID;
	d->memory = all;
	d->free = rest;
	for (size_t i = 0; i < sizeof(sheet) / sizeof(sheet[0]); i++)
		if (has_words(d->name, sheet[i].name)) {
			d->flops16 = sheet[i].flops16 * 1e12;
			d->bandwidth = sheet[i].bandwidth * 1e9;
			break;
		}
	return 0;
}

const char *lk_cuda_version(void)
{
	return VERSION;
}
