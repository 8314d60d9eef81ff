#ifndef LUCIE_TESTS_EMU_RUNTIME_H
#define LUCIE_TESTS_EMU_RUNTIME_H
/*
 * The part of the CUDA runtime that the backend's host code calls, for the emulated GPU; the
 * functions do what the CUDA Runtime API says of them.
 *
 * Device memory is apart from the host's: its pages can be touched only while a kernel, copy or memset
 * runs, so that an access by the host is a fault, reported with the allocation that it hit. New memory
 * is filled with 0xff. Where there is more than 4 MiB of it, it stays open from the first kernel until the
 * host waits. Each allocation has pages that nobody may touch around it, and under the address
 * sanitizer red zones to the byte.
 *
 * Work runs when it is queued, or late: then nothing runs before somebody waits for it, and only what
 * must have run by then; the youngest stream first. A host that reads a result without waiting, or a
 * stream that uses another's without an event, then finds 0xff or what was there before. The
 * destination of a copy to the host is filled with 0xff until the copy runs.
 *
 * Environment, read at the first call: LK_EMU_LATE=1, LK_EMU_PROTECT=0, LK_EMU_ORDER=0, 1 or a number
 * above (see emu_control.h), LK_EMU_DEVICES (2), LK_EMU_MEMORY in MiB (4096). LK_EMU_QUERY=0: who asks
 * about an event does not make late work run, for work that waits for another process.
 */
#include <stddef.h>

#include "tests/kernels/emu/emu_control.h"

typedef enum {
	cudaSuccess = 0,
	cudaErrorInvalidValue = 1,
	cudaErrorMemoryAllocation = 2,
	cudaErrorInvalidConfiguration = 9,
	cudaErrorInsufficientDriver = 35,
	cudaErrorNoDevice = 100,
	cudaErrorInvalidDevice = 101,
	cudaErrorInvalidResourceHandle = 400,
	cudaErrorNotReady = 600,
	cudaErrorLaunchFailure = 719,
	cudaErrorNotSupported = 801,
	cudaErrorStreamCaptureInvalidated = 901,
	cudaErrorIllegalState = 401
} cudaError_t;

typedef struct CUstream_st *cudaStream_t;
typedef struct CUevent_st *cudaEvent_t;
typedef struct CUgraph_st *cudaGraph_t, *cudaGraphExec_t;

enum cudaMemcpyKind {
	cudaMemcpyHostToHost,
	cudaMemcpyHostToDevice,
	cudaMemcpyDeviceToHost,
	cudaMemcpyDeviceToDevice,
	cudaMemcpyDefault
};

enum {
	cudaStreamDefault = 0,
	cudaStreamNonBlocking = 1,
	cudaEventDefault = 0,
	cudaEventBlockingSync = 1,
	cudaEventDisableTiming = 2,
	cudaHostAllocDefault = 0,
	cudaHostAllocPortable = 1,
	cudaHostAllocMapped = 2,
	cudaDeviceScheduleBlockingSync = 4
};

enum cudaDeviceAttr {
	cudaDevAttrMaxThreadsPerBlock,
	cudaDevAttrMaxSharedMemoryPerBlock,
	cudaDevAttrMaxSharedMemoryPerBlockOptin,
	cudaDevAttrMaxSharedMemoryPerMultiprocessor,
	cudaDevAttrMultiProcessorCount,
	cudaDevAttrMaxThreadsPerMultiProcessor,
	cudaDevAttrMaxGridDimX,
	cudaDevAttrL2CacheSize,
	cudaDevAttrClockRate,
	cudaDevAttrMemoryClockRate,
	cudaDevAttrGlobalMemoryBusWidth,
	cudaDevAttrWarpSize,
	cudaDevAttrComputeCapabilityMajor,
	cudaDevAttrComputeCapabilityMinor
};

enum cudaFuncAttribute {
	cudaFuncAttributeMaxDynamicSharedMemorySize,
	cudaFuncAttributePreferredSharedMemoryCarveout
};

enum cudaStreamCaptureMode {
	cudaStreamCaptureModeGlobal,
	cudaStreamCaptureModeThreadLocal,
	cudaStreamCaptureModeRelaxed
};

