/* What tests/trainer/fake_nccl.c queues its work by: see tests/trainer/fake_device.h. */
#include "tests/kernels/emu/emu.h"

extern "C" int fake_stream_launch(void *stream, void (*fn)(void *), void *ctx);

extern "C" int fake_stream_launch(void *stream, void (*fn)(void *), void *ctx)
{
	emu_enqueue(static_cast<cudaStream_t>(stream), [fn, ctx]() { fn(ctx); });
	return 0;
}
