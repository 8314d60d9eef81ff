/* What the emulated GPU says of itself: a made-up one of compute capability 8.0. */
#include "tests/kernels/emu/emu_runtime.h"

#include <stdio.h>

static const int processors = 4;
static const size_t shared_processor = 164 << 10;

cudaError_t cudaSetDeviceFlags(unsigned)
{
	return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int device)
{
	size_t available, total;

	*p = {};
	int n;

	(void)cudaGetDeviceCount(&n);
	if (device < 0 || device >= n)
		return emu_error(cudaErrorInvalidDevice);
	(void)snprintf(p->name, sizeof(p->name), "emulated GPU");
	(void)cudaMemGetInfo(&available, &total);
	p->totalGlobalMem = total;
	p->sharedMemPerBlock = emu_shared_default;
	p->sharedMemPerBlockOptin = emu_shared_most;
	p->sharedMemPerMultiprocessor = shared_processor;
	p->major = 8;
	p->multiProcessorCount = processors;
	p->maxThreadsPerBlock = 1024;
	p->maxThreadsPerMultiProcessor = 2048;
	p->warpSize = 32;
	p->l2CacheSize = 1 << 20;
	p->memoryBusWidth = 64;
	p->regsPerBlock = 65536;
	p->pciBusID = device;
	return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr a, int device)
{
	cudaDeviceProp p;
	cudaError_t e = cudaGetDeviceProperties(&p, device);

	switch (a) {
	case cudaDevAttrMaxThreadsPerBlock: *value = p.maxThreadsPerBlock; break;
	case cudaDevAttrMaxSharedMemoryPerBlock: *value = (int)p.sharedMemPerBlock; break;
	case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = (int)p.sharedMemPerBlockOptin; break;
	case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
		*value = (int)p.sharedMemPerMultiprocessor;
		break;
	case cudaDevAttrMultiProcessorCount: *value = p.multiProcessorCount; break;
	case cudaDevAttrMaxThreadsPerMultiProcessor: *value = p.maxThreadsPerMultiProcessor; break;
	case cudaDevAttrMaxGridDimX: *value = 0x7fffffff; break;
	case cudaDevAttrL2CacheSize: *value = p.l2CacheSize; break;
	case cudaDevAttrClockRate:
	case cudaDevAttrMemoryClockRate: *value = 1000; break;
	case cudaDevAttrGlobalMemoryBusWidth: *value = p.memoryBusWidth; break;
	case cudaDevAttrWarpSize: *value = p.warpSize; break;
	case cudaDevAttrComputeCapabilityMajor: *value = p.major; break;
	case cudaDevAttrComputeCapabilityMinor: *value = p.minor; break;
	}
	return e;
}

cudaError_t cudaDeviceGetPCIBusId(char *s, int n, int device)
{
	(void)snprintf(s, (size_t)n, "0000:%02x:00.0", device);
	return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
	*least = 0;
	*greatest = -5;
	return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *v)
{
	*v = 13000;
	return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *v)
{
	return cudaDriverGetVersion(v);
}

const char *cudaGetErrorString(cudaError_t e)
{
	switch (e) {
	case cudaSuccess: return "no error";
	case cudaErrorInvalidValue: return "invalid argument";
	case cudaErrorMemoryAllocation: return "out of memory";
	case cudaErrorInvalidConfiguration: return "invalid configuration argument";
	case cudaErrorNoDevice: return "no CUDA-capable device is detected";
	case cudaErrorInvalidDevice: return "invalid device ordinal";
	case cudaErrorInvalidResourceHandle: return "invalid resource handle";
	case cudaErrorNotReady: return "device not ready";
	case cudaErrorNotSupported: return "operation not supported";
	case cudaErrorStreamCaptureInvalidated:
		return "operation failed due to a previous error "
		       "during capture";
	case cudaErrorIllegalState: return "the operation cannot be performed in the present state";
	default: return "unspecified launch failure";
	}
}

const char *cudaGetErrorName(cudaError_t e)
{
	return cudaGetErrorString(e);
}

/* By threads and shared memory; registers are not known here. */
cudaError_t emu_occupancy(int *blocks, int threads, size_t shared)
{
	int most = threads > 0 ? 2048 / threads : 0;
	int room = shared > 0 ? (int)(shared_processor / (shared + 1024)) : most;

	*blocks = room < most ? room : most;
	return cudaSuccess;
}
