/* What tests/trainer/fake_nccl.c queues its work by: see tests/trainer/fake_device.h. */
#include "tests/kernels/emu/emu.h"

extern "C" int fake_stream_launch(void *stream, void (*fn)(void *), void *ctx);
extern "C" int fake_stream_flush(void *stream);

extern "C" int fake_stream_launch(void *stream, void (*fn)(void *), void *ctx)
{
	emu_enqueue(static_cast<cudaStream_t>(stream), [fn, ctx]() { fn(ctx); });
	return 0;
}

/* Where work runs late: that of this stream, and what it waits for, now. */
extern "C" int fake_stream_flush(void *stream)
{
	return cudaStreamSynchronize(static_cast<cudaStream_t>(stream)) == cudaSuccess ? 0 : -1;
}
