#ifndef LUCIE_TESTS_FAKE_DEVICE_H
#define LUCIE_TESTS_FAKE_DEVICE_H
/*
 * A device for tests of communication: the part of struct lk_ops that the transport of GPUs uses, on
 * memory of the host. Each queue has a thread that does its work in order while the host goes on, as
 * a stream does, so an operation that waits for another rank delays nobody else. Activations are of
 * bf16.
 *
 * fake_nccl.c queues its work by fake_stream_launch(), which it finds in the program.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/lk.h"

extern const struct lk_ops fake_ops;

/* Call fn(ctx) when the work queued so far in the stream (native()) is done. */
int fake_stream_launch(void *stream, void (*fn)(void *), void *ctx);

/* For struct ranks, `before`: LUCIE_NCCL is fake_nccl.so beside this program. */
void fake_nccl(size_t rank, void *arg);
/* In a test: false, with a remark, where the build has no NCCL. */
bool fake_nccl_is_there(void);

#endif
