/* Streams, events and graphs of the emulated GPU, and what a device says of itself. */
#include "tests/kernels/emu/emu_runtime.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "tests/kernels/emu/emu.h"
#include "tests/kernels/emu/emu_memory.h"

void emu_run_kernel(const emu_kernel &k); /* emu.cc */

namespace
{

/* Work of a stream, or a point of another stream that has to be reached first. */
struct op {
	std::function<void()> fn;
	CUstream_st *other;
	uint64_t until;
	const char *host; /* what a copy reads of the host's memory */
	size_t bytes;
};

} // namespace

struct CUstream_st {
	std::deque<op> ops;
	uint64_t done, queued;
	bool capturing, closed;
};

struct CUevent_st {
	CUstream_st *stream; /* NULL: never recorded */
	uint64_t at;
	bool captured;
	std::shared_ptr<double> time;
};

struct CUgraph_st {
	std::vector<std::function<void()>> ops;
};

namespace
{

struct runtime {
	std::recursive_mutex lock;
	std::vector<CUstream_st *>
			streams; /* the first is the default stream; none is ever freed */
	std::map<const void *, int> shared;
	CUgraph_st *capture;
	cudaError_t error;
	bool begun, late, query;
	int device, devices;
};

runtime &rt = *new runtime{}; /* outlives the process's destructors */

typedef std::lock_guard<std::recursive_mutex> guard;

} // namespace

/* A number of the environment. */
static unsigned long setting(const char *name, unsigned long normal)
{
	const char *s = getenv(name);

	return s && *s ? strtoul(s, nullptr, 10) : normal;
}

static void begin()
{
	if (rt.begun)
		return;
	rt.begun = true;
	rt.late = setting("LK_EMU_LATE", rt.late) != 0;
	rt.query = setting("LK_EMU_QUERY", 1) != 0;
	rt.devices = (int)setting("LK_EMU_DEVICES", 2);
	if (getenv("LK_EMU_ORDER"))
		emu_set_order((unsigned)setting("LK_EMU_ORDER", 0));
	emu_set_protect(setting("LK_EMU_PROTECT", 1) != 0);
	emu_memory_begin(setting("LK_EMU_MEMORY", 4096) << 20);
	rt.streams.push_back(new CUstream_st{});
}

void emu_set_late(int on)
{
	guard g(rt.lock);

	begin();
	rt.late = on != 0;
}

cudaError_t emu_error(cudaError_t e)
{
	if (e != cudaSuccess)
		rt.error = e;
	return e;
}

/* --- work ------------------------------------------------------------------------------------- */

/* Run the work of s up to and including number `until`, and what it has to wait for. */
static void run(CUstream_st *s, uint64_t until)
{
	if (s->done >= until)
		return;
	emu_memory_open();
	while (s->done < until) {
		op o = std::move(s->ops.front());

		s->ops.pop_front();
		if (o.other)
			run(o.other, o.until);
		else
			o.fn();
		s->done++;
	}
	emu_memory_close();
}

/* The same, and the host has waited for it. */
static void finish(CUstream_st *s, uint64_t until)
{
	run(s, until);
	emu_memory_settle();
}

/* All work, of the youngest stream first. */
static void run_all()
{
	for (size_t i = rt.streams.size(); i-- > 0;)
		run(rt.streams[i], rt.streams[i]->queued);
}

/* The default stream waits for all others, and the others for it. */
static CUstream_st *stream_of(cudaStream_t s)
{
	begin();
	if (!s)
		run_all();
	else
		run(rt.streams[0], rt.streams[0]->queued);
	return s ? s : rt.streams[0];
}

static void push(CUstream_st *s, op &&o)
{
	s->ops.push_back(std::move(o));
	s->queued++;
	if (!rt.late)
		run(s, s->queued);
}

static void enqueue(cudaStream_t stream, std::function<void()> fn, const char *host, size_t bytes)
{
	guard g(rt.lock);
	CUstream_st *s = stream_of(stream);

	if (s->capturing)
		rt.capture->ops.push_back(std::move(fn));
	else
		push(s, { std::move(fn), nullptr, 0, host, bytes });
}

void emu_enqueue(cudaStream_t stream, std::function<void()> fn)
{
	enqueue(stream, std::move(fn), nullptr, 0);
}

void emu_enqueue_kernel(cudaStream_t stream, emu_kernel &&k)
{
	guard g(rt.lock);
	uint64_t threads = (uint64_t)k.block.x * k.block.y * k.block.z;
	size_t limit = emu_shared_limit(k.address);

	if (threads == 0 || threads > 1024 || k.block.z > 64 || k.grid.x == 0 || k.grid.y == 0 ||
			k.grid.z == 0 || k.grid.x > 0x7fffffff || k.grid.y > 65535 ||
			k.grid.z > 65535)
		emu_error(cudaErrorInvalidConfiguration);
	else if (k.shared > limit)
		emu_error(cudaErrorInvalidValue);
	else
		emu_enqueue(stream, [k = std::move(k)]() { emu_run_kernel(k); });
}

