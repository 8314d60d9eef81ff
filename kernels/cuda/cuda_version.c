/* What --version says of CUDA: libcommon/sys/version.h, which kernels do not include. */
#include <cublasLt.h>
#ifdef LK_HAVE_CUDNN
#include <cudnn.h>
#endif

#define TEXT(x) #x
#define POINT(major, minor) TEXT(major) "." TEXT(minor)

#ifdef LK_HAVE_CUDNN
#define CUDNN ", cuDNN " POINT(CUDNN_MAJOR, CUDNN_MINOR)
#else
#define CUDNN ", no cuDNN"
#endif

/* LK_CUDA_VERSION and LK_CUDA_ARCH come from make: nvcc's release and what it compiles for. */
extern const char lu_version_cuda[];
const char lu_version_cuda[] = LK_CUDA_VERSION
		" (" LK_CUDA_ARCH "; cuBLASLt " POINT(CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR) CUDNN ")";