struct cudaDeviceProp {
	char name[256];
	size_t totalGlobalMem, sharedMemPerBlock, sharedMemPerBlockOptin,
			sharedMemPerMultiprocessor;
	int major, minor, multiProcessorCount, maxThreadsPerBlock, maxThreadsPerMultiProcessor;
	int warpSize, l2CacheSize, memoryBusWidth, regsPerBlock, pciBusID, pciDeviceID;
	int pciDomainID, integrated, ECCEnabled;
};

cudaError_t cudaGetDeviceCount(int *n);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDevice(int *device);
cudaError_t cudaSetDeviceFlags(unsigned flags);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int device);
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr a, int device);
cudaError_t cudaDeviceGetPCIBusId(char *s, int n, int device);
cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest);
cudaError_t cudaDriverGetVersion(int *v);
cudaError_t cudaRuntimeGetVersion(int *v);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
const char *cudaGetErrorString(cudaError_t e);
const char *cudaGetErrorName(cudaError_t e);

cudaError_t cudaMalloc(void **p, size_t bytes);
cudaError_t cudaFree(void *p);
cudaError_t cudaHostAlloc(void **p, size_t bytes, unsigned flags);
cudaError_t cudaMallocHost(void **p, size_t bytes, unsigned flags = 0);
cudaError_t cudaFreeHost(void *p);
cudaError_t cudaMemGetInfo(size_t *available, size_t *total);
cudaError_t cudaMemcpyAsync(
		void *to, const void *from, size_t bytes, cudaMemcpyKind how, cudaStream_t s = 0);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind how);
cudaError_t cudaMemsetAsync(void *p, int byte, size_t bytes, cudaStream_t s = 0);
cudaError_t cudaMemset(void *p, int byte, size_t bytes);

cudaError_t cudaStreamCreate(cudaStream_t *s);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags);
cudaError_t cudaStreamCreateWithPriority(cudaStream_t *s, unsigned flags, int priority);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamSynchronize(cudaStream_t s);
cudaError_t cudaStreamQuery(cudaStream_t s);
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags = 0);
cudaError_t cudaLaunchHostFunc(cudaStream_t s, void (*fn)(void *), void *ctx);
cudaError_t cudaEventCreate(cudaEvent_t *e);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t e);
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s = 0);
cudaError_t cudaEventSynchronize(cudaEvent_t e);
cudaError_t cudaEventQuery(cudaEvent_t e);
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t a, cudaEvent_t b);

/* Work between begin and end is noted, in the order in which it was queued, and done by a launch. */
cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *x, cudaGraph_t g, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t x, cudaStream_t s);
cudaError_t cudaGraphDestroy(cudaGraph_t g);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t x);

/* Kernels are told apart by their address. */
cudaError_t emu_function_shared(const void *kernel, cudaFuncAttribute a, int value);
cudaError_t emu_occupancy(int *blocks, int threads, size_t shared);

template <class T> static inline cudaError_t cudaMalloc(T **p, size_t bytes)
{
	return cudaMalloc(reinterpret_cast<void **>(p), bytes);
}

template <class T> static inline cudaError_t cudaHostAlloc(T **p, size_t bytes, unsigned flags)
{
	return cudaHostAlloc(reinterpret_cast<void **>(p), bytes, flags);
}

template <class K>
static inline cudaError_t cudaFuncSetAttribute(K *kernel, cudaFuncAttribute a, int value)
{
	return emu_function_shared(reinterpret_cast<const void *>(kernel), a, value);
}

template <class K>
static inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(
		int *blocks, K *, int threads, size_t shared)
{
	return emu_occupancy(blocks, threads, shared);
}

/* --- for the emulation itself ----------------------------------------------------------------- */

#include <functional>

/* Queue work of the host that may touch device memory, such as a product in place of cuBLASLt's. */
void emu_enqueue(cudaStream_t s, std::function<void()> fn);
/* Whether the bytes lie in one allocation of device memory. */
bool emu_owns(const void *p, size_t bytes);
/* The error that cudaGetLastError() will return. */
cudaError_t emu_error(cudaError_t e);
/* Bytes of shared memory of a block: without asking, and the most, as of compute capability 8.0. */
static const size_t emu_shared_default = 48 << 10, emu_shared_most = 163 << 10;
/* Bytes of dynamic shared memory that a kernel may have. */
size_t emu_shared_limit(const void *kernel);
/* The kernel that runs, block and thread, as text; empty outside of kernels. */
const char *emu_where();

#endif