/* --- streams and events ----------------------------------------------------------------------- */

cudaError_t cudaStreamCreate(cudaStream_t *s)
{
	guard g(rt.lock);

	begin();
	*s = new CUstream_st{};
	rt.streams.push_back(*s);
	return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned)
{
	return cudaStreamCreate(s);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *s, unsigned, int)
{
	return cudaStreamCreate(s);
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
	guard g(rt.lock);

	if (!s || s->closed)
		return emu_error(cudaErrorInvalidResourceHandle);
	run(s, s->queued);
	s->closed = true;
	return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
	guard g(rt.lock);
	CUstream_st *s = stream_of(stream);

	if (s->closed)
		return emu_error(cudaErrorInvalidResourceHandle);
	if (s->capturing)
		return emu_error(cudaErrorStreamCaptureInvalidated);
	finish(s, s->queued);
	return cudaSuccess;
}

/* Not ready at the first look, so that a caller that looks once and goes on is found out. */
cudaError_t cudaStreamQuery(cudaStream_t stream)
{
	guard g(rt.lock);
	CUstream_st *s = stream_of(stream);

	if (s->done == s->queued)
		return cudaSuccess;
	run(s, s->queued);
	return cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize()
{
	guard g(rt.lock);

	begin();
	run_all();
	emu_memory_settle();
	return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t s, void (*fn)(void *), void *ctx)
{
	emu_enqueue(s, [fn, ctx]() { fn(ctx); });
	return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned)
{
	*e = new CUevent_st{};
	return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *e)
{
	return cudaEventCreateWithFlags(e, 0);
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
	delete e;
	return e ? cudaSuccess : emu_error(cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t stream)
{
	guard g(rt.lock);
	CUstream_st *s = stream_of(stream);
	auto time = std::make_shared<double>(0);

	if (!e)
		return emu_error(cudaErrorInvalidResourceHandle);
	e->captured = s->capturing;
	if (s->capturing)
		return cudaSuccess;
	e->time = time;
	e->stream = s;
	e->at = s->queued + 1;
	push(s,
			{ [time]() {
				 struct timespec now;

				 (void)clock_gettime(CLOCK_MONOTONIC, &now);
				 *time = (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
			 },
					nullptr, 0, nullptr, 0 });
	return cudaSuccess;
}

/* A stream that waits for an event of a capture joins it. */
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t e, unsigned)
{
	guard g(rt.lock);
	CUstream_st *s = stream_of(stream);

	if (!e)
		return emu_error(cudaErrorInvalidResourceHandle);
	if (e->captured && rt.capture)
		s->capturing = true;
	else if (e->stream && !s->capturing)
		push(s, { nullptr, e->stream, e->at, nullptr, 0 });
	return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
	guard g(rt.lock);

	if (!e)
		return emu_error(cudaErrorInvalidResourceHandle);
	if (e->captured && rt.capture)
		return emu_error(cudaErrorStreamCaptureInvalidated);
	if (e->stream)
		finish(e->stream, e->at);
	return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t e)
{
	guard g(rt.lock);

	if (!e)
		return emu_error(cudaErrorInvalidResourceHandle);
	if (!e->stream || e->stream->done >= e->at)
		return cudaSuccess;
	if (rt.query)
		run(e->stream, e->at);
	return cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t a, cudaEvent_t b)
{
	guard g(rt.lock);

	if (!a || !b || !a->stream || !b->stream)
		return emu_error(cudaErrorInvalidResourceHandle);
	if (a->stream->done < a->at || b->stream->done < b->at)
		return cudaErrorNotReady;
	*ms = (float)(*b->time - *a->time);
	return cudaSuccess;
}

/* --- graphs ----------------------------------------------------------------------------------- */

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode)
{
	guard g(rt.lock);

	if (!s || s->closed || rt.capture)
		return emu_error(cudaErrorIllegalState);
	rt.capture = new CUgraph_st{};
	s->capturing = true;
	return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *graph)
{
	guard g(rt.lock);

	*graph = nullptr;
	if (!s || !s->capturing)
		return emu_error(cudaErrorIllegalState);
	*graph = rt.capture;
	rt.capture = nullptr;
	for (CUstream_st *t : rt.streams)
		t->capturing = false;
	return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *x, cudaGraph_t graph, unsigned long long)
{
	*x = new CUgraph_st(*graph);
	return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t x, cudaStream_t s)
{
	for (const auto &fn : x->ops)
		emu_enqueue(s, fn);
	return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
	delete graph;
	return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t x)
{
	delete x;
	return cudaSuccess;
}

/* --- memory ----------------------------------------------------------------------------------- */

cudaError_t cudaMalloc(void **p, size_t bytes)
{
	guard g(rt.lock);

	begin();
	*p = bytes == 0 ? nullptr : emu_memory_take(bytes);
	return *p || bytes == 0 ? cudaSuccess : emu_error(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void *p)
{
	guard g(rt.lock);

	begin();
	run_all();
	return !p || emu_memory_give(p) ? cudaSuccess : emu_error(cudaErrorInvalidValue);
}

cudaError_t cudaHostAlloc(void **p, size_t bytes, unsigned)
{
	guard g(rt.lock);

	begin();
	*p = emu_memory_pin(bytes);
	return *p ? cudaSuccess : emu_error(cudaErrorMemoryAllocation);
}

cudaError_t cudaMallocHost(void **p, size_t bytes, unsigned flags)
{
	return cudaHostAlloc(p, bytes, flags);
}

cudaError_t cudaFreeHost(void *p)
{
	guard g(rt.lock);

	begin();
	run_all();
	return !p || emu_memory_unpin(p) ? cudaSuccess : emu_error(cudaErrorInvalidValue);
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
	guard g(rt.lock);

	begin();
	emu_memory_info(available, total);
	return cudaSuccess;
}

bool emu_owns(const void *p, size_t bytes)
{
	guard g(rt.lock);

	return emu_memory_owns(p, bytes);
}

/* Whether p, bytes is device memory where `device` says so, and is not elsewhere. */
static bool is_right(const void *p, size_t bytes, bool device)
{
	return device ? emu_memory_owns(p, bytes) : !emu_memory_near(p);
}

/* Whether a copy that is queued will read these bytes of the host. */
static bool will_be_read(const void *p, size_t bytes)
{
	const char *at = static_cast<const char *>(p);

	for (const CUstream_st *s : rt.streams)
		for (const op &o : s->ops)
			if (o.host && at < o.host + o.bytes && o.host < at + bytes)
				return true;
	return false;
}

cudaError_t cudaMemcpyAsync(
		void *to, const void *from, size_t bytes, cudaMemcpyKind how, cudaStream_t stream)
{
	guard g(rt.lock);
	bool to_device = how == cudaMemcpyHostToDevice || how == cudaMemcpyDeviceToDevice;
	bool from_device = how == cudaMemcpyDeviceToHost || how == cudaMemcpyDeviceToDevice;

	if (how == cudaMemcpyDefault) {
		to_device = emu_memory_near(to);
		from_device = emu_memory_near(from);
	}
	if (bytes == 0)
		return cudaSuccess;
	if (!is_right(to, bytes, to_device) || !is_right(from, bytes, from_device))
		return emu_error(cudaErrorInvalidValue);
	if (rt.late && !to_device && from_device && !stream_of(stream)->capturing &&
			!will_be_read(to, bytes))
		memset(to, 0xff, bytes);
	enqueue(
			stream, [=]() { memmove(to, from, bytes); },
			static_cast<const char *>(from), from_device ? 0 : bytes);
	return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind how)
{
	cudaError_t e = cudaMemcpyAsync(to, from, bytes, how, nullptr);

	return e == cudaSuccess ? cudaStreamSynchronize(nullptr) : e;
}

cudaError_t cudaMemsetAsync(void *p, int byte, size_t bytes, cudaStream_t s)
{
	guard g(rt.lock);

	if (bytes == 0)
		return cudaSuccess;
	if (!emu_memory_owns(p, bytes))
		return emu_error(cudaErrorInvalidValue);
	emu_enqueue(s, [=]() { memset(p, byte, bytes); });
	return cudaSuccess;
}

cudaError_t cudaMemset(void *p, int byte, size_t bytes)
{
	return cudaMemsetAsync(p, byte, bytes, nullptr);
}

/* --- the device -------------------------------------------------------------------------------- */

cudaError_t cudaGetDeviceCount(int *n)
{
	guard g(rt.lock);

	begin();
	*n = rt.devices;
	return *n > 0 ? cudaSuccess : emu_error(cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device)
{
	guard g(rt.lock);

	begin();
	if (device < 0 || device >= rt.devices)
		return emu_error(cudaErrorInvalidDevice);
	rt.device = device;
	return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device)
{
	*device = rt.device;
	return cudaSuccess;
}

cudaError_t cudaGetLastError()
{
	cudaError_t e = rt.error;

	rt.error = cudaSuccess;
	return e;
}

cudaError_t cudaPeekAtLastError()
{
	return rt.error;
}

cudaError_t emu_function_shared(const void *kernel, cudaFuncAttribute a, int value)
{
	guard g(rt.lock);

	if (a != cudaFuncAttributeMaxDynamicSharedMemorySize)
		return cudaSuccess;
	if (value < 0 || (size_t)value > emu_shared_most)
		return emu_error(cudaErrorInvalidValue);
	rt.shared[kernel] = value;
	return cudaSuccess;
}

size_t emu_shared_limit(const void *kernel)
{
	auto found = rt.shared.find(kernel);

	return found == rt.shared.end() ? emu_shared_default : (size_t)found->second;
}
