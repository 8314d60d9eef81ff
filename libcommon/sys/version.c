#include "libcommon/sys/version.h"

#include "libcommon/sys/tool.h"

#ifdef LU_BARE
static void put_libraries(struct lu_buf *out)
{
	lu_buf_puts(out, "bare build: libc and OpenMP only");
}
#else
#include <archive.h>
#include <libxml/xmlversion.h>
#include <lzma.h>
#include <unicode/uvernum.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

static void put_libraries(struct lu_buf *out)
{
	lu_buf_printf(out,
			"zstd %s, zlib %s, xz %s, libarchive %s,\n"
			"libxml2 %s, ICU %s (Unicode 15), xxHash %d.%d.%d",
			ZSTD_versionString(), zlibVersion(), lzma_version_string(),
			ARCHIVE_VERSION_ONLY_STRING, LIBXML_DOTTED_VERSION, U_ICU_VERSION,
			XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE);
}
#endif

static void put_part(const char *name, const char *version, struct lu_buf *out)
{
	lu_buf_printf(out, "%s %s", name, version ? version : "no");
}

void lu_version_put(const char *tool, struct lu_buf *out)
{
	lu_buf_printf(out, "%s (lucie) %s\ncompiler %s; ", tool, LU_VERSION, __VERSION__);
	put_libraries(out);
	put_part("\nCUDA", lu_version_cuda, out);
	put_part(", NCCL", lu_version_nccl, out);
	put_part(", MPI", lu_version_mpi, out);
	lu_buf_putc(out, '\n');
}
