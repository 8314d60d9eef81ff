#include "libcommon/sys/version.h"

#include <stdio.h>

#include "libcommon/sys/tool.h"

#ifdef LU_BARE
static void libraries(void)
{
	printf("bare build: libc and OpenMP only");
}
#else
#include <archive.h>
#include <libxml/xmlversion.h>
#include <lzma.h>
#include <unicode/uvernum.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

static void libraries(void)
{
	printf("zstd %s, zlib %s, xz %s, libarchive %s, libxml2 %s, ICU %s (Unicode 15), xxHash "
	       "%d.%d.%d",
			ZSTD_versionString(), zlibVersion(), lzma_version_string(),
			ARCHIVE_VERSION_ONLY_STRING, LIBXML_DOTTED_VERSION, U_ICU_VERSION,
			XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE);
}
#endif

#define YES_NO(x) ((x) ? "yes" : "no")
#ifndef LU_HAVE_CUDA
#define LU_HAVE_CUDA 0
#endif
#ifndef LU_HAVE_NCCL
#define LU_HAVE_NCCL 0
#endif
#ifndef LU_HAVE_MPI
#define LU_HAVE_MPI 0
#endif

void lu_version_print(const char *tool)
{
	printf("%s (lucie) %s\n", tool, LU_VERSION);
	printf("compiler %s; ", __VERSION__);
	libraries();
	printf("; CUDA %s, NCCL %s, MPI %s\n", YES_NO(LU_HAVE_CUDA), YES_NO(LU_HAVE_NCCL),
			YES_NO(LU_HAVE_MPI));
}
